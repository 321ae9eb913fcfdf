"""Typed models in a session, on a real database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import select

from modules import imported
from specwright.db.url import normalise
from specwright.read import read_project
from specwright.sql.constraints import constrained
from specwright.write.models import models

pytestmark = pytest.mark.anyio
TASKS = Path(__file__).parents[3] / "examples" / "tasks"


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[AsyncSession]:
    """A session on a database with the tables of examples/tasks."""
    dsn = normalise(database_url)
    engine = create_async_engine(dsn.sqlalchemy_url, connect_args=dsn.sqlalchemy_arguments)
    async with engine.begin() as connection:
        await connection.run_sync(constrained(read_project(TASKS)).metadata.create_all)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
    await engine.dispose()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ModuleType]:
    """The typed models of examples/tasks."""
    manifest = read_project(TASKS)
    with imported(tmp_path, "typed", typed=models(manifest, constrained(manifest).metadata)) as module:
        yield module


async def test_a_new_row_knows_what_the_database_filled_in(session: AsyncSession, app: ModuleType) -> None:
    """Keys, times and defaults are there after a flush, without another statement."""
    task = app.Task(title="Buy milk", owner_id="ada")
    session.add(task)
    await session.flush()
    assert task.id.version == 7
    assert (task.status, task.priority, task.version) == ("todo", 0, 1)
    assert task.created_at == task.updated_at


async def test_a_change_counts_the_version_up(session: AsyncSession, app: ModuleType) -> None:
    """ETags and updated_at stay right, whoever writes."""
    task = app.Task(title="Buy milk", owner_id="ada")
    session.add(task)
    await session.commit()
    task.title = "Buy oat milk"
    await session.commit()
    assert task.version == 2
    assert task.updated_at > task.created_at


async def test_two_writers_of_one_row_do_not_overwrite_each_other(
    session: AsyncSession, app: ModuleType
) -> None:
    """The later of two changes to what both have read is refused."""
    task = app.Task(title="Buy milk", owner_id="ada")
    session.add(task)
    await session.commit()
    async with AsyncSession(session.bind) as other:
        theirs = await other.get(app.Task, task.id)
        theirs.title = "Buy wine"
        await other.commit()
    task.title = "Buy oat milk"
    with pytest.raises(StaleDataError):
        await session.commit()


async def test_a_relation_is_loaded_when_asked_for_and_never_by_itself(
    session: AsyncSession, app: ModuleType
) -> None:
    """N+1 is an exception, not a slow page."""
    project = app.Project(name="Home", owner_id="ada")
    session.add(app.Task(title="Buy milk", owner_id="ada", project=project))
    await session.commit()
    session.expunge_all()
    task = (await session.execute(select(app.Task))).scalars().one()
    with pytest.raises(InvalidRequestError, match="raise_on_sql"):
        _ = task.project
    session.expunge_all()
    loaded = await session.execute(select(app.Task).options(selectinload(app.Task.project)))
    assert loaded.scalars().one().project.name == "Home"


async def test_what_becomes_of_the_rows_of_a_deleted_row_is_decided_by_the_database(
    session: AsyncSession, app: ModuleType
) -> None:
    """`on delete clear` and `on delete cascade` hold in a session, too."""
    project = app.Project(name="Home", owner_id="ada")
    task = app.Task(title="Buy milk", owner_id="ada", project=project)
    session.add_all([task, app.Comment(body="Oat milk", author_id="ada", task=task)])
    await session.commit()
    session.expunge_all()
    await session.delete(await session.get(app.Project, project.id))
    await session.commit()
    kept = await session.get(app.Task, task.id)
    assert kept.project_id is None
    await session.delete(kept)
    await session.commit()
    assert (await session.execute(select(app.Comment))).all() == []
