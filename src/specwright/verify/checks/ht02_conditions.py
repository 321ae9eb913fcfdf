"""HT02: an entity tag that an app hands out is one that it keeps to."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Collection, Operation

_MODIFIED_SINCE = 304
_FAILED = 412


async def run(lab: Lab) -> AsyncIterator[Result]:
    """A read with the tag that is known, and changes with one that is not the row's any more."""
    for collection in lab.surface.collections:
        if collection.read is None:
            continue
        tried = [(collection.read, _known)]
        if collection.change is not None:
            tried.append((collection.change, _stale))
        if collection.change is not None and collection.delete is not None:
            tried.append((collection.delete, _stale))
        for operation, judged in tried:
            if operation in lab.judged:
                try:
                    async for result in judged(lab, collection, operation):
                        yield result
                except NotRun as why:
                    yield CHECK.not_run(operation, str(why), *why.probes)


async def _known(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    """Who has an answer already is told so, and gets a new one as soon as there is another."""
    row = await lab.new_row(collection, lab.people.owner)
    first = await lab.read(row)
    again = await lab.send(row.person, operation, row.place, headers={"if-none-match": _tag(first)})
    if again.status != _MODIFIED_SINCE:
        says = f"If-None-Match with the tag of the row is answered {again.status}"
        yield CHECK.broken(operation, says, first, again, case="known")
        return
    yield CHECK.proved(operation, "who has the row already is told so", first, again, case="known")
    if collection.change is None:
        return
    changed = await _change(lab, collection.change, row)
    later = await lab.send(row.person, operation, row.place, headers={"if-none-match": _tag(first)})
    if later.status == _MODIFIED_SINCE:
        yield CHECK.broken(operation, "the tag of a row outlives its change", changed, later, case="changed")
    else:
        yield CHECK.proved(operation, "a changed row has another tag", changed, later, case="changed")
    if lab.manifest is not None:
        # Of others nobody knows whether they mean If-Match where nothing is written.
        stale = await lab.send(row.person, operation, row.place, headers={"if-match": _tag(first)})
        if stale.status == _FAILED:
            yield CHECK.proved(operation, "a version that is no more is not read", changed, stale, case="old")
        else:
            says = f"a read of a version that is no more is answered {stale.status}"
            yield CHECK.broken(operation, says, changed, stale, case="old")


async def _stale(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    """Who bases a change on what is no more, overwrites nothing."""
    row = await lab.new_row(collection, lab.people.owner)
    stale = _tag(await lab.read(row))
    assert collection.change is not None, "only rows that can be changed become stale"
    await _change(lab, collection.change, row)
    before = await lab.read(row)
    if _tag(before) == stale:
        raise NotRun("the tag is the same after a change", before)
    refused = await _send(lab, operation, row, {"if-match": stale})
    after = await lab.read(row)
    if refused.succeeded or collection.shown(parse(after)) != collection.shown(parse(before)):
        says = f"If-Match with a tag that the row has no more is answered {refused.status}"
        yield CHECK.broken(operation, says, before, refused, after, case="stale")
        return
    if lab.manifest is not None and refused.status != _FAILED:
        says = f"a change that is based on an older row is answered {refused.status} instead of {_FAILED}"
        yield CHECK.broken(operation, says, before, refused, after, case="stale")
        return
    says = "a change that is based on an older row is refused"
    yield CHECK.proved(operation, says, before, refused, after, case="stale")
    current = await _send(lab, operation, row, {"if-match": _tag(after)})
    if current.status == _FAILED:
        says = "If-Match with the very tag of the row is refused"
        yield CHECK.broken(operation, says, after, current, case="current")


async def _change(lab: Lab, operation: Operation, row: Row) -> Probe:
    changed = await _send(lab, operation, row, {})
    if not changed.succeeded:
        raise NotRun("its maker cannot change the row", changed)
    return changed


async def _send(lab: Lab, operation: Operation, row: Row, headers: dict[str, str]) -> Probe:
    if operation.method == "DELETE":
        return await lab.send(row.person, operation, row.place, headers=headers)
    body = await lab.maker.body(lab, operation, row.person, row.place)
    return await lab.send(row.person, operation, row.place, json=body, headers=headers)


def _tag(probe: Probe) -> str:
    """The entity tag of an answer.

    Raises:
        NotRun: it has none, or a weak one, which is for caches alone.
    """
    found = next((value for name, value in probe.answer_headers if name.lower() == "etag"), "")
    if not found or found.startswith("W/"):
        raise NotRun("a row has no entity tag to be held to", probe)
    return found


CHECK = Check(
    id="HT02",
    name="conditions",
    sentence="A tag that is handed out with a row is kept to: nobody overwrites what they have not seen.",
    severity=2,
    references=("RFC 9110 §13.1", "CWE-362"),
    remedy="Compare If-Match within the UPDATE, as a version in its WHERE; answer 412 when no row was hit.",
    run=run,
)
