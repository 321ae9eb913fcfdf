"""Soft delete over a socket: rows that are away and come back, with all that went with them."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from protected import build
from served import Person, Served, fresh_database, serving
from specwright.read.spec import read_specs

SPEC = """
# Work

## Roles

| Role  | Means       |
|-------|-------------|
| clerk | looks on    |
| judge | sees it all |

## Project

| Field | Type | Rules                    |
|-------|------|--------------------------|
| name  | text | required, ..80, unique   |
| code  | text | ..20, unique per owner   |
| owner | User | the caller               |
| tasks_now | integer | count of tasks_by_project    |

| Who   | May                     |
|-------|-------------------------|
| owner | everything              |
| clerk | list, read              |
| judge | list, read, see deleted |

### Rules

- soft delete

## Task

| Field   | Type    | Rules                        |
|---------|---------|------------------------------|
| title   | text    | required, ..80, unique, searchable |
| project | Project | on delete cascade            |
| parent  | Task    | on delete cascade            |
| backup  | Project | on delete clear              |
| owner   | User    | the caller                   |

| Who   | May                     |
|-------|-------------------------|
| owner | everything, see deleted |

### Rules

- soft delete

## Bill

| Field   | Type    | Rules                      |
|---------|---------|----------------------------|
| text    | text    | required, ..80             |
| project | Project | on delete refuse           |
| owner   | User    | the caller                 |

| Who   | May        |
|-------|------------|
| owner | everything |
| anyone | list      |
"""


@pytest.fixture(scope="module")
def served(database_server: str) -> Iterator[Served]:
    """The spec above, on tables that migrations made."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, tables=False) as one:
            yield one


class Desk:
    """What a person does again and again."""

    def __init__(self, served: Served, person: str, *roles: str) -> None:
        self.person = served.person(person, *roles)

    def make(self, path: str, **values: Any) -> str:
        """A new row's id."""
        made = self.person.post(path, values)
        assert made.status == 201, made.body
        return str(made.json()["id"])

    def away(self, path: str) -> None:
        """Delete a row."""
        assert self.person.delete(path).status == 204

    def back(self, path: str) -> Any:
        """Restore a row."""
        answer = self.person.post(f"{path}/restore", None)
        assert answer.status == 200, answer.body
        return answer.json()

    def ids(self, path: str) -> set[str]:
        """The rows of a list."""
        answer = self.person.get(path)
        assert answer.status == 200, answer.body
        return {row["id"] for row in answer.json()["items"]}

    def status(self, path: str) -> int:
        """What a read answers."""
        return self.person.get(path).status


@pytest.fixture
def ada(served: Served) -> Desk:
    """Who owns what is made here."""
    served.sql("TRUNCATE projects, tasks, bills")
    return Desk(served, "ada")


def test_gone_and_back(ada: Desk) -> None:
    """What is deleted is nowhere, for nobody and no method, until it is restored."""
    task = ada.make("/tasks", title="a")
    ada.away(f"/tasks/{task}")
    path = f"/tasks/{task}"
    assert ada.status(path) == 404
    assert ada.ids("/tasks") == set() and ada.ids("/tasks?q=a") == set()
    assert ada.person.patch(path, {"title": "b"}).status == 404
    assert ada.person.put(path, {"title": "b"}).status == 404
    assert ada.person.delete(path).status == 404
    assert ada.person.post("/tasks", {"title": "c", "parent_id": task}).faults == [
        ("parent_id", "reference_not_found")
    ]
    row = ada.back(path)
    assert row["title"] == "a" and row["deleted_at"] is None
    assert ada.status(path) == 200 and ada.ids("/tasks") == {task}


def test_versions(ada: Desk) -> None:
    """A deletion and a restore are changes: each has its version, and If-Match holds it to one."""
    task = ada.make("/tasks", title="a")
    path = f"/tasks/{task}"
    first = ada.person.get(path).headers["etag"]
    ada.person.patch(path, {"title": "b"})
    assert ada.person.delete(path, headers={"if-match": first}).status == 412
    ada.away(path)
    stale = ada.person.post(f"{path}/restore", None, headers={"if-match": first})
    assert (stale.status, stale.code) == (412, "precondition_failed")
    seen = ada.person.get(f"{path}?deleted=only")
    assert seen.headers["etag"].startswith('"3-')
    back = ada.person.post(f"{path}/restore", None, headers={"if-match": seen.headers["etag"]})
    assert back.status == 200 and back.headers["etag"].startswith('"4-')


