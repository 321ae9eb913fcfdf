"""A stage for an app: a process of its own, throw-away databases, and a look inside.

Whatever database the app asks its drivers for, it gets another: its own is never touched.
"""

import asyncio
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from specwright.db.url import Dsn
from specwright.model.errors import ConfigError, SpecwrightError
from specwright.verify.inside import MARK, Observed
from specwright.verify.stage import interpreter
from specwright.verify.stage.inventory import Inventory, Mapper, Route
from specwright.verify.stage.process import Gone, Process
from specwright.verify.stage.throwaway import Throwaway

#: Seconds that an app may take to start, and a command of `prepare`.
PATIENCE = 30.0
_PREPARING = 120.0
#: Seconds to wait for what an app still does after its answer.
_AFTERWARDS = 1.0
#: Seconds after which an event loop that stands still is not waited for any more.
STUCK = 5.0
#: What `{host}` and so on stand for. Nobody listens there: only a redirected driver arrives anywhere.
ADDRESS = {"host": "127.0.0.1", "port": "1", "user": "specwright", "password": "specwright", "name": "app"}
_REHEARSAL = "specwright.verify.stage.rehearsal"
ADDRESS["database"] = "postgresql://{user}:{password}@{host}:{port}/{name}".format(**ADDRESS)


class NotStaged(SpecwrightError):
    """The app does not start; the message is one sentence that says why."""

    def __init__(
        self, why: str, *, settings: Sequence[str] = (), tables: bool = False, lines: Sequence[str] = ()
    ) -> None:
        super().__init__(why)
        #: Environment variables that it asks for.
        self.settings = tuple(settings)
        #: Whether its tables were missing.
        self.tables = tables
        #: The last that the app printed.
        self.lines = tuple(lines)


