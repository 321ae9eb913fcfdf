"""`specwright up`: everything that development needs, from one command."""

import asyncio
import sys
import traceback
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from specwright.cli import console
from specwright.cli.database import session_dsn
from specwright.cli.listening import listen, url
from specwright.cli.lock import only_here
from specwright.cli.models import FILE as MODELS
from specwright.cli.models import fresh_models, has_models
from specwright.cli.project import SPECS, find_project
from specwright.cli.running import embedded_server, until_stopped
from specwright.cli.supervisor import Supervisor
from specwright.cli.watching import Changes, lasting, watching
from specwright.cli.worker import Order
from specwright.db.embedded import HOME, Embedded
from specwright.db.pool import Database
from specwright.db.url import Dsn, normalise
from specwright.migrate.apply import pending
from specwright.migrate.draft import Developed, develop
from specwright.migrate.level import read_level
from specwright.migrate.question import Question
from specwright.model.errors import ConfigError, SpecError, SpecwrightError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project, spec_digest
from specwright.settings import Settings, ensure_development_secrets

_UNCHANGED = "the last good server stays up"


def up(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The folder that holds specs/; by default yours.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 picks one.")] = 8000,
    no_reload: Annotated[bool, typer.Option("--no-reload", help="Do not watch the files.")] = False,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="A PostgreSQL to use instead of the embedded one.")
    ] = None,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Apply the draft to a database that is not embedded, too.")
    ] = False,
) -> None:
    """Read the specs, start PostgreSQL, migrate, serve, and reload on save. Ctrl-C stops everything."""
    options = Options(host, port, not no_reload, database, migrate)
    root = find_project(directory)
    until_stopped(lambda supervisors: _up(root, options, supervisors))


@dataclass(frozen=True, slots=True)
class Options:
    """What `up` was called with."""

    host: str
    port: int
    reload: bool
    database: str | None
    migrate: bool


async def _up(root: Path, options: Options, supervisors: list[Supervisor]) -> None:
    async with AsyncExitStack() as stack:
        serves_at = stack.enter_context(only_here(root))
        ensure_development_secrets(root)
        settings = _settings(root, options)
        digest = spec_digest(root)
        manifest = read_project(root)
        listener = stack.enter_context(listen(options.host, options.port))
        address = url(listener)
        serves_at(address)
        console.done(_summary(manifest), f"{SPECS}/")
        starting: asyncio.Task[Embedded] | None = None
        if settings.database_url is None:
            starting = await stack.enter_async_context(embedded_server(root))
        supervisor = await stack.enter_async_context(Supervisor(listener))
        supervisors.append(supervisor)
        server = await asyncio.shield(starting) if starting is not None else None
        changes = await stack.enter_async_context(watching(root)) if options.reload else Changes()
        project = Project(root, options, server, supervisor, changes)
        await project.begin(manifest, digest, settings)
        console.note(_invitation(address, manifest))
        while True:
            if options.reload:
                supervisor.warm_up()
            await project.reload(await changes.take())


