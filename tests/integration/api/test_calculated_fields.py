"""Fields that nobody stores: computed from their row, or counted and summed over a relation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from served import Person, Served, fresh_database, serving

OFFICE = """
# Office

## Roles

| Role  | Means                |
|-------|----------------------|
| chief | sees every project   |

## Project

| Field      | Type        | Rules                                          |
|------------|-------------|------------------------------------------------|
| name       | text        | required, ..80                                 |
| owner      | User        | the caller                                     |
| tasks open | integer     | count of tasks where `status in ["todo", "doing"]` |
| late tasks | integer     | count of tasks where overdue                   |
| hours      | number(8,2) | sum of tasks.hours                             |
| points     | integer     | sum of tasks.points where status != "done"     |
| bill       | number(9,1) | = `hours * 2.5`, readable by chief             |
| busy       | boolean     | = `tasks_open > 1`                             |
| best       | integer     | sum of tasks.double, hidden                    |

| Who   | May        | When |
|-------|------------|------|
| owner | list, read, create, delete | |
| owner | update     | `tasks_open < 3` |
| chief | everything |      |

### Rules

- `best < 1000`

## Task

| Field        | Type                    | Rules                                |
|--------------|-------------------------|--------------------------------------|
| title        | text                    | required, ..80                       |
| status       | `todo`, `doing`, `done` | default `todo`                       |
| hours        | number(6,3)             | 0..                                  |
| points       | integer                 |                                      |
| due          | timestamp               |                                      |
| owner        | User                    | the caller                           |
| project      | Project                 | on delete clear                      |
| parent       | Task                    | on delete clear                      |
| overdue      | boolean                 | = `due < now() and status != "done"` |
| double       | integer                 | = `points * 2`                       |
| shout        | text                    | = `upper(title)`                     |
| project name | text                    | = `project.name`                     |
| parts        | integer                 | count of tasks                       |
| first due    | timestamp               | = `coalesce(due, created_at)`        |

