"""Requirements of a feature and their `http` examples."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from specwright.model.errors import Origin
from specwright.model.names import hint
from specwright.model.requirement import Example, Request, Requirement, Response
from specwright.read.mistakes import Mistakes
from specwright.read.outline import Fence, Item, Outline, Section
from specwright.read.span import Span
from specwright.read.vocabulary import EXAMPLE_LINES, METHODS

_KEY = re.compile(r"\*\*((?:FR|SC)-\d+[A-Za-z]?|US\d+/AC\d+)\s*:?\s*\*\*\s*:?\s*")
_STORY = re.compile(r"user story (\d+)\b", re.IGNORECASE)
_SCENARIO = re.compile(r"\*{0,2}given\b", re.IGNORECASE)
_REQUEST = re.compile(r"([A-Za-z]+)\s+(\S+)")
_STATUS = re.compile(r"(?:HTTP/[\d.]+\s+)?([1-5]\d\d)(?:\s.*)?")
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):\s*(.*)")
_PERSON = re.compile(r"([A-Za-z0-9][\w.@-]*)\s*(?:\[([^\]]*)\])?", re.ASCII)
_CAPTURE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(slots=True)
class _Draft:
    key: str
    text: str
    origin: Origin
    fences: list[Fence] = field(default_factory=list)


def read_requirements(
    feature: str, outlines: Sequence[Outline], roles: Iterable[str], mistakes: Mistakes
) -> list[Requirement]:
    """The requirements of one feature, in reading order, each with its examples."""
    known = list(roles)
    found: dict[str, _Draft] = {}
    for outline in outlines:
        for draft in _drafts(outline, mistakes):
            if draft.key in found:
                mistakes.add(
                    draft.origin,
                    f"{draft.key} stands already at {found[draft.key].origin}. Give it its own key",
                )
            else:
                found[draft.key] = draft
    return [
        Requirement(
            id=f"{feature}/{draft.key}",
            key=draft.key,
            feature=feature,
            text=draft.text,
            examples=tuple(_examples(draft, known, mistakes)),
            origin=draft.origin,
        )
        for draft in found.values()
    ]


def _drafts(outline: Outline, mistakes: Mistakes) -> Iterable[_Draft]:
    scenarios: dict[str, int] = {}
    for section in outline.sections:
        story = next(
            (number[1] for around in section.ancestry if (number := _STORY.match(around.heading.text))), None
        )
        current: _Draft | None = None
        for block in section.blocks:
            if isinstance(block, Item):
                draft = _keyed(block) or _scenario(block, section, story, scenarios)
                if draft is not None:
                    if current is not None:
                        yield current
                    current = draft
            elif isinstance(block, Fence) and block.language == "http":
                if current is None:
                    mistakes.add(
                        block.origin,
                        "this example stands below no requirement. Put it below a line as - **FR-001** …, "
                        "or call the block `text`",
                    )
                else:
                    current.fences.append(block)
        if current is not None:
            yield current


def is_requirement(item: Item) -> bool:
    """Whether a list item begins with a requirement's key."""
    return _KEY.match(item.text) is not None


def _keyed(item: Item) -> _Draft | None:
    key = _KEY.match(item.text)
    return _Draft(key[1], item.text[key.end() :], item.head.origin) if key is not None else None


def _scenario(item: Item, section: Section, story: str | None, scenarios: dict[str, int]) -> _Draft | None:
    if not item.ordered or not _SCENARIO.match(item.text):
        return None
    prefix = f"US{story}/" if story is not None else ""
    scenarios[prefix] = scenarios.get(prefix, 0) + 1
    return _Draft(f"{prefix}AC{scenarios[prefix]}", item.text.replace("**", ""), item.head.origin)


def _examples(draft: _Draft, roles: Sequence[str], mistakes: Mistakes) -> Iterable[Example]:
    request: Request | None = None
    waiting: Fence | None = None
    for fence in draft.fences:
        lines = _without_blank_edges(fence.lines)
        if not lines:
            mistakes.add(fence.origin, "this example block is empty")
            return
        answers = _STATUS.fullmatch(lines[0].text.strip()) is not None
        if waiting is None and answers:
            mistakes.add(
                lines[0], "an answer without a request before it: the first block is a request, as GET /tasks"
            )
        elif waiting is None:
            waiting, request = fence, _request(lines, roles, mistakes)
        elif not answers:
            mistakes.add(
                lines[0],
                f"the request at line {waiting.origin.line} needs its answer in the next http block, "
                f'which begins with a status as 200; this is "{lines[0].text.strip()}"',
            )
            waiting, request = fence, _request(lines, roles, mistakes)
        else:
            response = _response(lines, mistakes)
            if request is not None:
                yield Example(request, response)
            waiting = request = None
    if waiting is not None:
        mistakes.add(
            waiting.origin,
            "this request has no answer: a second http block with a status, as 200, follows it",
        )


