"""Creates of many rows over a socket: an array is made whole, or not at all, and an error names its item."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from protected import build
from served import Answer, Person, Served, fresh_database, serving
from specwright.api.body import MAX_ITEMS
from specwright.read.spec import read_specs

SPEC = """
# Work

## Roles

| Role   | Means            |
|--------|------------------|
| clerk  | sets the fee     |

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
| open  | boolean | default true   |
| owner | User    | the caller     |

| Who   | May        |
|-------|------------|
| owner | everything |

## Task

| Field    | Type                   | Rules                                |
|----------|------------------------|--------------------------------------|
| title    | text                   | required, 1..80                      |
| code     | text                   | ..20, unique                         |
| spot     | integer                | unique per owner                     |
| big      | integer                |                                      |
| price    | number(30,4)           |                                      |
| due      | timestamp              |                                      |
| on       | date                   |                                      |
| extra    | json                   |                                      |
| sums     | list of number(30,4)   |                                      |
| words    | list of text           |                                      |
| fee      | integer                | default 0, writable by clerk         |
| status   | `new`, `done`          | default `new`                        |
| project  | Project                |                                      |
| tags     | many Tag               |                                      |
| owner    | User                   | the caller                           |

| Field  | Moves      | Who   |
|--------|------------|-------|
| status | new → done | owner |

| Who   | May                    | When  | Then                   |
|-------|------------------------|-------|------------------------|
| owner | list, read, delete     |       |                        |
| owner | create, update         |       | `title != "forbidden"` |

### Rules

- audited
- `due is None or due > now()`
- `big is None or big != 13`
- `project is None or project.open`

## Seat

| Field | Type    | Rules                |
|-------|---------|----------------------|
| name  | text    | required, ..20       |
| room  | Room    | required             |

| Who       | May        | Then                 |
|-----------|------------|----------------------|
| signed in | everything |                               |

### Rules

- `room.taken <= 3`

## Room

| Field | Type    | Rules          |
|-------|---------|----------------|
| name  | text    | required, ..20 |
| taken | integer | count of seats |

| Who       | May        |
|-----------|------------|
| signed in | everything |
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


def places(answer: Answer) -> list[tuple[int | None, str, str]]:
    """Index, field and code of each error."""
    errors = answer.json()["errors"]
    return [(error.get("index"), error["field"], error["code"]) for error in errors]


def refused(person: Person, items: list[Any], status: int, path: str = "/tasks") -> Answer:
    """The refusal of an array, of which nothing is stored."""
    before = person.get(f"{path}?count=exact&limit=1").json()["total"]
    answer = person.post(path, items)
    assert answer.status == status, answer
    assert person.get(f"{path}?count=exact&limit=1").json()["total"] == before
    return answer


def test_an_array_is_made_in_its_order(ada: Person) -> None:
    """201 with the rows as they were sent, every value exact, and no `Location`."""
    items = [
        {"title": "one", "big": 2**53 - 1, "price": "12345678901234567890123456.7891"},
        {"title": 'two "\\\u2028🎈', "big": 1 - 2**53, "extra": {"a": [1.10, None, "x", {"b": 10**30}]}},
        {
            "title": "three",
            "due": "9999-12-31T23:59:59.999999Z",
            "on": "0001-01-01",
            "words": ["a,b", '"', "{}"],
        },
        {
            "title": "four",
            "sums": ["0.0001", "-99999999999999999999999999.9999"],
            "extra": "text",
            "words": [],
        },
        {"title": "five", "extra": None, "big": None},
    ]
    answer = ada.post("/tasks", items)
    assert answer.status == 201, answer
    assert "location" not in answer.headers
    made = answer.json()["items"]
    assert [row["title"] for row in made] == [item["title"] for item in items]
    for item, row in zip(items, made, strict=True):
        assert {name: row[name] for name in item} == item
        assert ada.get(f"/tasks/{row['id']}").json() == row
        single = ada.made("/tasks", item)
        assert {k: v for k, v in single.items() if k not in ("id", "created_at", "updated_at")} == {
            k: v for k, v in row.items() if k not in ("id", "created_at", "updated_at")
        }
    assert json.loads(answer.body, parse_float=Decimal)["items"][1]["extra"]["a"][0] == Decimal("1.10")


def test_one_item_is_an_array_too(ada: Person) -> None:
    """Its answer is a list of one, and shows what `fields` asks for."""
    assert ada.post("/tasks?fields=title", [{"title": "x"}]).json() == {"items": [{"title": "x"}]}


def test_all_faults_of_all_items(ada: Person) -> None:
    """422 names each by index and field, none is stored."""
    items: list[Any] = [{"title": "x"}] * 50
    items[3] = {"titel": "x"}
    items[7] = 1
    items[49] = {"title": "", "big": 1.5, "price": "NaN"}
    answer = refused(ada, items, 422)
    assert places(answer) == [
        (3, "titel", "unknown_member"),
        (3, "title", "required"),
        (7, "", "wrong_type"),
        (49, "title", "too_short"),
        (49, "big", "wrong_type"),
        (49, "price", "wrong_type"),
    ]
    assert answer.json()["detail"].startswith("Item 3, titel: ")


