"""IN01: nothing that a request says becomes a part of a statement."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl, urlsplit

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.result import Probe, Result
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.surface import Collection, Operation

#: A word that is in a statement only when the statement was put together with it.
_CANARY = "zq7f3a"
_QUOTED = f"{_CANARY}'x"
_ALWAYS = f"{_CANARY}' OR '1'='1"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """A word with a quote in each text parameter and sort key, and in each text of a body."""
    for collection in lab.surface.collections:
        try:
            row = await lab.any_row(collection, lab.people.owner)
        except NotRun as why:
            for operation in collection.operations[:1]:
                yield CHECK.not_run(operation, str(why), *why.probes)
            continue
        for operation in collection.operations:
            async for result in _parameters(lab, operation, row):
                yield result
            if operation in (collection.create, collection.update, collection.replace):
                async for result in _members(lab, collection, operation, row):
                    yield result
    known = {operation.label for each in lab.surface.collections for operation in each.operations}
    for operation in lab.surface.operations:
        if operation.label not in known and operation.method == "GET" and "{" not in operation.path:
            async for result in _parameters(lab, operation, None):
                yield result


def injected(lab: Lab, operation: Operation) -> tuple[str, ...]:
    """The parameters in the query that this check has seen in a statement."""
    names = [
        name
        for probe in lab.probes
        if probe.operation is not None and probe.operation.label == operation.label
        for name, value in parse_qsl(urlsplit(probe.path).query)
        if _CANARY in value and _spoken(probe)
    ]
    return tuple(dict.fromkeys(names))


async def _parameters(lab: Lab, operation: Operation, row: Row | None) -> AsyncIterator[Result]:
    if operation.method not in ("GET", "HEAD"):
        return
    person = row.person if row is not None else lab.people.owner
    place: Mapping[str, str] = row.place if row is not None else {}
    for parameter in operation.of("query"):
        if parameter.schema.get("type") in ("integer", "number", "boolean"):
            continue
        harmless = await lab.send(person, operation, place, query={parameter.name: _CANARY})
        tried = await lab.send(person, operation, place, query={parameter.name: _QUOTED})
        found = _spoken(harmless) or _spoken(tried) or _stumbles(harmless, tried)
        if not found and tried.succeeded and not tried.statements:
            # The statement is not seen; what it finds is.
            always = await lab.send(person, operation, place, query={parameter.name: _ALWAYS})
            found = _opens(row, harmless, always)
        yield _said(operation, parameter.name, found, harmless, tried)


async def _members(lab: Lab, collection: Collection, operation: Operation, row: Row) -> AsyncIterator[Result]:
    form = form_of(operation, collection)
    sent = form.members(await lab.maker.body(lab, operation, row.person, row.place))
    for name, value in sent.items():
        if not isinstance(value, str):
            continue
        harmless, tried = [
            await lab.send(row.person, operation, row.place, json=form.body({**sent, name: text}))
            for text in (_CANARY, _QUOTED)
        ]
        found = _spoken(harmless) or _spoken(tried) or _stumbles(harmless, tried)
        yield _said(operation, name, found, harmless, tried)


def _spoken(probe: Probe) -> str:
    """A statement that has the word in it: parameters travel beside a statement."""
    statement = next((each for each in probe.statements or () if _CANARY in each), "")
    return f"the statement is put together with it: {' '.join(statement.split())[:200]}" if statement else ""


def _stumbles(harmless: Probe, tried: Probe) -> str:
    fails = (tried.status or 500) >= 500 > (harmless.status or 500)
    return f"a quote makes it answer {tried.status or tried.trouble}" if fails else ""


def _opens(row: Row | None, harmless: Probe, always: Probe) -> str:
    """Whether a condition that always holds finds what the word does not."""
    if row is None or not (harmless.succeeded and always.succeeded):
        return ""
    opened = row.shown_in(always) and not row.shown_in(harmless)
    return "a condition that always holds finds every row" if opened else ""


def _said(operation: Operation, name: str, found: str, *probes: Probe) -> Result:
    if found:
        return CHECK.broken(operation, f"{name} is read as SQL: {found}", *probes, case=name)
    return CHECK.proved(operation, f"{name} is a value, whatever it holds", *probes, case=name)


CHECK = Check(
    id="IN01",
    name="injection",
    sentence="Nothing that a request says becomes a part of a statement.",
    severity=3,
    references=("OWASP API8:2023", "ASVS 1.2.4", "CWE-89"),
    remedy="Send values beside the statement, as its parameters; take sort keys from a list of your own.",
    run=run,
)
