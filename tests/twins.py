"""Apps with one fault each, and their sound twins, which differ in the guard only.

A folder `az01_object_read` holds `broken.py` and `sound.py`, each an `app`, and a `people.toml` where people
cannot sign up by themselves; an app with migrations is a folder `broken` with a `main.py`, one with specs a
project `broken`. A sound twin gives no BROKEN of any check: so its key is made when it starts, and a login,
where there is one, does not go on for ever. Checks that read code and send nothing say SUSPECTED where others
say BROKEN.
"""

import ast
import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from specwright.cli.staging import project
from specwright.db.url import normalise
from specwright.read.project import read_project
from specwright.verify.assembly import lab
from specwright.verify.check import Check, all_checks
from specwright.verify.engine import Ended, run
from specwright.verify.lab import Lab
from specwright.verify.result import Result, Standing

FOLDER = Path(__file__).parent / "broken"
#: With FAULTS=long, as `make faults` sets it, every check is asked, and what harms an app is tried too.
LONG = os.environ.get("FAULTS") == "long"
PAIRS = sorted(
    twin.parent
    for name in ("broken", "broken.py")
    for twin in FOLDER.glob(f"*/{name}")
    if LONG or not twin.parent.name.startswith(("rl", "sd"))
)

#: Checks that read, and send nothing.
_READING = {"DB03", "SH01"}


@pytest.mark.anyio
@pytest.mark.any_server
class Twins:
    """What is asked of each pair."""

    @pytest.fixture(autouse=True)
    def _shared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Twins import the module `guard` beside their folders."""
        monkeypatch.setenv("PYTHONPATH", str(FOLDER))

    async def test_a_broken_app_is_caught(self, pair: Path, database_server: str) -> None:
        """The check of its name sees the fault."""
        check = _check(pair)
        # One that judges what others saw needs the others.
        results = await _verified(pair, "broken", all_checks() if check.last else [check], database_server)
        fault = Standing.SUSPECTED if check.id in _READING else Standing.BROKEN
        assert check.id in [result.check for result in results if result.standing is fault], _told(results)

    async def test_a_sound_app_gives_nothing(self, pair: Path, database_server: str) -> None:
        """No check sees a fault; and the one of its name has proved something, so that its silence counts."""
        results = await _verified(pair, "sound", _asked(pair), database_server)
        broken = [result for result in results if result.standing is Standing.BROKEN]
        assert not broken, _told(broken)
        own = [result for result in results if result.check == _check(pair).id]
        assert not [result for result in own if result.standing is Standing.SUSPECTED], _told(own)
        assert any(result.standing is Standing.PROVED for result in own), _told(own)

    def test_twins_are_alike(self, pair: Path) -> None:
        """They serve the same routes: a sound app that has nothing to guard proves nothing."""
        broken, sound = (_routes(_file(pair, twin)) for twin in ("broken", "sound"))
        assert broken == sound, f"{broken} beside {sound}"


def _asked(pair: Path) -> list[Check]:
    """The checks of a sound app: its own and every fourth, for each pair others; with LONG all.

    Harm takes its time, and is done where it is the point.
    """
    own = _check(pair)
    every = [check for check in all_checks() if own.harm or not check.harm]
    if own.last or LONG:
        return every
    return [check for turn, check in enumerate(every, PAIRS.index(pair)) if check is own or turn % 4 == 0]


async def _verified(pair: Path, twin: str, checks: Sequence[Check], server: str) -> list[Result]:
    """What checks say of an app, or of a project, on a stage; where they do harm, on a server of its own."""
    root = pair / twin
    database = None if any(check.harm for check in checks) else normalise(server)
    if (root / "specs").is_dir():
        with project(root, read_project(root)) as target:
            return await _seen(lab(target, database=database), checks)
    app, people = _file(pair, twin), pair / "people.toml"
    instructions = people if people.is_file() else None
    return await _seen(lab(f"{app.stem}:app", app.parent, instructions, database=database), checks)


async def _seen(assembling: AbstractAsyncContextManager[Lab], checks: Sequence[Check]) -> list[Result]:
    results: list[Result] = []
    async with assembling as assembled:
        async for event in run(assembled, checks):
            if isinstance(event, Ended):
                results += event.results
    return results


def _file(pair: Path, twin: str) -> Path:
    """Where the app is made: in a file, in a folder with migrations, or in a project with specs."""
    places = (pair / f"{twin}.py", pair / twin / "main.py", pair / twin / "app" / "main.py")
    return next(file for file in places if file.is_file())


def _check(pair: Path) -> Check:
    id = pair.name.partition("_")[0].upper()
    return next(check for check in all_checks() if check.id == id)


def _routes(file: Path) -> list[str]:
    """The paths in an app's code, as they stand in its decorators."""
    return sorted(
        ast.unparse(decorator.func).rpartition(".")[2] + " " + ast.unparse(decorator.args[0])
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and decorator.args
    )


def _told(results: Sequence[Result]) -> str:
    return "\n".join(
        f"{result.check} {result.standing} {result.subject}: {result.says}"
        + "".join(f"\n    {probe} {probe.text[:200]}" for probe in result.probes)
        for result in results
    )
