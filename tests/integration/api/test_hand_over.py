"""Rows handed over: only by who was granted that, alone, and out of reach afterwards if need be."""

from collections.abc import Iterator
from typing import Any

import pytest

from protected import build
from served import Served, fresh_database, serving
from specwright.read.spec import read_specs

DESK = """
# Desk

## Roles

| Role  | Means            |
|-------|------------------|
| admin | looks after it   |
| front | keeps the counter |

## Case

| Field | Type             | Rules                             |
|-------|------------------|-----------------------------------|
| title | text             | required, ..80                    |
| state | `open`, `closed` | default `open`                    |
| owner | User             | the caller                        |

| Who   | May             | When              | Then              |
|-------|-----------------|-------------------|-------------------|
| owner | everything      |                   |                   |
| owner | hand over       | `state == "open"` |                   |
| front | hand over       |                   | `owner != "eve"`  |
| front | list, read      |                   |                   |
| admin | list, read, update |                |                   |

## Note

| Field | Type | Rules                         |
|-------|------|-------------------------------|
| text  | text | required, ..80                |
| owner | User | the caller, writable by admin and owner |

| Who   | May                |
|-------|--------------------|
| owner | everything         |
| admin | list, read, create, update |
"""


@pytest.fixture(scope="module")
def desk(database_server: str) -> Iterator[Served]:
    """Cases that are handed over, and notes whose owner is a field to write."""
    with fresh_database(database_server) as database, serving(DESK, database) as served:
        yield served


@pytest.fixture
def case(desk: Served) -> Any:
    """A case of Ada's."""
    return desk.person("ada").made("/cases", {"title": "lost umbrella"})


def owner(desk: Served, key: str) -> str:
    """Whose a case is."""
    return str(desk.person("root", "admin").get(f"/cases/{key}").json()["owner_id"])


def test_an_owner_hands_over_and_is_done_with_it(desk: Served, case: Any) -> None:
    """The new owner has it; whoever had it cannot read it any more, so the answer is 204 without a body."""
    ada, bob = desk.person("ada"), desk.person("bob")
    path = f"/cases/{case['id']}"
    answer = ada.patch(path, {"owner_id": "bob"})
    assert (answer.status, answer.body) == (204, b"") and "etag" not in answer.headers
    assert ada.get(path).status == 404
    assert bob.get(path).json()["owner_id"] == "bob"
    assert ada.patch(path, {"owner_id": "ada"}).status == 404


def test_who_can_read_it_afterwards_gets_the_row(desk: Served, case: Any) -> None:
    """200, with the row as it is and the ETag of its new version."""
    answer = desk.person("fred", "front").patch(f"/cases/{case['id']}", {"owner_id": "bob"})
    assert answer.status == 200 and answer.json()["owner_id"] == "bob"
    assert answer.headers["etag"].startswith('"2-')
    mine = desk.person("ada").made("/cases", {"title": "kept"})
    answer = desk.person("ada").patch(f"/cases/{mine['id']}", {"owner_id": "ada"})
    assert answer.status == 200 and answer.json()["owner_id"] == "ada"


def test_the_conditions_of_the_grant_hold(desk: Served, case: Any) -> None:
    """When on the row before, Then on the row after, each of the one grant; else 403 and nothing happens."""
    ada, fred = desk.person("ada"), desk.person("fred", "front")
    path = f"/cases/{case['id']}"
    assert fred.patch(path, {"owner_id": "eve"}).status == 403
    ada.patch(path, {"state": "closed"})
    assert ada.patch(path, {"owner_id": "bob"}).status == 403
    assert owner(desk, case["id"]) == "ada"
    both = desk.person("ada", "front")
    assert both.patch(path, {"owner_id": "eve"}).status == 403
    assert both.patch(path, {"owner_id": "bob"}).status == 200


