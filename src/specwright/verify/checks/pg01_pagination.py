"""PG01: lists come in pages that have a bound, and all pages together have each row once."""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.result import Probe, Result
from specwright.verify.surface.paging import Paging, find_paging, keys_of, walk

#: Rows that there are at least, and the sizes of pages that they are read in.
_ROWS, _SIZES = 16, (5, 7)
_HUGE = 1_000_000
#: A page of more rows than this has no bound. How many rows there are when it is looked at again.
_UNBOUND = 1000
_STEPS = (60, 130, 260, 550, _UNBOUND + 10)
#: Lists whose pages have a bound have most often one that is smaller.
_USUAL = 100
#: Seconds for making rows.
_PATIENCE = 20.0
_UNORDERED = re.compile(r"^(?!.*\bORDER\s+BY\b).*\bFROM\b.*\bLIMIT\b.*\bOFFSET\b", re.I | re.S)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Each list with a parameter for the size of a page: walked, and asked for more than anybody reads."""
    for collection in lab.surface.collections:
        if collection.list is None or collection.list not in lab.judged:
            continue
        paging = find_paging(collection)
        if paging is None:
            yield CHECK.not_run(collection.list, "no parameter says how long a page is")
            continue
        try:
            row = await lab.fresh_row(collection, lab.people.owner)
            for judged in (_walked, _bounded):
                yield await judged(lab, paging, row)
        except NotRun as why:
            yield CHECK.not_run(collection.list, str(why), *why.probes)


async def _walked(lab: Lab, paging: Paging, row: Row) -> Result:
    """Two walks with pages of different sizes see the same rows in the same order, each once."""
    for _ in range(_ROWS):
        await _add(lab, paging, row)
    sizes = [min(size, paging.most or size) for size in _SIZES]
    first, second = [await walk(lab, paging, row, size) for size in sizes]
    probes = (first.probes[0], first.probes[-1], second.probes[-1])
    for size, walked in zip(sizes, (first, second), strict=True):
        if walked.repeated:
            says = f"in pages of {size}, {len(walked.repeated)} of {len(set(walked.keys))} rows come twice"
            return CHECK.broken(paging.operation, says, *probes, case="walk")
    missing = set(first.keys) ^ set(second.keys)
    if missing:
        says = f"pages of {sizes[0]} and pages of {sizes[1]} differ in {len(missing)} rows"
        return CHECK.broken(paging.operation, says, *probes, case="walk")
    if len(first.probes) < 2 or len(first.keys) <= sizes[0]:
        raise NotRun("all rows come in one page", *probes)
    if first.keys != second.keys:
        says = f"pages of {sizes[0]} and pages of {sizes[1]} have another order"
        return CHECK.broken(paging.operation, says, *probes, case="walk")
    unordered = next((each for each in first.probes[-1].statements or () if _UNORDERED.search(each)), "")
    if unordered:
        says = "its pages are cut out of rows in no order"
        return CHECK.broken(paging.operation, says, first.probes[-1], case="walk").because(unordered[:300])
    says = f"{len(first.probes)} pages have each of {len(first.keys)} rows once"
    return CHECK.proved(paging.operation, says, *probes, case="walk")


async def _bounded(lab: Lab, paging: Paging, row: Row) -> Result:
    """Neither a huge page nor one that nobody asked the size of holds all rows, however many there are."""
    huge = probe = await _page(lab, paging, row, _HUGE)
    waiting: dict[str, int | None] = {"without a size": None, f"of {_HUGE} rows": _HUGE}
    seen = await walk(lab, paging, row, min(100, paging.most or 100))
    if row.key not in seen.keys:
        raise NotRun("a new row is not in the list", seen.probes[-1])
    total = len(seen.keys)
    until = time.monotonic() + _PATIENCE
    for step in (total, *(each for each in _STEPS if each > total)):
        while total < step and time.monotonic() < until:
            await _add(lab, paging, row)
            total += 1
        for what, size in [*waiting.items()]:
            probe = await _page(lab, paging, row, size)
            count = len(keys_of(paging.collection, probe) or ())
            if count > _UNBOUND:
                says = f"a page {what} holds all {count} rows"
                return CHECK.broken(paging.operation, says, _short(probe), case="bound")
            if not probe.succeeded or count < total:
                del waiting[what]
        if not waiting:
            break
    if waiting:
        what = " and ".join(waiting)
        if total > _USUAL:
            says = f"a page {what} holds all {total} rows that there are: has it a bound?"
            return CHECK.ask(paging.operation, says, _short(probe), case="bound")
        raise NotRun(f"a page {what} holds all {total} rows; more could not be made in {_PATIENCE:g} seconds")
    return CHECK.proved(paging.operation, "pages have a bound, asked for or not", huge, case="bound")


async def _page(lab: Lab, paging: Paging, row: Row, size: int | None) -> Probe:
    query = {} if size is None else {paging.size.name: size}
    return await lab.send(row.person, paging.operation, row.place, query=query)


async def _add(lab: Lab, paging: Paging, row: Row) -> None:
    """One more row beside the first."""
    create = paging.collection.create
    assert create is not None, "there is a row"
    body = await lab.maker.body(lab, create, row.person, row.place)
    probe = await lab.send(row.person, create, row.place, json=body)
    if not probe.succeeded:
        raise NotRun("no more rows can be made", probe)


def _short(probe: Probe) -> Probe:
    """The probe with the beginning of its answer."""
    return replace(probe, answer=probe.answer[:500])


CHECK = Check(
    id="PG01",
    name="pagination",
    sentence="Pages of a list have a bound, and together they have each row once, in one order.",
    severity=2,
    references=("OWASP API4:2023", "CWE-770"),
    remedy="Give the size of a page a default and a maximum, and order by something unique.",
    run=run,
)
