"""Changes of many rows over a socket: all that match and the caller may change so, or none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from protected import build
from served import Answer, Person, Served, fresh_database, serving
from specwright.read.spec import read_specs

SPEC = """
# Work

## Roles

| Role   | Means         |
|--------|---------------|
| clerk  | sets the fee  |
| reader | reads it all  |

## Tag

| Field | Type | Rules          |
|-------|------|----------------|
| name  | text | required, ..40 |
| owner | User | the caller     |

| Who   | May        |
|-------|------------|
| owner | everything |

## Project

| Field | Type    | Rules          |
|-------|---------|----------------|
| name  | text    | required, ..40 |
| owner | User    | the caller     |

| Who   | May        |
|-------|------------|
| owner | everything |

## Task

| Field    | Type                    | Rules                        |
|----------|-------------------------|------------------------------|
| title    | text                    | required, 1..80, searchable  |
| code     | text                    | ..20, unique                 |
| rank     | integer                 | default 0                    |
| batch    | text                    | ..10, immutable              |
| fee      | integer                 | default 0, writable by clerk |
| secret   | integer                 | readable by clerk            |
| status   | `new`, `done`, `gone`   | default `new`                |
| project  | Project                 | on delete cascade            |
| tags     | many Tag                |                              |
| owner    | User                    | the caller                   |

| Field  | Moves      | Who   |
|--------|------------|-------|
| status | new → done, done → gone | owner |

| Who    | May                        | When              |
|--------|----------------------------|-------------------|
| owner  | list, read, create         |                   |
| owner  | update, delete             | `title != "kept"` |
| clerk  | list, read, update         |                   |
| reader | list, read                 |                   |

### Rules

- audited
- soft delete
- `rank < 100`
- `title != "small" or rank < 50`
- `project is None or project.name != "shut"`

## Folder

| Field  | Type    | Rules                   |
|--------|---------|-------------------------|
| name   | text    | required, ..40          |
| size   | integer | default 0               |
| parent | Folder  | on delete refuse        |
| owner  | User    | the caller              |

| Who   | May        | Then |
|-------|------------|------|
| owner | everything | `parent is None or parent.size >= size` |

## Letter

| Field | Type | Rules          |
|-------|------|----------------|
| text  | text | required, ..40 |
| owner | User | the caller     |

| Who       | May                    |
|-----------|------------------------|
| owner     | everything, hand over  |

### Rules

- if-match required
"""


@pytest.fixture(scope="module")
def served(database_server: str) -> Iterator[Served]:
    """The spec above, on tables that migrations made."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, tables=False) as one:
            yield one


@pytest.fixture
def ada(served: Served) -> Person:
    """Somebody new, with nothing."""
    return served.person(f"ada{uuid4().hex[:8]}")


def make(person: Person, *titles: str, **values: Any) -> list[Any]:
    """New tasks of these titles."""
    answer = person.post("/tasks", [{"title": title, **values} for title in titles])
    assert answer.status == 201, answer
    found: list[Any] = answer.json()["items"]
    return found


def told(answer: Answer) -> tuple[int, Any]:
    """Status, and how many rows were affected or why none was."""
    found = answer.json()
    return answer.status, found["affected"] if answer.status == 200 else found["code"]


def titles(person: Person, query: str = "") -> list[str]:
    """The titles of the tasks that somebody sees."""
    return sorted(row["title"] for row in person.items(f"/tasks?limit=100{query}"))


def test_every_row_that_matches(ada: Person) -> None:
    """By a filter, by fields, by words; each gets a new version, and nothing else is touched."""
    made = {row["title"]: row for row in make(ada, "one", "two", "three milk", "four milk")}
    assert told(ada.patch('/tasks?filter=title in ["one", "two"]&max_affected=2', {"rank": 1})) == (200, 2)
    assert told(ada.patch("/tasks?q=milk&max_affected=9", {"rank": 2})) == (200, 2)
    assert told(ada.patch("/tasks?rank__lt=2&title=one&max_affected=9", {"rank": 3})) == (200, 1)
    assert told(ada.patch("/tasks?title=none&max_affected=9", {"rank": 4})) == (200, 0)
    rows = {row["title"]: row for row in ada.items("/tasks")}
    assert {title: row["rank"] for title, row in rows.items()} == {
        "one": 3,
        "two": 1,
        "three milk": 2,
        "four milk": 2,
    }
    for title, versions in {"one": 3, "two": 2}.items():
        assert ada.get(f"/tasks/{made[title]['id']}").headers["etag"].startswith(f'"{versions}-')
        assert rows[title]["updated_at"] > made[title]["updated_at"]


