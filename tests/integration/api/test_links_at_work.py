"""Links and included rows within a tenant, named by a header or in the path; links with hooks and keys."""

from contextlib import ExitStack
from typing import Any
from uuid import uuid4

from protected import build
from served import Person, fresh_database, serving
from specwright import CallerDep
from specwright.app import Backend
from specwright.read.spec import read_specs

CRM = """
# CRM

## Rules

- tenant Organization through Membership by {by}, founder role owner

## User

| Field | Type | Rules |
|--|--|--|
| nick | text | ..9 |

| Who | May |
|--|--|
| signed in | read |

## Organization

| Field | Type | Rules |
|--|--|--|
| name | text | required, ..80 |

| Who | May | When |
|--|--|--|
| signed in | create | |
| signed in | list, read | memberships.user == caller |

## Membership

| Field | Type | Rules |
|--|--|--|
| organization | Organization | required |
| user | User | required, unique per organization |
| role | `owner`, `member` | default `member` |

| Who | May |
|--|--|
| signed in | list, read, create |

## Label

| Field | Type | Rules |
|--|--|--|
| name | text | ..80 |

| Who | May |
|--|--|
| signed in | list, read, create |

## Deal

| Field | Type | Rules |
|--|--|--|
| name | text | ..80 |
| labels | many Label | |
| keeper | User | on delete clear |
| watchers | many User | |

| Who | May |
|--|--|
| signed in | list, read, create, update |
"""

NOTES = """
## Tag

| Field | Type | Rules |
|--|--|--|
| name | text | ..80 |
| owner | User | the caller |

| Who | May |
|--|--|
| owner | everything |

## Note

| Field | Type | Rules |
|--|--|--|
| text | text | ..80 |
| tags | many Tag | |
| owner | User | the caller |

| Who | May |
|--|--|
| owner | everything |
"""


def at(person: Person, href: str, headers: Any = None) -> list[Any]:
    """The items at a path that an answer names."""
    found: list[Any] = person.get(f"/{href}", headers=headers or {}).json()["items"]
    return found


def test_links_stay_within_the_tenant(database_server: str) -> None:
    """What another tenant has cannot be linked, by body or route, and is in no relation that leads there."""
    spec = CRM.format(by="header X-Organization")
    with fresh_database(database_server) as database, serving(spec, database) as served:
        ada, eve = served.person("a/d a"), served.person("eve")
        here = {"X-Organization": ada.made("/organizations", {"name": "one"})["id"]}
        there = {"X-Organization": eve.made("/organizations", {"name": "two"})["id"]}
        mine = ada.post("/labels", {"name": "l"}, headers=here).json()["id"]
        other = eve.post("/labels", {"name": "m"}, headers=there).json()["id"]
        body = {"name": "d", "label_ids": [mine], "watcher_ids": ["a/d a"], "keeper_id": "a/d a"}
        deal = ada.post("/deals", body, headers=here).json()["id"]
        refused = ada.post("/deals", {"name": "d", "label_ids": [other]}, headers=here)
        assert refused.faults == [("label_ids.0", "reference_not_found")]
        assert ada.send("PUT", f"/deals/{deal}/labels/{other}", headers=here).status == 404
        assert ada.send("PUT", f"/deals/{deal}/watchers/eve", headers=here).status == 204
        path = f"/deals/{deal}?include=labels,watchers,keeper.deals_by_keeper"
        found = ada.get(path, headers=here).json()
        assert [label["id"] for label in found["labels"]["items"]] == [mine]
        assert [user["id"] for user in found["watchers"]["items"]] == ["eve", "a/d a"]
        href = found["keeper"]["deals_by_keeper"]["href"]
        assert [row["id"] for row in at(ada, href, here)] == [deal]
        assert at(eve, href, there) == []


def test_paths_of_relations_name_the_tenant(database_server: str) -> None:
    """Where its rows are below it, so are what they are linked to."""
    with fresh_database(database_server) as database, serving(CRM.format(by="path"), database) as served:
        ada = served.person("ada")
        base = f"/organizations/{ada.made('/organizations', {'name': 'one'})['id']}"
        label = ada.made(f"{base}/labels", {"name": "l"})["id"]
        deal = ada.made(f"{base}/deals", {"name": "d", "label_ids": [label]})["id"]
        (found,) = ada.items(f"{base}/deals?include=labels.deals&fields=id")
        labels = found["labels"]
        assert labels["href"] == f"/api/v1{base}/deals/{deal}/labels"
        assert [row["id"] for row in at(ada, labels["href"])] == [label]
        assert [row["id"] for row in at(ada, labels["items"][0]["deals"]["href"])] == [deal]
        assert ada.delete(f"{base}/deals/{deal}/labels/{label}").status == 204
        assert at(ada, labels["href"]) == []


def test_a_key_links_once(database_server: str) -> None:
    """The answer is replayed, the links are there, and what was refused is not kept."""
    with fresh_database(database_server) as database, serving(NOTES, database) as served:
        ada = served.person("ada")
        tag, key = ada.made("/tags", {"name": "t"})["id"], {"idempotency-key": "k" * 20}
        first, again = (ada.post("/notes", {"tag_ids": [tag]}, headers=key) for _ in "ab")
        assert (first.status, first.body) == (201, again.body)
        assert len(ada.items(f"/notes/{first.json()['id']}/tags")) == 1
        assert (
            ada.post("/notes", {"tag_ids": [str(uuid4())]}, headers={"idempotency-key": "x" * 20}).status
            == 422
        )
        assert len(ada.items("/notes")) == 1


def test_links_are_written_with_hooks(database_server: str) -> None:
    """In the one transaction of a row with hooks, on create and on update."""
    ran: list[Any] = []

    def prepare(backend: Backend) -> None:
        async def note(caller: CallerDep) -> None:
            ran.append(caller.id)

        for action in ("create", "update"):
            backend.before("Note", action)(note)

    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(database_server))
        build(database, read_specs({"specs/it/spec.md": NOTES}))
        served = stack.enter_context(serving(NOTES, database, prepare=prepare, tables=False))
        ada = served.person("ada")
        tag = ada.made("/tags", {"name": "t"})["id"]
        note = ada.made("/notes", {"tag_ids": [tag]})["id"]
        assert len(ada.items(f"/notes/{note}/tags")) == 1
        assert ada.patch(f"/notes/{note}", {"tag_ids": []}).status == 200
        assert ada.items(f"/notes/{note}/tags") == []
        assert ada.patch(f"/notes/{note}", {"tag_ids": [str(uuid4())]}).status == 422
        assert ran[:2] == ["ada", "ada"]
