"""What a project's `migrations/alembic/env.py` runs: the same for `alembic` and for `specwright migrate`."""

import asyncio
from pathlib import Path
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from specwright.db import embedded
from specwright.migrate.folder import Folder
from specwright.migrate.memory import remember, settle
from specwright.migrate.session import session
from specwright.settings import Settings


def run() -> None:
    """Run the migrations that Alembic was asked for.

    On the connection that the caller has put into the configuration; else on the project's database.
    """
    root = Path(context.config.config_file_name or "alembic.ini").resolve().parent
    connection = context.config.attributes.get("connection")
    if context.is_offline_mode():
        options: dict[str, Any] = {"literal_binds": True, "dialect_opts": {"paramstyle": "named"}}
        context.configure(dialect_name="postgresql", on_version_apply=_remembering(Folder(root)), **options)
        with context.begin_transaction():
            context.run_migrations()
    elif connection is not None:
        _migrate(connection, root)
    else:
        asyncio.run(_alone(root))


async def _alone(root: Path) -> None:
    settings = Settings.load(root)
    url = settings.migration_database_url or settings.database_url
    server = embedded.start(root) if url is None else None
    try:
        address = url.get_secret_value() if url is not None else server.url if server is not None else ""
        async with session(address) as connection:
            await connection.run_sync(_migrate, root)
    finally:
        if server is not None:
            server.stop()


def _migrate(connection: Connection, root: Path) -> None:
    folder = Folder(root)
    if not (folder.path / "draft.py").exists():
        settle(connection, folder)
    context.configure(connection=connection, on_version_apply=_remembering(folder))
    with context.begin_transaction():
        context.run_migrations()


def _remembering(folder: Folder) -> Any:
    def callback(*, ctx: MigrationContext, heads: set[str], **_: Any) -> None:
        remember(ctx, folder.manifest(next(iter(heads), None)))

    return callback
