"""AZ07: nobody learns a column that they may not read by sorting, filtering or expanding."""

from collections.abc import AsyncIterator, Iterable

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation

_SORTS = {"sort", "order_by", "orderby", "ordering", "order", "sort_by"}
_EXPANDS = {"include", "expand", "embed", "with", "fields"}
_SECRETS = ("password", "hashed_password", "password_hash", "secret", "token", "api_key", "is_superuser")
_NONSENSE = "no_such_column_7f3a"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Names of columns that no answer shows, where a nonsense name makes a difference."""
    for collection in lab.surface.collections:
        operation = collection.list
        if operation is None:
            continue
        try:
            row = await lab.any_row(collection, lab.people.owner)
        except NotRun as why:
            yield CHECK.not_run(operation, str(why), *why.probes)
            continue
        results = [result async for result in _judged(lab, operation, row)]
        if results:
            for result in results:
                yield result
        else:
            says = f"{collection.name} is sorted and filtered by what it shows"
            yield CHECK.proved(operation, says, lab.probes[-1])


async def _judged(lab: Lab, operation: Operation, row: Row) -> AsyncIterator[Result]:
    person = row.person
    plain = await lab.send(person, operation, row.place)
    if not plain.succeeded:
        return
    hidden = [name for name in _hidden(lab, row) if name not in row.body]
    sorts = [each.name for each in operation.of("query") if each.name.lower() in _SORTS]
    expands = [each.name for each in operation.of("query") if each.name.lower() in _EXPANDS]
    for parameter in sorts:
        nonsense = await lab.send(person, operation, row.place, query={parameter: _NONSENSE})
        if nonsense.succeeded:
            # It takes any name, and so tells nothing by taking one.
            continue
        for name in hidden:
            tried = await lab.send(person, operation, row.place, query={parameter: name})
            if tried.succeeded:
                says = f"the list is sorted by {name}, which it does not show"
                yield CHECK.broken(operation, says, nonsense, tried, case=name)
    for parameter in expands:
        for name in hidden:
            tried = await lab.send(person, operation, row.place, query={parameter: name})
            if tried.succeeded and f'"{name}"' in tried.text:
                says = f"{parameter}={name} shows what the list hides"
                yield CHECK.broken(operation, says, tried, case=f"{parameter} {name}")
    for result in [each async for each in _filtered(lab, operation, row, hidden, plain)]:
        yield result


async def _filtered(
    lab: Lab, operation: Operation, row: Row, hidden: Iterable[str], plain: Probe
) -> AsyncIterator[Result]:
    person = row.person
    if not row.shown_in(plain):
        return
    nonsense = await lab.send(person, operation, row.place, query={_NONSENSE: "x"})
    for name in hidden:
        for parameter in (name, f"{name}__startswith"):
            tried = await lab.send(person, operation, row.place, query={parameter: "zz-nothing"})
            takes = tried.succeeded and not row.shown_in(tried)
            if takes and (not nonsense.succeeded or row.shown_in(nonsense)):
                says = f"the list is filtered by {name}, which it does not show"
                yield CHECK.broken(operation, says, nonsense, tried, case=f"filter {name}")


def _hidden(lab: Lab, row: Row) -> tuple[str, ...]:
    """Columns that may be there: those the manifest hides, and the usual names of secrets."""
    declared: list[str] = []
    if lab.manifest is not None:
        for resource in lab.manifest.served:
            if resource.path == row.collection.name:
                declared = [field.wire for field in resource.fields if field.wire not in row.body]
    return tuple(dict.fromkeys((*declared, *_SECRETS)))


CHECK = Check(
    id="AZ07",
    name="hidden columns",
    sentence="Nobody learns a column that they may not read by sorting, filtering or expanding.",
    severity=3,
    references=("OWASP API3:2023", "ASVS 8.2.3", "CWE-203"),
    remedy="Take the names that may be sorted, filtered and expanded from what the caller is shown.",
    run=run,
)
