"""IV01: whatever is sent, the app does not fail."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from specwright.verify.check import Check
from specwright.verify.checks.in01_injection import injected
from specwright.verify.failures import Failure
from specwright.verify.incidents import SPARED
from specwright.verify.lab import Lab, NotRun, fill
from specwright.verify.people.people import Person
from specwright.verify.result import Probe, Result
from specwright.verify.rows.corpus import BODIES, SEGMENTS, kind_of, named, texts, values
from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Collection, Operation

#: How many hard values a member gets when another of its kind has had them all.
_SAMPLE = 6
#: Of more parameters than this, which one piece of code reads most often, each gets one.
_MANY = 12
#: Odd requests of one cause that are told besides the first.
_TOLD = 5
#: Members that a person signs in with: once they are odd, nobody may get in any more.
_NAMING = {"username", "email", "login", "password"}


@dataclass(frozen=True, slots=True)
class _Odd:
    """What is odd about a request: a value, and the member or parameter that has it."""

    what: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.what} as {self.name}" if self.name else self.what


@dataclass(frozen=True, slots=True)
class _Failed:
    """An odd request that made the app fail."""

    probe: Probe
    odd: _Odd
    failure: Failure
    why: str


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Bodies that are no JSON, hard values for each member and parameter, odd segments of paths."""
    for operation in lab.judged:
        collection = _whose(lab, operation)
        try:
            place = await _place(lab, operation, collection)
        except NotRun as reason:
            yield CHECK.not_run(operation, str(reason), *reason.probes)
            continue
        failed: dict[str, list[_Failed]] = {}
        sent, told = 0, injected(lab, operation)
        async for probe, odd in _sent(lab, operation, collection, place):
            sent += 1
            why = await _behind(lab, probe)
            if why is not None:
                await lab.revive()
            if why is not None and odd.name not in told:
                failure = Failure.read(why)
                failed.setdefault(failure.cause, []).append(_Failed(probe, odd, failure, why))
        for cause, cases in failed.items():
            yield _broken(operation, cause, cases)
        for name in told:
            yield CHECK.not_run(operation, f"{name} is read as SQL, which IN01 tells", case=name)
        if not failed and sent and not lab.incidents.of(operation.label):
            yield CHECK.proved(operation, f"none of {sent} odd requests made it fail")


def _broken(operation: Operation, cause: str, cases: Sequence[_Failed]) -> Result:
    first = cases[0]
    answers = first.probe.status or first.probe.trouble
    found = CHECK.broken(
        operation,
        f"{first.odd} makes {operation.label} answer {answers}",
        first.probe,
        case=cause,
        cause=cause,
    )
    found = replace(found, source=first.failure.place or found.source, remedy=first.failure.remedy)
    if first.why:
        found = found.because(first.why[:300])
    others = list(dict.fromkeys(str(each.odd) for each in cases[1:]))
    return found.because(f"so do {', '.join(others[:_TOLD])}{_more(others)}") if others else found


def _more(others: Sequence[str]) -> str:
    return f" and {len(others) - _TOLD} more" if len(others) > _TOLD else ""


async def _sent(
    lab: Lab, operation: Operation, collection: Collection | None, place: Mapping[str, str]
) -> AsyncIterator[tuple[Probe, _Odd]]:
    person = _whoever_may(lab, operation)
    for name in place:
        for segment in SEGMENTS:
            rest = {each: value for each, value in place.items() if each != name}
            path = fill(operation.path, rest).replace(f"{{{name}}}", segment)
            probe = Probe(person, operation.method, path, operation=operation)
            yield await lab.sent(probe), _Odd(named(segment), name)
    met: set[str] = set()
    parameters = [*operation.of("query")]
    few = _SAMPLE if len(parameters) <= _MANY else 1
    for parameter in parameters:
        kind, seed = kind_of(parameter.schema), f"{operation.label} {parameter.name}"
        for value in _chosen(texts(kind), kind, met, seed, few):
            asked = f"{quote(parameter.name)}={quote(value, errors='surrogatepass')}"
            path = f"{fill(operation.path, place)}?{asked}"
            probe = Probe(person, operation.method, path, operation=operation)
            yield await lab.sent(probe), _Odd(named(value), parameter.name)
    if operation.body is None:
        return
    if "json" in operation.media:
        for what, content in BODIES.items():
            headers = {"content-type": "application/json"}
            probe = await lab.send(person, operation, place, content=content, headers=headers)
            yield probe, _Odd(f"a body with {what}")
    async for content, odd in _odd(lab, operation, collection, place, person):
        headers = {"content-type": operation.media}
        yield await lab.send(person, operation, place, content=content, headers=headers), odd


