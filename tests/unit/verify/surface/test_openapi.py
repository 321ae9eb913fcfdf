"""OpenAPI documents become operations."""

from typing import Any

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.surface.openapi import read_openapi
from specwright.verify.surface.schemas import members


def _document(**more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "it", "version": "1"}, "paths": {}} | more


def test_references_are_followed_wherever_they_stand() -> None:
    """Path items, parameters, bodies, answers and schemas may all be elsewhere in the document."""
    (operation,) = read_openapi(
        _document(
            paths={"/notes/{id}": {"$ref": "#/components/pathItems/note"}},
            components={
                "pathItems": {
                    "note": {
                        "parameters": [{"$ref": "#/components/parameters/id"}],
                        "put": {
                            "requestBody": {"$ref": "#/components/requestBodies/note"},
                            "responses": {"200": {"$ref": "#/components/responses/note"}},
                        },
                    }
                },
                "parameters": {
                    "id": {"name": "id", "in": "path", "schema": {"$ref": "#/components/schemas/a~1b"}}
                },
                "requestBodies": {
                    "note": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}
                    }
                },
                "responses": {
                    "note": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}
                    }
                },
                "schemas": {"a/b": {"type": "integer"}, "Note": {"properties": {"text": {"type": "string"}}}},
            },
        )
    )
    assert operation.label == "PUT /notes/{id}"
    assert [(each.name, each.required, each.schema) for each in operation.parameters] == [
        ("id", True, {"type": "integer"})
    ]
    assert operation.body == operation.answers["200"] == {"properties": {"text": {"type": "string"}}}


def test_a_schema_within_itself_ends() -> None:
    """A tree's schema is one object that contains itself; a word beside a reference stays."""
    node = {
        "type": "object",
        "properties": {
            "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            "above": {"$ref": "#/components/schemas/Node", "description": "the one above"},
        },
    }
    (operation,) = read_openapi(
        _document(
            paths={
                "/nodes": {
                    "post": {
                        "requestBody": {
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
                        }
                    }
                }
            },
            components={"schemas": {"Node": node}},
        )
    )
    shown = members(operation.body)
    assert shown["kids"]["items"] is operation.body
    assert shown["above"]["description"] == "the one above"
    assert members(shown["above"]).keys() == {"kids", "above"}


@pytest.mark.parametrize(
    ("globally", "here", "secured"),
    [
        (None, None, None),
        (None, [{"bearer": []}], True),
        ([{"bearer": []}], None, True),
        ([{"bearer": []}], [], False),
        (None, [{}, {"bearer": []}], False),
    ],
)
def test_security_of_an_operation_replaces_the_global(globally: Any, here: Any, secured: bool | None) -> None:
    """Nothing said is neither yes nor no; an empty alternative is no."""
    said: dict[str, Any] = {} if here is None else {"security": here}
    more = {} if globally is None else {"security": globally}
    (operation,) = read_openapi(_document(paths={"/a": {"get": said}}, **more))
    assert operation.secured is secured


def test_json_is_sent_where_it_is_taken_else_a_form() -> None:
    """Of several media types the one that most clients use."""
    content = {"multipart/form-data": {"schema": {}}, "application/x-www-form-urlencoded": {"schema": {}}}
    form, json = read_openapi(
        _document(
            paths={
                "/a": {"post": {"requestBody": {"content": content}}},
                "/b": {"post": {"requestBody": {"content": content | {"application/json": {"schema": {}}}}}},
            }
        )
    )
    assert (form.media, json.media) == ("application/x-www-form-urlencoded", "application/json")


def test_the_servers_path_comes_first() -> None:
    """A client sends it before every path."""
    (operation,) = read_openapi(_document(servers=[{"url": "/api/v1/"}], paths={"/a": {"get": {}}}))
    assert operation.path == "/api/v1/a"


def test_nullable_is_read_as_a_type() -> None:
    """OpenAPI 3.0 says with a word what 3.1 says with a type."""
    schema = {"type": "string", "nullable": True}
    (operation,) = read_openapi(
        _document(
            openapi="3.0.3",
            paths={"/a": {"get": {"parameters": [{"name": "q", "in": "query", "schema": schema}]}}},
        )
    )
    assert operation.parameters[0].schema == {"type": ["string", "null"]}


@pytest.mark.parametrize("document", [None, [], "<html>", {}, {"swagger": "2.0"}, {"openapi": "2.9"}])
def test_anything_else_is_refused(document: Any) -> None:
    """Only OpenAPI 3 is read."""
    with pytest.raises(ConfigError, match="none of version 3"):
        read_openapi(document)


@pytest.mark.parametrize(
    "reference", ["#/nowhere", "other.json#/a", "#/components/schemas/Loop", "#/paths/0"]
)
def test_references_to_nothing_allow_everything(reference: str) -> None:
    """A mistake in the document is no mistake of the verifier's."""
    body = {"requestBody": {"content": {"application/json": {"schema": {"$ref": reference}}}}}
    loop = {"Loop": {"$ref": "#/components/schemas/Loop"}}
    (operation,) = read_openapi(_document(paths={"/a": {"post": body}}, components={"schemas": loop}))
    assert members(operation.body) == {}