| Who   | May        |
|-------|------------|
| owner | everything |
"""


@pytest.fixture(scope="module")
def office(database_server: str) -> Iterator[Served]:
    """Projects and their tasks."""
    with fresh_database(database_server) as database, serving(OFFICE, database) as served:
        yield served


@pytest.fixture
def ada(office: Served) -> Iterator[Person]:
    """Somebody with an empty house."""
    yield office.person("ada")
    office.sql("DELETE FROM tasks")
    office.sql("DELETE FROM projects")


def task(person: Person, title: str, **rest: Any) -> Any:
    """A new task."""
    return person.made("/tasks", {"title": title, **rest})


PAST = (datetime.now(UTC) - timedelta(days=1)).isoformat()
COMING = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def test_what_a_row_computes(ada: Person) -> None:
    """Computed members stand in the answer of a create, of a read, and in lists."""
    home = ada.made("/projects", {"name": "Home"})
    made = task(ada, "milk", due=PAST, points=3, project_id=home["id"])
    expected = {
        "overdue": True,
        "double": 6,
        "shout": "MILK",
        "project_name": "Home",
        "parts": 0,
        "first_due": made["due"],
    }
    assert made | expected == made
    assert ada.get(f"/tasks/{made['id']}").json() == made
    assert ada.items("/tasks") == [made]
    changed = ada.patch(f"/tasks/{made['id']}", {"status": "done", "title": "wine"}).json()
    assert (changed["overdue"], changed["shout"]) == (False, "WINE")
    empty = task(ada, "", due=None)
    assert (empty["overdue"], empty["double"], empty["project_name"]) == (False, None, None)
    assert empty["first_due"] == empty["created_at"]


def test_aggregates(office: Served, ada: Person) -> None:
    """Counts and sums are of the related rows that meet the condition; of none, they are 0."""
    home = ada.made("/projects", {"name": "Home"})
    assert [home[name] for name in ("tasks_open", "late_tasks", "hours", "points", "busy")] == [
        0,
        0,
        "0.00",
        0,
        False,
    ]
    assert "best" not in home
    task(ada, "a", project_id=home["id"], hours="1.005", points=2**53 - 1)
    task(ada, "b", project_id=home["id"], hours="0.5", points=1, due=PAST)
    task(ada, "c", project_id=home["id"], hours="2", points=5, status="done", due=PAST)
    office.person("bob").made("/tasks", {"title": "elsewhere", "points": 1, "hours": "5"})
    now = ada.get(f"/projects/{home['id']}").json()
    assert (now["tasks_open"], now["late_tasks"], now["busy"]) == (2, 1, True)
    # Half a hundredth goes away from zero; whole numbers are exact, whatever their size.
    assert (now["hours"], now["points"]) == ("3.51", 2**53)
    chief = office.person("carl", "chief").get(f"/projects/{home['id']}").json()
    assert chief["bill"] == "8.8"


def test_no_row_has_no_count(ada: Person) -> None:
    """Tasks sorted by a count of the row that they refer to: those that refer to none have no value."""
    home = ada.made("/projects", {"name": "Home"})
    task(ada, "hers", project_id=home["id"], status="done")
    for title in ("loose", "looser"):
        task(ada, title)
    ascending = [row["title"] for row in ada.items("/tasks?sort=project__tasks_open,title")]
    assert ascending == ["hers", "loose", "looser"]
    assert [row["title"] for row in ada.items("/tasks?project__tasks_open=0")] == ["hers"]


def test_the_answer_of_a_write_is_of_what_is_stored(ada: Person) -> None:
    """A count over the table that the request itself writes counts the row that it has written."""
    top = task(ada, "top")
    assert top["parts"] == 0
    own = ada.patch(f"/tasks/{top['id']}", {"parent_id": top["id"]}).json()
    assert own["parts"] == 1
    again = ada.patch(f"/tasks/{top['id']}", {"parent_id": None}).json()
    assert again["parts"] == 0


def test_filters(ada: Person) -> None:
    """What is worked out is filtered like what is stored, also in a filter and beyond a relation."""
    home, work = (ada.made("/projects", {"name": name}) for name in ("Home", "Work"))
    task(ada, "milk", due=PAST, points=3, project_id=home["id"])
    task(ada, "wine", due=COMING, points=1, project_id=work["id"])
    task(ada, "beer", project_id=home["id"])

    def found(query: str) -> set[str]:
        return {row["title"] for row in ada.items(f"/tasks?{query}")}

    assert found("overdue=true") == {"milk"}
    assert found("overdue__ne=true") == {"wine", "beer"}
    assert found("double__gte=6") == {"milk"}
    assert found("double__in=2,6") == {"milk", "wine"}
    assert found("double__isnull=true") == {"beer"}
    assert found("shout__startswith=B") == {"beer"}
    assert found("project_name=Work") == {"wine"}
    assert found("project__tasks_open=2") == {"milk", "beer"}
    assert found("project__busy=true") == {"milk", "beer"}
    assert found("filter=overdue+or+double+==+2") == {"milk", "wine"}
    assert found("filter=not+overdue+and+project.late_tasks+>+0") == {"beer"}
    assert found("fields=title&filter=first_due+<+now()") == {"milk", "beer"}
    assert {row["name"] for row in ada.items("/projects?late_tasks__gt=0&count=exact")} == {"Home"}


def test_pages_in_the_order_of_what_is_worked_out(ada: Person) -> None:
    """A list sorted by a sum is read page by page, each row once."""
    for number in range(7):
        project = ada.made("/projects", {"name": f"p{number}"})
        for each in range(number % 4):
            task(ada, "t", project_id=project["id"], points=each, hours="1.25")
    for sort in ("-hours,name", "points", "tasks_open,-name", "busy,-points"):
        whole = ada.items(f"/projects?sort={sort}&limit=100&fields=id,name")
        pages, cursor = [], ""
        while True:
            page = ada.get(f"/projects?sort={sort}&limit=2&fields=id,name{cursor}").json()
            pages += page["items"]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert pages == whole
        assert len({row["id"] for row in pages}) == 7
    counts = [row["tasks_open"] for row in ada.items("/projects?sort=-tasks_open&fields=tasks_open")]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("sort", ["overdue", "-overdue", "project__late_tasks"])
def test_no_order_by_what_changes_by_waiting(office: Served, sort: str) -> None:
    """What depends on the time is no sort key: the next page would be another list's."""
    answer = office.person("ada").get(f"/tasks?sort={sort}")
    assert (answer.status, answer.faults) == (422, [("sort", "not_a_choice")])


