"""Hand-written routes over a socket: what a person in a hurry forgets, the database remembers."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from protected import build
from served import Served, fresh_database, serving, token
from specwright import Backend, CallerDep, SessionDep, UnscopedSessionDep, problem
from specwright.read.spec import read_specs

SPEC = """# Notes

## Roles

| Role    | Means      |
|---------|------------|
| auditor | reads      |
| editor  | publishes  |

## Note

| Field  | Type    | Rules                  |
|--------|---------|------------------------|
| title  | text    | required, 1..40, unique |
| public | boolean | default false          |
| owner  | User    | the caller             |

| Who     | May        | When   | Then |
|---------|------------|--------|------|
| owner   | everything |        | `title != "forbidden"` |
| anyone  | list, read | public |      |
| auditor | list, read |        |      |
| editor  | update     |        | `public` |
"""


def add_routes(backend: Backend) -> None:
    """Routes as somebody writes them who has never heard of access rules."""
    app = backend.app

    @app.get("/titles")
    async def titles(session: SessionDep) -> list[str]:
        return sorted(await session.scalars(text("SELECT title FROM notes")))

    @app.get("/all-titles")
    async def all_titles(session: UnscopedSessionDep) -> list[str]:
        return sorted(await session.scalars(text("SELECT title FROM notes")))

    @app.delete("/notes")
    async def clear(session: SessionDep) -> int:
        return (await session.execute(text("DELETE FROM notes"))).rowcount  # type: ignore[attr-defined]

    @app.post("/notes")
    async def write(title: str, session: SessionDep, fail: bool = False, owner: str | None = None) -> str:
        columns, values = ("title, owner_id", ":title, :owner") if owner else ("title", ":title")
        await session.execute(
            text(f"INSERT INTO notes ({columns}) VALUES ({values})"), {"title": title, "owner": owner}
        )
        if fail:
            raise problem(409, "too_many_notes", "Finish something first.", field="title")
        return title

    @app.get("/who")
    async def who(caller: CallerDep) -> str | None:
        return caller.id

    @app.get("/same")
    async def same(session: SessionDep, again: SessionDep) -> bool:
        return session is again

    @app.get("/inside")
    async def inside(session: SessionDep) -> dict[str, Any]:
        found = await session.execute(
            text("SELECT current_user, current_setting('specwright.caller'), pg_backend_pid()")
        )
        return dict(zip(("role", "caller", "pid"), map(str, found.one()), strict=True))

    @app.get("/secrets")
    async def secrets(session: SessionDep) -> list[str]:
        return list(await session.scalars(text("SELECT version_num FROM secrets")))

    @app.get("/two")
    async def two(session: SessionDep) -> list[int]:
        counts = []
        for _ in range(2):
            counts.append(await session.scalar(text("SELECT count(*) FROM notes")))
            await session.commit()
        return counts


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """Notes of ada and bob, one of which is public."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, prepare=add_routes, tables=False) as served:
            served.person("ada").made("/notes", {"title": "ada's"})
            served.person("bob").made("/notes", {"title": "bob's"})
            served.person("bob").made("/notes", {"title": "bob's public", "public": True})
            served.sql("CREATE TABLE secrets (version_num text)")
            yield served


def test_a_select_without_where_shows_what_the_caller_may_read(notes: Served) -> None:
    """Owners see theirs, everybody the public ones, an auditor all; with several roles, too."""
    seen = {
        who: person.get("//titles").json()
        for who, person in {
            "nobody": notes.anonymous,
            "ada": notes.person("ada"),
            "bob": notes.person("bob"),
            "auditor": notes.person("eve", "auditor"),
            "editor": notes.person("eve", "editor"),
            "both": notes.person("eve", "editor", "auditor", "unheard of"),
        }.items()
    }
    assert seen == {
        "nobody": ["bob's public"],
        "ada": ["ada's", "bob's public"],
        "bob": ["bob's", "bob's public"],
        "auditor": ["ada's", "bob's", "bob's public"],
        "editor": ["bob's public"],
        "both": ["ada's", "bob's", "bob's public"],
    }


