"""RL01: what an app has answered is so, even when it is killed the moment after."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from specwright.verify.check import Check
from specwright.verify.crowd import started
from specwright.verify.inside import Inside
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.writes import Writing, creates, times, writings

#: Collections that are written to, and creates of each.
_COLLECTIONS = 3
_CREATES = 12
#: Rows of each that it has answered for when it is killed, and the seconds that may take.
_ENOUGH = 2
_PATIENCE = 10.0
#: Seconds after which a write has been kept if it ever is.
_LATE = 3.0
_GONE = (404, 410)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The app is killed while rows are made; every row that it has answered for must be there afterwards.

    Raises:
        NotRun: nobody can make rows that are read again.
    """
    inside = started(lab)
    written = [each async for each in writings(lab, _CREATES, _COLLECTIONS)]
    if not written:
        raise NotRun("no row can be made that is read again one by one")
    answers = await _killed(lab, inside, [probe for each in written for probe in each.requests])
    for each in written:
        own = [probe for probe in answers if probe.operation is each.create]
        try:
            async for result in _judged(lab, inside, each, own):
                yield result
        except NotRun as why:
            yield CHECK.not_run(each.create, str(why), *why.probes)


async def _killed(lab: Lab, inside: Inside, requests: Sequence[Probe]) -> list[Probe]:
    """The answers to requests that are sent at once, until the app is killed."""
    left = Counter({_label(probe): _ENOUGH for probe in requests})
    enough = asyncio.Event()

    def met(probe: Probe) -> None:
        left[_label(probe)] -= probe.succeeded
        if max(left.values()) <= 0:
            enough.set()

    # By turns of the collections, so that each has had its share.
    mixed = [probe for start in range(_CREATES) for probe in requests[start::_CREATES]]
    asking = asyncio.create_task(lab.at_once(mixed, met=met))
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait([asking, waiting], timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await inside.kill()
    answers = await asking
    await inside.restart()
    return answers


def _label(probe: Probe) -> str:
    return probe.operation.label if probe.operation is not None else ""


async def _judged(
    lab: Lab, inside: Inside, written: Writing, answers: Sequence[Probe]
) -> AsyncIterator[Result]:
    acknowledged = [(probe, row) for probe in answers if probe.succeeded and (row := written.made(probe))]
    unknown = [probe for probe in answers if probe.status is None]
    if not acknowledged:
        raise NotRun("no write was answered before the app was killed", *answers[:1])
    older = await lab.read(written.row)
    if not older.succeeded and older.status not in _GONE:
        raise NotRun("after a new start its maker cannot read a row that was there before", older)
    for probe, row in acknowledged:
        seen = await lab.read(row)
        if seen.status in _GONE and not (older.succeeded or await _kept(lab, inside, written)):
            question = f"rows of {row.collection.name} are gone when the process ends: is that meant?"
            yield CHECK.ask(written.create, question, probe, seen)
            return
        if seen.status in _GONE:
            says = f"a row of {row.collection.name} is answered for, and gone when the app is killed"
            yield CHECK.broken(written.create, says, probe, seen, case="acknowledged")
            return
        if not seen.succeeded:
            raise NotRun("a row cannot be read after a new start", probe, seen)
    says = f"{len(acknowledged)} rows that were answered for are there after the app was killed"
    yield CHECK.proved(written.create, says, acknowledged[0][0], seen, case="acknowledged")
    for probe in unknown:
        if await times(lab, written.row.collection, written.row, probe) > 1:
            says = "a write that was never answered is done twice"
            yield CHECK.broken(written.create, says, probe, lab.probes[-1], case="unknown")
            return


async def _kept(lab: Lab, inside: Inside, written: Writing) -> bool:
    """Whether a row, beside as many others, outlives the process if only it is old enough."""
    if inside.database is None:
        return False
    row = await lab.new_row(written.row.collection, written.row.person)
    await lab.at_once(await creates(lab, row, written.create, _CREATES))
    await asyncio.sleep(_LATE)
    await inside.kill()
    await inside.restart()
    return (await lab.read(row)).succeeded


CHECK = Check(
    id="RL01",
    name="kill",
    sentence="A write that was answered is there, even when the app is killed the moment after.",
    severity=3,
    references=("ASVS 2.3.3", "CWE-393"),
    remedy="Answer after the COMMIT: leave no write to a background task, a queue in memory or a timer.",
    run=run,
    harm=2,
)
