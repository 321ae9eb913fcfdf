"""What checks share that do harm to an app: known good requests, many at once, and whether it recovers."""

import asyncio
import re
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice

from specwright.verify.inside import Inside
from specwright.verify.lab import PATIENCE, Lab, NotRun
from specwright.verify.patience import patiently
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Operation

#: Seconds in which an app should answer again as it did; a second is plenty, machines are not.
RECOVERY = 10.0
#: Requests at once by which that is seen: more than the connections of most pools.
_TOGETHER = 16
#: Different requests that are known to be good, and the seconds that one may take.
_FEW = 4
_SWIFT = 2.0
_HEALTH = re.compile(r"/(health|healthz|live|livez|alive|liveness|ping|up)$", re.I)


def started(lab: Lab) -> Inside:
    """The app, which runs here and nowhere else.

    Raises:
        NotRun: it is somebody's, and may not be harmed.
    """
    if lab.inside is None:
        raise NotRun("the app was not started here: no harm is done to one that others may use")
    return lab.inside


async def readings(lab: Lab) -> list[Probe]:
    """A few requests of the owner's that read rows and succeed, those first that ask the database.

    Raises:
        NotRun: there are none.
    """
    found: dict[str, Probe] = {}
    for collection in lab.surface.collections:
        if sum(bool(each.statements) for each in found.values()) >= _FEW:
            break
        try:
            row = await lab.any_row(collection, lab.people.owner)
        except NotRun:
            continue
        for operation in (collection.list, collection.read):
            if operation is not None:
                await _tried(lab, lab.request(row.person, operation, row.place), found)
    for operation in lab.surface.operations:
        if len(found) < _FEW and _plain(operation) and lab.coverage().get(operation.label):
            probe = await _tried(lab, lab.request(lab.people.owner, operation), found)
            if not probe.statements:
                found.pop(operation.label, None)
    if not found:
        raise NotRun("no request is known that reads something and succeeds soon")
    return sorted(found.values(), key=lambda each: not each.statements)[:_FEW]


async def _tried(lab: Lab, request: Probe, found: dict[str, Probe]) -> Probe:
    probe = await patiently(partial(lab.sent, request))
    if probe.succeeded and probe.seconds < _SWIFT and probe.operation is not None:
        found.setdefault(probe.operation.label, probe)
    return probe


async def health(lab: Lab) -> list[Probe]:
    """The app's own word that it lives, where it gives one to everybody."""
    asked = (each for each in lab.surface.operations if _plain(each) and _HEALTH.search(each.path))
    probes = [await lab.send(ANONYMOUS, each) for each in islice(asked, 1)]
    return [probe for probe in probes if probe.succeeded]


def _plain(operation: Operation) -> bool:
    return operation.method == "GET" and "{" not in operation.path


def repeated(probes: Sequence[Probe], count: int) -> list[Probe]:
    """So many of these requests, in turns."""
    return [*islice(cycle(probes), count)]


async def unrecovered(lab: Lab, known: Sequence[Probe]) -> Probe | None:
    """A request that was good and fails for good now; None once all succeed, many at the same time.

    The app is started anew when it does not recover by itself, so that nobody suffers for it.
    """
    until = time.monotonic() + RECOVERY
    while True:
        answers = await lab.at_once(repeated(known, _TOGETHER))
        failed = next((each for each in answers if not answered(each)), None)
        if failed is None:
            return None
        if time.monotonic() > until or not started(lab).alive:
            await started(lab).restart()
            return failed
        await asyncio.sleep(0.2)


def answered(probe: Probe) -> bool:
    """Whether a good request is answered as before, or with the wish that we slow down (RFC 6585 §4)."""
    return probe.succeeded or probe.status == 429


def failed(probe: Probe) -> bool:
    """Whether there is no answer, or one that says that something broke, not that it is too much."""
    return probe.status is None or (probe.status >= 500 and probe.status not in (503, 504))


def bound(known: Sequence[Probe], count: int, held: float = 0.0) -> float:
    """Seconds in which so many of these requests are answered, were they answered one after the other."""
    return PATIENCE + held + 3 * count * max(probe.seconds for probe in known)
