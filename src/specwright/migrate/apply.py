"""Committed revisions: frozen from the draft, applied, taken back, and counted before a server starts."""

from collections.abc import Collection
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from specwright.migrate.folder import Folder
from specwright.migrate.hazards import Hazard
from specwright.migrate.memory import recall, settle
from specwright.migrate.plan import plan
from specwright.migrate.protection import converge
from specwright.migrate.session import session
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project


def commit(root: Path, manifest: Manifest, text: str, accepted: Collection[str] = ()) -> Path:
    """Freeze the way from the last revision to the manifest as the next revision; the draft goes.

    No database is needed. One that holds the draft is stamped with the revision when it is next migrated.

    Raises:
        ConfigError: there is nothing to commit, or a hazard is not accepted.
    """
    folder = Folder(root)
    way = plan(folder.manifest(folder.head), manifest)
    if not way.steps:
        raise ConfigError(
            "There is nothing to commit: the specs need no other tables than the last revision made."
        )
    open_hazards = [hazard for hazard in way.hazards if hazard.key not in accepted]
    if open_hazards:
        raise ConfigError("\n".join(("Rows elsewhere may be concerned:", *map(_accept, open_hazards))))
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


async def downgrade(root: Path, url: str, steps: int = 1) -> tuple[str, ...]:
    """Take back the last revisions that the database has, all or none, and name them.

    Raises:
        ConfigError: it has fewer, or holds a draft, or rows do not fit; nothing has changed.
    """
    folder = Folder(root)
    async with session(url) as connection:
        return await connection.run_sync(_downgrade, folder, steps)


def _downgrade(connection: Connection, folder: Folder, steps: int) -> tuple[str, ...]:
    at = settle(connection, folder).revision
    missing = _missing(folder, at)
    applied = [known.id for known in folder.revisions if known.id not in missing]
    if steps > len(applied):
        raise ConfigError(f"The database has {len(applied)} revisions; {steps} cannot be taken back.")
    target = applied[-steps - 1] if steps < len(applied) else "base"
    _alembic(connection, folder, "downgrade", target)
    return tuple(reversed(applied[-steps:]))


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
