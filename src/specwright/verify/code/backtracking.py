"""Regular expressions that take much longer for a text that is a little longer (CWE-1333).

Texts that may do so are made of the expression's own parts, and tried on it here. The time of the processor
counts, in which the load of the machine is not.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice, pairwise, product
from math import log
from typing import Any

#: Seconds that a text must take before it is held against the expression.
SLOW = 0.2
#: Characters of the longest text.
LONGEST = 2_000
#: The power of the length by which the time grows: 1 is linear, 2 square; more than any noise makes of 1.
GROWTH = 1.6
_ENDINGS = ("!", "\x00", "")
_STEP = 1.15
_MOST = 60
_MANY = 100

#: Says whether a text matches.
Match = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that gets longer by one part of it, and what it takes at three lengths, the last one slow."""

    head: str
    pump: str
    tail: str
    #: By how often the part is there, seconds.
    seconds: tuple[tuple[int, float], ...] = ()

    def text(self, times: int) -> str:
        """The text with so many of the part."""
        return self.head + self.pump * times + self.tail


def attack(pattern: str, flags: int = 0, method: str = "match") -> Attack | None:
    """What makes an expression slow; None where nothing is found that does, or it is none.

    `method` is that of a compiled expression: match, fullmatch, search.
    """
    try:
        compiled = re.compile(pattern, flags)
        parsed = import_module("re._parser").parse(pattern, flags)
    except (re.error, RecursionError, OverflowError):
        return None
    tried: Match = getattr(compiled, method)
    for head, pump, tail in islice(dict.fromkeys(_candidates([*parsed])), _MOST):
        found = _slow(tried, Attack(head, pump, tail))
        # Twice: whatever else the machine did the first time, it does not do again.
        if found is not None and _slow(tried, found) is not None:
            return found
    return None


def grows(seconds: Sequence[tuple[int, float]]) -> bool:
    """Whether the time grows faster than the length, from each length to the next."""
    return all(
        later > 0 and log(later / max(sooner, 1e-7)) / log(longer / shorter) >= GROWTH
        for (shorter, sooner), (longer, later) in pairwise(seconds)
    )


def _slow(match: Match, tried: Attack) -> Attack | None:
    """The text with its times, where it is slow."""
    times, seen = 4, list[tuple[int, float]]()
    while len(text := tried.text(times)) <= LONGEST:
        began = time.thread_time()
        match(text)
        seen.append((times, time.thread_time() - began))
        if seen[-1][1] >= SLOW:
            last = tuple(seen[-3:])
            return (
                Attack(tried.head, tried.pump, tried.tail, last) if len(last) == 3 and grows(last) else None
            )
        times = max(times + 2, int(times * _STEP))
    return None


def _candidates(parsed: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Beginnings that match, what is repeated after them, and endings that do not match."""
    letters = [*dict.fromkeys(_letters(parsed))][:8]
    repeated = [*_repeated(parsed, "")]
    for (head, pump), tail in product(repeated, _ENDINGS):
        yield head, pump, tail
    for (head, _), letter, tail in product(repeated, letters, _ENDINGS):
        yield head, letter, tail


def _repeated(items: Sequence[Any], head: str) -> Iterator[tuple[str, str]]:
    """Each part that is there as often as one likes, with a text for what comes before it."""
    for operator, argument in items:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, inner = argument
            if most >= _MANY:
                yield from ((head, text) for text in _samples(inner) if text)
            yield from _repeated([*inner], head)
        elif name == "SUBPATTERN":
            yield from _repeated([*argument[-1]], head)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from _repeated([*branch], head)
        head += _sample([(operator, argument)])


def _samples(items: Sequence[Any]) -> list[str]:
    """Texts for what is repeated; one for each branch of it."""
    for operator, argument in items:
        if str(operator) == "SUBPATTERN":
            return [*_samples([*argument[-1]]), _sample(items)]
        if str(operator) == "BRANCH":
            return [*(_sample([*branch]) for branch in argument[1]), _sample(items)]
    return [_sample(items), _sample(items, least=1)]


def _sample(items: Sequence[Any], least: int = 0) -> str:
    """A short text that the parts match."""
    made = ""
    for operator, argument in items:
        match str(operator):
            case "LITERAL":
                made += chr(argument)
            case "NOT_LITERAL":
                made += "b" if argument == ord("a") else "a"
            case "ANY":
                made += "a"
            case "IN":
                made += next(_of_set(argument), "")
            case "BRANCH":
                made += _sample([*argument[1][0]], least)
            case "SUBPATTERN":
                made += _sample([*argument[-1]], least)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                made += _sample([*argument[2]], least) * min(max(argument[0], least), _MANY)
    return made


def _letters(items: Sequence[Any]) -> Iterator[str]:
    """A character for each place of the expression."""
    for operator, argument in items:
        match str(operator):
            case "LITERAL":
                yield chr(argument)
            case "ANY":
                yield "a"
            case "IN":
                yield from _of_set(argument)
            case "BRANCH":
                for branch in argument[1]:
                    yield from _letters([*branch])
            case "SUBPATTERN":
                yield from _letters([*argument[-1]])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                yield from _letters([*argument[2]])


_CATEGORIES = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}


def _of_set(argument: Sequence[Any]) -> Iterator[str]:
    """Characters of a set, one for each part of it; of what it excludes, the first that is left."""
    if str(argument[0][0]) == "NEGATE":
        not_in = {chr(code) for operator, code in argument[1:] if str(operator) == "LITERAL"}
        yield next(letter for letter in "a0 _~" if letter not in not_in)
        return
    for operator, value in argument:
        match str(operator):
            case "LITERAL":
                yield chr(value)
            case "RANGE":
                yield chr(value[0])
            case "CATEGORY":
                yield _CATEGORIES.get(str(value), "~")
