"""Conditional requests over a socket, as RFC 9110 §13 has them, and those that must be conditional."""

from collections.abc import Iterator
from typing import Any

import pytest

from protected import build
from served import Answer, Person, Served, fresh_database, serving
from specwright import Backend
from specwright.read.spec import read_specs

SPEC = """# Pages

## Page

| Field | Type | Rules          |
|-------|------|----------------|
| text  | text | required, ..80 |
| owner | User | the caller     |

| Action  | Takes | Does        | On  |
|---------|-------|-------------|-----|
| publish |       | shows it    |     |
| sweep   |       | does a lot  | all |

| Who       | May                         |
|-----------|-----------------------------|
| owner     | everything, publish, sweep  |
| signed in | read                        |

### Rules

- if-match required

## Note

| Field | Type | Rules          |
|-------|------|----------------|
| text  | text | required, ..80 |
| owner | User | the caller     |

| Action  | Takes | Does        |
|---------|-------|-------------|
| publish |       | shows it    |

| Who   | May                 |
|-------|---------------------|
| owner | everything, publish |
"""


def bind(backend: Backend) -> None:
    """The actions."""

    @backend.action("Page")
    async def publish() -> None: ...

    @backend.action("Page")
    async def sweep() -> None: ...

    @backend.action("Note")
    async def publish() -> None: ...  # noqa: F811


@pytest.fixture(scope="module")
def served(database_server: str) -> Iterator[Served]:
    """Pages, whose changes must be conditional, and notes, whose changes may be."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, prepare=bind, tables=False) as running:
            yield running


@pytest.fixture
def ada(served: Served) -> Person:
    """The owner."""
    return served.person("ada")


def made(ada: Person, path: str) -> tuple[str, str]:
    """The path and the tag of a new row."""
    answer = ada.post(path, {"text": "x"})
    assert answer.status == 201, answer
    return f"{path}/{answer.json()['id']}", answer.headers["etag"]


def changes(who: Person, path: str, **headers: str) -> list[Answer]:
    """Every way to change a row, with these headers; the delete comes last."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [
        who.patch(path, {"text": "y"}, headers=named),
        who.put(path, {"text": "y"}, headers=named),
        who.post(f"{path}/publish", None, headers=named),
        who.delete(path, headers=named),
    ]


def told(answers: list[Answer]) -> list[tuple[int, str]]:
    """Status and code of each."""
    return [(answer.status, answer.code) for answer in answers]


STALE = (412, "precondition_failed")
UNCONDITIONAL = (428, "precondition_required")


def test_if_match_is_a_strong_comparison(ada: Person) -> None:
    """A weak tag matches nothing, not even itself (RFC 9110 §13.1.1); one strong tag of a list is enough."""
    path, tag = made(ada, "/notes")
    assert told(changes(ada, path, if_match=f"W/{tag}")) == [STALE] * 4
    assert told(changes(ada, path, if_match=f'W/{tag}, "other"')) == [STALE] * 4
    listed = f'"other", W/"1-00" ,{tag}'
    assert ada.patch(path, {"text": "y"}, headers={"if-match": listed}).status == 200


def test_if_match_on_a_read(ada: Person) -> None:
    """The row is answered in that version or not at all, to GET and to HEAD; a missing row is missing."""
    path, tag = made(ada, "/notes")
    other = ada.patch(path, {"text": "y"}).headers["etag"]
    for fits in (other, f'"x", {other}', "*"):
        assert ada.get(path, headers={"if-match": fits}).status == 200
        assert ada.send("HEAD", path, headers={"if-match": fits}).status == 200
    for stale in (tag, f"W/{other}", '"x"', ""):
        answer = ada.get(path, headers={"if-match": stale})
        assert (answer.status, answer.code) == STALE, stale
        assert ada.send("HEAD", path, headers={"if-match": stale}).status == 412
    # First If-Match, then If-None-Match (§13.2.2).
    assert ada.get(path, headers={"if-match": tag, "if-none-match": other}).status == 412
    assert ada.get(path, headers={"if-match": other, "if-none-match": other}).status == 304
    assert ada.get(f"{path[:-4]}0000", headers={"if-match": "*"}).status == 404


def test_if_none_match_on_a_head(ada: Person) -> None:
    """HEAD is told what GET is told, and a weak comparison is enough (§13.1.2)."""
    path, tag = made(ada, "/notes")
    for known in (tag, f"W/{tag}", f'"x", W/"y" , {tag}', "*"):
        answer = ada.send("HEAD", path, headers={"if-none-match": known})
        assert (answer.status, answer.headers["etag"], answer.body) == (304, tag, b"")
        assert {"cache-control", "vary"} <= answer.headers.keys()
    for unknown in ('"x"', '"1-00"', tag[1:-1], ""):
        assert ada.send("HEAD", path, headers={"if-none-match": unknown}).status == 200


