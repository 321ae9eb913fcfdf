"""A mutant on trial: the checks, the likeliest first, until one of them misses what was removed."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from guards import Mutant

from specwright.cli.staging import project
from specwright.db.url import normalise
from specwright.model.errors import SpecwrightError
from specwright.read.project import read_project
from specwright.verify.assembly import lab
from specwright.verify.check import all_checks
from specwright.verify.engine import Found, run
from specwright.verify.lab import Lab
from specwright.verify.project import Project
from specwright.verify.requirements.examples import Examples
from specwright.verify.requirements.memory import Memory
from specwright.verify.result import Standing

HERE = Path(__file__).parent
ROOT = HERE / "project"

#: The examples of the project's requirements, as if they were a check.
REQUIREMENTS = "requirements"
#: Seconds until a mutant that hangs has been noticed.
_PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant."""

    #: The check that missed the guard; "" when none did.
    killer: str
    #: What it says; of a survivor, what was seen that proves nothing.
    says: str
    seconds: float


def tried(mutant: Mutant | None, checks: Sequence[str], server: str) -> Verdict:
    """Run the project with the mutant's module until a check is broken; without one, it is as it is."""
    began = time.monotonic()
    try:
        killer, says = asyncio.run(asyncio.wait_for(_tried(mutant, checks, server), _PATIENCE))
    except SpecwrightError as error:
        # Whatever it is that does not start proves nothing of the guard.
        killer, says = "", f"the app does not start: {error}"
    except TimeoutError:
        killer, says = "", f"no end within {_PATIENCE:g} seconds"
    return Verdict(killer, says, time.monotonic() - began)


async def _tried(mutant: Mutant | None, checks: Sequence[str], server: str) -> tuple[str, str]:
    async with _project(mutant) as chosen, lab(chosen, database=normalise(server)) as it:
        crash = ""
        for name in checks:
            found, crashed = await (_requirements(it, chosen) if name == REQUIREMENTS else _check(it, name))
            if found:
                return name, found
            crash = crash or crashed
    return "", crash


async def _check(it: Lab, name: str) -> tuple[str, str]:
    """What the check says that is broken, "" when nothing is; and what broke since the app failed.

    An app that fails where it should answer is missed by every check: that is none's own merit.
    """
    crash = ""
    asked = [check for check in all_checks() if check.id == name]
    async for event in run(it, asked):
        if isinstance(event, Found) and event.result.standing is Standing.BROKEN:
            says = f"{event.result.subject}: {event.result.says}"
            if not any(probe.status is None or probe.status >= 500 for probe in event.result.probes):
                return says, ""
            crash = crash or f"{name}, of a failure: {says}"
    return "", crash


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


@asynccontextmanager
async def _project(mutant: Mutant | None) -> AsyncIterator[Project]:
    """The project; its process, and no other, has the mutant's module."""
    os.environ.update(AUTH_ISSUER="https://guarded.example", AUTH_AUDIENCE="guarded")
    with project(ROOT, read_project(ROOT)) as chosen:
        if mutant is None:
            yield chosen
            return
        with tempfile.TemporaryDirectory(prefix="specwright-mutant-") as folder:
            file = Path(folder) / Path(mutant.module).name
            file.write_text(mutant.text, encoding="utf-8")
            overlay = {
                "PYTHONPATH": os.pathsep.join(
                    [str(HERE / "overlay"), *filter(None, [os.environ.get("PYTHONPATH")])]
                ),
                "MUTANT_MODULE": "specwright." + mutant.module.removesuffix(".py").replace("/", "."),
                "MUTANT_FILE": str(file),
            }
            yield replace(chosen, environment={**chosen.environment, **overlay})
