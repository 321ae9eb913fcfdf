"""Collections are found by the paths and the schemas of operations."""

from typing import Any

from specwright.verify.surface.collections import find_collections
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.openapi import read_openapi
from specwright.verify.surface.surface import Collection, Operation, Reference

_ID = {"type": "object", "properties": {"id": {"type": "integer"}, "title": {"type": "string"}}}


def _found(*labels: str, body: Any = None, shown: Any = None) -> dict[str, Collection]:
    operations = []
    for label in labels:
        method, path = label.split()
        operations.append(
            Operation(
                method,
                path,
                body=body if method != "GET" else None,
                answers={"200": shown} if shown else {},
            )
        )
    return {each.name: each for each in find_collections(operations)}


def test_a_life_of_rows() -> None:
    """Create, list, read, change and remove belong together, with or without a slash at the end."""
    found = _found(
        "POST /things/", "GET /things/", "GET /things/{thing_id}", "PATCH /things/{thing_id}",
        "PUT /things/{thing_id}", "DELETE /things/{thing_id}", shown=_ID,
    )  # fmt: skip
    things = found["things"]
    assert len(things.operations) == 6
    assert (things.key, things.member) == ("thing_id", "id")


def test_below_another() -> None:
    """What is made below a row has that row above it."""
    found = _found(
        "POST /projects", "GET /projects/{project_id}", "POST /projects/{project_id}/tasks",
        "GET /projects/{project_id}/tasks", "GET /projects/{project_id}/tasks/{task_id}",
    )  # fmt: skip
    assert (found["tasks"].parent, found["tasks"].above) == ("projects", "project_id")
    assert list(found) == ["projects", "tasks"]


def test_made_below_another_and_read_alone() -> None:
    """`POST /projects/{id}/tasks` and `GET /tasks/{id}` are about the same rows."""
    found = _found(
        "POST /projects", "GET /projects/{id}", "POST /projects/{id}/tasks", "GET /projects/{id}/tasks",
        "GET /tasks/{task_id}", "DELETE /tasks/{task_id}",
    )  # fmt: skip
    tasks = found["tasks"]
    assert tasks.create is not None and tasks.read is not None and tasks.delete is not None
    assert (tasks.parent, tasks.key) == ("projects", "task_id")


def test_actions_and_links_are_not_rows() -> None:
    """What is done to a row, and what only links it, belongs to the row."""
    found = _found(
        "POST /articles", "GET /articles/{slug}", "POST /articles/{slug}/favorite",
        "DELETE /articles/{slug}/favorite", "PUT /articles/{slug}/tags/{tag_id}",
    )  # fmt: skip
    assert list(found) == ["articles"]
    assert len(found["articles"].others) == 3


def test_single_things_are_no_collections() -> None:
    """Neither what is there once, nor a procedure."""
    assert _found("GET /me", "PATCH /me", "GET /users/me", "POST /login", "GET /search", "POST /search") == {}


def test_verbs_in_paths() -> None:
    """`/todos/create` makes a todo; `/todo/{id}` is one of `/todos`."""
    found = _found("POST /todos/create", "GET /todos/list", "GET /todo/{id}", "DELETE /todo/{id}")
    todos = found["todos"]
    assert todos.create is not None and todos.list is not None and todos.read is not None


def test_an_envelope_and_a_slug() -> None:
    """As in RealWorld: an article comes and goes as the only member, and is known by its slug."""
    article = {"type": "object", "properties": {"slug": {"type": "string"}, "title": {"type": "string"}}}
    wrapped = {"type": "object", "properties": {"article": article}}
    found = _found("POST /api/articles", "GET /api/articles/{slug}", body=wrapped, shown=wrapped)["articles"]
    assert (found.envelope, found.wrapping, found.member) == ("article", "article", "slug")
    assert found.shown({"article": {"slug": "a"}}) == {"slug": "a"}
    assert found.create is not None
    form = form_of(found.create, found)
    assert form.body({"title": "A"}) == {"article": {"title": "A"}}
    assert form.members({"article": {"title": "A"}}) == {"title": "A"}


def test_where_lists_have_their_rows() -> None:
    """A bare array, the usual members, or the collection's own name."""
    rows = {"type": "array", "items": _ID}
    for shown, items in (
        (rows, ""),
        ({"properties": {"data": rows, "count": {"type": "integer"}}}, "data"),
        ({"properties": {"things": rows, "links": rows}}, "things"),
    ):
        found = _found("GET /things", "POST /things", "GET /things/{id}", shown=shown)["things"]
        assert found.items == items


def test_names_differ() -> None:
    """Two collections with the same last word are told by the word before."""
    found = _found("POST /blog/items", "GET /blog/items/{id}", "POST /shop/items", "GET /shop/items/{id}")
    assert set(found) == {"blog/items", "shop/items"}


def test_references_by_the_names_of_members() -> None:
    """`project_id`, `tagIds`, a number called as a collection is; but no text that is."""
    text, number, many = (
        {"type": "string"},
        {"type": "integer"},
        {"type": "array", "items": {"type": "integer"}},
    )
    document = {
        "openapi": "3.1.0",
        "paths": {
            **{
                f"/{name}": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}
                for name, schema in {
                    "projects": {},
                    "tags": {},
                    "owners": {},
                    "tasks": {
                        "properties": {
                            "project_id": {"anyOf": [number, {"type": "null"}]}, "tagIds": many,
                            "owner": number, "project": text, "title": text, "external_id": text,
                        }
                    },
                }.items()
            },
            **{f"/{name}/{{id}}": {"get": {}} for name in ("projects", "tags", "owners", "tasks")},
        },
    }  # fmt: skip
    found = {each.name: each for each in find_collections(read_openapi(document))}
    assert found["tasks"].references == (
        Reference("project_id", "projects"),
        Reference("tagIds", "tags", many=True),
        Reference("owner", "owners"),
    )


def test_what_changes_many_rows_at_once() -> None:
    """Operations on the path of all rows that neither make nor list any."""
    found = _found(
        "POST /things", "GET /things", "GET /things/{id}", "PATCH /things", "DELETE /things", shown=_ID
    )
    assert [each.label for each in found["things"].bulk] == ["PATCH /things", "DELETE /things"]
