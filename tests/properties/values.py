"""Values of every type, few and extreme ones among them, and rows of any manifest that hold them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from properties.worlds import PEOPLE
from specwright.model.expression import (
    Literal,
)
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import Kind, Type

#: Composed and decomposed, beyond the BMP and below it, wide and narrow: text is ordered by code point.
TEXTS = (
    *(
        "",
        "a",
        "A",
        "b",
        "Z",
        "ab",
        "a b",
        "e\u0301",
        "é",
        "É",
        "ß",
        "ss",
        "İ",
        "ı",
        "\ue000",
        "😀",
        "\uffff",
    ),
    *("%", "_", "a\\", "a,b", "'", '"', " ", "a\nb", "\u200ba", "0", "10", "9", "todo"),
)
_DOMAINS: Mapping[Kind, tuple[Any, ...]] = {
    Kind.TEXT: TEXTS,
    Kind.INTEGER: (0, 1, -1, 2, 7, 2**53 - 1, 1 - 2**53),
    Kind.BOOLEAN: (True, False),
    Kind.DATE: (date(1, 1, 1), date(2024, 2, 29), date(2026, 1, 31), date(9999, 12, 31)),
    Kind.TIMESTAMP: (
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
        datetime(2026, 1, 31, 23, 30, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ),
    Kind.UUID: (UUID(int=0), UUID(int=2**128 - 1), UUID("01a1fb4a-9299-714f-9210-30d2911da5bb")),
    Kind.EMAIL: ("a@b.cd", "B@b.cd", "x+y@b.cd"),
    Kind.URL: ("https://a.example", "https://a.example/?q=1&r=%20", "http://a.example"),
    # JSON's null is a value, and differs from none.
    Kind.JSON: (
        "{}",
        "[]",
        '{"b": [1, null, "é"], "a": {"": 0.5}}',
        '"a"',
        "0",
        "true",
        "null",
        '["\u2028"]',
    ),
}
_CREATED = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
_GONE = datetime(2026, 2, 2, tzinfo=UTC)

_plain = st.sampled_from([Type(kind) for kind in _DOMAINS])
_numbers = st.sampled_from([Type(Kind.NUMBER, *digits) for digits in ((1, 0), (2, 2), (8, 2), (40, 12))])
_enums = st.sampled_from(
    [Type(Kind.ENUM, literals=words) for words in (("a",), ("todo", "in progress"), ("é", "b", "Z"))]
)
_lists = st.builds(
    lambda item: Type(Kind.LIST, item=item),
    (_plain | _numbers).filter(lambda item: item.kind is not Kind.JSON),
)
types = st.one_of(_plain, _plain, _numbers, _enums, _lists)


def values(type: Type) -> st.SearchStrategy[Any]:
    """Values of a type that has no target: few, and the extreme among them."""
    match type.kind:
        case Kind.NUMBER:
            assert type.precision is not None
            numbers = (
                f"{sign}{digits}E-{type.scale}" for digits in ("1", "9" * type.precision) for sign in "+-"
            )
            return st.sampled_from([Decimal(f"0E-{type.scale}"), *map(Decimal, numbers)])
        case Kind.ENUM:
            return st.sampled_from(type.literals)
        case Kind.LIST:
            assert type.item is not None
            return st.lists(values(type.item), max_size=3)
        case kind:
            return st.sampled_from(_DOMAINS[kind])


def key(name: str, number: int) -> Any:
    """The key of one of the rows of an entity."""
    if name == "User":
        return PEOPLE[number % 3] if number < 3 else f"{number} /é?%"
    # Which row is newer is not told by which comes first.
    return UUID(int=(sum(map(ord, name)) << 80) | (7 << 76) | (8 << 60) | (number * 7 % 31) << 8 | number)


def literal(value: Any) -> Literal:
    """A value as an expression has it."""
    match value:
        case datetime():
            return Literal(value.isoformat())
        case date() | UUID():
            return Literal(str(value))
        case _:
            return Literal(value)


#: Once in four times.
seldom = st.integers(0, 3).map(lambda number: number == 3)


@st.composite
def worlds(draw: st.DrawFn, manifest: Manifest, *, most: int = 4) -> dict[str, list[dict[str, Any]]]:
    """Rows of every entity. Seldom there are many that are alike, more than an answer includes."""
    world: dict[str, list[dict[str, Any]]] = {resource.name: [] for resource in manifest.resources}
    counts = {
        resource.name: 3 if resource.name == "User" else draw(st.integers(1, most))
        for resource in manifest.served
    }
    for resource in manifest.served:
        for number in range(counts[resource.name]):
            world[resource.name].append(draw(row_of(manifest, resource, number, counts)))
    crowd = draw(st.sampled_from([0, 0, 0, 19, 20, 21]))
    crowded = draw(st.sampled_from([each for each in manifest.served if each.name != "User"] or [None]))
    if crowded is not None and world[crowded.name]:
        first = world[crowded.name][0]
        world[crowded.name] += [first | {"id": key(crowded.name, 100 + number)} for number in range(crowd)]
    for link in manifest.stored:
        if link.link:
            near, far = link.fields
            ends = [[row["id"] for row in world[str(side.target)]] for side in link.fields]
            pairs = {(one, other) for one in ends[0][:3] for other in ends[1]}
            kept = draw(st.sets(st.sampled_from(sorted(pairs, key=str)), max_size=6)) if pairs else set()
            if draw(seldom):
                kept |= {(ends[0][0], other) for other in ends[1]}
            world[link.name] = [{near.name: one, far.name: other} for one, other in sorted(kept, key=str)]
    return world


@st.composite
def row_of(
    draw: st.DrawFn, manifest: Manifest, resource: Resource, number: int, counts: Mapping[str, int]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field in resource.fields:
        if field.stored and not field.built_in:
            row[field.name] = draw(cell(manifest, field, counts))
    built_in = {"id": key(resource.name, number), "version": 1}
    moments = {"created_at": draw(st.sampled_from(_CREATED)), "updated_at": _CREATED[1]}
    gone = {"deleted_at": _GONE if draw(seldom) else None} if resource.soft_delete else {}
    known = {field.name for field in resource.fields}
    return {**row, **{name: value for name, value in (built_in | moments | gone).items() if name in known}}


def cell(manifest: Manifest, field: Field, counts: Mapping[str, int]) -> st.SearchStrategy[Any]:
    """Values of a stored field; of a reference, keys of as many rows as there are."""
    if field.target is None:
        found = values(field.type)
    elif manifest.resource(field.target).external:
        found = st.sampled_from(PEOPLE)
    else:
        found = st.sampled_from([key(field.target, number) for number in range(counts[field.target])])
    return st.none() | found if field.nullable else found
