"""Moves, whatever changes the row: sessions, hooks and SQL behind everybody's back."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from modules import imported
from protected import build, migrate
from served import Served, fresh_database, serving
from specwright import Backend, SessionDep, UnscopedSessionDep
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# Desk

## Roles

| Role     | Means             |
|----------|-------------------|
| reviewer | looks at articles |
| clerk    | types             |

## Article

| Field  | Type                      | Rules           |
|--------|---------------------------|-----------------|
| title  | text                      | required, ..80  |
| status | `draft`, `review`, `live` | default `draft` |
| mood   | `calm`, `cross`           | default `calm`  |
| owner  | User                      | the caller      |

| Field  | Moves                          | Who      |
|--------|--------------------------------|----------|
| status | draft → review, review → draft | owner    |
| status | review → live                  | reviewer |
| mood   | calm → cross                   |          |

| Who                    | May        | When            |
|------------------------|------------|-----------------|
| owner, reviewer, clerk | list, read, create |         |
| owner, reviewer, clerk | update     | `title != "it's"` |
"""


def add_routes(backend: Backend, module: Any) -> None:
    """Routes and a hook that set what they are told to."""
    app, Article = backend.app, module.Article

    @app.post("/set/{state}")
    async def set_state(state: str, session: SessionDep, column: str = "status") -> int:
        done = await session.execute(text(f"UPDATE articles SET {column} = :to"), {"to": state})
        return done.rowcount  # type: ignore[attr-defined,no-any-return]

    @app.post("/force/{state}")
    async def force_state(state: str, session: UnscopedSessionDep) -> int:
        done = await session.execute(text("UPDATE articles SET status = :to"), {"to": state})
        return done.rowcount  # type: ignore[attr-defined,no-any-return]

    @app.post("/orm/{key}/{state}")
    async def through_a_model(key: str, state: str, session: SessionDep) -> str:
        row = await session.get_one(Article, key)
        row.status = state
        return "flushed with the commit"

    @app.post("/make/{state}")
    async def make(state: str, session: SessionDep) -> str:
        await session.execute(text("INSERT INTO articles (title, status) VALUES ('x', :to)"), {"to": state})
        return state

    @backend.before(Article, "update")
    async def guided(article: Article) -> None:  # type: ignore[valid-type]
        if article.title.startswith("go "):  # type: ignore[attr-defined]
            article.status = article.title.removeprefix("go ")  # type: ignore[attr-defined]

    @backend.before(Article, "create")
    async def born(article: Article) -> None:  # type: ignore[valid-type]
        if article.title == "born live":  # type: ignore[attr-defined]
            article.status = "live"  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def desk(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Articles with their policies and triggers, and code that knows nothing of moves."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    folder = tmp_path_factory.mktemp("app")
    with (
        fresh_database(database_server) as database,
        imported(folder, "moving_models", moving_models=written) as module,
    ):
        build(database, manifest)

        def prepare(backend: Backend) -> None:
            add_routes(backend, module)

        with serving(SPEC, database, prepare=prepare, tables=False) as served:
            yield served


@pytest.fixture
def article(desk: Served) -> Iterator[Any]:
    """A draft of Ada's."""
    yield desk.person("ada").made("/articles", {"title": "News"})
    desk.sql("DELETE FROM articles")


def test_a_session_makes_the_moves_that_there_are(desk: Served, article: Any) -> None:
    """A session that holds the right to update moves the state, and stays where it is."""
    ada = desk.person("ada")
    for state in ("review", "review", "draft"):
        answer = ada.post(f"//set/{state}", {})
        assert (answer.status, answer.json()) == (200, 1)
    assert ada.post("//set/cross?column=mood", {}).status == 200
    assert ada.post("//set/calm?column=mood", {}).status == 409


def test_what_is_no_move_is_told_as_over_the_api(desk: Served, article: Any) -> None:
    """409 with the states that there is a way to, for a session that no grant holds back as well."""
    ada = desk.person("ada")
    for path in ("//set/live", "//force/live", f"//orm/{article['id']}/live"):
        answer = ada.post(path, {})
        assert (answer.status, answer.code) == (409, "move_not_allowed"), path
        (error,) = answer.json()["errors"]
        assert (error["field"], error["allowed"]) == ("status", ["review"])
    assert ada.get(f"/articles/{article['id']}").json()["status"] == "draft"


def test_whose_a_move_is_holds_in_sessions(desk: Served, article: Any) -> None:
    """A session of somebody whose move it is not is refused, though it may update the row."""
    ada, clerk = desk.person("ada"), desk.person("carl", "clerk")
    assert clerk.post("//set/review", {}).status == 403
    assert clerk.post("//set/cross?column=mood", {}).json() == 1
    assert ada.post("//set/review", {}).status == 200
    assert ada.post("//set/live", {}).status == 403
    both = desk.person("rita", "clerk", "reviewer")
    assert both.post("//set/live", {}).json() == 1
    desk.sql("UPDATE articles SET title = 'it''s'")
    assert both.post("//set/live", {}).json() == 0


def test_a_new_row_of_a_session_begins_where_rows_begin(desk: Served) -> None:
    """What a session inserts in another state is refused."""
    ada = desk.person("ada")
    assert ada.post("//make/draft", {}).status == 200
    assert ada.post("//make/live", {}).status == 403


def test_hooks_make_moves_that_there_are(desk: Served, article: Any) -> None:
    """The state that a hook sets is the caller's move: listed, theirs, and first where the row begins."""
    ada, clerk = desk.person("ada"), desk.person("carl", "clerk")
    place = f"/articles/{article['id']}"
    assert clerk.patch(place, {"title": "go review"}).status == 403
    assert ada.patch(place, {"title": "go live"}).code == "move_not_allowed"
    assert ada.patch(place, {"title": "go review"}).json()["status"] == "review"
    answer = ada.post("/articles", {"title": "born live"})
    assert (answer.status, answer.faults) == (422, [("status", "not_a_choice")])


def test_behind_everybodys_back(desk: Served, article: Any) -> None:
    """The owner of the table is refused, too; COPY and a restore load rows in any state."""
    with pytest.raises(asyncpg.CheckViolationError, match="status of articles does not go from 'draft' to"):
        desk.sql("UPDATE articles SET status = 'live'")
    desk.sql("INSERT INTO articles (title, status, owner_id) VALUES ('old', 'live', 'ada')")
    desk.sql("UPDATE articles SET title = title, status = status")


def test_the_triggers_follow_the_spec(database_server: str) -> None:
    """A migration makes, changes and takes away what refuses moves, and there is a way back."""
    moves = "| Field | Moves |\n|---|---|\n| status | {} |\n"
    plain = SPEC[: SPEC.index("| Field  | Moves")] + SPEC[SPEC.index("| Who        ") :]
    specs = [plain, f"{plain}\n{moves.format('draft → live')}", f"{plain}\n{moves.format('draft → review')}"]
    versions = [read_specs({"specs/it/spec.md": spec}) for spec in specs]

    async def allowed(url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        found = []
        try:
            for state in ("review", "live"):
                await connection.execute("DELETE FROM articles")
                await connection.execute("INSERT INTO articles (title, owner_id) VALUES ('x', 'ada')")
                try:
                    await connection.execute("UPDATE articles SET status = $1", state)
                    found.append(state)
                except asyncpg.CheckViolationError:
                    pass
        finally:
            await connection.close()
        return found

    with fresh_database(database_server) as url:
        build(url, versions[0])
        expected = {0: ["review", "live"], 1: ["live"], 2: ["review"]}
        assert asyncio.run(allowed(url)) == expected[0]
        for before, after in ((0, 1), (1, 2), (2, 0), (0, 2), (2, 1)):
            asyncio.run(migrate(url, versions[before], versions[after]))
            assert asyncio.run(allowed(url)) == expected[after]
