"""RL04: clients that go away before their answer cost nothing that stays."""

import asyncio
import time
from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.crowd import RECOVERY, readings, started, unrecovered
from specwright.verify.database.sessions import at_work, held
from specwright.verify.lab import Lab
from specwright.verify.result import Probe, Result
from specwright.verify.wire import head, wires

#: Clients that go away: more than the connections of most pools, fewer than the threads of most servers.
_CLIENTS = 16
#: Seconds until their requests are in work, and until the app knows that they are gone.
_HELD = 0.25
#: Seconds that one waits for the beginning of its answer.
_SOON = 2.0


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Clients go away while the database works for them, and others when their answer begins."""
    inside = started(lab)
    known = await readings(lab)
    before = await at_work(inside.database)
    for probe in known:
        await _leave(lab, probe, inside.database)
    clients = 2 * _CLIENTS * len(known)
    lasting = await unrecovered(lab, known)
    if lasting is not None:
        says = f"after {clients} clients went away, others are answered {lasting.status or 'never'}"
        yield CHECK.broken("the app", says, lasting, case="serving")
        return
    says = f"after {clients} clients went away, others are served as before"
    yield CHECK.proved("the app", says, lab.probes[-1], case="serving")
    left = await _left(inside.database, before)
    if left:
        says = f"{left} transactions are never ended of clients that went away"
        yield CHECK.broken("the app", says, known[0], case="transactions")


async def _leave(lab: Lab, probe: Probe, database: str | None) -> None:
    async with held(database) as waiting, wires(lab, _CLIENTS) as opened:
        for wire in opened:
            await wire.send(head(lab, probe))
        await asyncio.sleep(_HELD if waiting else 0)
        for wire in opened:
            wire.hang_up()
        # The app learns of it while the database still works.
        await asyncio.sleep(_HELD if waiting else 0)
    async with wires(lab, _CLIENTS) as opened:
        for wire in opened:
            await wire.send(head(lab, probe))
        await asyncio.gather(*(wire.read(1, _SOON) for wire in opened))


async def _left(database: str | None, before: int) -> int:
    """Transactions that go on, besides those that went on before."""
    until = time.monotonic() + RECOVERY
    while True:
        left = await at_work(database) - before
        if left <= 0 or time.monotonic() > until:
            return max(left, 0)
        await asyncio.sleep(0.2)


CHECK = Check(
    id="RL04",
    name="disconnects",
    sentence="Clients that go away before their answer is there leave nothing behind: connections come back.",
    severity=2,
    references=("OWASP API4:2023", "ASVS 13.1.3", "CWE-772"),
    remedy="Give connections back in `async with` or `finally`, which a cancelled request runs through, too.",
    run=run,
    harm=1,
)
