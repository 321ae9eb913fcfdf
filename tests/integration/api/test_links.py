"""Many to many over a socket: links that bodies and routes make, and what strangers find out: nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from served import Person, Served, fresh_database, serving

SPEC = """
# Work

## Roles

| Role   | Means            |
|--------|------------------|
| tagger | labels all tasks |

## Tag

| Field | Type | Rules                    |
|-------|------|--------------------------|
| name  | text | required, ..40, unique per owner, searchable |
| owner | User | the caller               |

| Who    | May        | When               |
|--------|------------|--------------------|
| owner  | everything |                    |
| anyone | read       | `name == "public"` |

## Task

| Field   | Type      | Rules          |
|---------|-----------|----------------|
| title   | text      | required, ..80 |
| done    | boolean   | default false  |
| tags    | many Tag  |                |
| related | many Task |                |
| owner   | User      | the caller     |
| marks   | integer   | count of tags  |

| Who    | May                           | When                    |
|--------|-------------------------------|-------------------------|
| owner  | list, read, create, delete    |                         |
| owner  | update                        | `not done`              |
| tagger | list, read, link tags         |                         |
| signed in | list, read                 | `tags.name == "public"` |

### Rules

- `not tags.name == "forbidden"`
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


def tag(person: Person, name: str) -> str:
    """The id of a new tag."""
    return str(person.made("/tags", {"name": name})["id"])


def names(person: Person, task: str) -> list[str]:
    """The names of a task's tags, as its route lists them."""
    return sorted(row["name"] for row in person.items(f"/tasks/{task}/tags"))


def test_a_body_links_all_or_nothing(ada: Person) -> None:
    """A create, a PATCH and a PUT set the links; left out, they stay."""
    red, blue = tag(ada, "red"), tag(ada, "blue")
    task = ada.made("/tasks", {"title": "a", "tag_ids": [red, blue, red]})
    assert "tag_ids" not in task and task["marks"] == 2
    assert names(ada, task["id"]) == ["blue", "red"]
    path = f"/tasks/{task['id']}"
    assert ada.patch(path, {"tag_ids": [blue]}).json()["marks"] == 1
    assert names(ada, task["id"]) == ["blue"]
    assert ada.put(path, {"title": "b"}).json()["title"] == "b"
    assert names(ada, task["id"]) == ["blue"]
    assert ada.put(path, {"title": "b", "tag_ids": [red]}).status == 200
    assert names(ada, task["id"]) == ["red"]
    answer = ada.patch(path, {"title": "c", "tag_ids": [blue, str(uuid4())]})
    assert (answer.status, answer.faults) == (422, [("tag_ids.1", "reference_not_found")])
    assert names(ada, task["id"]) == ["red"] and ada.get(path).json()["title"] == "b"
    assert ada.patch(path, {"tag_ids": []}).json()["marks"] == 0
    assert names(ada, task["id"]) == []
    answer = ada.post("/tasks", {"title": "d", "tag_ids": [str(uuid4())]})
    assert (answer.status, answer.faults) == (422, [("tag_ids.0", "reference_not_found")])


def test_links_are_included_from_both_sides(ada: Person) -> None:
    """As related rows are, and their links followed further; a row may be linked to its own kind."""
    red = tag(ada, "red")
    one = ada.made("/tasks", {"title": "one", "tag_ids": [red]})
    two = ada.made("/tasks", {"title": "two", "related_ids": [one["id"]]})
    (found,) = ada.items("/tags?include=tasks.tags")
    assert [task["title"] for task in found["tasks"]["items"]] == ["one"]
    assert [each["name"] for each in found["tasks"]["items"][0]["tags"]["items"]] == ["red"]
    seen = ada.get(f"/tasks/{two['id']}?include=related.tags").json()["related"]
    assert seen["items"][0]["tags"]["items"][0]["id"] == red
    assert seen["href"] == f"/api/v1/tasks/{two['id']}/related"
    assert [task["id"] for task in ada.items(f"/tasks/{one['id']}/tasks")] == [two["id"]]
    assert [task["id"] for task in ada.items(f"/tasks/{two['id']}/related")] == [one["id"]]


