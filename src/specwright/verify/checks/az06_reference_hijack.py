"""AZ06: nobody points a row of theirs at a row that they may not see."""

from collections.abc import AsyncIterator
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.result import Probe, Result
from specwright.verify.rows.bulk import takes_many
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.surface import Collection, Operation, Reference


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The stranger makes, and changes, a row that refers to a row of the owner."""
    for collection in lab.surface.collections:
        for reference in collection.references:
            for operation in (collection.create, collection.change):
                if operation is None:
                    continue
                in_lists = operation is collection.create and takes_many(operation)
                for many in (False, True)[: 1 + in_lists]:
                    case = f"{reference.member} in a list" if many else reference.member
                    try:
                        yield await _judged(lab, collection, reference, operation, case, many=many)
                    except NotRun as why:
                        yield CHECK.not_run(operation, str(why), *why.probes, case=case)


async def _judged(
    lab: Lab, collection: Collection, reference: Reference, operation: Operation, case: str, *, many: bool
) -> Result:
    stranger = lab.people.stranger
    target = lab.surface.collection(reference.collection)
    foreign = await lab.new_row(target, lab.people.owner)
    own = await lab.new_row(target, stranger)
    readable = None
    if target.read is not None:
        readable = lab.policy.may(stranger, target.read, foreign)
        if readable is None:
            readable = (await lab.read(foreign, stranger)).succeeded
    if readable is not False:
        return CHECK.not_run(operation, f"the stranger may see every row of {target.name}", case=case)
    row = await lab.new_row(collection, stranger)
    baseline = await _pointed(lab, row, reference, operation, own, many=many)
    if not baseline.succeeded:
        raise NotRun(f"a row of one's own is not taken as {reference.member} either", baseline)
    tried = await _pointed(lab, row, reference, operation, foreign, many=many)
    if tried.succeeded and foreign.key in tried.text:
        says = f"{stranger} can point {reference.member} of {collection.name} at a row of {foreign.person}"
        return CHECK.broken(operation, says, baseline, tried, case=case)
    says = f"{reference.member} takes no row that the caller cannot see"
    return CHECK.proved(operation, says, baseline, tried, case=case)


async def _pointed(
    lab: Lab, row: Row, reference: Reference, operation: Operation, target: Row, *, many: bool
) -> Probe:
    """The answer to a body that refers to a row, or to a list of one such body."""
    form = form_of(operation, row.collection)
    sent = form.members(await lab.maker.body(lab, operation, row.person, row.place))
    sent[reference.member] = _value(reference, target)
    body = form.body(sent)
    return await lab.send(row.person, operation, row.place, json=[body] if many else body)


def _value(reference: Reference, row: Row) -> Any:
    key = row.body.get(row.collection.member, row.key)
    return [key] if reference.many else key


CHECK = Check(
    id="AZ06",
    name="reference hijack",
    sentence="Nobody points a row of theirs at a row that they may not see.",
    severity=3,
    references=("OWASP API1:2023", "ASVS 8.2.2", "CWE-639"),
    remedy="Look up what a body refers to as the caller, and refuse it as if it were missing.",
    run=run,
)