def test_hostile_arrays(ada: Person) -> None:
    """Empty, too long, with a NUL, a NaN or a lone surrogate, or deeper than anybody means."""
    assert places(refused(ada, [], 422)) == [(None, "", "too_short")]
    assert places(refused(ada, [{"title": "x"}] * 10_000, 422)) == [(None, "", "too_long")]
    assert places(refused(ada, [{"title": "x"}, {"title": "\0"}], 422)) == [(1, "title", "invalid_character")]
    assert places(refused(ada, [{"title": "\ud800"}], 422)) == [(0, "title", "invalid_character")]
    assert places(refused(ada, [[{"title": "x"}]], 422)) == [(0, "", "wrong_type")]
    for body in (b'[{"title": NaN}]', b"[" * 5000, b'[{"title": "x"}', b'[{"title": "x"},]'):
        assert ada.send("POST", "/tasks", body).status == 400
    deep = b'[{"title": "x", "extra": ' + b"[" * 40 + b"]" * 40 + b"}]"
    assert ada.send("POST", "/tasks", deep).status in (400, 422)
    many = refused(ada, [{"nope": 1}] * MAX_ITEMS, 422)
    assert len(places(many)) == 50


def test_as_many_as_there_may_be(served: Served, ada: Person) -> None:
    """A thousand rows are one statement, and so are two."""
    ada.made("/tasks", {"title": "warm"})
    for count in (2, MAX_ITEMS):
        with served.statements() as sent:
            answer = ada.post("/tasks", [{"title": f"{n}"} for n in range(count)])
        assert answer.status == 201
        assert [row["title"] for row in answer.json()["items"]] == [f"{n}" for n in range(count)]
        assert len([text for text in sent if "INSERT" in text]) == 1
        assert len([text for text in sent if "pg_catalog" not in text and "jit" not in text]) == 1


def test_strangers(served: Served, ada: Person) -> None:
    """Nobody signed in is 401; a field that is not theirs is 403 with its index."""
    assert served.anonymous.post("/tasks", [{"title": "x"}]).status == 401
    answer = refused(ada, [{"title": "x"}, {"title": "y", "fee": 2}], 403)
    assert places(answer) == [(1, "fee", "forbidden")]
    clerk = served.person(f"clerk{uuid4().hex[:8]}", "clerk")
    made = clerk.post("/tasks", [{"title": "x", "fee": 5}, {"title": "y"}]).json()["items"]
    assert [row["fee"] for row in made] == [5, 0]


def test_a_grant_judges_each_row(ada: Person) -> None:
    """One that may not be made is 403 for the whole."""
    items = [{"title": "x"}, {"title": "forbidden"}, {"title": "y"}, {"title": "forbidden"}]
    assert places(refused(ada, items, 403)) == [(1, "", "forbidden"), (3, "", "forbidden")]


def test_foreign_references(served: Served, ada: Person) -> None:
    """What the caller cannot read is not there: rows, and what is linked."""
    bob = served.person(f"bob{uuid4().hex[:8]}")
    mine, foreign = (who.made("/projects", {"name": "p"})["id"] for who in (ada, bob))
    items = [{"title": "a", "project_id": mine}, {"title": "b", "project_id": foreign}, {"title": "c"}]
    found = places(refused(ada, items, 422))
    items[1]["project_id"] = str(uuid4())
    assert found == places(refused(ada, items, 422)) == [(1, "project_id", "reference_not_found")]
    tag, other = (who.made("/tags", {"name": "t"})["id"] for who in (ada, bob))
    items = [{"title": "a", "tag_ids": [tag]}, {"title": "b", "tag_ids": [tag, other]}]
    assert places(refused(ada, items, 422)) == [(1, "tag_ids.1", "reference_not_found")]


def test_links_of_each(served: Served, ada: Person) -> None:
    """Each item links what it says, and one that says nothing links nothing."""
    one, two = (ada.made("/tags", {"name": name})["id"] for name in ("one", "two"))
    items = [{"title": "a", "tag_ids": [one, two]}, {"title": "b"}, {"title": "c", "tag_ids": [two]}]
    made = ada.post("/tasks", items).json()["items"]
    linked = [[row["id"] for row in ada.items(f"/tasks/{row['id']}/tags?sort=name")] for row in made]
    assert linked == [[one, two], [], [two]]


