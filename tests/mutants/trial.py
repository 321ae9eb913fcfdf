"""A mutant on trial: the checks, the likeliest first, until one of them misses what was removed."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from guards import Mutant

from specwright.cli.staging import project
from specwright.db.url import Dsn, normalise
from specwright.model.errors import SpecwrightError
from specwright.read.project import read_project
from specwright.verify.assembly import lab
from specwright.verify.check import all_checks
from specwright.verify.engine import Found, run
from specwright.verify.lab import Lab
from specwright.verify.policy.granted import Granted
from specwright.verify.project import Project
from specwright.verify.requirements.examples import Examples
from specwright.verify.requirements.memory import Memory
from specwright.verify.result import Standing
from specwright.verify.rows.making import RowMaker

HERE = Path(__file__).parent
ROOT = HERE / "project"

#: The examples of the project's requirements, as if they were a check.
REQUIREMENTS = "requirements"
#: Modules that say what is in a database: mutants of these need one of their own.
_SCHEMA = ("sql/tables.py", "sql/policies.py")
#: Seconds until a mutant that hangs has been noticed.
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant."""

    #: The check that missed the guard; "" when none did.
    killer: str
    #: What it says; of a survivor, what was seen that proves nothing.
    says: str
    seconds: float


#: A mutant, None for the backend as it is, and the checks that it is tried with.
Case = tuple[Mutant | None, tuple[str, ...]]


class Court:
    """Tries mutants one after the other: the app starts anew for each, on the rows of the beginning."""

    def __init__(self, server: Dsn, chosen: Project, overlay: Path, it: Lab) -> None:
        self._server = server
        self._chosen = chosen
        self._overlay = overlay
        self._lab = it
        assert it.inside is not None and it.inside.database is not None, "the app runs on a stage"
        self._stage = it.inside
        self._database = urlsplit(it.inside.database).path.removeprefix("/")

    async def keep(self) -> None:
        """Keep the database as it is now."""
        connection = await asyncpg.connect(**self._server.arguments)
        try:
            await connection.execute(f'ALTER DATABASE "{self._database}" ALLOW_CONNECTIONS false')
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", self._database
            )
            await connection.execute(f'CREATE DATABASE "{self._kept}" TEMPLATE "{self._database}"')
        finally:
            await connection.close()

    async def tried(self, mutant: Mutant | None, checks: Sequence[str]) -> Verdict:
        """Run the project with the mutant's module until a check is broken; without one, it is as it is."""
        began = time.monotonic()
        try:
            killer, says = await asyncio.wait_for(self._tried(mutant, checks), PATIENCE)
        except SpecwrightError as error:
            # Whatever it is that does not start proves nothing of the guard.
            killer, says = "", f"the app does not start: {error}"
        except TimeoutError:
            killer, says = "", f"no end within {PATIENCE:g} seconds"
        return Verdict(killer, says, time.monotonic() - began)

    async def _tried(self, mutant: Mutant | None, checks: Sequence[str]) -> tuple[str, str]:
        for file in self._overlay.iterdir():
            file.unlink()
        if mutant is not None:
            module = "specwright." + mutant.module.removesuffix(".py").replace("/", ".")
            (self._overlay / f"{module}.py").write_text(mutant.text, encoding="utf-8")
            if mutant.module in _SCHEMA:
                async with lab(self._chosen, database=self._server) as other:
                    return await _judged(other, self._chosen, checks)
        await self._restore()
        await self._stage.restart()
        return await _judged(self._copied(), self._chosen, checks)

    async def _restore(self) -> None:
        connection = await asyncpg.connect(**self._server.arguments)
        try:
            await connection.execute(f'DROP DATABASE "{self._database}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{self._database}" TEMPLATE "{self._kept}"')
        finally:
            await connection.close()

    def _copied(self) -> Lab:
        """The lab as it was at first; what it has learned since then is of another mutant."""
        it = self._lab
        assert isinstance(it.policy, Granted), "the project has a spec"
        assert isinstance(it.maker, RowMaker), "a lab of an app makes rows"
        same = (self._stage, it.client, it.manifest, it.signer, it.policy.stored, it.maker.bodies)
        memo: dict[int, Any] = {id(each): each for each in same}
        return deepcopy(it, memo)

    @property
    def _kept(self) -> str:
        return f"{self._database[:50]}_kept"