def test_a_route_links_and_unlinks(ada: Person) -> None:
    """As often as it is asked, with one effect; the version tells."""
    red, task = tag(ada, "red"), ada.made("/tasks", {"title": "a"})
    link = f"/tasks/{task['id']}/tags/{red}"
    before = ada.get(f"/tasks/{task['id']}").headers["etag"]
    assert [ada.send("PUT", link).status for _ in "ab"] == [204, 204]
    assert names(ada, task["id"]) == ["red"]
    assert ada.get(f"/tasks/{task['id']}").headers["etag"] != before
    assert ada.send("DELETE", link, headers={"if-match": before}).status == 412
    assert [ada.delete(link).status for _ in "ab"] == [204, 204]
    assert names(ada, task["id"]) == []
    assert ada.send("POST", link).status == 405
    assert ada.send("DELETE", f"/tasks/{task['id']}/tags").status == 405
    assert ada.send("PUT", f"/tags/{red}/tasks/{task['id']}").status == 404


def test_a_route_lists_as_its_entity_does(ada: Person) -> None:
    """Filtered, sorted, searched, counted, page by page; its cursors are of this row alone."""
    ids = [tag(ada, f"t{number}") for number in range(5)]
    task = ada.made("/tasks", {"title": "a", "tag_ids": ids})
    other = ada.made("/tasks", {"title": "b", "tag_ids": ids[:3]})
    path = f"/tasks/{task['id']}/tags"
    page = ada.get(f"{path}?limit=2&sort=name&count=exact&fields=name").json()
    assert (page["items"], page["total"]) == ([{"name": "t0"}, {"name": "t1"}], 5)
    cursor = f"limit=2&sort=name&fields=name&cursor={page['next_cursor']}"
    assert ada.items(f"{path}?{cursor}") == [{"name": "t2"}, {"name": "t3"}]
    assert ada.get(f"/tasks/{other['id']}/tags?{cursor}").code == "invalid_cursor"
    assert ada.get(f"/tags?{cursor}").code == "invalid_cursor"
    assert [row["name"] for row in ada.items(f"{path}?name__gte=t3&sort=name")] == ["t3", "t4"]
    assert [row["name"] for row in ada.items(f"{path}?q=t2")] == ["t2"]
    assert ada.get(f"{path}?limit=2&include=tasks").json()["items"][0]["tasks"]["items"]
    assert ada.get(f"{path}?nothing=1").faults == [("nothing", "unknown_parameter")]
    assert ada.send("HEAD", path).status == 200


def test_strangers_find_nothing(served: Served, ada: Person) -> None:
    """Not what is linked, nor how many, nor that there is a row: by include, filter, count or error."""
    eve, secret, public = served.person("eve"), tag(ada, "secret"), tag(ada, "public")
    task = ada.made("/tasks", {"title": "shared", "tag_ids": [secret, public]})["id"]
    hidden = ada.made("/tasks", {"title": "hidden", "tag_ids": [secret]})["id"]
    seen = eve.get(f"/tasks/{task}?include=tags").json()
    assert [row["name"] for row in seen["tags"]["items"]] == ["public"] and not seen["tags"]["more"]
    page = eve.get(f"/tasks/{task}/tags?count=exact").json()
    assert [row["name"] for row in page["items"]] == ["public"] and page["total"] == 1
    assert eve.get(f"/tasks/{task}/tags?name=secret").json()["items"] == []
    assert eve.get("/tasks?tags__name=secret").json()["items"] == []
    assert eve.get("/tasks?filter=tags.name%20%3D%3D%20%22secret%22").json()["items"] == []
    assert len([row for row in eve.items("/tasks?tags__name=public") if row["id"] == task]) == 1
    assert eve.get(f"/tasks/{hidden}/tags").status == 404
    assert eve.get(f"/tasks/{uuid4()}/tags").body[:-60] == eve.get(f"/tasks/{hidden}/tags").body[:-60]
    assert eve.send("PUT", f"/tasks/{hidden}/tags/{public}").status == 404
    assert eve.send("PUT", f"/tasks/{task}/tags/{public}").status == 403
    assert served.anonymous.get(f"/tasks/{task}/tags").status == 401
    mine = eve.made("/tasks", {"title": "mine"})["id"]
    for strange in (secret, str(uuid4()), "x", "%00"):
        assert eve.send("PUT", f"/tasks/{mine}/tags/{strange}").status == 404
        assert eve.send("DELETE", f"/tasks/{mine}/tags/{strange}").status == 404
    assert eve.patch(f"/tasks/{mine}", {"tag_ids": [secret]}).faults == [("tag_ids.0", "reference_not_found")]