def test_what_must_be_sent(ada: Person) -> None:
    """Without a condition or `max_affected`, or with what a page takes, it is 422 that names it."""
    make(ada, "x")
    for query, faults in (
        ("", [("max_affected", "required"), ("filter", "required")]),
        ("?max_affected=5", [("filter", "required")]),
        ("?title=x", [("max_affected", "required")]),
        ("?title=x&max_affected=0", [("max_affected", "too_small")]),
        ("?title=x&max_affected=10001", [("max_affected", "too_large")]),
        ("?title=x&max_affected=many", [("max_affected", "wrong_type")]),
        ("?title=x&max_affected=1&max_affected=2", [("max_affected", "repeated")]),
        ("?title=x&max_affected=1&limit=3", [("limit", "unknown_parameter")]),
        ("?title=x&max_affected=1&deleted=with", [("deleted", "unknown_parameter")]),
        ("?secret=1&max_affected=1", [("secret", "unknown_parameter")]),
        ("?title=%00&max_affected=1", [("title", "invalid_character")]),
        ("?filter=title ==&max_affected=1", [("filter", "bad_expression")]),
    ):
        for answer in (ada.patch(f"/tasks{query}", {"rank": 1}), ada.delete(f"/tasks{query}")):
            assert (answer.status, answer.faults) == (422, faults), query
    assert ada.patch("/tasks?title=x&max_affected=1", [{"rank": 1}]).faults == [("", "wrong_type")]
    assert ada.patch("/tasks?title=x&max_affected=1", {"nope": 1}).faults == [("nope", "unknown_member")]
    assert [row["rank"] for row in ada.items("/tasks")] == [0]


def test_more_rows_than_that(ada: Person) -> None:
    """409, and nothing is changed or deleted."""
    make(ada, "x", "x", "x")
    assert told(ada.patch("/tasks?title=x&max_affected=2", {"rank": 1})) == (409, "too_many_rows")
    assert told(ada.delete("/tasks?title=x&max_affected=2")) == (409, "too_many_rows")
    assert [row["rank"] for row in ada.items("/tasks")] == [0, 0, 0]
    assert told(ada.delete("/tasks?title=x&max_affected=3")) == (200, 3)


def test_rows_of_others_are_not_there(served: Served, ada: Person) -> None:
    """What the caller cannot read does not match, and does not count."""
    mark = uuid4().hex[:10]
    bob = served.person(f"bob{mark}")
    make(ada, "x", batch=mark)
    make(bob, "x", "y", batch=mark)
    assert told(ada.patch(f"/tasks?batch={mark}&max_affected=1", {"rank": 1})) == (200, 1)
    assert told(ada.delete(f"/tasks?batch={mark}&max_affected=1")) == (200, 1)
    assert [row["rank"] for row in bob.items("/tasks")] == [0, 0]
    for answer in (
        served.anonymous.patch("/tasks?title=x&max_affected=1", {"rank": 1}),
        served.anonymous.delete("/tasks?title=x&max_affected=1"),
    ):
        assert answer.status == 401


def test_a_row_that_may_not_be_changed(served: Served, ada: Person) -> None:
    """One of those that match is 403 for all of them, and so is a field of somebody else's."""
    mark = uuid4().hex[:10]
    make(ada, "x", "kept", batch=mark)
    for answer in (
        ada.patch(f"/tasks?batch={mark}&max_affected=9", {"rank": 1}),
        ada.delete(f"/tasks?batch={mark}&max_affected=9"),
        ada.patch("/tasks?title=x&max_affected=9", {"fee": 1}),
    ):
        assert told(answer) == (403, "forbidden")
    reader = served.person("someone", "reader")
    assert told(reader.delete("/tasks?title=none&max_affected=9")) == (200, 0)
    assert told(reader.patch(f"/tasks?batch={mark}&max_affected=9", {"rank": 1})) == (403, "forbidden")
    clerk = served.person("clerk", "clerk")
    assert told(clerk.delete(f"/tasks?batch={mark}&max_affected=9")) == (403, "forbidden")
    assert [row["rank"] for row in ada.items("/tasks")] == [0, 0]


