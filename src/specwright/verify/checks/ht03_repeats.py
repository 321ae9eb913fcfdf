"""HT03: a POST that is sent again under its key is done once."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, parse
from specwright.verify.people.people import Person
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Collection, Operation

_HEADER = "idempotency-key"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The same request twice, with another body, and by somebody else: where an app takes such keys."""
    for collection in lab.surface.collections:
        create = collection.create
        if create is None or create not in lab.judged:
            continue
        if not any(parameter.name.lower() == _HEADER for parameter in create.of("header")):
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
    fresh = await lab.maker.body(lab, create, owner, place)
    key = f'"{lab.random.getrandbits(64):016x}"'
    new = await send(owner, fresh)
    if not new.succeeded or _key(collection, new) == _key(collection, first):
        says = f"a request under another key is answered {new.status}, and makes no row of its own"
        yield CHECK.broken(create, says, first, new, case="key")
    else:
        yield CHECK.proved(create, "another key is another request", first, new, case="key")


def _key(collection: Collection, probe: Probe) -> object:
    return collection.shown(parse(probe)).get(collection.member, probe.answer)


CHECK = Check(
    id="HT03",
    name="repeats",
    sentence="A request that is sent again under its idempotency key is done once, and for its sender alone.",
    severity=2,
    references=("draft-ietf-httpapi-idempotency-key-header-07", "CWE-837"),
    remedy="Store key, sender and a digest of the request in the transaction of the work, as a unique key.",
    run=run,
)
