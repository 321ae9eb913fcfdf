"""AZ08: a row is found beneath its own parent only, and beneath a foreign parent nothing is."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Result
from specwright.verify.surface.surface import Collection


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner asks for a row beneath another parent of theirs; the stranger lists beneath the owner's."""
    for collection in lab.surface.collections:
        if collection.parent is None:
            continue
        subject = collection.read or collection.list
        if subject is None:
            continue
        try:
            async for result in _judged(lab, collection, lab.surface.collection(collection.parent)):
                yield result
        except NotRun as why:
            yield CHECK.not_run(subject, str(why), *why.probes)


async def _judged(lab: Lab, collection: Collection, parent: Collection) -> AsyncIterator[Result]:
    row = await lab.new_row(collection, lab.people.owner)
    if collection.read is not None:
        other = await lab.new_row(parent, lab.people.owner)
        baseline = await lab.read(row)
        moved = {**row.place, collection.above: other.key}
        tried = await lab.send(row.person, collection.read, moved)
        if not baseline.succeeded:
            yield CHECK.not_run(collection.read, "its maker cannot read it", baseline, case="other parent")
        elif tried.succeeded and row.shown_in(tried):
            says = f"a row of {collection.name} is found beneath a {parent.name} that is not its own"
            yield CHECK.broken(collection.read, says, baseline, tried, case="other parent")
        else:
            says = f"a row of {collection.name} is found beneath its own {parent.name} only"
            yield CHECK.proved(collection.read, says, baseline, tried, case="other parent")
    if collection.list is None:
        return
    stranger = lab.people.stranger
    baseline = await lab.send(row.person, collection.list, row.place)
    tried = await lab.send(stranger, collection.list, row.place)
    meant = lab.policy.may(stranger, collection.list, row)
    if not (baseline.succeeded and row.shown_in(baseline)):
        yield CHECK.not_run(collection.list, "its maker does not find it in the list", baseline)
    elif not (tried.succeeded and row.shown_in(tried)):
        says = f"{stranger} sees nothing beneath {row.person}'s {parent.name}"
        yield CHECK.proved(collection.list, says, baseline, tried, case="foreign parent")
    elif meant is False:
        says = f"{stranger} sees what is beneath {row.person}'s {parent.name}"
        yield CHECK.broken(collection.list, says, baseline, tried, case="foreign parent")


CHECK = Check(
    id="AZ08",
    name="hierarchy",
    sentence="A row is found beneath its own parent only, and nothing beneath a foreign one.",
    severity=2,
    references=("OWASP API1:2023", "ASVS 8.2.2", "CWE-639"),
    remedy="Fetch the row by its key and its parent's, and the parent as the caller.",
    run=run,
)