def test_references_rules_and_constraints(served: Served, ada: Person) -> None:
    """As for one row: 422 and 409, nothing is changed."""
    bob = served.person(f"bob{uuid4().hex[:8]}")
    make(ada, "x", "y", batch="b")
    foreign, shut = (who.made("/projects", {"name": "shut"})["id"] for who in (bob, ada))
    tag = bob.made("/tags", {"name": "t"})["id"]
    rows = "/tasks?batch=b&max_affected=9"
    for body, fault in (
        ({"project_id": foreign}, ("project_id", "reference_not_found")),
        ({"tag_ids": [tag]}, ("tag_ids.0", "reference_not_found")),
        ({"project_id": shut}, ("", "rule_violated")),
        ({"rank": 100}, ("rank", "rule_violated")),
        ({"batch": "c"}, ("batch", "immutable")),
    ):
        # Of each of the two rows.
        assert ada.patch(rows, body).faults == [fault] * 2
    unique = ada.patch(rows, {"code": uuid4().hex[:12]})
    assert (unique.status, unique.faults) == (409, [("code", "unique")])
    assert told(ada.patch(rows, {"batch": "b", "rank": 99})) == (200, 2)
    assert [(row["rank"], row["code"]) for row in ada.items("/tasks")] == [(99, None)] * 2


def marked(person: Person, *marks: str, **values: Any) -> list[str]:
    """The ids of new tasks, in their order; each is then given its title."""
    keys = sorted(str(row["id"]) for row in make(person, *("new" for _ in marks), **values))
    for key, mark in zip(keys, marks, strict=True):
        assert person.patch(f"/tasks/{key}", {"title": mark}).status == 200
    return keys


def blamed(answer: Answer) -> tuple[int, list[tuple[str, str, str]]]:
    """Status, and of each error its row, field and code."""
    return answer.status, [(error["id"], error["field"], error["code"]) for error in answer.json()["errors"]]


def test_a_refusal_names_its_rows(ada: Person) -> None:
    """Each of those that are refused as the first one is."""
    one, two, three, _ = marked(ada, "kept", "small", "kept", "fine", batch="b")
    rows = "/tasks?batch=b&max_affected=9"
    refused = ada.patch(rows, {"rank": 1})
    assert blamed(refused) == (403, [(one, "", "forbidden"), (three, "", "forbidden")])
    assert refused.json()["detail"] == f"Row {one}: You may not update this task."
    assert blamed(ada.delete(rows)) == (403, [(one, "", "forbidden"), (three, "", "forbidden")])
    small = "/tasks?batch=b&title__ne=kept&max_affected=9"
    assert blamed(ada.patch(small, {"rank": 50})) == (422, [(two, "", "rule_violated")])
    moved = ada.patch(f"/tasks/{two}", {"status": "done"})
    assert moved.status == 200
    stuck = ada.patch(small, {"status": "new"})
    assert blamed(stuck) == (409, [(two, "status", "move_not_allowed")])
    assert stuck.json()["errors"][0]["allowed"] == ["gone"]


def test_the_first_row_that_is_refused_decides(ada: Person) -> None:
    """The first by its key, and by the order of judgement of a single row, whatever else is refused."""
    for marks, status in ((("small", "kept"), 422), (("kept", "small"), 403)):
        batch = uuid4().hex[:10]
        first, _ = marked(ada, *marks, batch=batch)
        answer = ada.patch(f"/tasks?batch={batch}&max_affected=9", {"rank": 50})
        assert answer.status == status
        assert [error["id"] for error in answer.json()["errors"]] == [first]
        assert answer.status == ada.patch(f"/tasks/{first}", {"rank": 50}).status


