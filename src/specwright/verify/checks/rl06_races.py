"""RL06: of those who want the same thing at the same time, one gets it."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.crowd import bound, failed, started
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe, Result
from specwright.verify.rows.reading_back import learned
from specwright.verify.surface.collections import key_member
from specwright.verify.surface.surface import Collection, Operation

#: Creates at once, and how often; changes at once are two.
_CREATES = 12
_TIMES = 3
_REFUSED = (400, 409, 422)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """One row many times at once, where a second one like it is refused; two changes of what one has seen."""
    started(lab)
    for collection in lab.surface.collections:
        for operation, judged in ((collection.create, _unique), (collection.change, _versions)):
            if operation is None or operation not in lab.judged or collection.read is None:
                continue
            try:
                yield await judged(lab, collection, operation)
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)


async def _unique(lab: Lab, collection: Collection, create: Operation) -> Result:
    """Rows that may not be alike: exactly one is made.

    Raises:
        NotRun: they may be.
    """
    row = await lab.fresh_row(collection, lab.people.owner)
    again = await lab.sent(await _creating(lab, create, row))
    if not again.succeeded:
        raise NotRun("a second row of its maker's is refused, whatever it holds", again)
    twice = await lab.sent(again)
    if twice.succeeded:
        raise NotRun("rows may be alike", twice)
    if twice.status not in _REFUSED:
        raise NotRun("a row like another is not refused as such", twice)
    won: list[Probe] = []
    for _ in range(_TIMES):
        requests = [await _creating(lab, create, row)] * _CREATES
        answers = await lab.at_once(requests, bound([again, twice], _CREATES))
        broken = [probe for probe in answers if failed(probe)]
        if broken:
            says = f"of {_CREATES} creates of one row at once, {len(broken)} are answered"
            says += f" {broken[0].status or 'never'}, not refused"
            return CHECK.broken(create, says, twice, broken[0], case="unique")
        made = {key: probe for probe in answers if probe.succeeded and (key := _key(row, probe))}
        if len(made) > 1:
            says = f"of {_CREATES} creates of one row at once, {len(made)} make one; later ones are refused"
            return CHECK.broken(create, says, twice, *[*made.values()][:2], case="unique")
        won += made.values()
    if not won:
        raise NotRun("no row is made when many are at once", answers[-1])
    says = f"of {_CREATES} creates of one row at once, one makes it and the others are refused"
    return CHECK.proved(create, says, *won[:1], case="unique")


async def _creating(lab: Lab, create: Operation, row: Row) -> Probe:
    """A create of a row like no other so far."""
    query, headers = lab.maker.asked(create, row.person)
    body = await lab.maker.body(lab, create, row.person, row.place)
    return lab.request(row.person, create, row.place, query=query, headers=headers, json=body)


def _key(row: Row, probe: Probe) -> str:
    collection, shown = learned(row.collection, parse(probe))
    member = key_member(collection.key, collection.name, shown)
    return str(shown.get(member, ""))


async def _versions(lab: Lab, collection: Collection, change: Operation) -> Result:
    """Two changes under one tag: exactly one is made.

    Raises:
        NotRun: rows have no tags, or tags that are not kept to even one after the other.
    """
    row = await lab.fresh_row(collection, lab.people.owner)
    tag = _tag(await lab.read(row))
    first = await lab.sent(await _changing(lab, change, row, tag))
    late = await lab.sent(await _changing(lab, change, row, tag))
    if not first.succeeded or late.status != 412:
        raise NotRun("the tag of a row is not kept to", first, late)
    for _ in range(_TIMES):
        tag = _tag(await lab.read(row))
        requests = [await _changing(lab, change, row, tag) for _ in range(2)]
        answers = await lab.at_once(requests, bound([first, late], len(requests)))
        won = [probe for probe in answers if probe.succeeded]
        if any(failed(probe) for probe in answers):
            broken = next(probe for probe in answers if failed(probe))
            says = f"of two changes under one tag at once, one is answered {broken.status or 'never'}"
            return CHECK.broken(change, says, broken, case="versions")
        if len(won) == 2 and won[0].body != won[1].body:
            return CHECK.broken(
                change, "two changes under one tag at once both succeed", *won, case="versions"
            )
    return CHECK.proved(change, "of two changes under one tag at once, one is refused", *won, case="versions")


async def _changing(lab: Lab, change: Operation, row: Row, tag: str) -> Probe:
    body = await lab.maker.body(lab, change, row.person, row.place)
    return lab.request(row.person, change, row.place, json=body, headers={"if-match": tag})


def _tag(probe: Probe) -> str:
    found = next((value for name, value in probe.answer_headers if name.lower() == "etag"), "")
    if not found or found.startswith("W/"):
        raise NotRun("rows have no entity tags", probe)
    return found


CHECK = Check(
    id="RL06",
    name="races",
    sentence="Of requests that want the same at once one succeeds; the others are refused, and none fails.",
    severity=2,
    references=("ASVS 15.4.2", "RFC 9110 §13.1", "CWE-367"),
    remedy="Let the database decide: a unique constraint whose violation is a 409, the version in the WHERE"
    " of the UPDATE; a look beforehand sees what was.",
    run=run,
    harm=1,
)
