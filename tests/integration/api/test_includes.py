"""`include=`: related rows within a row, over a socket, and what strangers find out by it: nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from served import Served, fresh_database, serving

SPEC = """
# Work

## Roles

| Role  | Means       |
|-------|-------------|
| staff | works there |

## Project

| Field  | Type | Rules                      |
|--------|------|----------------------------|
| name   | text | required, ..80             |
| budget | text | ..20, readable by staff    |
| code   | text | ..20, hidden               |
| lead   | text | ..20, readable by owner    |
| owner  | User | the caller                 |

| Who    | May        | When             |
|--------|------------|------------------|
| owner  | everything |                  |
| anyone | list, read | `name == "open"` |

## Task

| Field    | Type         | Rules                              |
|----------|--------------|------------------------------------|
| title    | text         | required, ..80                     |
| cost     | number(10,2) |                                    |
| project  | Project      | on delete cascade                  |
| parent   | Task         | on delete clear                    |
| author   | User         |                                    |
| backup   | Project      | on delete clear, readable by staff |
| owner    | User         | the caller                         |

| Who    | May        |
|--------|------------|
| owner  | everything |
| staff  | list, read |
"""


@pytest.fixture(scope="module")
def served(database_server: str) -> Iterator[Served]:
    """The spec above, served from a database of its own."""
    with fresh_database(database_server) as database, serving(SPEC, database) as one:
        yield one


@pytest.fixture(scope="module")
def home(served: Served) -> Any:
    """A project of ada's, with a task, a task below that, and a task of bob's."""
    ada, bob = served.person("ada"), served.person("bob")
    project = ada.made("/projects", {"name": "home", "lead": "eve"})
    task = ada.made("/tasks", {"title": "paint", "cost": "1.50", "project_id": project["id"]})
    below = ada.made("/tasks", {"title": "buy", "parent_id": task["id"], "project_id": project["id"]})
    served.sql("UPDATE projects SET name = 'open' WHERE id = $1", project["id"])
    other = bob.made("/tasks", {"title": "hide", "project_id": project["id"]})
    served.sql("UPDATE projects SET name = 'home' WHERE id = $1", project["id"])
    return {"project": project, "task": task, "below": below, "other": other}


def test_a_reference_is_included_as_the_row_it_leads_to(served: Served, home: Any) -> None:
    """Beside its id, with the members that the caller sees, in a read as in a list."""
    ada = served.person("ada")
    project = ada.get(f"/projects/{home['project']['id']}").json()
    assert "budget" not in project and project["lead"] == "eve"
    found = ada.get(f"/tasks/{home['task']['id']}?include=project,parent").json()
    assert found == home["task"] | {"project": project, "parent": None}
    listed = ada.items("/tasks?include=project&sort=created_at&fields=id")
    assert listed[0] == {"id": home["task"]["id"], "project": project}


def test_the_other_side_is_included_as_the_first_of_its_rows(served: Served, home: Any) -> None:
    """Newest first, whether there are more, and where all of them are."""
    ada, id_ = served.person("ada"), home["project"]["id"]
    found = ada.get(f"/projects/{id_}?include=tasks_by_project").json()["tasks_by_project"]
    assert [task["title"] for task in found["items"]] == ["buy", "paint"]
    assert found == {
        "items": [ada.get(f"/tasks/{home[name]['id']}").json() for name in ("below", "task")],
        "more": False,
        "href": f"/api/v1/projects/{id_}/tasks-by-project",
    }


def test_relations_are_followed_in_turn(served: Served, home: Any) -> None:
    """Over three of them, references and others; a name in the middle is included as well."""
    ada = served.person("ada")
    (found,) = ada.items("/tasks?include=parent.project.tasks_by_project&title=buy")
    assert found["parent"]["title"] == "paint"
    assert [task["title"] for task in found["parent"]["project"]["tasks_by_project"]["items"]] == [
        "buy",
        "paint",
    ]
    answer = ada.get(
        f"/tasks/{home['task']['id']}?include=project,tasks,tasks.parent,project.tasks_by_project"
    )
    assert list(answer.json())[-2:] == ["project", "tasks"]
    assert answer.json()["tasks"]["items"][0]["parent"]["title"] == "paint"


def test_what_the_caller_cannot_read_is_not_there(served: Served, home: Any) -> None:
    """A reference to it is null, as if it were empty, and among many it is missing, uncounted."""
    bob = served.person("bob")
    found = bob.get(f"/tasks/{home['other']['id']}?include=project").json()
    assert found["project"] is None and found["project_id"] == home["project"]["id"]
    staff = served.person("sue", "staff")
    seen = staff.get(f"/tasks/{home['task']['id']}?include=project,tasks").json()
    assert seen["project"] is None and len(seen["tasks"]["items"]) == 1
    ada = served.person("ada")
    titles = json.dumps(ada.get(f"/projects/{home['project']['id']}?include=tasks_by_project").json())
    assert "hide" not in titles


def test_included_rows_have_the_members_that_the_caller_sees(served: Served, home: Any) -> None:
    """Those of a role, those of some rows only, and never those that are hidden."""
    ada, bob = served.person("ada"), served.person("bob")
    id_ = home["project"]["id"]
    served.sql("UPDATE projects SET name = 'open', budget = 'secret', code = 'deep' WHERE id = $1", id_)
    try:
        mine = ada.get(f"/tasks/{home['task']['id']}?include=project").json()["project"]
        theirs = bob.get(f"/tasks/{home['other']['id']}?include=project").json()["project"]
        boss = served.person("ada", "staff")
        whole = boss.get(f"/tasks/{home['task']['id']}?include=project").json()["project"]
    finally:
        served.sql("UPDATE projects SET name = 'home' WHERE id = $1", id_)
    assert mine["lead"] == "eve" and "budget" not in mine
    assert "lead" not in theirs and "budget" not in theirs and theirs["name"] == "open"
    assert whole["budget"] == "secret" and "deep" not in json.dumps(whole)


@pytest.mark.parametrize(
    ("include", "code"),
    [
        ("", "not_a_choice"),
        ("nothing", "not_a_choice"),
        ("projet", "not_a_choice"),
        ("owner", "not_a_choice"),
        ("backup", "not_a_choice"),
        ("project.tasks_by_backup", "not_a_choice"),
        ("project.tasks", "not_a_choice"),
        ("project,project", "repeated"),
        ("project,", "not_a_choice"),
        ("project.", "not_a_choice"),
        ("parent.parent.parent.parent", "too_complex"),
        ("tasks.tasks.tasks", "too_complex"),
        (",".join(["parent", "parent.parent"] + ["tasks." + n for n in ("parent", "project", "tasks")]), ""),
        ("project%00", "invalid_character"),
        ("project&include=parent", "repeated"),
    ],
)
def test_what_cannot_be_included_is_told(served: Served, home: Any, include: str, code: str) -> None:
    """Unknown, unreadable, without rows of its own, twice, too deep, too much: 422 that names it."""
    answer = served.person("ada").get(f"/tasks?include={include}")
    if code:
        assert (answer.status, answer.faults) == (422, [("include", code)]), answer
    else:
        assert answer.status == 200, answer


def test_more_rows_than_are_shown_are_told_of(served: Served) -> None:
    """Twenty of them, that there are more, and where they are; what might be too much is refused."""
    cid = served.person("cid")
    project = cid.made("/projects", {"name": "many"})
    for number in range(21):
        cid.made("/tasks", {"title": f"{number}", "project_id": project["id"]})
    found = cid.get(f"/projects/{project['id']}?include=tasks_by_project").json()["tasks_by_project"]
    assert [task["title"] for task in found["items"]] == [f"{number}" for number in range(20, 0, -1)]
    assert found["more"] is True
    assert cid.get("/projects?include=tasks_by_project.tasks").status == 200
    assert cid.get("/projects?include=tasks_by_project.tasks&limit=100").faults == [
        ("include", "too_complex")
    ]


def test_an_include_costs_no_statement(served: Served, home: Any) -> None:
    """Rows within rows within rows come with the page or the row, in its one statement; also of a write."""
    ada = served.person("ada")
    with served.statements() as seen:
        assert ada.get("/tasks?include=project.tasks_by_project,parent,tasks").status == 200
        assert ada.get(f"/tasks/{home['task']['id']}?include=project.tasks_by_project,parent").status == 200
    assert len(seen) == 2
    body = {"title": "x", "project_id": home["task"]["project_id"]}
    with served.statements() as seen:
        assert ada.post("/tasks?include=project", body).json()["project"]["name"]
    assert len(seen) == 1