def test_a_constraint_names_its_row(served: Served, ada: Person) -> None:
    """A taken value that of the row which was to have it, a row in use that of the row; none of others."""
    bob = served.person(f"bob{uuid4().hex[:8]}")
    taken, free = uuid4().hex[:12], uuid4().hex[:12]
    foreign = make(bob, "x", code=taken)[0]["id"]
    one, two = marked(ada, "x", "y", batch="b")
    rows = "/tasks?batch=b&max_affected=9"
    assert blamed(ada.patch(rows, {"code": free})) == (409, [(two, "code", "unique")])
    answer = ada.patch(rows, {"code": taken})
    assert blamed(answer) == (409, [(one, "code", "unique")])
    assert foreign not in answer.body.decode()
    folders = [ada.made("/folders", {"name": "f"})["id"] for _ in range(3)]
    ada.made("/folders", {"name": "g", "parent_id": folders[1]})
    assert blamed(ada.delete("/folders?name=f&max_affected=9")) == (409, [(folders[1], "", "in_use")])
    # What is judged on the rows as they are written together.
    late = ada.patch("/folders?name=g&max_affected=9", {"size": 10})
    (row,) = ada.items("/folders?name=g")
    assert blamed(late) == (403, [(row["id"], "", "forbidden")])
    assert len(ada.items("/folders")) == 4


def test_moves(served: Served, ada: Person) -> None:
    """All go where they can go, or none does."""
    make(ada, "x", "y")
    rows = "/tasks?title__in=x,y&max_affected=9"
    assert told(ada.patch(rows, {"status": "gone"})) == (409, "move_not_allowed")
    assert told(ada.patch("/tasks?title=x&max_affected=9", {"status": "done"})) == (200, 1)
    answer = ada.patch(rows, {"status": "gone"})
    assert told(answer) == (409, "move_not_allowed")
    assert answer.json()["errors"][0]["allowed"] == ["done"]
    assert told(ada.patch(rows, {"status": "done"})) == (200, 2)
    assert told(ada.patch(rows, {"status": "gone", "rank": 5})) == (200, 2)
    make(ada, "z")
    clerk = served.person("clerk", "clerk")
    assert told(clerk.patch("/tasks?title=z&max_affected=99", {"status": "done"})) == (403, "forbidden")


def test_links(ada: Person) -> None:
    """A set of links becomes that of every row."""
    one, two = (ada.made("/tags", {"name": name})["id"] for name in ("one", "two"))
    made = [*make(ada, "x", tag_ids=[one]), *make(ada, "y"), *make(ada, "z", tag_ids=[one])]
    assert told(ada.patch("/tasks?title__in=x,y&max_affected=9", {"tag_ids": [two]})) == (200, 2)
    linked = [[row["id"] for row in ada.items(f"/tasks/{row['id']}/tags")] for row in made]
    assert linked == [[two], [two], [one]]


def test_soft_deletion_and_the_audit_trail(served: Served, ada: Person) -> None:
    """Rows are hidden and come back; each change is in the trail, by whom and in which request."""
    made = make(ada, "x", "y")
    answer = ada.delete("/tasks?title__in=x,y&max_affected=2")
    assert told(answer) == (200, 2)
    assert titles(ada) == []
    keys = [row["id"] for row in made]
    trail = (
        "SELECT key, action, caller, request FROM specwright.audit WHERE key = ANY($1) AND action <> 'create'"
    )
    request = answer.headers["x-request-id"]
    caller = made[0]["owner_id"]
    assert {tuple(row) for row in served.sql(trail, keys)} == {
        (key, "update", caller, request) for key in keys
    }
    assert served.sql("SELECT 1 FROM tasks WHERE id::text = ANY($1) AND version = 2", keys) != []


def test_what_goes_along(ada: Person) -> None:
    """A deleted project takes its tasks with it."""
    project = ada.made("/projects", {"name": "p"})["id"]
    make(ada, "x", "y", project_id=project)
    assert told(ada.delete("/projects?name=p&max_affected=1")) == (200, 1)


