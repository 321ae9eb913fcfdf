"""HT01: verbs do what HTTP says that they do, and what fails does nothing."""

import re
from collections.abc import AsyncIterator
from itertools import islice

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe, Result
from specwright.verify.rows.bodies import CANARY
from specwright.verify.rows.spoiling import spoiled
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.schemas import kinds, members, plain, variants
from specwright.verify.surface.surface import Collection, Operation, Schema

#: So many spoiled bodies for each operation.
_TRIES = 12


async def run(lab: Lab) -> AsyncIterator[Result]:
    """A delete, a put done twice, changes and new rows that are refused; each is judged by reading."""
    for collection in lab.surface.collections:
        for operation, judged in (
            (collection.delete, _deleted),
            (collection.replace, _put_twice),
            (collection.change, _refused_change),
            (collection.create, _refused_row),
        ):
            if operation is None or operation not in lab.judged:
                continue
            try:
                yield await judged(lab, collection, operation)
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes, case=judged.__name__[1:])


async def _deleted(lab: Lab, collection: Collection, operation: Operation) -> Result:
    """What is deleted is gone."""
    row = await lab.fresh_row(collection, lab.people.owner)
    before = await lab.read(row)
    gone = await lab.send(row.person, operation, row.place)
    if not (before.succeeded and gone.succeeded) or gone.status == 202:
        raise NotRun("its maker cannot delete a row at once", before, gone)
    after = await lab.read(row)
    if not after.succeeded:
        return CHECK.proved(operation, "what is deleted is not found any more", gone, after, case="deleted")
    if collection.shown(parse(before)) != collection.shown(parse(after)):
        raise NotRun("what is deleted stays, and is marked", gone, after)
    says = f"{gone.status} for a delete, and the row is there as before"
    return CHECK.broken(operation, says, gone, after, case="deleted")


async def _put_twice(lab: Lab, collection: Collection, operation: Operation) -> Result:
    """The same PUT twice is the same as once."""
    row = await lab.fresh_row(collection, lab.people.owner)
    body = await lab.maker.body(lab, operation, row.person, row.place)
    first = await lab.send(row.person, operation, row.place, json=body)
    once = await lab.read(row)
    count = await _count(lab, row)
    second = await lab.send(row.person, operation, row.place, json=body)
    twice = await lab.read(row)
    if not (first.succeeded and second.succeeded and once.succeeded and twice.succeeded):
        raise NotRun("the same body is not taken twice", first, second)
    sent = form_of(operation, collection).members(body)
    before, after = collection.shown(parse(once)), collection.shown(parse(twice))
    changed = [name for name in sent if before.get(name) != after.get(name)]
    if changed:
        says = f"a second, equal PUT changes {', '.join(changed)}"
        return CHECK.broken(operation, says, once, second, twice, case="put_twice")
    if await _count(lab, row) != count:
        says = "a second, equal PUT makes another row"
        return CHECK.broken(operation, says, first, second, case="put_twice")
    return CHECK.proved(operation, "the same PUT twice is the same as once", second, twice, case="put_twice")


async def _count(lab: Lab, row: Row) -> int:
    if row.collection.list is None:
        return 0
    return len(await lab.items(row.collection, row.person, row.place))


async def _refused_change(lab: Lab, collection: Collection, operation: Operation) -> Result:
    """A change that is refused has changed nothing."""
    row = await lab.fresh_row(collection, lab.people.owner)
    form = form_of(operation, collection)
    body = form.members(await lab.maker.body(lab, operation, row.person, row.place))
    name = _text(form.schema, collection)
    body[name] = f"{CANARY}{row.key[:8]}-changed"
    good = await lab.send(row.person, operation, row.place, json=form.body(body))
    if not good.succeeded or collection.shown(parse(await lab.read(row))).get(name) != body[name]:
        raise NotRun(f"{name} cannot be changed alone", good)
    refused: list[Probe] = []
    for _, bad in islice(spoiled(form.schema, body, name), _TRIES):
        before = collection.shown(parse(await lab.read(row))).get(name)
        bad[name] = f"{CANARY}{row.key[:8]}-spoiled-{len(lab.probes)}"
        probe = await lab.send(row.person, operation, row.place, json=form.body(bad))
        if probe.succeeded or probe.status is None:
            continue
        refused.append(probe)
        after = await lab.read(row)
        if after.succeeded and collection.shown(parse(after)).get(name) != before:
            says = f"{probe.status} for a change, and {name} is changed"
            return CHECK.broken(operation, says, probe, after, case="refused_change")
    if not refused:
        raise NotRun("no change is refused")
    return CHECK.proved(operation, "a refused change changes nothing", *refused[:1], case="refused_change")


async def _refused_row(lab: Lab, collection: Collection, operation: Operation) -> Result:
    """A row that is refused has left nothing in the list."""
    row = await lab.fresh_row(collection, lab.people.owner)
    if not await _listed(lab, row, row.key):
        raise NotRun("a new row is not on the first page of the list")
    form = form_of(operation, collection)
    body = form.members(await lab.maker.body(lab, operation, row.person, row.place))
    name = _text(form.schema, collection)
    body[name] = CANARY
    refused: list[tuple[str, Probe]] = []
    for number, (_, bad) in enumerate(islice(spoiled(form.schema, body, name), _TRIES)):
        telling = f"{CANARY}{number}-{row.key[:8]}-left"
        sent = form.body({**bad, name: telling})
        probe = await lab.send(row.person, operation, row.place, json=sent)
        if probe.status is not None and not probe.succeeded:
            refused.append((telling, probe))
    if not refused:
        raise NotRun("no row is refused")
    for telling, probe in refused:
        if await _listed(lab, row, telling):
            says = f"{probe.status} for a new row, and it is in the list"
            return CHECK.broken(operation, says, probe, lab.probes[-1], case="refused_row")
    return CHECK.proved(operation, "a refused row leaves nothing", refused[-1][1], case="refused_row")


async def _listed(lab: Lab, row: Row, text: str) -> bool:
    items = await lab.items(row.collection, row.person, row.place)
    return any(text in str(item) for item in items)


def _text(schema: Schema, collection: Collection) -> str:
    """A member that takes any text, by which a row is known again."""
    taken = {reference.member for reference in collection.references}
    for name, each in members(schema).items():
        found = plain(variants(plain(each))[0])
        free = not {"enum", "format"} & set(found) and found.get("maxLength", 99) >= 40
        if "string" in kinds(found) and free and name not in taken and _matches(found.get("pattern", "")):
            return name
    raise NotRun("it has no member that takes any text")


def _matches(pattern: str) -> bool:
    try:
        return re.search(pattern, f"{CANARY}1-2345678-left") is not None
    except re.error:
        return False


CHECK = Check(
    id="HT01",
    name="verbs",
    sentence="What is deleted is gone, a PUT done twice is as one, and what is refused has done nothing.",
    severity=2,
    references=("RFC 9110 §9.2.2", "RFC 9110 §9.3.5", "RFC 5789 §2"),
    remedy="Do all of a request in one transaction, and commit it only when every part has worked.",
    run=run,
)
