"""What a database knows about itself: the manifest it was built from, and Alembic's revision."""

import json
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from specwright.migrate.folder import DRAFT, Folder
from specwright.migrate.operations import escaped
from specwright.migrate.plan import plan
from specwright.model.document import from_document, to_document
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.sql.columns import quoted

_TABLES = (
    "CREATE SCHEMA IF NOT EXISTS specwright",
    "CREATE TABLE IF NOT EXISTS specwright.schema (one boolean PRIMARY KEY DEFAULT true CHECK (one),"
    " manifest json NOT NULL, at timestamptz NOT NULL)",
)
_REMEMBER = (
    "INSERT INTO specwright.schema (manifest, at) VALUES ({}, transaction_timestamp())"
    " ON CONFLICT (one) DO UPDATE SET manifest = excluded.manifest, at = excluded.at"
)
_VERSION = (
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


@dataclass(frozen=True, slots=True)
class Memory:
    """The manifest a database was brought to, and the revision it is stamped with."""

    manifest: Manifest
    revision: str | None


def recall(connection: Connection, folder: Folder) -> Memory:
    """Read the memory; a database that has none is empty, or as its revision says.

    Raises:
        ConfigError: it was written by a newer Specwright, or by revisions that are not in the folder.
    """
    revision = None
    if connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
        revisions = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
        if len(revisions) > 1:
            raise ConfigError(
                f"The database is at several revisions at once: {', '.join(sorted(revisions))}."
            )
        revision = revisions[0] if revisions else None
    document = None
    if connection.scalar(text("SELECT to_regclass('specwright.schema') IS NOT NULL")):
        document = connection.scalar(text("SELECT CAST(manifest AS text) FROM specwright.schema"))
    manifest = folder.manifest(revision) if document is None else from_document(json.loads(document))
    return Memory(manifest, revision)


def remember(context: MigrationContext, manifest: Manifest) -> None:
    """Write the manifest that the database has now, in the transaction that brought it there."""
    document = quoted(json.dumps(to_document(manifest), ensure_ascii=False))
    for statement in (*_TABLES, _REMEMBER.format(document)):
        context.execute(escaped(statement))


def stamp(context: MigrationContext, revision: str | None) -> None:
    """Set the revision that Alembic reads."""
    context.execute(_VERSION)
    context.execute("DELETE FROM alembic_version")
    if revision is not None:
        context.execute(f"INSERT INTO alembic_version VALUES ({quoted(revision)})")  # noqa: S608


def settle(connection: Connection, folder: Folder) -> Memory:
    """The memory, after a draft that has been committed meanwhile got its revision's name.

    Raises:
        ConfigError: the database holds a draft that is not committed.
    """
    memory = recall(connection, folder)
    if memory.revision != DRAFT:
        return memory
    for revision in (*(known.id for known in reversed(folder.revisions)), None):
        if not plan(memory.manifest, folder.manifest(revision)).steps:
            stamp(MigrationContext.configure(connection), revision)
            return Memory(memory.manifest, revision)
    raise ConfigError(
        "The database holds a draft that is not committed: freeze it with specwright migrate commit, "
        "or use another database."
    )