def test_rules_and_moves(ada: Person) -> None:
    """A rule that a CHECK holds, one that asks the time, one over a relation; a state that is no first."""
    shut = ada.made("/projects", {"name": "p", "open": False})["id"]
    bad: list[dict[str, Any]] = [
        {"big": 13},
        {"due": "2001-01-01T00:00:00Z"},
        {"project_id": shut},
    ]
    for each in bad:
        answer = refused(ada, [{"title": "x"}, {"title": "y"}, {"title": "z", **each}], 422)
        assert [place[::2] for place in places(answer)] == [(2, "rule_violated")]
    # What a rule of one member is about is told as of a single row.
    assert ada.post("/tasks", {"title": "x", "big": 13}).faults == [("big", "rule_violated")]
    answer = refused(ada, [{"title": "x"}, {"title": "y", "big": 13}], 422)
    assert places(answer) == [(1, "big", "rule_violated")]
    answer = refused(ada, [{"title": "x"}, {"title": "y", "status": "done"}], 422)
    assert places(answer) == [(1, "status", "not_a_choice")]


def test_unique_within_and_without(ada: Person) -> None:
    """Two items in conflict are 409 that names the later, and so is one in conflict with a stored row."""
    code = uuid4().hex[:12]
    twice = [{"title": "a", "code": code}, {"title": "b"}, {"title": "c", "code": code}]
    assert places(refused(ada, twice, 409)) == [(2, "code", "unique")]
    ada.made("/tasks", {"title": "d", "code": code, "spot": 1})
    assert places(refused(ada, twice[:2], 409)) == [(0, "code", "unique")]
    spots = [{"title": "x", "spot": 2}, {"title": "y", "spot": 1}]
    assert places(refused(ada, spots, 409)) == [(1, "spot", "unique")]


def test_what_all_of_them_add_up_to(ada: Person) -> None:
    """A rule that counts the rows of the array is judged on what is stored, together."""
    room = ada.made("/rooms", {"name": "r"})["id"]
    seats = [{"name": f"{n}", "room_id": room} for n in range(3)]
    assert ada.post("/seats", seats).status == 201
    answer = refused(ada, [{"name": "4", "room_id": room}], 422, "/seats")
    assert [place[::2] for place in places(answer)] == [(0, "rule_violated")]
    other = ada.made("/rooms", {"name": "r"})["id"]
    both = [{"name": "a", "room_id": other}, *({"name": f"{n}", "room_id": room} for n in range(2))]
    answer = refused(ada, both, 422, "/seats")
    assert [place[::2] for place in places(answer)] == [(1, "rule_violated"), (2, "rule_violated")]


def test_the_audit_trail_has_each(served: Served, ada: Person) -> None:
    """One line a row, with who it was and the request."""
    answer = ada.post("/tasks", [{"title": "x"}, {"title": "y"}])
    keys = [row["id"] for row in answer.json()["items"]]
    found = served.sql("SELECT key, action, caller, request FROM specwright.audit WHERE key = ANY($1)", keys)
    caller = answer.json()["items"][0]["owner_id"]
    request = answer.headers["x-request-id"]
    assert {tuple(row) for row in found} == {(key, "create", caller, request) for key in keys}


def test_a_key_covers_the_array(ada: Person) -> None:
    """Sent again it is answered as at first, twenty times at once as well; another array has another key."""
    key = {"idempotency-key": uuid4().hex}
    items = [{"title": "x"}, {"title": "y"}]
    first = ada.post("/tasks", items, headers=key)
    again = ada.post("/tasks", items, headers=key)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(ada.items("/tasks")) == 2
    assert ada.post("/tasks", items[:1], headers=key).code == "idempotency_key_reused"
    key = {"idempotency-key": uuid4().hex}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ada.post("/tasks", items, headers=key), range(8)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len(ada.items("/tasks")) == 4
    key = {"idempotency-key": uuid4().hex}
    assert ada.post("/tasks", [*items, {"title": "forbidden"}], headers=key).status == 403
    assert ada.post("/tasks", items, headers=key).status == 201


def test_a_killed_session_leaves_nothing(served: Served, ada: Person) -> None:
    """Halfway through an array its database session is killed: no row of it is stored."""
    served.sql(
        "CREATE FUNCTION stop_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.title = 'killed' THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1);"
        " END IF; RETURN NEW; END $$"
    )
    served.sql("CREATE TRIGGER stop BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION stop_here()")
    try:
        answer = ada.post("/tasks", [{"title": "x"}, {"title": "killed"}])
        assert (answer.status, answer.code) == (503, "unavailable")
    finally:
        served.sql("DROP TRIGGER stop ON tasks")
    assert ada.items("/tasks") == []


def test_related_rows_of_each(ada: Person) -> None:
    """What a create of one row includes, a create of many does of each."""
    project = ada.made("/projects", {"name": "p"})["id"]
    answer = ada.post(
        "/tasks?include=project&fields=title", [{"title": "a", "project_id": project}, {"title": "b"}]
    )
    names = [(row["title"], row["project"] and row["project"]["name"]) for row in answer.json()["items"]]
    assert names == [("a", "p"), ("b", None)]
