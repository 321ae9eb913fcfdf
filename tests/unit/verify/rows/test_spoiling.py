"""Bodies that are right but for one thing."""

from specwright.verify.rows.spoiling import spoiled

SCHEMA = {
    "type": "object",
    "properties": {
        "note": {"type": "string"},
        "product_id": {"type": "string", "format": "uuid"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["count"],
                "properties": {"count": {"type": "integer"}},
            },
        },
    },
}


def test_one_member_is_spoiled_and_one_is_kept() -> None:
    """What is kept comes first, and what is spoiled last; the rest is as it was."""
    body = {"product_id": "p", "note": "kept"}
    for name, sent in spoiled(SCHEMA, body, "note"):
        assert sent["note"] == "kept"
        assert next(iter(sent)) == "note"
        assert [*sent][-1] == name
        assert {**body, name: sent[name]} == sent


def test_rows_within_rows_are_spoiled() -> None:
    """An order is found out by its lines, when the order itself may be there already."""
    within = [sent["lines"] for name, sent in spoiled(SCHEMA, {"note": "kept"}, "note") if name == "lines"]
    assert [{"count": -1}] in within