def test_if_none_match_on_a_change(ada: Person) -> None:
    """A change goes ahead only if the row is in none of these versions; `*` is any version at all."""
    path, tag = made(ada, "/notes")
    for known in ("*", tag, f"W/{tag}", f'"9-00", {tag}'):
        assert told(changes(ada, path, if_none_match=known)) == [STALE] * 4, known
    assert ada.get(path).json()["text"] == "x"
    assert told(changes(ada, path, if_none_match='"9-00"', if_match='"8-00"')) == [STALE] * 4
    for other in ('"9-00"', '"x"', ""):
        assert ada.patch(path, {"text": "y"}, headers={"if-none-match": other}).status == 200
    last = changes(ada, path, if_none_match='"9-00"')
    assert [answer.status for answer in last] == [200, 200, 204, 204]


def test_a_condition_tells_nothing_about_what_is_not_there(served: Served, ada: Person) -> None:
    """Whoever may not read a row, or names none, is told 404 whatever the condition."""
    path, tag = made(ada, "/notes")
    for who, place in ((served.person("bob"), path), (ada, f"{path[:-4]}0000")):
        for headers in ({"if_match": tag}, {"if_match": '"9-00"'}, {"if_none_match": "*"}):
            assert told(changes(who, place, **headers)) == [(404, "not_found")] * 4


def test_lists_and_creates_have_no_condition(ada: Person) -> None:
    """A list has no tag, and a create changes no row: conditions say nothing there."""
    made(ada, "/notes")
    headers: dict[str, Any] = {"if-none-match": "*", "if-match": '"x"'}
    answer = ada.get("/notes", headers=headers)
    assert answer.status == 200 and "etag" not in answer.headers
    assert ada.post("/notes", {"text": "x"}, headers=headers).status == 201


def test_a_change_must_be_conditional(ada: Person) -> None:
    """Where the spec says so: without `If-Match` it is 428, and with it as anywhere else."""
    path, tag = made(ada, "/pages")
    assert told(changes(ada, path)) == [UNCONDITIONAL] * 4
    assert told(changes(ada, path, if_none_match='"9-00"')) == [UNCONDITIONAL] * 4
    assert told(changes(ada, path, if_match='"9-00"')) == [STALE] * 4
    assert ada.get(path).json()["text"] == "x"
    changed = ada.patch(path, {"text": "y"}, headers={"if-match": tag})
    assert changed.status == 200
    assert ada.put(path, {"text": "z"}, headers={"if-match": "*"}).status == 200
    assert (
        ada.post(f"{path}/publish", None, headers={"if-match": ada.get(path).headers["etag"]}).status == 204
    )
    assert ada.delete(path, headers={"if-match": changed.headers["etag"]}).status == 412
    assert ada.delete(path, headers={"if-match": "*"}).status == 204


def test_what_changes_no_row_need_not_be_conditional(ada: Person) -> None:
    """Reads, creates, and actions on all rows are as ever."""
    path, _ = made(ada, "/pages")
    assert ada.get(path).status == ada.get("/pages").status == 200
    assert ada.post("/pages/sweep", None).status == 204


def test_428_tells_nothing_of_the_row(served: Served, ada: Person) -> None:
    """It comes before any row is looked at: a row that is not there, or not for them, answers the same."""
    path, tag = made(ada, "/pages")
    bob = served.person("bob")
    for who, place in ((ada, path), (bob, path), (ada, f"{path[:-4]}0000"), (ada, "/pages/x")):
        with served.statements() as sent:
            assert told(changes(who, place)) == [UNCONDITIONAL] * 4
        assert sent == []
    assert told(changes(served.anonymous, path)) == [(401, "unauthenticated")] * 4
    assert told(changes(bob, path, if_match=tag))[0] == (403, "forbidden")


def test_the_document_says_so(served: Served, ada: Person) -> None:
    """`If-Match` is required in OpenAPI where it is, and 428 is among the answers there."""
    paths = served.backend.app.openapi()["paths"]
    for entity, required in (("pages", True), ("notes", False)):
        row, action = paths[f"/api/v1/{entity}/{{id}}"], paths[f"/api/v1/{entity}/{{id}}/publish"]
        for operation in (row["patch"], row["put"], row["delete"], action["post"]):
            (header,) = (known for known in operation["parameters"] if known["name"] == "If-Match")
            assert header.get("required", False) is required
            assert ("428" in operation["responses"]) is required
        assert "428" not in row["get"]["responses"]
    assert "428" not in paths["/api/v1/pages/sweep"]["post"]["responses"]
