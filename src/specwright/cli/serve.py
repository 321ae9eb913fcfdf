"""`specwright serve`: production."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from specwright.cli import console
from specwright.cli.database import session_dsn
from specwright.cli.listening import listen, url
from specwright.cli.project import find_project
from specwright.cli.running import embedded_server, until_stopped
from specwright.cli.supervisor import Supervisor
from specwright.cli.worker import Order
from specwright.db.url import normalise
from specwright.migrate.apply import pending
from specwright.migrate.level import read_level
from specwright.model.errors import ConfigError
from specwright.settings import Settings, unsafe

#: Stands for the embedded server while the settings are judged, before it is started.
_EMBEDDED = "postgresql:///embedded"


def serve(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The folder that holds specs/; by default yours.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 in a container.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 picks one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="How many processes serve.")] = 1,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="The database, in place of DATABASE_URL.")
    ] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Use the project's embedded PostgreSQL all the same.")
    ] = False,
) -> None:
    """Serve in production: no reload, no migration, no development secrets. Unsafe settings are refused."""
    root = find_project(directory)
    options = Options(host, port, workers, embedded)
    settings = Settings.load(root, database_url=_EMBEDDED if embedded else database)
    if refused := unsafe(settings):
        raise ConfigError("\n".join(refused))
    until_stopped(lambda supervisors: _serve(root, options, settings, supervisors))


@dataclass(frozen=True, slots=True)
class Options:
    """What `serve` was called with, besides what the settings hold."""

    host: str
    port: int
    workers: int
    embedded: bool


async def _serve(root: Path, options: Options, settings: Settings, supervisors: list[Supervisor]) -> None:
    assert settings.database_url is not None, "unsafe() refuses this"
    address = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(options.host, options.port))
        starting = await stack.enter_async_context(embedded_server(root)) if options.embedded else None
        supervisor = await stack.enter_async_context(Supervisor(listener, count=options.workers))
        supervisors.append(supervisor)
        if starting is not None:
            address = (await asyncio.shield(starting)).url
        if behind := await pending(root, address):
            raise ConfigError(
                f"The database is behind the specs ({', '.join(behind)}): run specwright migrate apply first."
            )
        level = await read_level(normalise(address), session_dsn(settings))
        console.note(f"row-level security is at level {level}")
        order = Order(root, {"ENVIRONMENT": "production", "DATABASE_URL": address})
        if not await supervisor.serve(order):
            raise ConfigError("The server did not start; the reason is above.")
        console.note(f"{url(listener)}  {options.workers} worker{'s' if options.workers > 1 else ''}")
        await asyncio.Event().wait()
