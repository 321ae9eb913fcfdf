"""Grants over relations, names for people, conditions before and after, and fields for some."""

from collections.abc import Callable, Iterator

import pytest

from served import Served, fresh_database, serving

CLUB = """
# Club

## Roles

| Role | Means |
|------|-------|
| chair | leads |

## Team

| Field  | Type | Rules                          |
|--------|------|--------------------------------|
| name   | text | required, ..20                 |
| captain | User | the caller                    |

| Who    | Is                          |
|--------|-----------------------------|
| player | `members.person == caller`  |

| Who    | May        |
|--------|------------|
| owner  | everything |
| player | list, read |

## Member

| Field  | Type | Rules                          |
|--------|------|--------------------------------|
| team   | Team | required, on delete cascade    |
| person | User | required, writable by chair    |
| note   | text | ..20                           |

| Who     | Is                          |
|---------|-----------------------------|
| captain | `team.captain == caller`    |
| mate    | `team.members.person == caller` |

| Who     | May        |
|---------|------------|
| chair   | everything |
| captain | list, read, delete |
| mate    | list, read |

## Task

| Field    | Type | Rules                        |
|----------|------|------------------------------|
| title    | text | required, ..20               |
| points   | integer | 0..100, default 0         |
| state    | `open`, `done` | default `open`     |
| team     | Team | required, on delete refuse   |
| assignee | Member | on delete clear            |
| owner    | User | the caller                   |

| Who      | Is                                  |
|----------|-------------------------------------|
| doer     | `assignee.person == caller`         |
| teammate | `team.members.person == caller`     |

| Who      | May                | When             | Then            |
|----------|--------------------|------------------|-----------------|
| owner    | everything         |                  |                 |
| teammate | list, read         |                  |                 |
| doer     | update             | `state == "open"` | `points < 50`  |

### Rules

- `assignee is None or assignee.team == team` (FR-001)

### Requirements

- **FR-001** Only members of the team do its tasks.
"""


@pytest.fixture(scope="module")
def club(database_server: str) -> Iterator[Served]:
    """A club with one team: ada leads it, bob plays in it, carl does not."""
    with fresh_database(database_server) as database, serving(CLUB, database) as served:
        yield served


@pytest.fixture
def team(club: Served) -> dict[str, str]:
    """A team of ada's with bob in it."""
    ada, chair = club.person("ada"), club.person("ada", "chair")
    team = ada.made("/teams", {"name": "reds"})["id"]
    bob = chair.made("/members", {"team_id": team, "person_id": "bob"})["id"]
    return {"id": team, "bob": bob}


def test_who_over_a_relation(club: Served, team: dict[str, str]) -> None:
    """A name for people holds where a related row says so, to many and to one."""
    ada, bob, carl = (club.person(name) for name in ("ada", "bob", "carl"))
    assert ada.get(f"/teams/{team['id']}").status == 200
    assert bob.get(f"/teams/{team['id']}").status == 200
    assert carl.get(f"/teams/{team['id']}").status == 404
    assert team["id"] in [row["id"] for row in bob.items("/teams")]
    assert carl.items("/teams") == []
    assert bob.patch(f"/teams/{team['id']}", {"name": "x"}).status == 403
    assert ada.get(f"/members/{team['bob']}").status == 200
    assert bob.delete(f"/members/{team['bob']}").status == 403
    assert carl.delete(f"/members/{team['bob']}").status == 404


def test_a_row_is_listed_once(club: Served, team: dict[str, str]) -> None:
    """However many related rows say yes, and however many grants."""
    chair = club.person("ada", "chair")
    for _ in range(3):
        chair.made("/members", {"team_id": team["id"], "person_id": "bob"})
    assert len(club.person("bob").items(f"/teams?id={team['id']}")) == 1
    page = club.person("bob").get(f"/teams?id={team['id']}&count=exact").json()
    assert page["total"] == 1