def _without_blank_edges(lines: Sequence[Span]) -> list[Span]:
    kept = list(lines)
    while kept and not kept[0].text.strip():
        kept.pop(0)
    while kept and not kept[-1].text.strip():
        kept.pop()
    return kept


def _request(lines: Sequence[Span], roles: Sequence[str], mistakes: Mistakes) -> Request | None:
    first = _REQUEST.fullmatch(lines[0].text.strip().removesuffix(" HTTP/1.1"))
    if first is None:
        mistakes.add(lines[0], f'"{lines[0].text.strip()}" is no request: a method and a path, as GET /tasks')
        return None
    method, path = first.groups()
    if method not in METHODS:
        close = f' Did you mean "{method.upper()}"?' if method.upper() in METHODS else ""
        methods = close or f" Methods are {', '.join(METHODS)}"
        mistakes.add(lines[0], f'unknown method "{method}".{methods}')
    elif not path.startswith("/"):
        mistakes.add(
            lines[0], f'the path "{path}" begins with a slash, and is relative to the prefix: /tasks'
        )
    head, body = _head_and_body(lines[1:], mistakes)
    person: str | None = None
    played: tuple[str, ...] = ()
    name: str | None = None
    claims: str | None = None
    headers: list[tuple[str, str]] = []
    for line, key, value in head:
        if key == "As":
            person, played = _person(line, value, roles, mistakes)
        elif key == "Name":
            if not _CAPTURE.fullmatch(value):
                mistakes.add(line, f'"{value}" cannot be a name: letters, digits and _, as in {{milk.id}}')
            name = value
        elif key == "Claims":
            claims = value
            if not value.startswith("{"):
                mistakes.add(line, 'claims are a JSON object, as Claims: {"team": "red"}')
            else:
                _judge_json([line.without_prefix("Claims:")], mistakes, "this")
        elif key in ("as", "AS", "name", "NAME", "claims", "CLAIMS"):
            mistakes.add(line, f'unknown line "{key}:". Did you mean "{key.capitalize()}:"?')
        else:
            headers.append((key, value))
    if claims is not None and person is None:
        mistakes.add(lines[0], "nobody has these claims: write who asks, as As: ada")
    if body and not any(key.lower() == "content-type" for key, _ in headers):
        _judge_json(body, mistakes)
    return Request(
        method, path, person, played, claims, tuple(headers), _text(body), name, lines[0].strip().origin
    )


def _response(lines: Sequence[Span], mistakes: Mistakes) -> Response:
    status = _STATUS.fullmatch(lines[0].text.strip())
    assert status is not None, "it was seen to be an answer"
    head, body = _head_and_body(lines[1:], mistakes)
    for line, key, _ in head:
        if key in EXAMPLE_LINES:
            mistakes.add(line, f'"{key}:" belongs into the request block')
    if body and not any(key.lower() == "content-type" for _, key, _ in head):
        _judge_json(body, mistakes)
    headers = tuple((key, value) for _, key, value in head)
    return Response(int(status[1]), headers, _text(body), lines[0].strip().origin)


def _head_and_body(
    lines: Sequence[Span], mistakes: Mistakes
) -> tuple[list[tuple[Span, str, str]], Sequence[Span]]:
    head: list[tuple[Span, str, str]] = []
    for index, line in enumerate(lines):
        if not line.text.strip():
            return head, _without_blank_edges(lines[index + 1 :])
        found = _HEADER.fullmatch(line.text.strip())
        if found is None:
            mistakes.add(
                line.strip(), f'"{line.text.strip()}" is no header. An empty line comes before the body'
            )
            return head, ()
        head.append((line.strip(), found[1], found[2].strip()))
    return head, ()


def _person(
    line: Span, value: str, roles: Sequence[str], mistakes: Mistakes
) -> tuple[str | None, tuple[str, ...]]:
    found = _PERSON.fullmatch(value)
    if found is None:
        mistakes.add(line, f'"{value}" is no person: write As: ada, or with roles As: ada [admin]')
        return None, ()
    played = tuple(role.strip() for role in (found[2] or "").split(",") if role.strip())
    for role in played:
        if role not in roles:
            close = hint(role, roles, "Roles are") or " No Role | Means table declares roles"
            mistakes.add(line, f'unknown role "{role}" of {found[1]}.{close}')
    return found[1], played


def _judge_json(body: Sequence[Span], mistakes: Mistakes, what: str = "the body") -> None:
    try:
        json.loads("\n".join(line.text for line in body))
    except json.JSONDecodeError as error:
        line = body[min(error.lineno, len(body)) - 1]
        mistakes.add(line.at(error.colno - 1), f"{what} is not JSON: {error.msg}")
    except (RecursionError, ValueError):
        mistakes.add(body[0], f"{what} is not JSON that can be read")


def _text(body: Sequence[Span]) -> str | None:
    return "\n".join(line.text for line in body) if body else None
