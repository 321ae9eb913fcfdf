"""How a list is read page by page: which parameters say so, and what leads to the next page."""

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
_CURSORS = ("cursor", "after", "page_token", "pagetoken", "continuation", "next")
#: Where answers keep what leads to the next page, and objects that they keep it in.
_NEXT = ("next_cursor", "nextcursor", "next_page_token", "nextpagetoken", "end_cursor", "cursor", "next")
_AROUND = ("meta", "pagination", "page_info", "pageinfo", "links", "paging")
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
    return Paging(collection, collection.list, size, first(_OFFSETS), first(_NUMBERS), first(_CURSORS))


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
    """Every page of a size, by cursor where there is one.

    Raises:
        NotRun: an answer has no rows to be read, or there is no end of pages.
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
        found.keys += keys
        if paging.cursor is not None:
            following = next(_following(parse(probe), paging.cursor), None)
            if following is None:
                return found
            asked = {paging.cursor.name: following}
        elif not keys:
            return found
        elif paging.offset is not None:
            asked = {paging.offset.name: len(found.keys)}
        elif paging.number is not None:
            asked = {paging.number.name: number + 1 + (_bound(paging.number, "default") != 0)}
        else:
            raise NotRun("no parameter leads to the next page", probe)
    raise NotRun(f"there are more than {_PAGES} pages", found.probes[-1])


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
    for schema in (parameter.schema, *parameter.schema.get("anyOf", ())):
        value = schema.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
