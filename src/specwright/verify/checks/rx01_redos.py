"""RX01: no text makes a regular expression take much longer than its length."""

import ast
import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from specwright.model.errors import Origin
from specwright.verify.check import Check
from specwright.verify.code.backtracking import Attack, attack, grows
from specwright.verify.code.expressions import Expression, expressions
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.known_secrets import project_files
from specwright.verify.result import Probe, Result
from specwright.verify.rows.spots import Send, Spot, sending, spots
from specwright.verify.surface.schemas import kinds, plain, variants
from specwright.verify.surface.surface import Operation

#: The part of the seconds that an expression takes by itself for an app to be held to take them too.
_PART = 0.7
#: How often a text is sent; the fastest counts.
_TRIES = 3
#: Of more expressions that are slow, the first.
_MOST = 10


@dataclass(frozen=True, slots=True)
class _Slow:
    """An expression that can be made slow."""

    pattern: str
    attack: Attack
    #: Where it stands in the code; None of one that the OpenAPI document has.
    where: Origin | None = None


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Texts that make the app's own expressions slow, if there are any, in each place for a text.

    Raises:
        NotRun: there are no expressions.
    """
    written = await _written(lab)
    declared = {
        pattern for operation in lab.judged for spot in spots(operation) for pattern in _patterns(spot)
    }
    if not written and not declared:
        raise NotRun("there is no regular expression in the code, nor in the OpenAPI document")
    slow = await asyncio.to_thread(lambda: [*_slow(written, declared)])
    if not slow:
        count = len(declared | {each.pattern for _, each in written})
        yield CHECK.proved("the app", f"none of {count} regular expressions can be made slow")
        return
    seen: set[str] = set()
    for operation in lab.judged:
        if operation.method == "DELETE":
            continue
        try:
            async for result, pattern in _judged(lab, operation, slow):
                seen.add(pattern)
                yield result
        except NotRun as why:
            yield CHECK.not_run(operation, str(why), *why.probes)
    for each in slow:
        if each.where is not None and each.pattern not in seen:
            says = f"it can be made slow: {_told(each)}"
            yield replace(CHECK.suspected(str(each.where), says, case=each.pattern), source=each.where)


async def _judged(lab: Lab, operation: Operation, slow: list[_Slow]) -> AsyncIterator[tuple[Result, str]]:
    """What broke, with the expression that broke it; and what is declared and holds."""
    send: Send | None = None
    for spot in filter(_takes_text, spots(operation)):
        for each in slow:
            own = each.pattern in _patterns(spot)
            if (each.where is None and not own) or not _fits(spot, each.attack):
                continue
            send = send or await sending(lab, operation)
            probe = await _slowed(send, spot, each.attack)
            case = f"{spot.name} {each.pattern}"
            if probe is not None:
                length = len(each.attack.text(each.attack.seconds[-1][0]))
                says = f"{length} characters in {spot.name} take {probe.seconds:.1f} seconds"
                broken = CHECK.broken(operation, says, probe, case=case, cause=each.pattern)
                where = f" at {each.where}" if each.where is not None else ""
                yield broken.because(f"{each.pattern}{where}: {_told(each)}"), each.pattern
            elif own:
                says = f"{spot.name} takes no longer for what may make its pattern slow"
                yield CHECK.proved(operation, says, case=case), each.pattern


async def _slowed(send: Send, spot: Spot, tried: Attack) -> Probe | None:
    """The slowest request, if the app takes as long as the expression does, and as much longer each time."""
    (most, least), *_ = reversed(tried.seconds)
    first = await send(spot, tried.text(most))
    if first.seconds < _PART * least:
        return None
    short = min([(await send(spot, tried.text(1))).seconds for _ in range(_TRIES)])
    seconds = []
    for times, by_itself in tried.seconds:
        taken = min([(await send(spot, tried.text(times))).seconds for _ in range(_TRIES)]) - short
        if taken < _PART * by_itself:
            return None
        seconds.append((times, taken))
    return first if grows(seconds) else None


def _told(slow: _Slow) -> str:
    (few, soon), _, (many, late) = slow.attack.seconds
    lengths = len(slow.attack.text(few)), len(slow.attack.text(many))
    return f"{lengths[0]} characters take {soon:.3f} seconds, {lengths[1]} take {late:.3f}"


def _slow(written: list[tuple[Origin, Expression]], declared: set[str]) -> Iterator[_Slow]:
    tried: dict[str, Attack | None] = {}
    for where, each in written:
        if each.pattern not in tried and sum(map(bool, tried.values())) < _MOST:
            found = tried[each.pattern] = attack(each.pattern, each.flags, each.method)
            if found is not None:
                yield _Slow(each.pattern, found, where)
    for pattern in sorted(declared - tried.keys()):
        found = attack(pattern, method="search")
        if found is not None:
            yield _Slow(pattern, found)


async def _written(lab: Lab) -> list[tuple[Origin, Expression]]:
    if lab.folder is None:
        return []
    files = await project_files(lab.folder)
    return await asyncio.to_thread(lambda folder: [*_read(files, folder)], lab.folder)


def _read(files: list[Path], folder: Path) -> Iterator[tuple[Origin, Expression]]:
    for file in files:
        name = file.relative_to(folder)
        if file.suffix == ".py" and not any("test" in part for part in name.parts):
            try:
                tree = ast.parse(file.read_bytes())
            except (SyntaxError, ValueError):
                continue
            yield from ((Origin(str(name), each.line), each) for each in expressions(tree))


def _patterns(spot: Spot) -> set[str]:
    found = (plain(each).get("pattern") for each in variants(plain(spot.schema)))
    return {pattern for pattern in found if isinstance(pattern, str)}


def _takes_text(spot: Spot) -> bool:
    return any(
        {"string"} >= set(kinds(each)) and not {"enum", "const", "format"} & each.keys()
        for each in map(plain, variants(plain(spot.schema)))
    )


def _fits(spot: Spot, tried: Attack) -> bool:
    length = len(tried.text(tried.seconds[-1][0]))
    bounds = (plain(each).get("maxLength", length) for each in variants(plain(spot.schema)))
    return any(length <= bound for bound in bounds)


CHECK = Check(
    id="RX01",
    name="ReDoS",
    sentence="No text makes a regular expression take much longer than its length.",
    severity=1,
    references=("OWASP API4:2023", "ASVS 1.3.12", "CWE-1333"),
    remedy="Write the expression so that each text is matched in one way only, without a repeat in a repeat, "
    "and bound the length of the text first.",
    run=run,
)
