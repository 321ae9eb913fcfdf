"""SS01: no URL that somebody sends makes the app ask its own network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

from specwright.model.names import snake
from specwright.verify.canary import Canary, canary
from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.rows.steps import Steps
from specwright.verify.surface.schemas import element, kinds, members, plain, variants
from specwright.verify.surface.surface import Operation, Schema

#: This machine, as an app that looks for its names may know it, and as it may not.
_HOSTS = ("127.0.0.1", "localhost", "2130706433")
#: What is no address of this machine.
_ELSEWHERE = "https://example.com/canary"
_FORMATS = frozenset({"uri", "url", "iri", "uri-reference", "iri-reference"})
_NAMES = {
    *("avatar", "callback", "endpoint", "feed", "homepage", "href", "icon", "image", "link", "logo", "photo"),
    *("picture", "uri", "url", "webhook", "website"),
}
#: What says of a member that it is something about a URL: `image_id`, `link_text`.
_ABOUT = {
    *("alt", "caption", "count", "description", "format", "id", "ids", "kind", "name", "size", "status"),
    *("text", "title", "type"),
}
#: Seconds for what an app does after its answer.
_AFTERWARDS = 0.3
_DEEP = 3

#: Sends the request with this URL in one place.
Send = Callable[[str], Awaitable[Probe]]


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The URL of a server of ours, with a path that nobody knows, wherever a URL is taken.

    Raises:
        NotRun: nothing takes one.
    """
    taking = [each for each in lab.judged if [*_places(each)]]
    if not taking:
        raise NotRun("no member and no parameter is said to be a URL")
    async with canary() as ours:
        for operation in taking:
            try:
                async for result in _judged(lab, operation, ours):
                    yield result
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)


async def _judged(lab: Lab, operation: Operation, ours: Canary) -> AsyncIterator[Result]:
    sent: dict[str, list[tuple[str, Probe]]] = {}
    harmless: dict[str, Probe] = {}
    async for name, send in _senders(lab, operation):
        sent[name] = []
        for host in _HOSTS:
            word = f"{lab.random.getrandbits(64):016x}"
            probe = await send(f"http://{host}:{urlsplit(ours.url).port}/{word}")
            sent[name].append((word, probe))
            if probe.succeeded or _heard(ours, word):
                break
        else:
            harmless[name] = await send(_ELSEWHERE)
    await asyncio.sleep(_AFTERWARDS)
    for name, tries in sent.items():
        probe = tries[-1][1]
        asked = next((each for each in tries if _heard(ours, each[0])), None)
        if asked is not None:
            says = f"the app asks for the URL in {name}, although it leads to the app's own machine"
            line = next(each for each in ours.asked if asked[0] in each)
            yield CHECK.broken(operation, says, asked[1], case=name).because(f"it asked: {line}")
        elif probe.succeeded:
            yield CHECK.proved(operation, f"the app does not ask for the URL in {name}", probe, case=name)
        elif harmless[name].succeeded:
            says = f"{name} takes a URL, and none of the app's own machine"
            yield CHECK.proved(operation, says, harmless[name], probe, case=name)
        else:
            yield CHECK.not_run(operation, f"no URL is taken in {name}", harmless[name], probe, case=name)


def _heard(ours: Canary, word: str) -> bool:
    return any(word in line for line in ours.asked)


async def _senders(lab: Lab, operation: Operation) -> AsyncIterator[tuple[str, Send]]:
    """Each place for a URL, by its name, with how to send one there.

    Raises:
        NotRun: a row that the request needs cannot be made.
    """
    used = lab.coverage().get(operation.label, ())
    person = next((each for each in lab.people.signed_in if each.name in used), lab.people.owner)
    place: Mapping[str, str] = {}
    for collection in lab.surface.collections:
        if "{" in operation.path and any(each.label == operation.label for each in collection.operations):
            row = await lab.any_row(collection, person)
            person, place = row.person, row.place
    query, headers = lab.maker.asked(operation, person)
    body = await lab.maker.body(lab, operation, person, place) if operation.body is not None else ...

    for where, steps in _places(operation):

        async def send(url: str, where: str = where, steps: Steps = steps) -> Probe:
            if where == "query":
                name = str(steps[0])
                asked = [*((each, value) for each, value in query if each != name), (name, url)]
                return await lab.send(person, operation, place, query=asked, headers=headers, json=body)
            changed = _with(body, steps, url)
            return await lab.send(person, operation, place, query=query, headers=headers, json=changed)

        yield ".".join(str(step) for step in steps if step != 0), send


def _places(operation: Operation) -> Iterator[tuple[str, Steps]]:
    for parameter in operation.of("query"):
        if _takes_a_url(parameter.name, parameter.schema):
            yield "query", (parameter.name,)
    for steps in _members(operation.body, ()):
        yield "body", steps


def _members(schema: Schema | None, above: Steps) -> Iterator[Steps]:
    for name, each in members(schema).items():
        item = element(each)
        steps = (*above, name) if item is None else (*above, name, 0)
        inner = each if item is None else item
        if _takes_a_url(name, inner):
            yield steps
        elif len(steps) < _DEEP:
            yield from _members(inner, steps)


def _takes_a_url(name: str, schema: Schema) -> bool:
    words = set(snake(name).split("_"))
    words |= {word.removesuffix("s") for word in words}
    named = bool(words & _NAMES) and not words & _ABOUT
    for each in map(plain, variants(plain(schema))):
        if "enum" in each or "const" in each or not {"string"} >= set(kinds(each)):
            continue
        if each.get("format") in _FORMATS or (named and "format" not in each):
            return True
    return False


def _with(body: Any, steps: Steps, value: str) -> Any:
    """The body with a value in one place; what it lacks on the way there is made."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        items = deepcopy(body) if isinstance(body, list) and body else [None]
        return [_with(items[0], tuple(rest), value), *items[1:]]
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    return {**given, step: _with(given.get(step), tuple(rest), value)}


CHECK = Check(
    id="SS01",
    name="SSRF",
    sentence="No URL that somebody sends makes the app ask its own machine or network.",
    severity=2,
    references=("OWASP API7:2023", "ASVS 1.3.6", "CWE-918"),
    remedy="Resolve the host first, refuse addresses that are not public, and connect to the one that was "
    "checked; follow no redirects.",
    run=run,
)
