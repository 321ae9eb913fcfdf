"""RL03: more requests at once than connections are answered, all of them."""

import asyncio
from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.crowd import bound, failed, health, readings, repeated, started, unrecovered
from specwright.verify.database.sessions import held
from specwright.verify.lab import Lab
from specwright.verify.result import Result

#: Requests at once: more than the connections of most pools, and than the threads of most servers.
_CROWD = 96
#: Seconds for which the database keeps them all waiting.
_HELD = 1.5


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Many requests while the database is slow: an answer to each, and the app's word that it lives."""
    inside = started(lab)
    known = await readings(lab)
    lives = await health(lab)
    requests = [*repeated(known, _CROWD), *lives]
    async with held(inside.database) as waiting:
        asking = asyncio.create_task(lab.at_once(requests, bound(known, _CROWD, _HELD)))
        await asyncio.sleep(_HELD if waiting else 0)
    answers = await asking
    broken = [probe for probe in answers if failed(probe)]
    slow = f", while the database keeps them waiting for {_HELD:g} seconds" if waiting else ""
    if broken:
        says = f"{len(broken)} of {len(answers)} requests at once fail{slow}"
        yield CHECK.broken("the app", says, *broken[:1], case="many")
        await inside.restart()
        return
    says = f"{len(answers)} requests at once are all answered{slow}"
    yield CHECK.proved("the app", says, answers[-1], case="many")
    lasting = await unrecovered(lab, known)
    if lasting is not None:
        yield CHECK.broken("the app", "after many requests at once it fails for good", lasting, case="after")


CHECK = Check(
    id="RL03",
    name="crowd",
    sentence="More requests at once than the database has connections for are all answered, without a 500.",
    severity=2,
    references=("OWASP API4:2023", "ASVS 13.1.2", "CWE-410"),
    remedy="One connection for a request and no more, 503 with Retry-After where none is free in time; `def`"
    " routes open their session in the function, not as a dependency.",
    run=run,
    harm=1,
)
