"""A User with a table: people have a row of their own, made by their first write."""

from collections.abc import Callable, Iterator

import pytest

from served import PREFIX, Served, fresh_database, serving

FORUM = """
# Forum

## Roles

| Role | Means |
|------|-------|
| mod  | keeps order |

## User

| Field | Type    | Rules                             |
|-------|---------|-----------------------------------|
| nick  | text    | ..20, unique                      |
| karma | integer | default 5, writable by mod        |
| muted | boolean | default false, writable by mod    |

| Who       | May                |
|-----------|--------------------|
| owner     | read, create, update |
| mod       | everything         |

## Post

| Field  | Type | Rules                     |
|--------|------|---------------------------|
| text   | text | required, ..80            |
| to     | User | on delete clear           |
| author | User | the caller, on delete cascade |

| Who       | May        | When |
|-----------|------------|------|
| owner     | everything |      |
| signed in | list, read | `not author.muted` |
| mod       | everything |      |
"""


@pytest.fixture(scope="module")
def forum(database_server: str) -> Iterator[Served]:
    """A forum."""
    with fresh_database(database_server) as database, serving(FORUM, database) as served:
        yield served


def _users(forum: Served, name: str) -> list[dict[str, object]]:
    return [dict(row) for row in forum.sql("SELECT id, nick, karma FROM users WHERE id = $1", name)]


def test_the_key_of_a_person_is_the_reference_to_them(forum: Served) -> None:
    """From a post it takes what the reference takes; of the person themselves it is a text like others."""
    root = forum.person("root", "mod")
    root.made("/posts", {"text": "x"})
    for wire in ("author_id", "author__id"):
        assert len(root.items(f"/posts?{wire}=root")) == len(root.items(f"/posts?{wire}__in=root,eve")) == 1
        for operator in ("lt", "contains", "startswith"):
            refused = root.get(f"/posts?{wire}__{operator}=s")
            assert (refused.status, refused.faults) == (422, [(f"{wire}__{operator}", "unknown_parameter")])
    assert [row["id"] for row in root.items("/users?id__startswith=ro&posts_by_author__text=x")] == ["root"]


def test_the_first_write_makes_the_callers_row(forum: Served) -> None:
    """In the same statement, with its defaults; the second write finds it."""
    ada = forum.person("ada")
    assert ada.get("/users/ada").status == 404
    ada.get("/posts")
    assert _users(forum, "ada") == []
    forum.person("zoe").made("/posts", {"text": "warm"})
    with forum.statements() as sent:
        post = ada.made("/posts", {"text": "hello"})
    assert len(sent) == 1
    assert post["author_id"] == "ada"
    assert _users(forum, "ada") == [{"id": "ada", "nick": None, "karma": 5}]
    ada.made("/posts", {"text": "again"})
    assert len(_users(forum, "ada")) == 1
    row = ada.get("/users/ada").json()
    assert (row["id"], row["karma"], row["nick"]) == ("ada", 5, None)


def test_a_read_makes_no_row(forum: Served) -> None:
    """Nor does a request that is refused before it is judged on rows."""
    eve = forum.person("eve")
    eve.get("/posts")
    eve.get("/users/eve")
    eve.post("/posts", {"text": 1})
    eve.delete("/posts/x")
    assert _users(forum, "eve") == []


def test_people_edit_themselves(forum: Served) -> None:
    """Their own row is theirs to change, from the first request on, and nobody else's."""
    bob = forum.person("bob")
    assert bob.patch("/users/bob", {"nick": "bobby"}).json()["nick"] == "bobby"
    assert bob.get("/users/bob").json()["nick"] == "bobby"
    assert forum.person("carl").get("/users/bob").status == 404
    assert forum.person("carl").patch("/users/bob", {"nick": "x"}).status == 404
    refused = bob.patch("/users/bob", {"karma": 100})
    assert (refused.status, refused.faults) == (403, [("karma", "forbidden")])
    mod = forum.person("mo", "mod")
    assert mod.patch("/users/bob", {"karma": 100}).json()["karma"] == 100
    taken = forum.person("carl").patch("/users/carl", {"nick": "bobby"})
    assert (taken.status, taken.faults) == (409, [("nick", "unique")])
    assert bob.get("/users").status == 403
    assert {"bob"} <= {row["id"] for row in mod.items("/users?limit=100")}


