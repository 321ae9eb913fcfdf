"""RL02: an app gets over the loss of its database by itself."""

import asyncio
from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.crowd import readings, repeated, started, unrecovered
from specwright.verify.database.sessions import is_postgres
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Result

#: Seconds without a database; and those in which a request is answered that came meanwhile.
_GAP = 1.0
_BOUND = 15.0
_REQUESTS = 12


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Every connection is cut, and for a second none is made, while requests go on.

    Raises:
        NotRun: there is nothing to be cut off.
    """
    inside = started(lab)
    if not is_postgres(inside.database):
        raise NotRun("the app has no PostgreSQL that could be cut off")
    known = [probe for probe in await readings(lab) if probe.statements]
    if not known:
        raise NotRun("no request is known that reads from PostgreSQL")
    async with inside.cut_off():
        asking = asyncio.create_task(lab.at_once(repeated(known, _REQUESTS), _GAP + _BOUND))
        await asyncio.sleep(_GAP)
    meanwhile = await asking
    stuck = [probe for probe in meanwhile if "no answer" in probe.trouble]
    if not inside.alive:
        yield CHECK.broken("the app", "the app ends when its database does", meanwhile[-1], case="lasting")
        await inside.restart()
        return
    if stuck:
        says = f"{len(stuck)} of {len(meanwhile)} requests are never answered that came without a database"
        yield CHECK.broken("the app", says, stuck[0], case="hanging")
    else:
        says = f"{len(meanwhile)} requests are answered that came without a database"
        yield CHECK.proved("the app", says, meanwhile[-1], case="hanging")
    lasting = await unrecovered(lab, known)
    if lasting is not None:
        says = f"once the database is there again, requests are still answered {lasting.status or 'never'}"
        yield CHECK.broken("the app", says, lasting, case="lasting")
    else:
        yield CHECK.proved("the app", "it recovers by itself", lab.probes[-1], case="lasting")


CHECK = Check(
    id="RL02",
    name="lost database",
    sentence="When the database is away for a moment no request hangs, and the app recovers by itself.",
    severity=3,
    references=("ASVS 16.5.2", "CWE-755"),
    remedy="Take connections from a pool that replaces broken ones (pool_pre_ping=True), keep none for"
    " the life of the process, and answer 503 meanwhile.",
    run=run,
    harm=1,
)