def test_links_that_one_cannot_see_stay(served: Served, ada: Person) -> None:
    """A new set of links takes away those to readable rows alone."""
    secret, public = tag(ada, "secret"), tag(ada, "public")
    eve = served.person("eve")
    task = eve.made("/tasks", {"title": "x", "tag_ids": [public]})["id"]
    served.sql("INSERT INTO tasks_tags VALUES ($1, $2)", task, secret)
    assert eve.patch(f"/tasks/{task}", {"tag_ids": []}).status == 200
    assert [
        str(row["tag_id"]) for row in served.sql("SELECT * FROM tasks_tags WHERE task_id = $1", task)
    ] == [secret]


def test_linking_is_granted_by_itself_or_with_updates(served: Served, ada: Person) -> None:
    """Whoever may link tags may do that alone; whoever may update may link, while they may."""
    red, task = tag(ada, "red"), ada.made("/tasks", {"title": "a"})["id"]
    tagger = served.person("tim", "tagger")
    mine = tag(tagger, "tims")
    assert tagger.send("PUT", f"/tasks/{task}/tags/{mine}").status == 204
    assert tagger.send("PUT", f"/tasks/{task}/tags/{red}").status == 404
    answer = tagger.send("PUT", f"/tasks/{task}/related/{task}")
    assert (answer.status, answer.json()["detail"]) == (403, "You may not link related of this task.")
    assert tagger.patch(f"/tasks/{task}", {"tag_ids": []}).status == 403
    assert ada.patch(f"/tasks/{task}", {"done": True}).status == 200
    assert ada.send("PUT", f"/tasks/{task}/tags/{red}").status == 403
    assert tagger.send("DELETE", f"/tasks/{task}/tags/{mine}").status == 204


def test_rules_hold_for_links_as_they_will_be(ada: Person) -> None:
    """A rule over linked rows is judged on what the request itself links."""
    bad, task = tag(ada, "forbidden"), ada.made("/tasks", {"title": "a"})["id"]
    assert ada.send("PUT", f"/tasks/{task}/tags/{bad}").faults == [("", "rule_violated")]
    assert ada.patch(f"/tasks/{task}", {"tag_ids": [bad]}).faults == [("", "rule_violated")]
    assert ada.post("/tasks", {"title": "b", "tag_ids": [bad]}).faults == [("", "rule_violated")]
    assert names(ada, task) == [] and ada.items("/tasks?title=b") == []


def test_links_go_with_either_row(served: Served, ada: Person) -> None:
    """Nothing is left of them, and nothing else goes."""
    red = tag(ada, "red")
    task = ada.made("/tasks", {"title": "a", "tag_ids": [red]})["id"]
    assert ada.delete(f"/tags/{red}").status == 204
    assert names(ada, task) == []
    blue = tag(ada, "blue")
    assert ada.send("PUT", f"/tasks/{task}/tags/{blue}").status == 204
    assert ada.delete(f"/tasks/{task}").status == 204
    assert served.sql("SELECT 1 FROM tasks_tags WHERE task_id = $1", task) == []


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        (None, "tag_ids", "not_null"),
        ("x", "tag_ids", "wrong_type"),
        (["x"], "tag_ids.0", "bad_format"),
        ([None], "tag_ids.0", "not_null"),
        (["\x00"], "tag_ids.0", "invalid_character"),
        ([str(uuid4())] * 1001, "tag_ids", "too_long"),
        ([str(uuid4()) for _ in range(10_000)], "tag_ids", "too_long"),
    ],
)
def test_what_cannot_be_linked_is_told(ada: Person, sent: Any, field: str, code: str) -> None:
    """Not a list, no keys, more than a thousand: 422 that names the place."""
    answer = ada.post("/tasks", {"title": "a", "tag_ids": sent})
    assert (answer.status, answer.faults) == (422, [(field, code)]), answer


def test_a_thousand_links_at_once(ada: Person, served: Served) -> None:
    """In one statement, whatever their number."""
    owner = ada.made("/tags", {"name": "first"})["owner_id"]
    made = served.sql(
        "INSERT INTO tags (name, owner_id) SELECT 'n' || n, $1 FROM generate_series(1, 999) n RETURNING id",
        owner,
    )
    task = ada.made("/tasks", {"title": "a", "tag_ids": [str(row["id"]) for row in made]})
    assert task["marks"] == 999


def test_two_at_once_set_one_of_their_sets(ada: Person) -> None:
    """Whoever comes last has set the links; never is it a mixture."""
    red, blue = tag(ada, "red"), tag(ada, "blue")
    task = ada.made("/tasks", {"title": "a"})["id"]

    def set_to(id_: str) -> int:
        return ada.patch(f"/tasks/{task}", {"tag_ids": [id_]}).status

    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            assert set(pool.map(set_to, [red, blue] * 4)) == {200}
            assert len(names(ada, task)) == 1