def test_nobody_sets_it(ada: Person) -> None:
    """A body with a computed member is refused; a PUT may send it back as it is."""
    for path, body in (
        ("/tasks", {"title": "x", "overdue": True}),
        ("/projects", {"name": "x", "hours": "1"}),
    ):
        answer = ada.post(path, body)
        assert (answer.status, answer.faults[0][1]) == (422, "read_only")
    made = task(ada, "milk", points=2, due=COMING)
    answer = ada.patch(f"/tasks/{made['id']}", {"double": 4})
    assert (answer.status, answer.faults) == (422, [("double", "read_only")])
    kept = ada.put(f"/tasks/{made['id']}", made)
    assert kept.status == 200, kept
    answer = ada.put(f"/tasks/{made['id']}", made | {"double": 5})
    assert (answer.status, answer.faults) == (422, [("double", "read_only")])
    hidden = ada.post("/projects", {"name": "x", "best": 1})
    assert hidden.faults == [("best", "unknown_member")]


def test_limited_to_a_role(office: Served, ada: Person) -> None:
    """A computed field for a role alone is for others as if it did not exist."""
    home = ada.made("/projects", {"name": "Home"})
    assert "bill" not in home
    assert ada.get("/projects?bill=1").faults == [("bill", "unknown_parameter")]
    assert ada.get("/projects?sort=bill").status == 422
    assert ada.get("/projects?filter=bill+>+1").status == 422
    assert [row["bill"] for row in office.person("carl", "chief").items("/projects")] == ["0.0"]


def test_in_grants_and_rules(ada: Person) -> None:
    """A grant and a rule may ask for a count or a sum."""
    home = ada.made("/projects", {"name": "Home"})
    place = f"/projects/{home['id']}"
    tasks = [task(ada, "t", project_id=home["id"]) for _ in range(2)]
    assert ada.patch(place, {"name": "House"}).status == 200
    task(ada, "t", project_id=home["id"])
    assert ada.patch(place, {"name": "Hut"}).status == 403
    ada.delete(f"/tasks/{tasks[0]['id']}")
    task(ada, "heavy", project_id=home["id"], points=600, status="done")
    answer = ada.patch(place, {"name": "Hut"})
    assert (answer.status, answer.faults) == (422, [("", "rule_violated")])


def test_only_what_the_grants_show(office: Served, ada: Person) -> None:
    """What is worked out reads all rows there are, and shows nothing of them but its value."""
    home = ada.made("/projects", {"name": "Home"})
    bob = office.person("bob")
    assert bob.items("/projects?tasks_open=0") == []
    assert bob.get(f"/projects/{home['id']}").status == 404


def test_hostile_values(office: Served) -> None:
    """A NUL, a number too large and a wrong type in a filter on a computed field are refused."""
    ada = office.person("ada")
    for query, status in (
        ("shout=%00", 422),
        ("double=9999999999999999999", 422),
        ("double=x", 422),
        ("overdue=maybe", 422),
        ("overdue__gt=true", 422),
        ("filter=double+>+99999999999999999999999", 200),
    ):
        assert ada.get(f"/tasks?{query}").status == status, query