class Stage:
    """An app that runs, and can be looked into."""

    def __init__(
        self,
        target: str,
        folder: Path,
        environment: Mapping[str, str],
        temporary: Path,
        throwaway: Throwaway,
        python: Path,
    ) -> None:
        self._target = target
        self._folder = folder
        self._environment = environment
        self._temporary = temporary
        self._throwaway = throwaway
        self._python = python
        self._process: Process | None = None
        self._files: dict[str, str] = {}
        #: What processes before this one printed.
        self._earlier: list[str] = []
        self._tables = {"tables": True, "tables_first": False}
        #: None of its own yet; a new process takes the place of the one before.
        self._port = 0
        self._stuck = False
        self.base = ""
        self.inventory = Inventory()
        #: What was done so that the app could run, in sentences.
        self.notes: list[str] = []

    @property
    def routes(self) -> tuple[Route, ...]:
        """Everything that it serves."""
        return self.inventory.routes

    @property
    def mappers(self) -> tuple[Mapper, ...]:
        """Its mapped classes."""
        return self.inventory.mappers

    @property
    def database(self) -> str | None:
        """The first throw-away database that it has opened, as a URL; None where it has opened none."""
        if self._throwaway.url is not None:
            return self._throwaway.url
        return next((f"sqlite:///{quote(copy)}" for copy in self._files.values()), None)

    @property
    def alive(self) -> bool:
        """Whether its process runs, and its event loop turned when it was last looked at."""
        return self._process is not None and self._process.alive and not self._stuck

    async def observed(self, mark: str) -> Observed:
        """What was seen of the request that carried this mark, once it is over; nothing if the app is."""
        until = asyncio.get_running_loop().time() + _AFTERWARDS
        while True:
            seen = await self._ask("observed", mark=mark)
            self._stuck = seen.get("still", 0.0) > STUCK
            if seen.get("over", True) or asyncio.get_running_loop().time() > until:
                place = (await self._ask("where")).get("place") if self._stuck else None
                return _observed({**seen, "stuck": place or ""})
            await asyncio.sleep(0.005)

    async def death(self) -> str:
        """How the process ended by itself; "" where it has not."""
        return await self._process.death() if self._process is not None else ""

    async def everything(self) -> Observed:
        """What was seen since the app started; of processes that have ended, what they printed."""
        seen = await self._ask("everything")
        now = seen.get("logged", self._process.printed if self._process is not None else ())
        return _observed({**seen, "logged": [*self._earlier, *now]})

    async def restart(self) -> None:
        """A new process at the same address, on the same databases.

        Raises:
            NotStaged: it does not start again.
        """
        if self._process is not None:
            await self._process.stop()
            self._earlier += self._process.printed
        await self.start()

    async def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        if self._process is not None:
            await self._process.kill()

    async def end(self, patience: float) -> float | None:
        """Ask the process to end (SIGTERM); the seconds that it took, None where it went on for so long.

        What is being answered is not cut off: it has as long as there is patience.
        """
        if self._process is None:
            return 0.0
        await self._ask("linger")
        began = asyncio.get_running_loop().time()
        ended = await self._process.end(patience)
        return asyncio.get_running_loop().time() - began if ended else None

    @asynccontextmanager
    async def cut_off(self) -> AsyncIterator[None]:
        """While the context lasts PostgreSQL cannot be reached: connections are cut, and none is made."""
        await self._ask("part")
        try:
            await self._throwaway.cut()
            yield
        finally:
            await self._ask("meet")

    async def start(self) -> None:
        """Start the process, and wait until it serves.

        Raises:
            NotStaged: it does not.
        """
        while True:
            try:
                return await self._start()
            except NotStaged as error:
                if error.tables:
                    # Its start reads tables that it expects to be there.
                    self._tables["tables_first"] = True
                    self.notes.append("The app's models have made its tables before it started.")
                elif "DATABASE_URL" in error.settings and "DATABASE_URL" not in self._environment:
                    self._environment = {**self._environment, "DATABASE_URL": ADDRESS["database"]}
                    self.notes.append("DATABASE_URL is not set: the app is given one.")
                else:
                    raise

    async def prepare(self, commands: Sequence[str] | None) -> None:
        """Run commands that bring the database to its schema; alembic's own where none is named.

        Raises:
            NotStaged: one fails.
        """
        migrated = commands is None and (self._folder / "alembic.ini").is_file()
        if migrated and await interpreter.has(self._python, "alembic"):
            commands = ["alembic upgrade head"]
            self.notes.append("alembic.ini is there: `alembic upgrade head` has made the schema.")
        for command in commands or ():
            self._tables["tables"] = False
            await self._run(command)

    async def rehearsed(self, what: str) -> list[dict[str, Any]]:
        """What `rehearsal.py` saw of the app's migrations, on empty databases of their own.

        Raises:
            NotStaged: there are no migrations that are known, or they do not run.
        """
        if not (self._folder / "alembic.ini").is_file():
            raise NotStaged("There is no alembic.ini: nothing is known of migrations.")
        async with self._beside() as stage:
            seen = stage._temporary / "seen.json"
            await stage._run(f"python -m {_REHEARSAL} {what} {shlex.quote(str(seen))}")
            found: list[dict[str, Any]] = json.loads(seen.read_bytes())
            return found

    @asynccontextmanager
    async def filled(self, command: str) -> AsyncIterator[str | None]:
        """Another empty database, which a command of the app's has brought to its schema; it is gone after.

        Raises:
            NotStaged: the command fails.
        """
        async with self._beside() as stage:
            await stage._run(command)
            yield stage.database

    @asynccontextmanager
    async def _beside(self) -> AsyncIterator["Stage"]:
        """The same app on databases of its own; it is not started."""
        temporary = await asyncio.to_thread(_temporary)
        throwaway = self._throwaway.beside()
        environment = {**self._environment, "TMPDIR": str(temporary)}
        stage = Stage(self._target, self._folder, environment, temporary, throwaway, self._python)
        try:
            yield stage
        finally:
            await stage.close()
            await throwaway.close()
            shutil.rmtree(temporary, ignore_errors=True)

    async def close(self) -> None:
        """End the process, and clear up."""
        await self._end()

    async def _run(self, command: str) -> None:
        process = await self._launch(shlex.split(command))
        try:
            code = await asyncio.wait_for(process.wait(), _PREPARING)
        except TimeoutError:
            raise NotStaged(f"`{command}` takes longer than {_PREPARING:g} seconds.") from None
        finally:
            await self._end()
        if code != 0:
            said = process.told.get("failed", {}).get("why")
            why = f": {said}" if said else f"{_last(process)}."
            raise NotStaged(f"`{command}` fails{why}", lines=[*process.printed][-20:])

    async def _start(self) -> None:
        process = await self._launch([])
        try:
            await asyncio.wait_for(process.settle(), PATIENCE)
        except TimeoutError:
            place = (await self._ask("where")).get("place")
            at = f" It is at {place}." if place else ""
            await self._end()
            raise NotStaged(f"The app does not start within {PATIENCE:g} seconds.{at}") from None
        if "ready" not in process.told:
            failed = process.told.get("failed")
            await self._end()
            lines = [*process.printed][-20:]
            if failed is None:
                raise NotStaged(f"The app's process {process.ending} before it served{_last(process)}.")
            raise NotStaged(
                failed["why"],
                settings=failed.get("settings", ()),
                tables=failed.get("tables", False),
                lines=lines,
            )
        ready = process.told["ready"]
        self._port, self._stuck = ready["port"], False
        self.base = f"http://127.0.0.1:{self._port}"
        self.inventory = Inventory.told(ready["inventory"])
        self.notes += [note for note in (*ready["notes"], *self.inventory.notes) if note not in self.notes]

    async def _launch(self, run: list[str]) -> Process:
        plan = {
            "target": self._target,
            "folder": str(self._folder),
            "temporary": str(self._temporary),
            "header": MARK,
            "run": run,
            "port": self._port,
            "allowed_ports": self._throwaway.ports,
            **self._tables,
        }
        self._process = await Process.start(plan, self._folder, self._environment, self._serve, self._python)
        return self._process

    async def _end(self) -> None:
        if self._process is not None:
            await self._process.stop()

    async def _ask(self, what: str, **more: Any) -> dict[str, Any]:
        if self._process is None:
            return {}
        try:
            return await self._process.ask(what, **more)
        except Gone:
            return {}

    async def _serve(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer what the process asks, and take note of what it tells."""
        try:
            if message.get("ask") == "postgres":
                place = await self._throwaway.place(message["database"], message["user"])
                return {
                    "place": {
                        "host": place.host,
                        "port": place.port or 5432,
                        "user": place.user,
                        "password": place.password,
                        "database": place.database,
                    }
                }
            if message.get("tell") == "postgres":
                await self._throwaway.start()
        except (ConfigError, OSError, asyncpg.PostgresError) as error:
            return {"refused": f"The app needs PostgreSQL, and there is none to give it: {error}"}
        if message.get("tell") == "forbidden" and message["why"] not in self.notes:
            self.notes.append(message["why"])
        if message.get("tell") == "sqlite":
            self._files.setdefault(message["original"], message["copy"])
        return {}


@asynccontextmanager
async def staged(
    target: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    prepare: Sequence[str] | None = None,
    database: Dsn | None = None,
    python: Path | None = None,
) -> AsyncIterator[Stage]:
    """An app, `module:attribute`, served from a folder for as long as the context lasts.

    `environment` may say "{database}", "{host}", "{port}", "{user}", "{password}" and "{name}". `prepare`
    are commands that make the schema; None chooses them. `database` is a server for throw-away databases
    instead of an embedded one. `python` is an interpreter that the app is installed for, by default this one.

    Raises:
        NotStaged: it does not start.
    """
    temporary = await asyncio.to_thread(_temporary)
    throwaway = Throwaway(database)
    chosen = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(temporary),
        **{name: _filled(value) for name, value in (environment or {}).items()},
    }
    python = python or Path(sys.executable)
    stage = Stage(target, await asyncio.to_thread(folder.resolve), chosen, temporary, throwaway, python)
    try:
        await stage.prepare(prepare)
        await stage.start()
        yield stage
    finally:
        await stage.close()
        await throwaway.close()
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary() -> Path:
    # Resolved: the host compares paths.
    return Path(tempfile.mkdtemp(prefix="specwright-stage-")).resolve()


def _filled(value: str) -> str:
    for name, stands_for in ADDRESS.items():
        value = value.replace(f"{{{name}}}", stands_for)
    return value


def _last(process: Process) -> str:
    """The last line that it printed, to be hung on to a sentence."""
    return next((f": {line.strip()}" for line in reversed(process.printed) if line.strip()), "")


def _observed(seen: Mapping[str, Any]) -> Observed:
    return Observed(
        statements=tuple(seen.get("statements", ())),
        blocked=tuple((place, seconds) for place, seconds in seen.get("blocked", ())),
        logged=tuple(seen.get("logged", ())),
        raised=tuple(seen.get("raised", ())),
        stuck=seen.get("stuck", ""),
        places=seen.get("places", {}),
    )
