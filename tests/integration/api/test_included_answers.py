"""`include` in the answers of writes: the related rows as a read would show them, those just written too."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest

from protected import build
from served import Person, Served, fresh_database, serving
from specwright.app import Backend
from specwright.read.spec import read_specs

SPEC = """
# Work

## Tag

| Field | Type | Rules          |
|-------|------|----------------|
| name  | text | required, ..40 |
| owner | User | the caller     |

| Who       | May        | When               |
|-----------|------------|--------------------|
| owner     | everything |                    |
| signed in | list, read | `name == "public"` |

## Project

| Field | Type         | Rules               |
|-------|--------------|---------------------|
| name  | text         | required, ..40      |
| hours | number(8,2)  | sum of tasks.effort |
| owner | User         | the caller          |

| Who   | May        |
|-------|------------|
| owner | everything |

## Task

| Field   | Type        | Rules                      |
|---------|-------------|----------------------------|
| title   | text        | required, ..80             |
| effort  | number(8,2) | default 0                  |
| project | Project     | on delete clear            |
| parent  | Task        | on delete clear            |
| tags    | many Tag    |                            |
| owner   | User        | the caller                 |

| Who       | May               | When                    |
|-----------|-------------------|-------------------------|
| owner     | everything        |                         |
| signed in | list, read        | `tags.name == "public"` |
| signed in | update            |                         |
"""


@pytest.fixture(scope="module")
def served(database_server: str) -> Iterator[Served]:
    """The spec above, served from a database of its own."""
    with fresh_database(database_server) as database, serving(SPEC, database) as one:
        yield one


@pytest.fixture
def ada(served: Served) -> Person:
    """Somebody new, with nothing."""
    return served.person(f"ada{uuid4().hex[:8]}")


EVERYTHING = "include=project.tasks,parent,tags.tasks,tasks"


def agreed(person: Person, answer: Any, include: str = EVERYTHING) -> Any:
    """The row of an answer, which is the one that a read gives, and has its ETag."""
    found = answer.json()
    read = person.get(f"/tasks/{found['id']}?{include}")
    assert found == read.json()
    assert answer.headers["etag"] == read.headers["etag"]
    return found


def test_each_write_answers_as_a_read_would(ada: Person) -> None:
    """Create, PATCH and PUT, with rows that they link, refer to, or change the sums of."""
    red, blue = (ada.made("/tags", {"name": name})["id"] for name in ("red", "blue"))
    home, job = (ada.made("/projects", {"name": name})["id"] for name in ("home", "job"))
    body = {"title": "a", "effort": "1.50", "project_id": home, "tag_ids": [red, blue]}
    made = agreed(ada, ada.post(f"/tasks?{EVERYTHING}", body))
    assert [tag["name"] for tag in made["tags"]["items"]] == ["blue", "red"]
    assert made["project"]["hours"] == "1.50" and len(made["project"]["tasks"]["items"]) == 1
    path = f"/tasks/{made['id']}"
    changed = ada.patch(f"{path}?{EVERYTHING}", {"tag_ids": [red], "project_id": job, "effort": "2"})
    found = agreed(ada, changed)
    assert [tag["name"] for tag in found["tags"]["items"]] == ["red"]
    assert (found["project"]["name"], found["project"]["hours"]) == ("job", "2.00")
    replaced = agreed(ada, ada.put(f"{path}?{EVERYTHING}", {"title": "b", "parent_id": made["id"]}))
    assert replaced["parent"]["title"] == "b" and replaced["project"] is None
    assert [task["title"] for task in replaced["tasks"]["items"]] == ["b"]


def test_many_rows_at_once_answer_so_too(ada: Person) -> None:
    """Each as a read would show it; what might be too much is refused before anything is written."""
    red, home = ada.made("/tags", {"name": "red"})["id"], ada.made("/projects", {"name": "home"})["id"]
    bodies = [{"title": f"t{n}", "tag_ids": [red] * n, "project_id": home, "effort": "1"} for n in range(3)]
    answer = ada.post(f"/tasks?{EVERYTHING}", bodies)
    assert answer.status == 201
    for row in answer.json()["items"]:
        assert row == ada.get(f"/tasks/{row['id']}?{EVERYTHING}").json()
        assert row["project"]["hours"] == "3.00"
    many = [{"title": "never"} for _ in range(30)]
    assert ada.post("/tasks?include=tags.tasks", many).faults == [("include", "too_complex")]
    assert ada.items("/tasks?title=never") == []


def test_fields_choose_and_include_adds(ada: Person) -> None:
    """As in a read; a reference in the same statement as the row."""
    home = ada.made("/projects", {"name": "home"})["id"]
    answer = ada.post("/tasks?fields=title&include=project", {"title": "a", "project_id": home})
    assert answer.status == 201 and answer.json().keys() == {"title", "project"}
    assert answer.json()["project"]["name"] == "home"


def test_others_see_of_it_what_is_theirs(served: Served, ada: Person) -> None:
    """Whoever may change a row and not read its project gets null for it, and no tag of another's."""
    eve = served.person("eve")
    secret, public = (ada.made("/tags", {"name": name})["id"] for name in ("secret", "public"))
    home = ada.made("/projects", {"name": "home"})["id"]
    task = ada.made("/tasks", {"title": "a", "project_id": home, "tag_ids": [secret, public]})["id"]
    answer = eve.patch(f"/tasks/{task}?include=project,tags", {"title": "b"})
    assert answer.status == 200 and answer.json()["project"] is None
    assert [tag["name"] for tag in answer.json()["tags"]["items"]] == ["public"]
    agreed(eve, answer, "include=project,tags")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("include=projct", "include", "not_a_choice"),
        ("include=tags,tags", "include", "repeated"),
        ("include=owner", "include", "not_a_choice"),
        ("deleted=only", "deleted", "unknown_parameter"),
        ("limit=5", "limit", "unknown_parameter"),
    ],
)
def test_what_is_not_understood_is_told_and_nothing_written(
    ada: Person, query: str, field: str, code: str
) -> None:
    """Before the body is looked at."""
    answer = ada.post(f"/tasks?{query}", {"title": "never"})
    assert (answer.status, answer.faults) == (422, [(field, code)])
    assert ada.items("/tasks?title=never") == []


