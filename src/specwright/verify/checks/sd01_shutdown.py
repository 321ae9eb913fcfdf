"""SD01: an app that is asked to end finishes what it has begun, and then ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from specwright.verify.check import Check
from specwright.verify.crowd import started
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.wire import Wire, head, status, wires
from specwright.verify.writes import Writing, writings

#: Requests whose body is on its way when the signal comes, and those that were answered just before.
_OPEN = 4
_BEFORE = 8
#: Seconds until it must have ended; containers are killed after ten (Docker) or thirty (Kubernetes).
_GRACE = 15.0
#: Seconds until it takes no connections any more; some never do so.
_CLOSING = 3.0
_GONE = (404, 410)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """SIGTERM, while bodies are on their way and right after rows were made.

    Raises:
        NotRun: nobody can make rows.
    """
    inside = started(lab)
    written = [each async for each in writings(lab, _OPEN + _BEFORE, 1)]
    if not written:
        raise NotRun("no row can be made that is read again one by one")
    (writing,) = written
    before = await lab.at_once(writing.requests[_OPEN:])
    async with wires(lab, _OPEN) as opened:
        reading = await _begun(lab, writing.requests[:_OPEN], opened)
        ending = asyncio.create_task(inside.end(_GRACE))
        await _closed(lab)
        answers = await asyncio.gather(*(_rest(wire, probe) for wire, probe in reading))
        seconds = await ending
    lab.probes += answers
    await inside.restart()
    lost = [probe for probe in answers if probe.status is None or probe.status >= 500]
    if lost:
        says = f"{len(lost)} of {len(answers)} requests that it was reading when SIGTERM came are lost"
        yield CHECK.broken("the app", says, lost[0], case="open")
    elif answers:
        says = f"{len(answers)} requests that it was reading when SIGTERM came are answered"
        yield CHECK.proved("the app", says, answers[0], case="open")
    else:
        yield CHECK.not_run("the app", "no request could be left open", case="open")
    if seconds is None:
        says = f"{_GRACE:g} seconds after SIGTERM, with nothing left to do, it goes on"
        yield CHECK.broken("the app", says, case="end")
    else:
        yield CHECK.proved("the app", "it ends when it is asked to", case="end")
    async for result in _kept(lab, writing, before):
        yield result


async def _begun(lab: Lab, requests: Sequence[Probe], opened: Sequence[Wire]) -> list[tuple[Wire, Probe]]:
    """Those requests whose body the app says it reads, and has half of."""
    found = []
    for wire, probe in zip(opened, requests, strict=True):
        if not probe.body:
            continue
        await wire.send(head(lab, probe, expecting=True))
        if await wire.reads():
            await wire.send(probe.body[: len(probe.body) // 2])
            found.append((wire, probe))
    return found


async def _closed(lab: Lab) -> None:
    """Wait until the app takes no new connection."""
    at = urlsplit(lab.base)
    until = asyncio.get_running_loop().time() + _CLOSING
    while asyncio.get_running_loop().time() < until:
        try:
            _, writer = await asyncio.open_connection(at.hostname, at.port)
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0.05)


async def _rest(wire: Wire, probe: Probe) -> Probe:
    """The request with its answer, once the other half of its body is sent."""
    body = probe.body or b""
    await wire.send(body[len(body) // 2 :])
    answer = await wire.read(patience=_GRACE)
    found = status(answer)
    trouble = "" if found is not None else "the connection broke, or nothing came"
    content = answer.partition(b"\r\n\r\n")[2]
    return replace(probe, status=found, trouble=trouble, answer=content, crowded=True)


async def _kept(lab: Lab, writing: Writing, before: Sequence[Probe]) -> AsyncIterator[Result]:
    """Rows that were answered for right before are there afterwards, where older ones are."""
    if not (older := await lab.read(writing.row)).succeeded:
        yield CHECK.not_run(writing.create, "after a new start older rows are not read either", older)
        return
    for probe in before:
        row = writing.made(probe) if probe.succeeded else None
        if row is not None and (seen := await lab.read(row)).status in _GONE:
            says = f"a row of {row.collection.name} is answered for, and gone when the app ends"
            yield CHECK.broken(writing.create, says, probe, seen, case="kept")
            return
    yield CHECK.proved(writing.create, "rows that were answered for are there after its end", case="kept")


CHECK = Check(
    id="SD01",
    name="shutdown",
    sentence="Asked to end, the app answers what it has begun, loses nothing, and ends in time.",
    severity=2,
    references=("ASVS 16.5.3", "CWE-404"),
    remedy="Leave SIGTERM to the server, end background work in the lifespan after `yield`, and let nothing"
    " there wait without a limit.",
    run=run,
    harm=2,
)
