"""The throw-away databases of a stage: one for each name that the app asks for, on a server of ours."""

import asyncio
import hashlib
import re
import secrets
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import asyncpg

from specwright.db.embedded import scratch
from specwright.db.url import Dsn, normalise

#: An ordinary account, as a careful deployment has it: row security holds for it where it is forced.
_OWNER = "specwright_app"
#: Extensions that apps ask for and the embedded server has not, made of what it has.
_EXTENSIONS = Path(__file__).parent / "extensions"


class Throwaway:
    """Databases by name, made when they are asked for, gone when it is closed.

    Without a server of the caller's, an embedded one is started for the first database that is wanted.
    """

    def __init__(self, server: Dsn | None) -> None:
        self._given = server
        self._server: Dsn | None = None
        self._stack = ExitStack()
        self._lock = asyncio.Lock()
        self._prefix = f"stage_{secrets.token_hex(4)}"
        self._made: dict[str, str] = {}

    @property
    def url(self) -> str | None:
        """The first database that was asked for."""
        if not self._made or self._server is None:
            return None
        # The dialect's name is the driver's business; the password is a throw-away one's.
        address = replace(self._server, database=next(iter(self._made.values())))
        return address.sqlalchemy_url.replace("postgresql+asyncpg", "postgresql", 1)

    @property
    def ports(self) -> list[int]:
        """The TCP ports on which a given server is reached."""
        given = self._given
        return [given.port or 5432] if given is not None and not (given.host or "").startswith("/") else []

    def beside(self) -> "Throwaway":
        """Other databases, on the same server where it runs."""
        return Throwaway(self._server)

    async def start(self) -> Dsn:
        """The server, which is started if need be.

        Raises:
            ConfigError: PostgreSQL is not installed, or does not start.
        """
        async with self._lock:
            return await self._started()

    async def place(self, name: str, user: str) -> Dsn:
        """The database for a name, which is made if need be; as this user where the server knows them.

        Raises:
            ConfigError: PostgreSQL is not installed, or does not start.
        """
        async with self._lock:
            server = await self._started()
            connection = await asyncpg.connect(**server.arguments)
            try:
                if name not in self._made:
                    database = self._named(name)
                    owner = f' OWNER "{_OWNER}"' if self._given is None else ""
                    await connection.execute(
                        f"CREATE DATABASE \"{database}\" TEMPLATE template0 ENCODING 'UTF8'{owner}"
                    )
                    self._made[name] = database
                known = "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1 AND NOT rolsuper"
                if self._given is None:
                    chosen = user if await connection.fetchval(known, user) else _OWNER
                    server = replace(server, user=chosen, password=None)
            finally:
                await connection.close()
        return replace(server, database=self._made[name])

    async def cut(self) -> None:
        """End every session on the databases."""
        async with self._lock:
            if self._server is None:
                return
            connection = await asyncpg.connect(**self._server.arguments)
            try:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = ANY($1) AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'",
                    [*self._made.values()],
                )
            finally:
                await connection.close()

    async def close(self) -> None:
        """Drop what was made, and stop the server if it is ours."""
        async with self._lock:
            if self._given is not None and self._made and self._server is not None:
                connection = await asyncpg.connect(**self._server.arguments)
                try:
                    for database in self._made.values():
                        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
                finally:
                    await connection.close()
            await asyncio.to_thread(self._stack.close)

    async def _started(self) -> Dsn:
        if self._server is None and self._given is not None:
            self._server = self._given
        elif self._server is None:
            embedded = await asyncio.to_thread(self._stack.enter_context, scratch())
            self._server = normalise(embedded.url)
            extensions = await asyncio.to_thread(_copied, embedded.data.parent)
            connection = await asyncpg.connect(**self._server.arguments)
            try:
                await connection.execute(f'CREATE ROLE "{_OWNER}" LOGIN CREATEDB CREATEROLE')
                await _look_there(connection, extensions)
            finally:
                await connection.close()
        return self._server

    def _named(self, name: str) -> str:
        """A name that tells which database it stands for, and fits."""
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII)[:30]
        return f"{self._prefix}_{plain}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _copied(home: Path) -> Path:
    """The extensions where the server, which may run as another user, can read them."""
    copy = home / "share"
    shutil.copytree(_EXTENSIONS, copy / "extension")
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    return copy


async def _look_there(connection: "asyncpg.Connection[asyncpg.Record]", extensions: Path) -> None:
    """Let every database of a server find the extensions of a folder, besides its own."""
    path = f"$system:{extensions}"
    quoted = path.replace("'", "''")
    await connection.execute(f"ALTER SYSTEM SET extension_control_path = '{quoted}'")
    await connection.execute("SELECT pg_reload_conf()")
    # Nobody tells when the server has read it.
    while await connection.fetchval("SHOW extension_control_path") != path:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
