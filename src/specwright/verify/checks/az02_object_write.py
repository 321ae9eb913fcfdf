"""AZ02: nobody changes or removes a row that is not theirs to change."""

import re
from collections.abc import AsyncIterator, Mapping, Set
from dataclasses import replace
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.beneath import below_their_own, beneath, loose, on_row
from specwright.verify.result import Probe, Result
from specwright.verify.rows.bulk import about
from specwright.verify.surface.surface import Collection, Operation

_METHODS = ("POST", "PUT", "PATCH", "DELETE")
#: What people do to rows that are not theirs, most often: how its last word begins.
_SOCIAL = re.compile(
    r"/(un)?(join|accept|follow|subscri|claim|redeem|request|apply|vote|up_?vote|like|favou?rit|react|report|star)"
    r"[^/]*$"
)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Everybody tries to change and to remove a row of the owner, who then looks at it again."""
    for collection in lab.surface.collections:
        for operation in (collection.update, collection.replace, collection.delete, *collection.bulk):
            if operation is None or operation not in lab.judged:
                continue
            try:
                maker = await _baseline(lab, collection, operation)
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)
                continue
            for person in (*lab.people.ordinary, ANONYMOUS):
                if person is maker:
                    continue
                try:
                    yield await _judged(lab, collection, operation, person)
                except NotRun as why:
                    yield CHECK.not_run(operation, str(why), *why.probes, case=person.name)
        for operation in beneath(lab, collection, *_METHODS):
            try:
                async for result in _beneath(lab, collection, operation):
                    yield result
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)
    for operation in loose(lab, *_METHODS):
        yield CHECK.not_run(operation, "no row is known that it is about")


async def _baseline(lab: Lab, collection: Collection, operation: Operation) -> Person:
    """Who can, with a row of theirs: a refusal of somebody else would prove nothing otherwise.

    Raises:
        NotRun: they cannot.
    """
    row = await lab.fresh_row(collection, lab.people.owner)
    before = await _seen(lab, row)
    tried = await _try(lab, operation, row, row.person)
    if not tried.succeeded or await _seen(lab, row) == before:
        raise NotRun("its own maker cannot do it", tried)
    return row.person


async def _judged(lab: Lab, collection: Collection, operation: Operation, person: Person) -> Result:
    # A row for each try: what one has done must not hide what the next one does.
    row = await lab.fresh_row(collection, lab.people.owner)
    before = await _seen(lab, row)
    tried = await _try(lab, operation, row, person)
    after = await _seen(lab, row)
    verb = "remove" if operation.method == "DELETE" else "change"
    whose = f"{row.person}'s row of {collection.name}"
    if after == before and (place := await below_their_own(lab, operation, row, person)) is not None:
        tried = await _try(lab, operation, replace(row, place=place), person)
        after = await _seen(lab, row)
    if after == before:
        return CHECK.proved(operation, f"{person} cannot {verb} {whose}", tried, case=person.name)
    meant = lab.policy.may(person, operation, row)
    if meant is False:
        evidence = (tried, lab.probes[-1])
        return CHECK.broken(operation, f"{person} can {verb} {whose}", *evidence, case=person.name)
    if meant is None:
        who = "anybody" if person.anonymous else "everybody who is signed in"
        question = f"{who} can {verb} every row of {collection.name}: is that meant?"
        return CHECK.ask(operation, question, tried)
    says = f"{person} may {verb} {whose}, as it is meant"
    return CHECK.proved(operation, says, tried, case=person.name)


async def _beneath(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    """What is done to a row beneath its key, by its maker and then by everybody else, with a row for each."""
    row = await lab.fresh_row(collection, lab.people.owner)
    request = await on_row(lab, operation, row)
    before, again = await _views(lab, row), await _views(lab, row)
    own = await request.sent(lab, row.person)
    if not own.succeeded:
        raise NotRun("its own maker cannot do it", own)
    after = await _views(lab, row)
    # What another look changes, or time, says nothing of what was done.
    telling = {view for view in before if before[view] == again[view] != after.get(view)}
    for person in (*lab.people.ordinary, ANONYMOUS):
        if person is not row.person:
            yield await _done(lab, collection, operation, person, telling)


async def _done(
    lab: Lab, collection: Collection, operation: Operation, person: Person, telling: Set[str]
) -> Result:
    row = await lab.fresh_row(collection, lab.people.owner)
    request = await on_row(lab, operation, row)
    before = await _views(lab, row)
    tried = await request.sent(lab, person)
    after = await _views(lab, row)
    does = f"{operation.method} /{operation.path.rpartition('/')[2]} on"
    whose = f"{row.person}'s row of {collection.name}"
    changed = any(before.get(view) != after.get(view) for view in telling)
    if not (changed if telling else tried.succeeded):
        return CHECK.proved(operation, f"{person} cannot {does} {whose}", tried, case=person.name)
    meant = lab.policy.may(person, operation, row)
    if meant:
        return CHECK.proved(
            operation, f"{person} may {does} {whose}, as it is meant", tried, case=person.name
        )
    if meant is False and changed and not _SOCIAL.search(operation.path):
        evidence = (tried, lab.probes[-1])
        return CHECK.broken(operation, f"{person} can {does} {whose}", *evidence, case=person.name)
    who = "anybody" if person.anonymous else "everybody who is signed in"
    return CHECK.ask(operation, f"{who} can {does} every row of {collection.name}: is that meant?", tried)


async def _views(lab: Lab, row: Row) -> dict[str, Any]:
    """Everything that the row's owner sees of it: the row, and what else is to be read beneath its key."""
    views: dict[str, Any] = {}
    for operation in row.collection.others:
        if operation.method == "GET":
            try:
                probe = await (await on_row(lab, operation, row)).sent(lab, row.person)
            except NotRun:
                continue
            views[operation.label] = probe.answer if probe.succeeded else probe.status
    views[""] = await _seen(lab, row)
    return views


async def _try(lab: Lab, operation: Operation, row: Row, person: Person) -> Probe:
    if operation in row.collection.bulk:
        sent = await about(lab, operation, row)
        return await lab.send(
            person, operation, row.place, query=sent.query, headers=sent.headers, json=sent.json
        )
    if operation.method == "DELETE":
        return await lab.send(person, operation, row.place)
    changes = await lab.maker.body(lab, operation, row.person, row.place)
    return await lab.send(person, operation, row.place, json=changes)


async def _seen(lab: Lab, row: Row) -> Mapping[str, Any] | None:
    """The row as its owner sees it now; None when it is gone.

    Raises:
        NotRun: it was never to be seen.
    """
    if row.collection.read is not None:
        probe = await lab.read(row)
        found = parse(probe)
        return found if probe.succeeded else None
    for item in await lab.items(row.collection, row.person, row.place):
        if isinstance(item, dict) and str(item.get(row.collection.member)) == row.key:
            return item
    return None


CHECK = Check(
    id="AZ02",
    name="object write",
    sentence="Nobody changes or removes a row that is not theirs to change.",
    severity=3,
    references=("OWASP API1:2023", "ASVS 8.2.2", "CWE-639"),
    remedy="Put the caller into the WHERE of the UPDATE and DELETE, and answer 404 when no row was hit.",
    run=run,
)
