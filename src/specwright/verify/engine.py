"""Runs the checks one after the other, and tells what happens as it happens.

What breaks is tried once more, with new rows, before it is reported: a gate that cries wolf is switched off.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Result, Standing


@dataclass(frozen=True, slots=True)
class Began:
    """A check begins."""

    check: Check


@dataclass(frozen=True, slots=True)
class Found:
    """A check says something."""

    check: Check
    result: Result


@dataclass(frozen=True, slots=True)
class Ended:
    """A check has said everything."""

    check: Check
    results: tuple[Result, ...]


Event = Began | Found | Ended


async def run(lab: Lab, checks: Sequence[Check]) -> AsyncGenerator[Event]:
    """Every check on an app. A check that cannot go on is one result that says so, never silence."""
    for check in checks:
        yield Began(check)
        await lab.revive()
        results: list[Result] = []
        async with aclosing(_results(lab, check)) as found:
            async for result in found:
                confirmed = await _confirmed(lab, check, result)
                results.append(confirmed)
                yield Found(check, confirmed)
        if not results:
            nothing = check.not_run("the app", lab.people.missing or "there is nothing here that it looks at")
            results.append(nothing)
            yield Found(check, nothing)
        yield Ended(check, tuple(results))


async def _results(lab: Lab, check: Check) -> AsyncGenerator[Result]:
    try:
        async for result in check.run(lab):
            yield result
    except NotRun as why:
        yield check.not_run("the app", str(why), *why.probes)
    except Exception as error:
        # An answer that a check did not reckon with must not cost the others their say.
        yield check.not_run("the app", f"the check itself failed: {type(error).__name__}: {error}")


async def _confirmed(lab: Lab, check: Check, result: Result) -> Result:
    """The result, seen twice; what is not seen again is not held against the app."""
    if result.standing is not Standing.BROKEN or check.last:
        return result
    await lab.revive()
    async for again in _results(lab.focused(result.subject), check):
        if again.standing is Standing.BROKEN and again.id == result.id:
            return again
    why = f"seen once and not again: {result.says}"
    return replace(result, standing=Standing.NOT_RUN, says=why)