def test_when_is_before_and_then_is_after(club: Served, team: dict[str, str]) -> None:
    """When judges the row as it is, Then the row as it becomes."""
    ada, bob = club.person("ada"), club.person("bob")
    task = ada.made("/tasks", {"title": "x", "team_id": team["id"], "assignee_id": team["bob"]})
    path = f"/tasks/{task['id']}"
    assert bob.patch(path, {"points": 49}).status == 200
    refused = bob.patch(path, {"points": 50})
    assert (refused.status, refused.code) == (403, "forbidden")
    assert bob.patch(path, {"state": "done"}).status == 200
    assert bob.patch(path, {"title": "y"}).status == 403
    assert ada.patch(path, {"points": 90, "state": "open"}).status == 200
    assert bob.patch(path, {"title": "y"}).status == 403
    assert bob.patch(path, {"points": 10}).status == 200


def test_nobody_gives_away_what_they_have_by_it(club: Served, team: dict[str, str]) -> None:
    """Who must hold after as well: the doer cannot hand the task on."""
    ada, bob = club.person("ada"), club.person("bob")
    carl = club.person("ada", "chair").made("/members", {"team_id": team["id"], "person_id": "carl"})
    task = ada.made("/tasks", {"title": "x", "team_id": team["id"], "assignee_id": team["bob"]})
    path = f"/tasks/{task['id']}"
    assert bob.patch(path, {"assignee_id": carl["id"]}).status == 403
    assert bob.patch(path, {"assignee_id": None}).status == 403
    assert ada.get(path).json()["assignee_id"] == team["bob"]


def test_a_rule_over_a_relation(club: Served, team: dict[str, str]) -> None:
    """What no CHECK can hold is held by the statement, on create and on change."""
    ada = club.person("ada")
    other = ada.made("/teams", {"name": "blues"})["id"]
    wrong = ada.post("/tasks", {"title": "x", "team_id": other, "assignee_id": team["bob"]})
    assert wrong.status == 422
    assert "FR-001" in wrong.body.decode()
    task = ada.made("/tasks", {"title": "x", "team_id": team["id"], "assignee_id": team["bob"]})
    assert ada.patch(f"/tasks/{task['id']}", {"team_id": other}).status == 422
    assert ada.patch(f"/tasks/{task['id']}", {"team_id": other, "assignee_id": None}).status == 200


def test_what_a_delete_does_to_others(club: Served, team: dict[str, str]) -> None:
    """Refused while tasks refer to the team; clears the assignee; takes the members along."""
    ada, chair = club.person("ada"), club.person("ada", "chair")
    task = ada.made("/tasks", {"title": "x", "team_id": team["id"], "assignee_id": team["bob"]})
    held = ada.delete(f"/teams/{team['id']}")
    assert (held.status, held.faults) == (409, [("", "in_use")])
    assert chair.delete(f"/members/{team['bob']}").status == 204
    assert ada.get(f"/tasks/{task['id']}").json()["assignee_id"] is None
    again = chair.made("/members", {"team_id": team["id"], "person_id": "bob"})
    assert ada.delete(f"/tasks/{task['id']}").status == 204
    assert ada.delete(f"/teams/{team['id']}").status == 204
    assert chair.get(f"/members/{again['id']}").status == 404


SELF = """
# Self

## Project

| Field | Type | Rules |
|-------|------|-------|
| name  | text | required, ..20 |

| Who       | May        |
|-----------|------------|
| signed in | everything |

## Item

| Field   | Type    | Rules                       |
|---------|---------|-----------------------------|
| title   | text    | required, ..20              |
| points  | integer | default 0                   |
| worker  | text    | ..20                        |
| project | Project | required, on delete cascade |

| Who    | Is                                  |
|--------|-------------------------------------|
| worker | `project.items.worker == caller.id` |

| Who       | May          | When | Then                             |
|-----------|--------------|------|----------------------------------|
| worker    | list, read   |      |                                  |
| worker    | update       |      | `project.items.points < 10`      |
| signed in | create       |      |                                  |

### Rules

- `not (project.items.points > 100)` (FR-001)

### Requirements

- **FR-001** No item of a project is worth more than 100.
"""


