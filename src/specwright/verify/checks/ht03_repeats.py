"""HT03: a POST that is sent again under its key is done once."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, fill, parse
from specwright.verify.people.people import Person
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Collection, Operation

_HEADER = "idempotency-key"
_TELLING = 8


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The same request twice, with another body, and by somebody else: where an app takes such keys."""
    for collection in lab.surface.collections:
        create = collection.create
        if create is None or create not in lab.judged:
            continue
        if not _takes_key(create):
            continue
        try:
            async for result in _judged(lab, collection, create):
                yield result
        except NotRun as why:
            yield CHECK.not_run(create, str(why), *why.probes)


async def _judged(lab: Lab, collection: Collection, create: Operation) -> AsyncIterator[Result]:
    owner = lab.people.owner
    place = (await lab.new_row(collection, owner)).place
    body = await lab.maker.body(lab, create, owner, place)
    key = f'"{lab.random.getrandbits(64):016x}"'

    async def send(person: Person, sent: object) -> Probe:
        return await lab.send(person, create, place, json=sent, headers={_HEADER: key})

    first = await send(owner, body)
    if not first.succeeded:
        without = await lab.send(owner, create, place, json=body)
        if without.succeeded:
            says = f"under a new key a request is answered {first.status}, and {without.status} without one"
            yield CHECK.broken(create, says, first, without, case="key")
            return
        raise NotRun("its maker cannot make a row under a key", first)
    if _key(collection, first) is None:
        raise NotRun("what answers a create does not show which row it has made", first)
    again = await send(owner, body)
    if _key(collection, first) != _key(collection, again):
        says = "the same request under the same key makes a second row"
        yield CHECK.broken(create, says, first, again, case="again")
    else:
        yield CHECK.proved(create, "a request sent again is done once", first, again, case="again")
    other = await lab.maker.body(lab, create, owner, place)
    another = await send(owner, other)
    if other == body:
        yield CHECK.not_run(create, "every body for it is the same", another, case="another")
    elif another.succeeded:
        says = f"another request under the same key is answered {another.status}, as if it were the first"
        yield CHECK.broken(create, says, first, another, case="another")
    else:
        yield CHECK.proved(create, "a key is for one request", first, another, case="another")
    for person in lab.people.signed_in:
        if person == owner:
            continue
        theirs = await send(person, body)
        if theirs.succeeded and _key(collection, theirs) == _key(collection, first):
            says = f"{person} is answered with {owner}'s row under a key that {owner} has chosen"
            yield CHECK.broken(create, says, first, theirs, case=person.name)
        else:
            yield CHECK.proved(create, "a key is its sender's own", first, theirs, case=person.name)
    # Rows that are counted may have the same key in two places.
    telling = len(str(_key(collection, first))) >= _TELLING
    async for case, probe in _elsewhere(lab, collection, place, body, key, paths=telling):
        if probe.succeeded and _key(collection, probe) == _key(collection, first):
            says = f"the key {case} is answered with the row that it has made here"
            yield CHECK.broken(create, says, first, probe, case=case)
        else:
            yield CHECK.proved(create, f"the key {case} is another one", first, probe, case=case)
    fresh = await lab.maker.body(lab, create, owner, place)
    key = f'"{lab.random.getrandbits(64):016x}"'
    new = await send(owner, fresh)
    if not new.succeeded or _key(collection, new) == _key(collection, first):
        says = f"a request under another key is answered {new.status}, and makes no row of its own"
        yield CHECK.broken(create, says, first, new, case="key")
    else:
        yield CHECK.proved(create, "another key is another request", first, new, case="key")


async def _elsewhere(
    lab: Lab, collection: Collection, place: Mapping[str, str], body: Any, key: str, *, paths: bool
) -> AsyncIterator[tuple[str, Probe]]:
    """The same request by the same person, where it is another one: for another tenant, on another path."""
    sent = {_HEADER: key}
    if lab.people.elsewhere is not None and collection.create is not None:
        person = lab.people.elsewhere
        yield "in another tenant", await lab.send(person, collection.create, place, json=body, headers=sent)
    for other in lab.surface.collections if paths else ():
        create = other.create
        if create is None or other is collection or not _takes_key(create):
            continue
        if "{" not in fill(create.path, place):
            case = f"in {create.label}"
            yield case, await lab.send(lab.people.owner, create, place, json=body, headers=sent)


def _takes_key(operation: Operation) -> bool:
    return any(parameter.name.lower() == _HEADER for parameter in operation.of("header"))


def _key(collection: Collection, probe: Probe) -> object:
    return collection.shown(parse(probe)).get(collection.member)


CHECK = Check(
    id="HT03",
    name="repeats",
    sentence="A request that is sent again under its idempotency key is done once, and for its sender alone.",
    severity=2,
    references=("draft-ietf-httpapi-idempotency-key-header-07", "CWE-837"),
    remedy="Store key, sender and a digest of the request in the transaction of the work, as a unique key.",
    run=run,
)