@dataclass(slots=True)
class Project:
    """A project that is being served: what stays when its files change."""

    root: Path
    options: Options
    server: Embedded | None
    supervisor: Supervisor
    changes: Changes

    async def begin(self, manifest: Manifest, digest: str, settings: Settings) -> None:
        """Serve for the first time what was read from the specs of this digest.

        Raises:
            SpecwrightError: the database or the server did not follow.
        """
        address = _address(settings, self.server)
        console.done(*await _about(self.server, address))
        if _freshen(self.root, manifest):
            console.done("models written", MODELS)
        developed = await self._migrate(manifest, settings, address)
        if developed is None:
            console.done("the database has the specs' tables")
        elif developed.draft is None:
            console.done("no migration to draft", "migrations/")
        else:
            console.done("draft migration applied", developed.draft.relative_to(self.root).as_posix())
        level = await read_level(normalise(address), session_dsn(settings))
        console.done("row-level security", f"level {level.number}")
        await self._serve(address, digest)

    async def reload(self, names: list[str]) -> None:
        """Serve what the files say now, or tell what is wrong and leave everything as it is."""
        try:
            digest = await asyncio.to_thread(spec_digest, self.root)
            manifest = await asyncio.to_thread(read_project, self.root)
            if not _freshen(self.root, manifest) and names == [MODELS]:
                # Our own writing, seen by the watcher.
                return
            settings = _settings(self.root, self.options)
            address = _address(settings, self.server)
            developed = await self._migrate(manifest, settings, address)
            for sentence in developed.applied if developed is not None else ():
                console.done(sentence)
            if not await self._serve(address, digest):
                return
        except SpecError as error:
            console.plain(str(error))
            console.failed(f"{_counted(len(error.mistakes), 'mistake')}; {_UNCHANGED}")
        except SpecwrightError as error:
            console.failed(f"{error}\n    {_UNCHANGED}")
        except Exception:
            traceback.print_exc()
            console.failed(_UNCHANGED)
        else:
            shown = lasting(self.root, names)
            more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
            console.done("reloaded", ", ".join(shown[:3]) + more)

    async def _migrate(self, manifest: Manifest, settings: Settings, address: str) -> Developed | None:
        """Bring the database to the manifest; None for a database that is only looked at."""
        if (other := settings.migration_database_url) is not None:
            address = other.get_secret_value()
        if self.server is not None or self.options.migrate:
            return await develop(self.root, manifest, address, self._ask if sys.stdin.isatty() else None)
        if lacking := await pending(self.root, address):
            raise ConfigError(
                f"The database is not embedded, and behind the specs ({', '.join(lacking)}):"
                " with --migrate, `up` applies the draft to it."
            )
        return None

    async def _serve(self, address: str, digest: str) -> bool:
        """Serve the specs of this digest; False when they changed meanwhile, and are to be read again."""
        environment = {"ENVIRONMENT": "development", "DATABASE_URL": address}
        order = Order(self.root, environment, digest if self.options.reload else None)
        if await self.supervisor.serve(order):
            return True
        if order.digest in (None, await asyncio.to_thread(spec_digest, self.root)):
            raise ConfigError("The server did not start; the reason is above.")
        self.changes.add({SPECS})
        return False

    async def _ask(self, question: Question) -> bool:
        """Ask at the terminal. Changing the files is an answer, too: not like this."""
        console.ask(f"{question} Go on? [y/N] ")
        loop, line = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(sys.stdin.fileno(), line.set)
        ways = {asyncio.create_task(line.wait()), asyncio.create_task(self.changes.arrive())}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            return line.is_set() and sys.stdin.readline().strip().lower() in ("y", "yes")
        finally:
            loop.remove_reader(sys.stdin.fileno())
            for way in ways:
                way.cancel()


def _settings(root: Path, options: Options) -> Settings:
    return Settings.load(root, environment="development", database_url=options.database)


def _address(settings: Settings, server: Embedded | None) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    if server is None:
        raise ConfigError("DATABASE_URL is gone from the settings: stop `up` and start it again.")
    return server.url


async def _about(server: Embedded | None, address: str) -> tuple[str, str]:
    """The database's version, and the place where it is."""
    if server is not None:
        return f"PostgreSQL {server.version} (embedded)", f"{HOME}/{server.data.name}"
    dsn = normalise(address)
    database = Database(dsn)
    try:
        version = (await database.fetchrow("SHOW server_version", read=True))[0]
    finally:
        await database.close()
    return f"PostgreSQL {version.split()[0]}", _place(dsn)


def _place(dsn: Dsn) -> str:
    return f"{dsn.host or 'localhost'}/{dsn.database or ''}"


def _summary(manifest: Manifest) -> str:
    counts = (
        (len(manifest.features), "feature"),
        (len(list(manifest.served)), "resource"),
        (len(manifest.requirements), "requirement"),
    )
    return ", ".join(_counted(count, noun) for count, noun in counts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _freshen(root: Path, manifest: Manifest) -> bool:
    """Keep the classes that `specwright models` wrote as the specs are; whether they had to be written."""
    return has_models(root) and fresh_models(root, manifest)


def _invitation(address: str, manifest: Manifest) -> str:
    parts = [f"{address}/docs"]
    if manifest.people:
        parts.append(f" people: {', '.join(manifest.people)}")
        parts.append(f"token: specwright token {next(iter(manifest.people))}")
    return "       ".join(parts)
