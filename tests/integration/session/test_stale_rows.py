"""Rows of typed classes that a session cannot change as they were read: a refusal, no fault of the server."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from modules import imported
from protected import build
from served import Served, fresh_database, serving
from specwright import Backend, SessionDep
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# Notes

## Note

| Field | Type | Rules           |
|-------|------|-----------------|
| title | text | required, 1..40 |
| owner | User | the caller      |

| Action  | Takes             | Does                  | On  |
|---------|-------------------|-----------------------|-----|
| retitle | overtaken boolean | gives all a new title | all |

| Who       | May                 |
|-----------|---------------------|
| owner     | everything          |
| signed in | list, read, retitle |
"""


def bind(backend: Backend, module: ModuleType) -> None:
    """The same change as an action and as a route: of every row that can be read, whoever asks."""
    Note = module.Note

    async def change(session: Any, overtaken: bool) -> None:
        for note in (await session.exec(select(Note))).all():
            note.title = "new"
        if overtaken:
            with session.no_autoflush:
                await session.execute(text("UPDATE notes SET version = version + 1"))

    @backend.action(Note)
    async def retitle(overtaken: bool, session: SessionDep) -> None:
        await change(session, overtaken)

    @backend.app.post("/retitle")
    async def retitle_all(session: SessionDep, overtaken: bool = False) -> None:
        await change(session, overtaken)


@pytest.fixture(scope="module")
def notes(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A note of ada's, which everybody reads."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    with (
        imported(tmp_path_factory.mktemp("app"), "stale_models", stale_models=written) as module,
        fresh_database(database_server) as database,
    ):
        build(database, manifest)
        with serving(SPEC, database, prepare=lambda it: bind(it, module), tables=False) as served:
            served.person("ada").made("/notes", {"title": "old"})
            yield served


@pytest.mark.parametrize(("who", "overtaken"), [("ada", "true"), ("eve", "false"), ("eve", "true")])
def test_a_row_that_is_not_as_it_was_read(notes: Served, who: str, overtaken: str) -> None:
    """Overtaken by another change, or the caller's to read alone: 409, and nothing is stored."""
    person = notes.person(who)
    for answer in (
        person.post(f"//retitle?overtaken={overtaken}", None),
        person.post("/notes/retitle", f'{{"overtaken": {overtaken}}}'.encode()),
    ):
        assert (answer.status, answer.code) == (409, "conflict"), answer
    assert notes.sql("SELECT title, version FROM notes") == [("old", 1)]


def test_a_row_that_is_as_it_was_read(notes: Served) -> None:
    """Its owner changes it."""
    assert notes.person("ada").post("/notes/retitle", {"overtaken": False}).status == 204
    assert notes.sql("SELECT title, version FROM notes") == [("new", 2)]