@asynccontextmanager
async def court(url: str) -> AsyncIterator[Court]:
    """A court with an app of its own, on a server for throw-away databases."""
    os.environ.update(AUTH_ISSUER="https://guarded.example", AUTH_AUDIENCE="guarded")
    server = normalise(url)
    with tempfile.TemporaryDirectory(prefix="specwright-mutant-") as folder:
        overlay = Path(folder)
        with project(ROOT, read_project(ROOT)) as chosen:
            python = os.pathsep.join([str(HERE / "overlay"), *filter(None, [os.environ.get("PYTHONPATH")])])
            environment = {**chosen.environment, "PYTHONPATH": python, "MUTANT": folder}
            chosen = replace(chosen, environment=environment)
            async with lab(chosen, database=server) as it:
                # What has the most guards is looked at first.
                it.surface = replace(it.surface, collections=it.surface.collections[::-1])
                found = Court(server, chosen, overlay, it)
                await found.keep()
                yield found


def sit(server: str, waiting: "Queue[Case | None]", told: "Queue[tuple[str, Verdict]]") -> None:
    """Try what is waiting until there is None, in a process of its own."""

    async def try_all() -> None:
        async with court(server) as it:
            while (case := waiting.get()) is not None:
                mutant, checks = case
                told.put(("" if mutant is None else mutant.name, await it.tried(mutant, checks)))

    asyncio.run(try_all())


async def _judged(it: Lab, chosen: Project, checks: Sequence[str]) -> tuple[str, str]:
    crash = ""
    for name in checks:
        found, crashed = await (_requirements(it, chosen) if name == REQUIREMENTS else _check(it, name))
        if found:
            return name, found
        crash = crash or crashed
    return "", crash


async def _check(it: Lab, name: str) -> tuple[str, str]:
    """What the check says that is broken, "" when nothing is; and what broke since the app failed.

    An app that fails wherever it is asked is missed by every check, and by the merit of none: a failure
    counts where the check has seen the operation work as well.
    """
    failures: dict[str, str] = {}
    began = len(it.probes)
    asked = [check for check in all_checks() if check.id == name]
    async for event in run(it, asked):
        if isinstance(event, Found) and event.result.standing is Standing.BROKEN:
            result = event.result
            says = f"{result.subject}: {result.says}"
            if not any(probe.status is None or probe.status >= 500 for probe in result.probes):
                return says, ""
            failures.setdefault(result.subject, says)
    works = {
        each.operation.label for each in it.probes[began:] if each.succeeded and each.operation is not None
    }
    seen = next((failures[subject] for subject in failures if subject in works), "")
    return seen, next((f"{name}, of a failure: {says}" for says in failures.values()), "")


async def _requirements(it: Lab, chosen: Project) -> tuple[str, str]:
    """The first requirement whose examples fail, and how; and the first that fails with the app."""
    crash = ""
    for requirement in chosen.manifest.requirements:
        examples = Examples(chosen.manifest, it.client, it.base, chosen.credentials, Memory())
        for example in requirement.examples:
            exchange, failure = await examples.run(example)
            if failure is not None:
                told = "; ".join(map(str, failure.differences))
                asked = f"{exchange.method} {exchange.path}: " if exchange is not None else ""
                says = f"{requirement.key}: {asked}{told or failure.reason}"
                if exchange is not None and exchange.status is not None and exchange.status < 500:
                    return says, ""
                crash = crash or says
                break
    return "", crash