def test_an_after_condition_that_reads_what_is_written(serve: Callable[..., Served]) -> None:
    """It is judged on the rows as they are stored then; the transaction leaves nothing when it is refused."""
    served = serve(SELF)
    ada = served.person("ada")
    project = ada.made("/projects", {"name": "p"})["id"]
    item = ada.made("/items", {"title": "x", "worker": "ada", "project_id": project})
    assert item["title"] == "x", "the row itself makes ada a worker, so she sees it"
    path = f"/items/{item['id']}"
    assert ada.patch(path, {"points": 9}).json()["points"] == 9
    refused = ada.patch(path, {"points": 10})
    assert (refused.status, refused.code) == (403, "forbidden")
    lost = ada.patch(path, {"worker": "bob"})
    assert (lost.status, lost.code) == (403, "forbidden"), "afterwards it would not be readable"
    assert ada.get(path).json()["points"] == 9
    assert ada.get(path).headers["etag"].startswith('"2-')
    unseen = ada.post("/items", {"title": "y", "worker": "bob", "project_id": project})
    assert (unseen.status, unseen.json()["title"]) == (201, "y")
    over = ada.post("/items", {"title": "z", "worker": "ada", "points": 101, "project_id": project})
    assert over.status == 422
    assert "FR-001" in over.body.decode()
    assert served.sql("SELECT count(*) FROM items")[0][0] == 2
    assert ada.patch(path, {"project_id": project[:-4] + "0000"}).faults == [
        ("project_id", "reference_not_found")
    ]
    assert ada.patch(path, {"title": "w"}, headers={"if-match": '"1-00"'}).status == 412
    assert served.person("carl").patch(path, {"title": "w"}).status == 404


def test_such_a_write_takes_two_statements(serve: Callable[..., Served]) -> None:
    """One transaction, two statements in it."""
    served = serve(SELF, database_pool_size=1)
    ada = served.person("ada")
    project = ada.made("/projects", {"name": "p"})["id"]
    with served.statements() as sent:
        ada.made("/items", {"title": "x", "worker": "ada", "project_id": project})
    assert [text.split()[0] for text in sent] == ["BEGIN;", "WITH", "SELECT", "COMMIT;"]


DROPBOX = """
# Dropbox

## Roles

| Role | Means |
|------|-------|
| clerk | reads |

## Letter

| Field  | Type    | Rules          |
|--------|---------|----------------|
| text   | text    | required, ..80 |
| sealed | boolean | default false  |

| Who    | May                | When         |
|--------|--------------------|--------------|
| anyone | create             | `not sealed` |
| clerk  | list, read, create |              |
"""


def test_a_create_by_someone_who_may_not_read_it(serve: Callable[..., Served]) -> None:
    """201 with its place, and without what they may not see."""
    served = serve(DROPBOX)
    made = served.anonymous.post("/letters", {"text": "psst"})
    assert (made.status, made.json()) == (201, {})
    key = made.headers["location"].rpartition("/")[2]
    assert served.anonymous.get(f"/letters/{key}").status == 401
    assert served.person("ada").get(f"/letters/{key}").status == 404
    assert served.person("c", "clerk").get(f"/letters/{key}").json()["text"] == "psst"
    assert served.anonymous.post("/letters", {"text": "x", "sealed": True}).status == 403
    assert served.person("c", "clerk").post("/letters", {"text": "x", "sealed": True}).status == 201


OWNED_BY_NOBODY = """
# Anyone

## Note

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |
| owner | User | the caller |

| Who    | May                |
|--------|--------------------|
| anyone | list, read, create |
"""


def test_a_row_of_the_caller_needs_a_caller(serve: Callable[..., Served]) -> None:
    """Anyone may create, and what is the caller's cannot be nobody's: 401."""
    served = serve(OWNED_BY_NOBODY)
    answer = served.anonymous.post("/notes", {"text": "x"})
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert served.person("ada").post("/notes", {"text": "x"}).status == 201