def test_a_key_keeps_what_was_included(ada: Person) -> None:
    """A create that is sent again is answered as the first time."""
    red = ada.made("/tags", {"name": "red"})["id"]
    body, key = {"title": "a", "tag_ids": [red]}, {"idempotency-key": uuid4().hex}
    first, again = (ada.post("/tasks?include=tags", body, headers=key) for _ in "ab")
    assert first.json()["tags"]["items"][0]["name"] == "red"
    assert first.body == again.body and again.headers["idempotency-replayed"] == "true"


def test_hooks_change_nothing_of_it(database_server: str) -> None:
    """Behind hooks the answer includes the same, as they leave it."""

    def prepare(backend: Backend) -> None:
        @backend.before("Task", "create")
        @backend.after("Task", "update")
        @backend.before("Task", "update")
        async def look() -> None:
            """Look on."""

    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(database_server))
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        one = stack.enter_context(serving(SPEC, database, prepare=prepare, tables=False))
        ada = one.person("ada")
        red = ada.made("/tags", {"name": "red"})["id"]
        made = agreed(ada, ada.post(f"/tasks?{EVERYTHING}", {"title": "a", "tag_ids": [red]}))
        changed = agreed(ada, ada.patch(f"/tasks/{made['id']}?{EVERYTHING}", {"tag_ids": []}))
        assert changed["tags"]["items"] == []


def test_the_document_says_so(served: Served) -> None:
    """Each write of a row takes `include`."""
    paths = served.anonymous.get("//openapi.json").json()["paths"]
    for path, method in (("tasks", "post"), ("tasks/{id}", "patch"), ("tasks/{id}", "put")):
        names = [known.get("name") for known in paths[f"/api/v1/{path}"][method]["parameters"]]
        assert "include" in names and "fields" in names
