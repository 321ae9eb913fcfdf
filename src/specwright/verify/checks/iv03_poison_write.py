"""IV03: no write that is taken makes a read fail."""

import json
from collections.abc import AsyncIterator, Mapping
from random import Random

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe, Result
from specwright.verify.rows.corpus import kind_of, values
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Collection, Operation

#: How many hard values a member gets when another of its kind has had them all.
_SAMPLE = 6


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Hard values for each member; whenever one is taken, the row and the list are read."""
    for collection in lab.surface.collections:
        if collection.create is None or "json" not in collection.create.media:
            continue
        reads = [each for each in (collection.list, collection.read) if each is not None]
        if not any(each in lab.judged for each in reads):
            continue
        try:
            async for result in _judged(lab, collection, collection.create):
                yield result
        except NotRun as why:
            yield CHECK.not_run(reads[0], str(why), *why.probes)


async def _judged(lab: Lab, collection: Collection, create: Operation) -> AsyncIterator[Result]:
    row = await lab.fresh_row(collection, lab.people.owner)
    taken = 0
    failing: dict[str, Result] = {}
    if collection.list is not None:
        listed = await lab.send(row.person, collection.list, row.place)
        if not listed.succeeded:
            culprit = _culprit(lab, listed)
            if culprit is None:
                raise NotRun("the list is not answered before anything odd is sent", listed)
            failing[collection.list.label] = _broken(collection.list, "", culprit, listed)
    for name, content in [each async for each in _odd(lab, collection, create, row)]:
        headers = {"content-type": create.media}
        written = await lab.send(row.person, create, row.place, content=content, headers=headers)
        if not written.succeeded:
            continue
        taken += 1
        for operation, place in _reads(collection, row.place, written):
            if operation.label not in failing:
                seen = await lab.send(row.person, operation, place)
                if (seen.status or 500) >= 500:
                    failing[operation.label] = _broken(operation, name, written, seen)
    for result in failing.values():
        yield result
    for reading in (collection.list, collection.read):
        if reading is not None and reading.label not in failing:
            yield CHECK.proved(reading, f"it answers after {taken} odd values were taken")


def _broken(operation: Operation, name: str, written: Probe, seen: Probe) -> Result:
    what = f"{name} was taken with an odd value" if name else "an odd value was taken"
    says = f"since {what}, it answers {seen.status or seen.trouble}"
    return CHECK.broken(operation, says, written, seen)


def _culprit(lab: Lab, failed: Probe) -> Probe | None:
    """The write after which this very request began to fail: an earlier check may have sent it."""
    written: Probe | None = None
    before = False
    for probe in lab.probes:
        if (probe.method, probe.path) == (failed.method, failed.path):
            if probe.succeeded:
                written, before = None, True
            elif before and (failed.status or 500) >= 500:
                return written
        elif probe.succeeded and probe.method in ("POST", "PUT", "PATCH"):
            written = probe
    return None


def _reads(
    collection: Collection, place: Mapping[str, str], written: Probe
) -> list[tuple[Operation, Mapping[str, str]]]:
    """The list, and the row that was written."""
    found: list[tuple[Operation, Mapping[str, str]]] = []
    key = collection.shown(parse(written)).get(collection.member)
    if collection.read is not None and isinstance(key, str | int):
        found.append((collection.read, {**place, collection.key: str(key)}))
    if collection.list is not None:
        found.append((collection.list, place))
    return found


async def _odd(
    lab: Lab, collection: Collection, create: Operation, row: Row
) -> AsyncIterator[tuple[str, bytes]]:
    """Members, and bodies in which they are odd."""
    form = form_of(create, collection)
    met: set[str] = set()
    for name, schema in members(form.schema).items():
        kind = kind_of(schema)
        every = values(kind)
        chosen = Random(name).sample(every, _SAMPLE) if kind in met else every
        met.add(kind)
        for value in chosen:
            # A new body each time: some members may have to be unique.
            sent = form.members(await lab.maker.body(lab, create, row.person, row.place))
            yield name, json.dumps(form.body({**sent, name: value})).encode()


CHECK = Check(
    id="IV03",
    name="poison write",
    sentence="No write that is taken makes a read or a list fail.",
    severity=2,
    references=("OWASP API8:2023", "ASVS 2.2.1", "CWE-20"),
    remedy="Check what is written as strictly as what is answered: finite numbers, and bounds.",
    run=run,
)