async def _odd(
    lab: Lab,
    operation: Operation,
    collection: Collection | None,
    place: Mapping[str, str],
    person: Person,
) -> AsyncIterator[tuple[bytes, _Odd]]:
    """Bodies that are right but for one member."""
    try:
        body = await lab.maker.body(lab, operation, person, place)
    except NotRun:
        return
    shown = members(operation.body)
    wrapping = next(iter(shown)) if len(shown) == 1 and isinstance(body.get(next(iter(shown))), dict) else ""
    inner = body[wrapping] if wrapping else body
    met: set[str] = set()
    for name, schema in (members(shown[wrapping]) if wrapping else shown).items():
        if name in _NAMING and collection is None and operation.method in ("PUT", "PATCH"):
            continue
        kind = kind_of(schema)
        for value in _chosen(values(kind), kind, met, f"{operation.label} {name}", _SAMPLE):
            spoilt: dict[str, Any] = {**inner, name: value}
            content = _encoded({wrapping: spoilt} if wrapping else spoilt, operation.media)
            if content is not None:
                yield content, _Odd(named(value), name)


def _chosen(every: Sequence[Any], kind: str, met: set[str], seed: str, few: int) -> Sequence[Any]:
    """All values for the first member of a kind, then a few, the same ones each time."""
    if kind in met:
        return Random(seed).sample(every, min(few, len(every)))
    met.add(kind)
    return every


def _encoded(body: Mapping[str, Any], media: str) -> bytes | None:
    if "json" in media:
        return json.dumps(body).encode()
    if media == "application/x-www-form-urlencoded":
        return urlencode(body, doseq=True, errors="surrogatepass").encode()
    return None


def _whose(lab: Lab, operation: Operation) -> Collection | None:
    return next(_having(lab, operation), None)


def _having(lab: Lab, operation: Operation) -> Iterator[Collection]:
    for collection in lab.surface.collections:
        if any(each.label == operation.label for each in collection.operations):
            yield collection


def _whoever_may(lab: Lab, operation: Operation) -> Person:
    """The first who was answered with a success so far: a refusal comes before anything odd is looked at."""
    used = lab.coverage().get(operation.label, ())
    return next((person for person in lab.people.signed_in if person.name in used), lab.people.owner)


async def _place(lab: Lab, operation: Operation, collection: Collection | None) -> dict[str, str]:
    names = [parameter.name for parameter in operation.of("path")]
    if names and collection is not None:
        place = (await lab.any_row(collection, lab.people.owner)).place
        return {name: place.get(name, "1") for name in names}
    return dict.fromkeys(names, "1")


async def _behind(lab: Lab, probe: Probe) -> str | None:
    """The exception behind a failure, "" where none is seen; None where there is none for us to tell."""
    if probe.status is not None and (probe.status < 500 or _asks_for_time(probe)):
        return None
    if probe.trouble == SPARED or lab.incidents.by(probe):
        return None
    if lab.inside is None:
        # Whoever refuses a body before its end may close the connection.
        return None if probe.status is None and probe.body else ""
    raised = (await lab.inside.observed(probe.mark)).raised
    if raised:
        return raised[-1]
    unharmed = probe.status is None and lab.inside.alive and "broke" in probe.trouble
    return None if unharmed else ""


def _asks_for_time(probe: Probe) -> bool:
    return probe.status == 503 and any(name.lower() == "retry-after" for name, _ in probe.answer_headers)


CHECK = Check(
    id="IV01",
    name="never 5xx",
    sentence="Whatever is sent, the answer is no 5xx, and the app goes on.",
    severity=3,
    references=("OWASP API8:2023", "ASVS 2.2.1", "CWE-20"),
    remedy="Refuse with a 422 what cannot be worked on: give members the types and the bounds that the code"
    " and the database have.",
    run=run,
)