def test_a_user_may_be_made_by_name(forum: Served) -> None:
    """POST /users: oneself by oneself, anyone by a moderator; the key is text, and no NUL is in it."""
    dora = forum.person("dora")
    made = dora.post("/users", {"id": "dora", "nick": "dd"})
    assert (made.status, made.headers["location"]) == (201, f"{PREFIX}/users/dora")
    assert dora.post("/users", {"id": "emil"}).status == 403
    assert dora.post("/users", {"nick": "x"}).faults == [("id", "required")]
    mod = forum.person("mo", "mod")
    odd = "a/b c?d#e%2F😀"
    made = mod.post("/users", {"id": odd})
    assert made.status == 201
    location = made.headers["location"].removeprefix(PREFIX)
    assert mod.get(location).json()["id"] == odd
    assert forum.request("GET", made.headers["location"], as_=odd).json()["id"] == odd
    assert mod.post("/users", {"id": odd}).faults == [("id", "unique")]
    for bad in ("", "x" * 256, "a\0", None, 1):
        assert mod.post("/users", {"id": bad}).status == 422
    assert mod.get("/users/a%00").status == 404
    assert mod.get("/users/%ff").status == 404
    assert mod.patch(location, {"id": "other"}).status == 422
    assert mod.patch(location, {"id": odd, "karma": 1}).status == 200


def test_references_to_people(forum: Served) -> None:
    """They need a row that the caller may read; the caller's own is one, even on the first write."""
    fay, mod = forum.person("fay"), forum.person("mo", "mod")
    mod.made("/posts", {"text": "x", "to_id": "mo"})
    assert fay.post("/posts", {"text": "x", "to_id": "mo"}).faults == [("to_id", "reference_not_found")]
    assert fay.post("/posts", {"text": "x", "to_id": "nobody"}).faults == [("to_id", "reference_not_found")]
    gus = forum.person("gus")
    assert gus.made("/posts", {"text": "to me", "to_id": "gus"})["to_id"] == "gus"


def test_paths_to_people(forum: Served) -> None:
    """A grant may ask for the author's row."""
    hal, ivy, mod = forum.person("hal"), forum.person("ivy"), forum.person("mo", "mod")
    post = hal.made("/posts", {"text": "rude"})
    assert ivy.get(f"/posts/{post['id']}").status == 200
    mod.patch("/users/hal", {"muted": True})
    assert ivy.get(f"/posts/{post['id']}").status == 404
    assert hal.get(f"/posts/{post['id']}").status == 200
    assert mod.delete("/users/hal").status == 204
    assert mod.get(f"/posts/{post['id']}").status == 404


STRICT = """
# Strict

## User

| Field | Type    | Rules         |
|-------|---------|---------------|
| ok    | boolean | default true  |

| Who   | May  |
|-------|------|
| owner | read |

## Post

| Field  | Type | Rules          |
|--------|------|----------------|
| text   | text | required, ..80 |
| author | User | the caller, on delete cascade |

| Who   | May                | When | Then |
|-------|--------------------|------|------|
| owner | list, read         | `author.ok` | |
| owner | create, update     |      | `author.ok` |
"""


def test_a_condition_on_the_row_that_is_being_made(serve: Callable[..., Served]) -> None:
    """The first write is judged on the caller's row with its defaults."""
    ada = serve(STRICT).person("ada")
    made = ada.post("/posts", {"text": "x"})
    assert made.status == 201
    assert made.json()["text"] == "x"