def test_rows_that_refer_to_each_other(ada: Person) -> None:
    """A row in use is 409; with all that refer to it, it goes. What the rows say together is judged after."""
    top = ada.made("/folders", {"name": "a", "size": 9})["id"]
    ada.made("/folders", {"name": "b", "parent_id": top, "size": 5})
    assert told(ada.delete("/folders?name=a&max_affected=5")) == (409, "conflict")
    assert told(ada.patch("/folders?name=b&max_affected=5", {"size": 10})) == (403, "forbidden")
    assert told(ada.patch("/folders?name__in=a,b&max_affected=5", {"size": 10})) == (200, 2)
    assert [row["size"] for row in ada.items("/folders")] == [10, 10]


def test_versions(ada: Person) -> None:
    """An ETag is none of many rows; where one is required, `*` says that any will do."""
    make(ada, "x")
    tagged = {"if-match": '"1-00"'}
    assert told(ada.patch("/tasks?title=x&max_affected=1", {"rank": 1}, headers=tagged)) == (
        412,
        "precondition_failed",
    )
    ada.made("/letters", {"text": "x"})
    path = "/letters?text=x&max_affected=1"
    assert told(ada.patch(path, {"text": "y"})) == (428, "precondition_required")
    assert told(ada.delete(path)) == (428, "precondition_required")
    assert told(ada.patch(path, {"text": "y"}, headers={"if-match": "*"})) == (200, 1)
    assert told(ada.delete("/letters?text=y&max_affected=1", headers={"if-match": "*"})) == (200, 1)


def test_handing_over(served: Served, ada: Person) -> None:
    """All the rows go to somebody else, and are not the caller's to see any more."""
    bob = f"bob{uuid4().hex[:8]}"
    for text in "xy":
        ada.made("/letters", {"text": text})
    answer = ada.patch("/letters?text__in=x,y&max_affected=9", {"owner_id": bob}, headers={"if-match": "*"})
    assert told(answer) == (200, 2)
    assert (len(ada.items("/letters")), len(served.person(bob).items("/letters"))) == (0, 2)


def test_one_statement(served: Served, ada: Person) -> None:
    """When it succeeds; why not is one more. Nobody's rows cost none."""
    make(ada, "x", "y", "kept", batch="b")

    def cost(answer: Any, status: int) -> int:
        with served.statements() as sent:
            assert answer().status == status
        return len([text for text in sent if "pg_catalog" not in text and "jit" not in text])

    assert cost(lambda: ada.patch("/tasks?title=x&max_affected=9", {"rank": 1}), 200) == 1
    assert cost(lambda: ada.patch("/tasks?title=none&max_affected=9", {"rank": 1}), 200) == 1
    assert cost(lambda: ada.patch("/tasks?batch=b&max_affected=2", {"rank": 1}), 409) == 1
    assert cost(lambda: ada.patch("/tasks?batch=b&max_affected=9", {"rank": 1}), 403) == 2
    assert cost(lambda: ada.delete("/tasks?title=x&max_affected=9"), 200) == 1
    assert cost(lambda: served.anonymous.delete("/tasks?title=x&max_affected=9"), 401) == 0


def test_two_at_once(served: Served, ada: Person) -> None:
    """No change is lost, no row goes twice, and nobody is told of a fault."""
    make(ada, *"abcdefgh", batch="b")

    def change(number: int) -> tuple[int, Any]:
        order = "abcdefgh" if number % 2 else "hgfedcba"
        return told(ada.patch(f"/tasks?title__in={','.join(order)}&max_affected=9", {"rank": number}))

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(change, range(24))) == {(200, 8)}
    rows = ada.items("/tasks?batch=b")
    assert len({row["rank"] for row in rows}) == 1
    assert [
        tuple(row)
        for row in served.sql("SELECT DISTINCT version FROM tasks WHERE owner_id = $1", rows[0]["owner_id"])
    ] == [(25,)]
    with ThreadPoolExecutor(8) as threads:
        gone = list(threads.map(lambda _: told(ada.delete("/tasks?batch=b&max_affected=9")), range(8)))
    assert sorted(gone) == [(200, 0)] * 7 + [(200, 8)]
