"""Committed revisions: frozen from the draft, applied, taken back, and counted before a server starts."""

from collections.abc import Collection
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from specwright.migrate.folder import Folder
from specwright.migrate.hazards import Hazard
from specwright.migrate.loss import losses
from specwright.migrate.memory import recall, settle
from specwright.migrate.plan import plan
from specwright.migrate.protection import converge
from specwright.migrate.question import Ask, Question, Unanswered, answers
from specwright.migrate.session import session
from specwright.model.errors import ConfigError, UnansweredError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project


def commit(root: Path, manifest: Manifest, text: str, accepted: Collection[str] = ()) -> Path:
    """Freeze the way from the last revision to the manifest as the next revision; the draft goes.

    No database is needed. One that holds the draft is stamped with the revision when it is next migrated.

    Raises:
        UnansweredError: a hazard is not accepted.
        ConfigError: there is nothing to commit.
    """
    folder = Folder(root)
    way = plan(folder.manifest(folder.head), manifest)
    if not way.steps:
        raise ConfigError(
            "There is nothing to commit: the specs need no other tables than the last revision made."
        )
    open_hazards = [hazard for hazard in way.hazards if hazard.key not in accepted]
    if open_hazards:
        raise UnansweredError("\n".join(("Rows elsewhere may be concerned:", *map(_accept, open_hazards))))
    return folder.write_revision(way, manifest, text)


def _accept(hazard: Hazard) -> str:
    return f'{hazard}\n  To go on: --accept "{hazard.key}"'


async def upgrade(root: Path, url: str) -> tuple[str, ...]:
    """Apply the committed revisions that the database lacks, all or none, and name them.

    Raises:
        ConfigError: the database holds a draft, or rows do not fit a revision; nothing has changed.
    """
    folder = Folder(root)
    if folder.head is None:
        return ()
    async with session(url) as connection:
        return await connection.run_sync(_upgrade, folder)


def _upgrade(connection: Connection, folder: Folder) -> tuple[str, ...]:
    missing = _missing(folder, settle(connection, folder).revision)
    if missing and folder.head is not None:
        _alembic(connection, folder, "upgrade", folder.head)
    converge(connection, folder.manifest(folder.head))
    return missing


async def downgrade(
    root: Path, url: str, steps: int = 1, ask: Ask = None, accepted: Collection[str] = ()
) -> tuple[str, ...]:
    """Take back the last revisions that the database has, all or none, and name them.

    It asks when rows or values would be lost; `accepted` holds keys that are answered already.

    Raises:
        UnansweredError: nobody can be asked, or the answer was no; nothing has changed.
        ConfigError: it has fewer, or holds a draft, or rows do not fit; nothing has changed.
    """
    folder = Folder(root)
    answered = set(accepted)
    while True:
        try:
            async with session(url) as connection:
                return await connection.run_sync(_downgrade, folder, steps, answered)
        except Unanswered as unanswered:
            questions = unanswered.questions
        answered |= await answers(questions, ask, "specwright migrate down")


def _downgrade(
    connection: Connection, folder: Folder, steps: int, answered: Collection[str]
) -> tuple[str, ...]:
    at = settle(connection, folder).revision
    missing = _missing(folder, at)
    applied = [known for known in folder.revisions if known.id not in missing]
    if steps > len(applied):
        raise ConfigError(f"The database has {len(applied)} of the revisions; {steps} cannot be taken back.")
    going = applied[-1 : -steps - 1 : -1]
    questions = []
    for revision in going:
        # As if the answer were yes: the transaction is not committed, and all questions come at once.
        for hazard in losses(folder, revision):
            count = connection.exec_driver_sql(hazard.rows.count).scalar_one()
            if count and hazard.key not in answered:
                questions.append(Question(hazard, count))
        _alembic(connection, folder, "downgrade", revision.down or "base")
    if questions:
        raise Unanswered(questions)
    return tuple(revision.id for revision in going)


async def pending(root: Path, url: str) -> tuple[str, ...]:
    """What keeps a server from serving the specs on this database; nothing when it has their tables.

    These are the ids of committed revisions that it lacks, and words for changes that are not committed.
    """
    folder = Folder(root)
    manifest = read_project(root)
    async with session(url) as connection:
        memory = await connection.run_sync(recall, folder)
    if not plan(memory.manifest, manifest).steps:
        return ()
    known = {revision.id for revision in folder.revisions}
    missing = _missing(folder, memory.revision if memory.revision in known else None)
    if plan(folder.manifest(folder.head), manifest).steps:
        return (*missing, "changes that are not committed")
    return missing or (f"it is at revision {memory.revision}, which migrations/ does not have",)


def _missing(folder: Folder, at: str | None) -> tuple[str, ...]:
    ids = [revision.id for revision in folder.revisions]
    if at is None:
        return tuple(ids)
    if at not in ids:
        raise ConfigError(
            f"The database is at revision {at}, which migrations/ does not have: update your checkout."
        )
    return tuple(ids[ids.index(at) + 1 :])


def _alembic(connection: Connection, folder: Folder, direction: str, target: str) -> None:
    config = Config(folder.ini)
    config.attributes["connection"] = connection
    try:
        getattr(command, direction)(config, target)
    except CommandError as error:
        raise ConfigError(f"Alembic: {error}.") from error
