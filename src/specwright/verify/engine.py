"""Runs the checks one after the other, and tells what happens as it happens.

What breaks is tried once more, with new rows, before it is reported: a gate that cries wolf is switched off.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.obstacles import shut_out
from specwright.verify.result import Result, Standing

#: By kind of incident, the check that tells it if it is run, and what to do.
_TELLS = {
    "death": ("IV01", "Let nothing that a request can reach end the process: no exit, no crash in C."),
    "standstill": ("BL01", ""),
    "silence": ("IV01", "Give what it waits for a limit of time, and answer 504 when that has passed."),
}


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
    for number, check in enumerate(checks, 1):
        yield Began(check)
        await lab.revive()
        results: list[Result] = []
        later = {each.id for each in checks[number:]}
        async with aclosing(_everything(lab, check, later)) as found:
            async for result in found:
                results.append(result)
                yield Found(check, result)
        if not results:
            nothing = check.not_run("the app", lab.people.missing or "there is nothing here that it looks at")
            results.append(nothing)
            yield Found(check, nothing)
        yield Ended(check, tuple(results))


async def _everything(lab: Lab, check: Check, later: Collection[str]) -> AsyncGenerator[Result]:
    """What the check says, confirmed, and then what has befallen the app."""
    if lab.incidents.down:
        yield check.not_run("the app", lab.incidents.down)
    else:
        lab.incidents.harm = check.harm > 0
        before = len(lab.probes)
        async with aclosing(_results(lab, check)) as found:
            async for result in found:
                yield await _confirmed(lab, check, result)
        lab.incidents.harm = False
        await lab.incidents.look_after(lab.probes[-1:], lab.inside)
        if not check.harm and not lab.incidents.down:
            lab.incidents.down = await shut_out(lab, lab.probes[before:])
    async for result in _befallen(lab, check, later):
        yield result


async def _befallen(lab: Lab, check: Check, later: Collection[str]) -> AsyncGenerator[Result]:
    """The incidents that nobody has told, and no check to come is there to tell."""
    for incident in lab.incidents.untold():
        teller, remedy = _TELLS[incident.kind]
        if teller in later:
            continue
        lab.incidents.told.add((incident.subject, incident.kind))
        await lab.revive()
        if len(lab.incidents.of(incident.subject)) == 1 and not lab.incidents.down:
            await lab.sent(incident.probe)
        probes = [each.probe for each in lab.incidents.of(incident.subject)]
        about = incident.probe.operation or incident.subject
        if len(probes) == 1 and not lab.incidents.down:
            yield check.not_run(about, f"seen once and not again: {incident.says}", *probes)
            continue
        broken = check.broken(about, incident.says, *probes, case=incident.kind, cause=incident.place)
        yield replace(broken, remedy=remedy, source=incident.source or broken.source)


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
    if result.standing is not Standing.BROKEN:
        return result
    if any(each.death for probe in result.probes for each in lab.incidents.by(probe)):
        why = f"the app's process has ended meanwhile: {result.says}"
        return replace(result, standing=Standing.NOT_RUN, says=why)
    if check.last:
        return result
    await lab.revive()
    async for again in _results(lab.focused(result.subject), check):
        if again.standing is Standing.BROKEN and again.id == result.id:
            return again
    why = f"seen once and not again: {result.says}"
    return replace(result, standing=Standing.NOT_RUN, says=why)
