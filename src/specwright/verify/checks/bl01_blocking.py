"""BL01: no request holds up the others: nothing waits, or works for long, in the event loop."""

from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.model.errors import Origin
from specwright.verify.check import Check
from specwright.verify.inside import Inside
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result

#: Seconds that the loop may stand still in one place, in all.
_MOST = 0.1
#: Requests that are sent once more, to see it again.
_TRIES = 3


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Where the event loop was seen to stand still while everything was asked, what nobody had asked too.

    Once is no finding: the first time that something runs, much is made ready.

    Raises:
        NotRun: the app does not run here.
    """
    if lab.inside is None:
        raise NotRun("the app's event loop is not to be seen from here")
    used = lab.coverage()
    for operation in lab.surface.operations:
        if operation.method == "GET" and "{" not in operation.path and not used.get(operation.label):
            await lab.send(lab.people.owner, operation)
    times: dict[str, list[float]] = {}
    for place, stood in (await lab.inside.everything()).blocked:
        if place and stood >= _MOST:
            times.setdefault(place, []).append(stood)
    requests = len(lab.probes)
    # Those that stand still for good the engine tells.
    slow = any(incident.place for incident in lab.incidents.seen)
    for place, seen in times.items():
        culprits = await _culprits(lab, lab.inside, place)
        again = await _again(lab, lab.inside, place, culprits) if len(seen) == 1 else None
        if len(seen) > 1 or again is not None:
            slow = True
            longest = max(seen)
            says = f"the event loop stands still at {place}, for {longest:.2f} seconds"
            shown = [again] if again is not None else culprits[:1]
            yield replace(CHECK.broken(place, says, *shown), source=_origin(place))
    if not slow:
        yield CHECK.proved("the app", f"the event loop went on through {requests} requests")


async def _culprits(lab: Lab, inside: Inside, place: str) -> list[Probe]:
    """The requests that were being answered meanwhile."""
    found = []
    for probe in lab.probes:
        if probe.seconds >= _MOST and _stood((await inside.observed(probe.mark)).blocked, place):
            found.append(probe)
    return found


async def _again(lab: Lab, inside: Inside, place: str, culprits: list[Probe]) -> Probe | None:
    """One of these requests, sent once more, that holds up the loop once more."""
    for probe in culprits[:_TRIES]:
        again = await lab.sent(probe)
        if _stood((await inside.observed(again.mark)).blocked, place):
            return again
    return None


def _stood(blocked: tuple[tuple[str, float], ...], place: str) -> bool:
    return any(where == place and seconds >= _MOST for where, seconds in blocked)


def _origin(place: str) -> Origin:
    file, _, line = place.rpartition(":")
    return Origin(file, int(line))


CHECK = Check(
    id="BL01",
    name="blocking",
    sentence="No request holds up the others: nothing waits, or works for long, in the event loop.",
    severity=2,
    references=("ASVS 15.4.4", "CWE-400"),
    remedy="Await an asynchronous library, or write the function with def, which runs in a thread.",
    run=run,
    last=True,
)
