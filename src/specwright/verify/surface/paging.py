"""How a list is read page by page: which parameters say so, and what leads to the next page."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Collection, Operation, Parameter

_SIZES = ("limit", "size", "page_size", "pagesize", "per_page", "perpage", "take", "first")
_OFFSETS = ("offset", "skip", "start")
_NUMBERS = ("page", "page_number", "pagenumber", "page_no")
_CURSORS = ("cursor", "page_token", "pagetoken", "continuation", "next")
#: What may take the key of the last row, besides what the answer hands out.
_KEYSETS = (
    *("after", "starting_after", "start_after", "startingafter", "after_id", "afterid", "last_id", "lastid"),
    *("since_id", "sinceid", "before", "before_id", "beforeid"),
)
#: Where answers keep what leads to the next page, and objects that they keep it in.
_NEXT = ("next_cursor", "nextcursor", "next_page_token", "nextpagetoken", "end_cursor", "cursor", "next")
_AROUND = ("meta", "pagination", "page_info", "pageinfo", "links", "paging")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\Z", re.I)
#: RFC 8288.
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
#: Pages that are walked; who has more is not asked for all of them.
_PAGES = 300


@dataclass(frozen=True, slots=True)
class Paging:
    """A list in pages."""

    collection: Collection
    operation: Operation
    size: Parameter
    offset: Parameter | None = None
    number: Parameter | None = None
    cursor: Parameter | None = None

    @property
    def most(self) -> int | None:
        """The largest page, as far as the schema says."""
        return _bound(self.size, "maximum")


@dataclass(slots=True)
class Walk:
    """What was met from the first page to the last."""

    keys: list[str] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    #: Whether answers said what leads to the next page; whether the key of the last row was tried.
    handed_out: bool = False
    by_key: bool = False

    @property
    def repeated(self) -> list[str]:
        """The keys that came more than once."""
        return [key for key in dict.fromkeys(self.keys) if self.keys.count(key) > 1]


def find_paging(collection: Collection) -> Paging | None:
    """How its list is read in pages; None where no parameter says how long a page is."""
    if collection.list is None:
        return None
    named = {each.name.lower(): each for each in collection.list.of("query")}

    def first(names: tuple[str, ...]) -> Parameter | None:
        return next((named[name] for name in names if name in named), None)

    size = first(_SIZES)
    if size is None:
        return None
    named = {name: each for name, each in named.items() if not _is_time(each)}
    cursor = first((*_CURSORS, *_KEYSETS))
    return Paging(collection, collection.list, size, first(_OFFSETS), first(_NUMBERS), cursor)


def _is_time(parameter: Parameter) -> bool:
    """Whether rows are to be from after a day or a time."""
    return any(str(each.get("format", "")).startswith("date") for each in _schemas(parameter))


def keys_of(collection: Collection, probe: Probe) -> list[str] | None:
    """The keys of the rows in an answer; None where there are none to be read."""
    found = parse(probe)
    if collection.items and isinstance(found, Mapping):
        found = found.get(collection.items)
    if not probe.succeeded or not isinstance(found, list):
        return None
    rows = [collection.shown(each) or each for each in found]
    if not all(isinstance(row, Mapping) and collection.member in row for row in rows):
        return None
    return [str(row[collection.member]) for row in rows]


async def walk(lab: Lab, paging: Paging, row: Row, size: int) -> Walk:
    """Every page of a size: by what answers hand out, by offset or number, or by the key of the last row.

    Raises:
        NotRun: an answer has no rows to be read, nothing leads to the next page, or there is no end of pages.
    """
    found = Walk()
    asked: dict[str, Any] = {}
    for number in range(_PAGES):
        probe = await lab.send(
            row.person, paging.operation, row.place, query={paging.size.name: size, **asked}
        )
        found.probes.append(probe)
        keys = keys_of(paging.collection, probe)
        if keys is None:
            raise NotRun("a page has no rows that can be told from each other", probe)
        if found.by_key and len(set(keys) & set(found.keys)) > 1:
            raise NotRun(f"{', '.join(asked)} does not lead to the next page", *found.probes[-2:])
        new = not set(keys) <= set(found.keys)
        found.keys += keys
        handed = None if paging.cursor is None else next(_handed_out(probe, paging.cursor), None)
        if paging.cursor is not None and handed is not None:
            found.handed_out = True
            asked = {paging.cursor.name: handed}
        elif not keys or found.handed_out or _ends(probe):
            return found
        elif paging.offset is not None:
            asked = {paging.offset.name: len(found.keys)}
        elif paging.number is not None:
            asked = {paging.number.name: number + 1 + (_bound(paging.number, "default") != 0)}
        elif len(keys) < size or not new:
            return found
        elif paging.cursor is not None and _takes(paging.cursor, keys[-1]):
            found.by_key = True
            asked = {paging.cursor.name: keys[-1]}
        else:
            raise NotRun("nothing that is known leads to the next page", probe)
    raise NotRun(f"there are more than {_PAGES} pages", found.probes[-1])


def _takes(parameter: Parameter, key: str) -> bool:
    """Whether a parameter is of the type of a key."""
    for schema in _schemas(parameter):
        kind, form = schema.get("type"), schema.get("format")
        if kind == "integer" or (kind == "string" and form == "uuid"):
            return key.isdecimal() if kind == "integer" else bool(_UUID.match(key))
    return True


def _ends(probe: Probe) -> bool:
    """Whether the answer has a place for what leads to the next page, and nothing there."""
    answer = parse(probe)
    return isinstance(answer, Mapping) and any(
        str(name).lower() in _NEXT and not value
        for each in (answer, *(answer.get(name) for name in _AROUND))
        if isinstance(each, Mapping)
        for name, value in each.items()
    )


def _handed_out(probe: Probe, cursor: Parameter) -> Iterator[str]:
    """What the cursor has to be for the next page, as the answer says in its body or its `Link`."""
    yield from _following(parse(probe), cursor)
    for name, value in probe.answer_headers:
        for url, about in _LINK.findall(value) if name.lower() == "link" else ():
            asked = dict(parse_qsl(urlsplit(url).query))
            if re.search(r"\brel=\"?next\b", about, re.I) and cursor.name in asked:
                yield asked[cursor.name]


def _following(answer: Any, cursor: Parameter) -> Iterator[str]:
    """What the cursor has to be for the next page."""
    if not isinstance(answer, Mapping):
        return
    named = {str(name).lower(): value for name, value in answer.items()}
    for name in _NEXT:
        value = named.get(name)
        if isinstance(value, str) and value:
            asked = dict(parse_qsl(urlsplit(value).query))
            yield asked.get(cursor.name, value)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
    for name in _AROUND:
        yield from _following(named.get(name), cursor)


def _bound(parameter: Parameter, name: str) -> int | None:
    for schema in _schemas(parameter):
        value = schema.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _schemas(parameter: Parameter) -> tuple[Mapping[str, Any], ...]:
    return (parameter.schema, *parameter.schema.get("anyOf", ()))
