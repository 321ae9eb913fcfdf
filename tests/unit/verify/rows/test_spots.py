"""The places of a request for a value."""

from specwright.verify.rows.spots import spots
from specwright.verify.surface.surface import Operation, Parameter

_TEXT = {"type": "string"}
_BODY = {
    "type": "object",
    "properties": {
        "title": _TEXT,
        "links": {"type": "array", "items": {"type": "string", "format": "uri"}},
        "notify": {"anyOf": [{"type": "object", "properties": {"callback": _TEXT}}, {"type": "null"}]},
        "images": {"type": "array", "items": {"type": "object", "properties": {"url": _TEXT}}},
    },
}


def test_every_place_has_a_name_and_a_schema() -> None:
    """Parameters of the query, members within members, items of lists; not those that hold others."""
    asked = (Parameter("q", "query", _TEXT), Parameter("id", "path", _TEXT))
    found = {spot.name: spot for spot in spots(Operation("POST", "/pages/{id}", asked, body=_BODY))}
    assert list(found) == ["q", "title", "links", "notify.callback", "images.url"]
    assert found["q"].in_query and not found["title"].in_query
    assert found["links"].schema == {"type": "string", "format": "uri"}
    assert found["images.url"].steps == ("images", 0, "url")


def test_a_body_that_holds_itself_has_an_end() -> None:
    """So do its places."""
    body: dict[str, object] = {"type": "object", "properties": {"name": _TEXT}}
    body["properties"] = {"name": _TEXT, "inner": body}
    names = [spot.name for spot in spots(Operation("POST", "/pages", body=body))]
    assert names == ["name", "inner.name", "inner.inner.name"]
