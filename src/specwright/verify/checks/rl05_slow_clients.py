"""RL05: clients that are slow do not keep others waiting."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from specwright.verify.check import Check
from specwright.verify.crowd import answered, health, readings, repeated, started, unrecovered
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.wire import Wire, head, wires

#: Clients that have sent half of a head, and those that have sent half of a body.
_HEADS = 32
_BODIES = 48
#: Seconds for the app to begin with what it has.
_PAUSE = 0.5


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Requests of others, while many clients have sent half of theirs."""
    started(lab)
    known = await readings(lab)
    writing = await _writing(lab)
    async with wires(lab, _HEADS + (_BODIES if writing else 0)) as opened:
        for wire in opened[:_HEADS]:
            await wire.send(head(lab, known[0])[:-4])
        await _halves(lab, writing, opened[_HEADS:])
        await asyncio.sleep(_PAUSE)
        requests = [*known, *await health(lab)]
        answers = await lab.at_once(repeated(requests, 2 * len(requests)))
    # 503 is what a server says that has set itself a limit.
    kept = [probe for probe in answers if not answered(probe) and probe.status != 503]
    limited = [probe for probe in answers if probe.status in (429, 503)]
    if kept:
        says = f"while {len(opened)} clients are slow, others are answered {kept[0].status or 'never'}"
        yield CHECK.broken("the app", says, kept[0], case="others")
    elif limited:
        raise NotRun("the app limits how many requests it takes at once", limited[0])
    else:
        says = f"while {len(opened)} clients are slow, others are served as before"
        yield CHECK.proved("the app", says, answers[-1], case="others")
    lasting = await unrecovered(lab, known)
    if lasting is not None:
        yield CHECK.broken("the app", "after slow clients it fails for good", lasting, case="after")


async def _writing(lab: Lab) -> list[Probe]:
    """A request of the owner's with a body, which would succeed; none where none is known."""
    for collection in lab.surface.collections:
        if collection.create is None or collection.create.body is None:
            continue
        try:
            row = await lab.any_row(collection, lab.people.owner)
            body = await lab.maker.body(lab, collection.create, row.person, row.place)
        except NotRun:
            continue
        return [lab.request(row.person, collection.create, row.place, json=body)]
    return []


async def _halves(lab: Lab, writing: Sequence[Probe], opened: Sequence[Wire]) -> None:
    for wire, probe in zip(opened, repeated(writing, len(opened)) if writing else (), strict=True):
        body = probe.body or b""
        await wire.send(head(lab, probe) + body[: len(body) // 2])


CHECK = Check(
    id="RL05",
    name="slow clients",
    sentence="Clients that send their requests slowly do not keep others waiting.",
    severity=2,
    references=("OWASP API4:2023", "ASVS 15.4.4", "CWE-400"),
    remedy="Read the body before anything is taken that others need: a connection, a lock, a place in a row.",
    run=run,
    harm=1,
)
