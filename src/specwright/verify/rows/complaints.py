"""What an app says is wrong with a body: which member, and in what words; in the usual forms of answers."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Where a problem says which member it means (RFC 9457 §3.2 leaves the name to the app).
_PLACES = ("field", "pointer", "loc", "path", "name", "param", "property", "source")
_WORDS = ("msg", "message", "detail", "code", "type", "title", "reason", "error")
#: What stands before the members of a body in `loc`.
_FRAME = ("body", "__root__")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong: at which steps into the body, of what kind by the app's own word, and in words."""

    path: tuple[str | int, ...]
    kind: str = ""
    message: str = ""
    #: The numbers and choices that the app adds: pydantic's `ctx`.
    context: Mapping[str, Any] = field(default_factory=dict)
    #: Outside of the body: query, path, header, cookie.
    place: str = "body"
    #: Whether the member is only one that the words name.
    guessed: bool = False


def read_complaints(answer: bytes, members: Iterable[str] = ()) -> tuple[Complaint, ...]:
    """What an answer complains about; with words alone, those of `members` that they name.

    FastAPI's `detail` of `loc`, `msg`, `type` and `ctx`; RFC 9457's `errors` with a `field` or `pointer`;
    `errors` by member, as Rails and RealWorld have them; a sentence.
    """
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = answer[:2000].decode("utf-8", "replace")
    found = tuple(_of(said))
    placed = tuple(complaint for complaint in found if complaint.path or complaint.place != "body")
    if placed:
        return placed
    words = " ".join(complaint.message for complaint in found) or json.dumps(said)
    named = (Complaint((member,), message=words, guessed=True) for member in members if _named(member, words))
    return tuple(named) or (Complaint((), message=words),)


def _of(said: Any) -> Iterator[Complaint]:
    if isinstance(said, str):
        yield Complaint((), message=said)
    elif isinstance(said, list):
        for each in said:
            yield from _of(each)
    elif isinstance(said, Mapping):
        if _placed(said):
            yield _one(said)
            return
        inner = next(
            (said[name] for name in ("errors", "detail", "details", "error") if said.get(name)), None
        )
        if isinstance(inner, Mapping) and not _placed(inner):
            yield from _by_member(inner)
        elif inner is not None:
            yield from _of(inner)
        else:
            yield Complaint((), message=" ".join(str(said[name]) for name in _WORDS if name in said))


def _placed(said: Mapping[str, Any]) -> bool:
    return any(name in said for name in _PLACES) and any(name in said for name in _WORDS)


def _one(said: Mapping[str, Any]) -> Complaint:
    given = next(said[name] for name in _PLACES if name in said)
    if isinstance(given, Mapping):
        given = given.get("pointer", given.get("parameter", ""))
    steps = given if isinstance(given, list) else _steps(str(given))
    steps = [int(step) if isinstance(step, str) and step.isdecimal() else step for step in steps]
    place = "body"
    if steps and steps[0] in ("query", "path", "header", "cookie") and isinstance(given, list):
        place, steps = str(steps[0]), steps[1:]
    while steps and steps[0] in _FRAME:
        steps = steps[1:]
    words = " ".join(
        str(said[name]) for name in ("msg", "message", "detail", "title", "reason") if name in said
    )
    kind = str(said.get("type") or said.get("code") or "")
    more = {name: value for name, value in said.items() if name not in (*_PLACES, *_WORDS)}
    context = said.get("ctx")
    return Complaint(tuple(steps), kind, words, context if isinstance(context, Mapping) else more, place)


def _steps(given: str) -> list[Any]:
    """`#/a/0/b` (RFC 6901), `a.0.b`, `a[0].b`."""
    if given.startswith(("/", "#")):
        steps = given.lstrip("#").split("/")[1:]
        return [step.replace("~1", "/").replace("~0", "~") for step in steps]
    return [step for step in given.replace("[", ".").replace("]", "").split(".") if step]


def _by_member(said: Mapping[str, Any]) -> Iterator[Complaint]:
    """`{"title": ["can't be blank"]}`; and what says `body` of all of it."""
    for name, words in said.items():
        for each in words if isinstance(words, list) else [words]:
            if isinstance(each, Mapping):
                yield from _of(each)
            else:
                yield Complaint(() if name in _FRAME else (name,), message=str(each))


def _named(member: str, words: str) -> bool:
    text = words.lower().replace("_", " ")
    return member.lower().replace("_", " ").removesuffix(" id") in text