def test_a_delete_without_where_deletes_what_the_caller_may_delete(notes: Served) -> None:
    """Somebody without rows deletes none, though they read some."""
    assert notes.person("eve", "auditor").delete("//notes").json() == 0
    assert notes.anonymous.delete("//notes").json() == 0
    notes.person("eve").made("/notes", {"title": "eve's"})
    assert notes.person("eve").delete("//notes").json() == 1


def test_the_database_fills_in_the_caller(notes: Served) -> None:
    """A row that does not say whose it is belongs to whoever made it; another's is refused with 403."""
    assert notes.person("kim").post("//notes?title=kim's", None).status == 200
    assert notes.sql("SELECT owner_id FROM notes WHERE title = 'kim''s'")[0][0] == "kim"
    assert notes.person("kim").post("//notes?title=x&owner=ada", None).code == "forbidden"
    assert notes.person("kim").post("//notes?title=forbidden", None).status == 403
    assert notes.anonymous.post("//notes?title=x", None).status == 403
    notes.person("kim").delete("//notes")


def test_an_exception_rolls_back(notes: Served) -> None:
    """Nothing is stored; the problem arrives as it was raised."""
    answer = notes.person("ada").post("//notes?title=lost&fail=true", None)
    assert (answer.status, answer.code) == (409, "too_many_notes")
    assert answer.faults == [("title", "too_many_notes")]
    assert not notes.sql("SELECT FROM notes WHERE title = 'lost'")


def test_violations_are_told_as_by_derived_routes(notes: Served) -> None:
    """A taken value is a 409 and a value out of bounds a 422, each naming the field."""
    answer = notes.person("ada").post("//notes?title=bob's", None)
    assert (answer.status, answer.faults) == (409, [("title", "unique")])
    answer = notes.person("ada").post(f"//notes?title={'x' * 41}", None)
    assert (answer.status, answer.faults) == (422, [("title", "too_long")])


def test_a_bad_token_is_401_even_where_anyone_may_go(notes: Served) -> None:
    """Whether a route asks for the caller or for a session."""
    bad = {"authorization": f"Bearer {token('ada', secret='x' * 32)}"}
    for path in ("//who", "//titles"):
        assert notes.anonymous.get(path, headers=bad).status == 401
    assert notes.person("ada").get("//who").json() == "ada"
    assert notes.anonymous.get("//who").json() is None


def test_a_request_has_one_session(notes: Served) -> None:
    """Whoever asks for a session gets the same."""
    assert notes.person("ada").get("//same").json() is True


def test_nothing_of_a_session_is_left_for_the_next(notes: Served) -> None:
    """The next request on the same connection runs as its own caller."""
    ada, nobody = notes.person("ada").get("//inside").json(), notes.anonymous.get("//inside").json()
    assert ada["role"] != nobody["role"] and (ada["caller"], nobody["caller"]) == ("ada", "")
    assert ada["pid"] == nobody["pid"]


def test_a_session_stays_scoped_after_a_commit(notes: Served) -> None:
    """Each transaction of a session begins as its caller."""
    assert notes.person("ada").get("//two").json() == [2, 2]


def test_a_table_that_is_not_of_the_spec_is_closed(notes: Served) -> None:
    """What no grant is about, no scoped session reads."""
    assert notes.person("ada").get("//secrets").status == 403


def test_an_unscoped_session_sees_all_and_is_logged(notes: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Its log line names the route and the caller."""
    with caplog.at_level(logging.WARNING, "specwright.sessions"):
        assert len(notes.anonymous.get("//all-titles").json()) == 3
    (record,) = [each for each in caplog.records if each.name == "specwright.sessions"]
    assert record.getMessage() == "GET /all-titles uses an unscoped session"
    assert record.__dict__["caller"] is None