def test_restoring_what_is_there(ada: Desk, served: Served) -> None:
    """What lives is not restored, what is not there or not theirs is not found, and no body says anything."""
    task = ada.make("/tasks", title="a")
    path = f"/tasks/{task}/restore"
    assert (ada.person.post(path, None).status, ada.person.post(path, {}).code) == (409, "conflict")
    assert served.person("bob").post(path, None).status == 404
    ada.away(f"/tasks/{task}")
    assert served.person("bob").post(path, None).status == 404
    assert ada.person.post("/tasks/01890000-0000-7000-8000-000000000000/restore", None).status == 404
    assert ada.person.post("/tasks/nothing/restore", None).status == 404
    assert ada.person.post(path, {"title": "x"}).faults == [("title", "unknown_member")]
    assert ada.person.post(path, []).status == 422
    assert ada.person.post(path, b"{", headers={"content-type": "application/json"}).status == 400
    assert ada.person.get(path).status == 405
    assert Person(served, None).post("/tasks/x/restore", None).status == 401
    assert ada.person.post(f"{path}?fields=title", None).json() == {"title": "a"}


def test_restore_is_a_grant(ada: Desk, served: Served) -> None:
    """Who may see a row and not restore it is told so while it lives, and of a deleted one nothing."""
    project = ada.make("/projects", name="p")
    clerk = Desk(served, "carl", "clerk")
    assert clerk.person.post(f"/projects/{project}/restore", None).status == 403
    ada.away(f"/projects/{project}")
    assert clerk.person.post(f"/projects/{project}/restore", None).status == 404
    assert clerk.person.get("/projects?deleted=only").status == 403
    assert clerk.person.get(f"/projects/{project}?deleted=with").status == 403


def test_deleted_rows_are_seen_by_grant(ada: Desk, served: Served) -> None:
    """`deleted` shows deleted rows to those who may see them; to restore, or everything, is not enough."""
    gone, stays = ada.make("/projects", name="p"), ada.make("/projects", name="q")
    ada.away(f"/projects/{gone}")
    judge = Desk(served, "jo", "judge")
    assert judge.ids("/projects") == {stays}
    assert judge.ids("/projects?deleted=only") == {gone}
    assert judge.ids("/projects?deleted=with") == {gone, stays}
    assert judge.status(f"/projects/{gone}") == 404
    assert judge.status(f"/projects/{gone}?deleted=only") == 200
    assert judge.status(f"/projects/{stays}?deleted=only") == 404
    (row,) = judge.person.get("/projects?deleted=only&sort=-deleted_at").json()["items"]
    assert row["deleted_at"] is not None
    assert ada.person.get("/projects?deleted=only").code == "forbidden"
    assert Person(served, None).get("/projects?deleted=only").status == 401
    assert judge.person.get("/projects?deleted=maybe").faults == [("deleted", "not_a_choice")]
    assert ada.person.get("/bills?deleted=only").faults == [("deleted", "unknown_parameter")]


def test_own_deleted_rows(ada: Desk, served: Served) -> None:
    """Who may see deleted rows sees those that they could read."""
    task = ada.make("/tasks", title="a")
    ada.away(f"/tasks/{task}")
    assert ada.ids("/tasks?deleted=only") == {task}
    bob = Desk(served, "bob")
    assert bob.ids("/tasks?deleted=with") == set()
    assert bob.status(f"/tasks/{task}?deleted=only") == 404


def test_cursor_of_deleted_rows(ada: Desk) -> None:
    """A cursor of a list with deleted rows is none of the list without them."""
    for title in "abc":
        ada.make("/tasks", title=title)
    page = ada.person.get("/tasks?limit=1&deleted=with").json()
    assert ada.person.get(f"/tasks?limit=1&cursor={page['next_cursor']}").code == "invalid_cursor"
    assert ada.person.get(f"/tasks?limit=1&deleted=with&cursor={page['next_cursor']}").status == 200


