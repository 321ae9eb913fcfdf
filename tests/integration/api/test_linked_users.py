"""`many User` where no User has a table: people linked by their ids, shown by them, and granted by them."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from served import Person, Served, fresh_database, serving

SPEC = """
# Work

## Roles

| Role  | Means            |
|-------|------------------|
| chair | appoints anybody |

| Who      | Is                       |
|----------|--------------------------|
| reviewer | `reviewers.id == caller` |

## Task

| Field     | Type      | Rules              |
|-----------|-----------|--------------------|
| title     | text      | required, ..80     |
| reviewers | many User |                    |
| owner     | User      | the caller         |
| eyes      | integer   | count of reviewers |

| Who      | May                        |
|----------|----------------------------|
| owner    | everything                 |
| reviewer | list, read, update         |
| chair    | list, read, link reviewers |

### Rules

- `not reviewers.id == "mallory"`
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


def test_their_ids_are_the_answer(ada: Person) -> None:
    """Each once, in one order, in the answers of creates, reads, lists and changes."""
    task = ada.made("/tasks", {"title": "a", "reviewer_ids": ["Bob", "ö/%", "al", "Bob"]})
    assert (task["reviewer_ids"], task["eyes"]) == (["Bob", "al", "ö/%"], 3)
    path = f"/tasks/{task['id']}"
    assert ada.get(path).json() == task
    assert ada.items("/tasks?fields=reviewer_ids") == [{"reviewer_ids": ["Bob", "al", "ö/%"]}]
    changed = ada.patch(path, {"reviewer_ids": ["al"]}).json()
    assert (changed["reviewer_ids"], changed["eyes"]) == (["al"], 1)
    assert ada.patch(path, {"title": "b"}).json()["reviewer_ids"] == ["al"]
    assert ada.made("/tasks", {"title": "none"})["reviewer_ids"] == []


def test_a_put_of_what_was_read_changes_nothing(ada: Person) -> None:
    """What a PUT leaves out is empty, as every member is that one can see."""
    task = ada.made("/tasks", {"title": "a", "reviewer_ids": ["bob"]})
    path = f"/tasks/{task['id']}"
    assert ada.put(path, task).json()["reviewer_ids"] == ["bob"]
    assert ada.put(path, {"title": "a"}).json()["reviewer_ids"] == []


def test_who_is_linked_has_what_is_granted(served: Served, ada: Person) -> None:
    """From the next request, until they are linked no more; whoever changes a row stays able to read it."""
    name = f"bob{uuid4().hex[:8]}"
    bob, eve = served.person(name), served.person("eve")
    task = ada.made("/tasks", {"title": "a", "reviewer_ids": [name]})["id"]
    assert bob.patch(f"/tasks/{task}", {"title": "b"}).json()["title"] == "b"
    assert bob.patch(f"/tasks/{task}", {"reviewer_ids": []}).status == 403
    assert [row["id"] for row in bob.items("/tasks")] == [task]
    assert eve.get(f"/tasks/{task}").status == 404 and eve.items("/tasks") == []
    assert ada.patch(f"/tasks/{task}", {"reviewer_ids": []}).status == 200
    assert bob.get(f"/tasks/{task}").status == 404


def test_a_route_links_and_unlinks(served: Served, ada: Person) -> None:
    """As often as it is asked; whoever may link alone may do that, and nothing else."""
    chair, eve = served.person("tim", "chair"), served.person("eve")
    task = ada.made("/tasks", {"title": "a"})["id"]
    link = f"/tasks/{task}/reviewers/b%2Fo%20b"
    assert [chair.send("PUT", link).status for _ in "ab"] == [204, 204]
    assert ada.get(f"/tasks/{task}").json()["reviewer_ids"] == ["b/o b"]
    assert chair.patch(f"/tasks/{task}", {"reviewer_ids": []}).status == 403
    assert eve.send("PUT", link).status == 404 and eve.delete(link).status == 404
    assert served.anonymous.send("PUT", link).status == 401
    assert [chair.delete(link).status for _ in "ab"] == [204, 204]
    assert ada.get(f"/tasks/{task}").json()["reviewer_ids"] == []
    for nobody in ("%00", "x" * 256):
        assert ada.send("PUT", f"/tasks/{task}/reviewers/{nobody}").status == 404
    assert ada.get(f"/tasks/{task}/reviewers").status == 404
    assert ada.send("PUT", f"/tasks/{task}/reviewers/mallory").faults == [("", "rule_violated")]


def test_lists_ask_for_people(ada: Person) -> None:
    """By filter and by parameter; there are no rows to include, nor an order of many."""
    ada.made("/tasks", {"title": "a", "reviewer_ids": ["bob", "carl"]})
    ada.made("/tasks", {"title": "b", "reviewer_ids": ["carl"]})
    assert [row["title"] for row in ada.items("/tasks?reviewers__id=bob")] == ["a"]
    assert [row["title"] for row in ada.items("/tasks?filter=not reviewers.id == 'bob'")] == ["b"]
    for asked, fault in (
        ("include=reviewers", ("include", "not_a_choice")),
        ("sort=reviewer_ids", ("sort", "not_a_choice")),
        ("reviewer_ids=bob", ("reviewer_ids", "unknown_parameter")),
        ("filter=reviewers=='bob'", ("filter", "bad_expression")),
    ):
        assert ada.get(f"/tasks?{asked}").faults == [fault]


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        (None, "reviewer_ids", "not_null"),
        ("bob", "reviewer_ids", "wrong_type"),
        ([""], "reviewer_ids.0", "too_short"),
        (["x" * 256], "reviewer_ids.0", "too_long"),
        (["\x00"], "reviewer_ids.0", "invalid_character"),
        (["bob"] * 1001, "reviewer_ids", "too_long"),
        (["mallory"], "", "rule_violated"),
    ],
)
def test_what_is_nobody_is_told(ada: Person, sent: Any, field: str, code: str) -> None:
    """Not a list, no id, more than a thousand, or somebody that a rule excludes: 422 that says so."""
    answer = ada.post("/tasks", {"title": "a", "reviewer_ids": sent})
    assert (answer.status, answer.faults) == (422, [(field, code)]), answer


@pytest.mark.parametrize("name", ["reviewers", "reviewer_ids", "reviewer_ids__in"])
def test_how_to_filter_by_them_is_told(ada: Person, name: str) -> None:
    """Neither the relation nor the member is a filter; the refusal names the one that works."""
    answer = ada.get(f"/tasks?{name}=bob")
    assert answer.faults == [(name, "unknown_parameter")]
    assert "filter by reviewers__id" in answer.json()["errors"][0]["message"]
    assert ada.get("/tasks?reviewers__id=bob").status == 200


def test_a_bad_id_is_told_at_its_place(ada: Person) -> None:
    """A NUL is the fault of the item that holds it."""
    answer = ada.post("/tasks", {"title": "a", "reviewer_ids": ["bob", "a\0"]})
    assert answer.faults == [("reviewer_ids.1", "invalid_character")]


def test_the_document_says_so(served: Served) -> None:
    """The ids are a member of the row, and the routes of links are there; none lists users."""
    document = served.anonymous.get("//openapi.json").json()
    member = document["components"]["schemas"]["TaskPublic"]["properties"]["reviewer_ids"]
    assert member["items"] == {"type": "string", "minLength": 1, "maxLength": 255}
    assert "writeOnly" not in document["components"]["schemas"]["TaskUpdate"]["properties"]["reviewer_ids"]
    assert "/api/v1/tasks/{id}/reviewers/{user_id}" in document["paths"]
    assert "/api/v1/tasks/{id}/reviewers" not in document["paths"]
