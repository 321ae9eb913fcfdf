"""SS01: no URL that somebody sends makes the app ask its own network."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from specwright.model.names import snake
from specwright.verify.canary import Canary, canary
from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.rows.spots import Spot, sending, spots
from specwright.verify.surface.schemas import kinds, plain, variants
from specwright.verify.surface.surface import Operation

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


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The URL of a server of ours, with a path that nobody knows, wherever a URL is taken.

    Raises:
        NotRun: nothing takes one.
    """
    taking = [each for each in lab.judged if any(map(_takes_a_url, spots(each)))]
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
    send = await sending(lab, operation)
    for spot in filter(_takes_a_url, spots(operation)):
        name = spot.name
        sent[name] = []
        for host in _HOSTS:
            word = f"{lab.random.getrandbits(64):016x}"
            probe = await send(spot, f"http://{host}:{urlsplit(ours.url).port}/{word}")
            sent[name].append((word, probe))
            if probe.succeeded or _heard(ours, word):
                break
        else:
            harmless[name] = await send(spot, _ELSEWHERE)
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


def _takes_a_url(spot: Spot) -> bool:
    words = set(snake(str(next(step for step in reversed(spot.steps) if step != 0))).split("_"))
    words |= {word.removesuffix("s") for word in words}
    named = bool(words & _NAMES) and not words & _ABOUT
    for each in map(plain, variants(plain(spot.schema))):
        if "enum" in each or "const" in each or not {"string"} >= set(kinds(each)):
            continue
        if each.get("format") in _FORMATS or (named and "format" not in each):
            return True
    return False


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