def test_unique_among_the_living(ada: Desk) -> None:
    """What is deleted takes its value from nobody; whoever comes back to a taken one is refused."""
    task = ada.make("/tasks", title="a")
    ada.away(f"/tasks/{task}")
    other = ada.make("/tasks", title="a")
    refused = ada.person.post(f"/tasks/{task}/restore", None)
    assert (refused.status, refused.code, refused.faults) == (409, "conflict", [("title", "unique")])
    ada.away(f"/tasks/{other}")
    ada.back(f"/tasks/{task}")
    assert ada.person.post("/tasks", {"title": "a"}).faults == [("title", "unique")]


def test_cascade_and_back(ada: Desk) -> None:
    """What goes with a row comes back with it; what was deleted before stays deleted."""
    project = ada.make("/projects", name="p")
    before = ada.make("/tasks", title="before", project_id=project)
    task = ada.make("/tasks", title="a", project_id=project)
    child = ada.make("/tasks", title="b", parent_id=task)
    ada.away(f"/tasks/{before}")
    ada.away(f"/projects/{project}")
    assert ada.ids("/tasks") == set()
    assert ada.ids("/tasks?deleted=only") == {before, task, child}
    row = ada.back(f"/projects/{project}")
    assert row["tasks_now"] == 1
    assert ada.ids("/tasks") == {task, child}
    assert ada.ids("/tasks?deleted=only") == {before}


def test_restored_with_what_is_included(ada: Desk) -> None:
    """The answer shows the row with its relations, as they are again; a key keeps that answer."""
    project = ada.make("/projects", name="a")
    ada.make("/tasks", title="t", project_id=project)
    path, query = f"/projects/{project}", "include=tasks_by_project.project,bills"
    ada.person.delete(path)
    key = {"idempotency-key": uuid4().hex}
    answer, again = (ada.person.post(f"{path}/restore?{query}", None, headers=key) for _ in "ab")
    assert [task["title"] for task in answer.json()["tasks_by_project"]["items"]] == ["t"]
    assert answer.json()["tasks_by_project"]["items"][0]["project"]["tasks_now"] == 1
    read = ada.person.get(f"{path}?{query}")
    assert (answer.json(), answer.headers["etag"]) == (read.json(), read.headers["etag"])
    assert again.body == answer.body
    ada.person.delete(path)
    chosen = ada.person.post(f"{path}/restore?fields=name&include=bills", None).json()
    assert chosen == {"name": "a", "bills": {"items": [], "more": False, "href": f"/api/v1{path}/bills"}}
    refused = ada.person.post(f"{path}/restore?include=owner", None)
    assert (refused.status, refused.faults) == (422, [("include", "not_a_choice")])


def test_not_before_its_parent(ada: Desk) -> None:
    """What refers to a deleted row is not restored before it."""
    project = ada.make("/projects", name="p")
    task = ada.make("/tasks", title="a", project_id=project)
    ada.away(f"/projects/{project}")
    refused = ada.person.post(f"/tasks/{task}/restore", None)
    assert (refused.status, refused.code, refused.faults) == (409, "conflict", [("project_id", "deleted")])
    ada.back(f"/projects/{project}")
    assert ada.ids("/tasks") == {task}


def test_cascade_that_cannot_come_back(ada: Desk) -> None:
    """A value that was taken meanwhile refuses the restore of all that went together."""
    project = ada.make("/projects", name="p")
    ada.make("/tasks", title="a", project_id=project)
    ada.away(f"/projects/{project}")
    ada.make("/tasks", title="a")
    refused = ada.person.post(f"/projects/{project}/restore", None)
    assert (refused.status, refused.faults) == (409, [("title", "unique")])
    assert ada.status(f"/projects/{project}") == 404


def test_several_ways(ada: Desk) -> None:
    """A row that went by two ways comes back once all that it refers to is back."""
    project = ada.make("/projects", name="p")
    parent = ada.make("/tasks", title="parent", project_id=project)
    child = ada.make("/tasks", title="child", project_id=project, parent_id=parent)
    ada.away(f"/projects/{project}")
    ada.back(f"/projects/{project}")
    assert ada.ids("/tasks") == {parent, child}