def test_a_grant_to_update_is_none_to_hand_over(desk: Served, case: Any) -> None:
    """Neither `everything` nor `update` includes it, whoever has them."""
    path = f"/cases/{case['id']}"
    root = desk.person("root", "admin")
    assert root.patch(path, {"title": "umbrella"}).status == 200
    assert root.patch(path, {"owner_id": "root"}).status == 403
    assert desk.person("zoe").patch(path, {"owner_id": "zoe"}).status == 404
    assert desk.anonymous.patch(path, {"owner_id": "zoe"}).status == 401
    assert owner(desk, case["id"]) == "ada"


def test_it_is_handed_over_by_itself(desk: Served, case: Any) -> None:
    """With another member in the body, in a PUT or a create, the owner is set by the server alone."""
    ada, path = desk.person("ada"), f"/cases/{case['id']}"
    mixed = ada.patch(path, {"owner_id": "bob", "title": "x"})
    assert (mixed.status, mixed.faults) == (422, [("owner_id", "read_only")])
    assert "by itself" in mixed.json()["errors"][0]["message"]
    assert ada.put(path, {"title": "x", "owner_id": "bob"}).faults == [("owner_id", "read_only")]
    assert ada.put(path, {"title": "x", "owner_id": "ada"}).status == 200
    assert ada.post("/cases", {"title": "x", "owner_id": "bob"}).faults == [("owner_id", "read_only")]
    for wrong in (None, 1, "", "x" * 300):
        assert ada.patch(path, {"owner_id": wrong}).status == 422
    assert ada.patch(path, {"owner_id": "bob"}, headers={"if-match": '"9-x"'}).status == 412
    assert owner(desk, case["id"]) == "ada"


def test_an_owner_that_is_a_field_to_write_stays_the_owner_s(desk: Served) -> None:
    """`writable by owner` lets nobody go: who changes a row by `update` must have it after as before."""
    ada, root = desk.person("ada"), desk.person("root", "admin")
    row = ada.made("/notes", {"text": "x"})
    assert ada.patch(f"/notes/{row['id']}", {"owner_id": "bob"}).status == 403
    assert ada.patch(f"/notes/{row['id']}", {"owner_id": "ada", "text": "y"}).status == 200
    assert root.patch(f"/notes/{row['id']}", {"owner_id": "bob", "text": "z"}).json()["owner_id"] == "bob"
    assert root.made("/notes", {"text": "for eve", "owner_id": "eve"})["owner_id"] == "eve"
    assert ada.post("/notes", {"text": "for eve", "owner_id": "eve"}).status == 403


def test_the_document_tells_of_it(desk: Served) -> None:
    """The body of a PATCH has the owner, where it is handed over; the 204 is there."""
    document = desk.anonymous.get("//openapi.json").json()
    schemas = document["components"]["schemas"]
    assert "owner_id" in schemas["CaseUpdate"]["properties"]
    assert "owner_id" not in schemas["CaseCreate"]["properties"]
    assert "by itself" in schemas["CaseUpdate"]["properties"]["owner_id"]["description"]
    assert "204" in document["paths"]["/api/v1/cases/{id}"]["patch"]["responses"]
    assert "204" not in document["paths"]["/api/v1/notes/{id}"]["patch"]["responses"]


def test_hooks_take_part(database_server: str) -> None:
    """Handing over is an update to them: they see the row, and what they set is stored with it."""
    seen: list[str] = []

    def prepare(backend: Any) -> None:
        backend.before("Case", "update")(before)
        backend.after("Case", "update")(after)

    async def before() -> None:
        seen.append("before")

    async def after() -> None:
        seen.append("after")

    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": DESK}))
        with serving(DESK, database, prepare=prepare, tables=False) as served:
            ada = served.person("ada")
            path = f"/cases/{ada.made('/cases', {'title': 'x'})['id']}"
            assert served.person("root", "admin").patch(path, {"owner_id": "root"}).status == 403
            assert seen == []
            assert ada.patch(path, {"owner_id": "bob"}).status == 204
            assert seen == ["before", "after"]
            assert served.person("bob").get(path).json()["owner_id"] == "bob"