def test_circle(ada: Desk) -> None:
    """Rows in a circle go together and come back together."""
    one = ada.make("/tasks", title="one")
    two = ada.make("/tasks", title="two", parent_id=one)
    ada.person.patch(f"/tasks/{one}", {"parent_id": two})
    ada.away(f"/tasks/{two}")
    assert ada.ids("/tasks") == set()
    ada.back(f"/tasks/{two}")
    assert ada.ids("/tasks") == {one, two}
    alone = ada.make("/tasks", title="alone")
    ada.person.patch(f"/tasks/{alone}", {"parent_id": alone})
    ada.away(f"/tasks/{alone}")
    ada.back(f"/tasks/{alone}")
    assert alone in ada.ids("/tasks")


def test_cleared(ada: Desk) -> None:
    """A reference that is to be cleared is, and a restore does not bring it back."""
    project = ada.make("/projects", name="p")
    task = ada.make("/tasks", title="a", backup_id=project)
    ada.away(f"/projects/{project}")
    assert ada.person.get(f"/tasks/{task}").json()["backup_id"] is None
    ada.back(f"/projects/{project}")
    assert ada.person.get(f"/tasks/{task}").json()["backup_id"] is None


def test_refused(ada: Desk) -> None:
    """A row that others hold on to is not deleted, and neither is what would have gone with it."""
    project = ada.make("/projects", name="p")
    task = ada.make("/tasks", title="a", project_id=project)
    bill = ada.make("/bills", text="x", project_id=project)
    refused = ada.person.delete(f"/projects/{project}")
    assert (refused.status, refused.faults) == (409, [("", "in_use")])
    other = ada.make("/projects", name="r")
    many = ada.person.delete("/projects?name__in=p,r&max_affected=2")
    assert (many.status, [error["id"] for error in many.json()["errors"]]) == (409, [project])
    ada.away(f"/projects/{other}")
    assert ada.ids("/projects") == {project} and ada.ids("/tasks") == {task}
    ada.away(f"/bills/{bill}")
    ada.away(f"/projects/{project}")


def test_restored_once(ada: Desk) -> None:
    """A restore that is sent again under its key is answered as it was the first time."""
    task = ada.make("/tasks", title="a")
    ada.away(f"/tasks/{task}")
    keyed = {"idempotency-key": "again"}
    first = ada.person.post(f"/tasks/{task}/restore", None, headers=keyed)
    second = ada.person.post(f"/tasks/{task}/restore", None, headers=keyed)
    assert (first.status, second.status, first.body) == (200, 200, second.body)
    assert second.headers["idempotency-replayed"] == "true"
    assert first.headers["etag"] == second.headers["etag"]


def test_paths_see_the_living(ada: Desk) -> None:
    """Filters and counts over relations see no deleted row."""
    project = ada.make("/projects", name="p")
    task = ada.make("/tasks", title="a", project_id=project)
    assert ada.ids("/projects?filter=tasks_by_project.title == 'a'") == {project}
    assert ada.person.get(f"/projects/{project}").json()["tasks_now"] == 1
    ada.away(f"/tasks/{task}")
    assert ada.ids("/projects?filter=tasks_by_project.title == 'a'") == set()
    assert ada.person.get(f"/projects/{project}").json()["tasks_now"] == 0


def test_delete_by_hand(ada: Desk, served: Served) -> None:
    """A DELETE in SQL deletes softly, with all that follows; one of a deleted row is for good."""
    project = ada.make("/projects", name="p")
    task = ada.make("/tasks", title="a", project_id=project)
    served.sql("DELETE FROM projects")
    assert ada.ids("/tasks?deleted=only") == {task} and ada.ids("/projects") == set()
    ada.back(f"/projects/{project}")
    assert ada.ids("/tasks") == {task}
    served.sql("DELETE FROM projects")
    served.sql("DELETE FROM projects")
    assert served.sql("SELECT FROM projects") == [] and served.sql("SELECT FROM tasks") == []


def test_deletion_is_known(served: Served) -> None:
    """The document tells the restore, and the parameter, where there is something deleted."""
    document = served.person("ada").get("//openapi.json").json()
    restore = document["paths"]["/api/v1/tasks/{id}/restore"]["post"]
    assert {"200", "404", "409"} <= set(restore["responses"])
    assert "/api/v1/bills/{id}/restore" not in document["paths"]
    names = [known.get("name") for known in document["paths"]["/api/v1/tasks"]["get"]["parameters"]]
    assert "deleted" in names
    schema = document["components"]["schemas"]["TaskPublic"]["properties"]["deleted_at"]
    assert schema["type"] == ["string", "null"] and schema["readOnly"] is True
