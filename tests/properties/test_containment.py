"""`contains` of json and `in` of lists: the interpreter finds what PostgreSQL's `@>` finds."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from builders import backend, entity, field
from properties.test_expressions import compare
from properties.worlds import built_in
from specwright.model import jsonb
from specwright.model.caller import ANONYMOUS
from specwright.model.expression import Call, Expr, In, Literal, Not, Path
from specwright.model.types import JSON, TEXT_KINDS, Kind, Type

#: Spelled so that what is equal looks different, and what is not looks alike.
SCALARS = (
    *("null", "true", "false", "0", "-0.0", "1", "1.0", "1e0", "100", "1E+2", "1e-7", "9007199254740993"),
    *(
        "9007199254740992",
        "0.1",
        "0.10000000000000000000000000000000000001",
        "123456789012345678901234567890.5",
    ),
    *('""', '"a"', '"A"', '"1"', '"true"', '"null"', '"\\u00e9"', '"é"', '"e\\u0301"', '"😀"', '":a %s $1"'),
)
KEYS = ('"a"', '"b"', '""', '"\\u0061b"', '"1"')

_blanks = st.sampled_from(["", "", " ", "\n\t"])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    written = st.builds(
        lambda known, blank: (
            "{" + ",".join(f"{key}{blank}:{blank}{value}" for key, value in known.items()) + "}"
        ),
        members,
        _blanks,
    )
    items = st.lists(inner, max_size=3)
    return written | st.builds(lambda known, blank: "[" + f"{blank},".join(known) + "]", items, _blanks)


texts = st.recursive(st.sampled_from(SCALARS), _nested, max_leaves=8)


def part_of(value: Any) -> st.SearchStrategy[Any]:
    """Something that a value may contain, or nearly: parts left out, repeated, in another order."""
    match value:
        case dict():
            some = {key: part_of(each) for key, each in value.items()}
            return st.fixed_dictionaries({}, optional=some)
        case list() if value:
            return st.lists(st.one_of(*map(part_of, value)), max_size=4)
        case _:
            return st.just(value)


def written(value: Any) -> str:
    """The JSON text of a value, its numbers exact."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {written(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Two JSON texts, of which the second is often a part of the first."""
    whole = draw(texts)
    part = draw(texts | part_of(jsonb.decode(whole)).map(written))
    return whole, part


def on_postgresql(url: str, ask: Callable[[asyncpg.Connection, Any], Awaitable[None]], cases: Any) -> None:
    """Ask of every case on one connection."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))

        @settings(suppress_health_check=list(HealthCheck))
        @given(cases)
        def agree(case: Any) -> None:
            runner.run(ask(connection, case))

        try:
            agree()
        finally:
            runner.run(connection.close())


def test_json_contains_what_postgresql_says(database_url: str) -> None:
    """Members and items in any order, 1 as 1.0 but not as true, and a scalar of an array at the top alone."""

    async def ask(connection: asyncpg.Connection, cases: list[tuple[str, str]]) -> None:
        found = await connection.fetch(
            "SELECT whole::jsonb @> part::jsonb FROM unnest($1::text[], $2::text[]) AS t(whole, part)",
            *map(list, zip(*cases, strict=True)),
        )
        for (whole, part), (held,) in zip(cases, found, strict=True):
            event("holds" if held else "does not")
            assert jsonb.contains(jsonb.read(whole), jsonb.read(part)) is held, (whole, part)

    on_postgresql(database_url, ask, st.lists(pairs(), min_size=1, max_size=20))


#: Values of every type that a list may be of, among them some that look alike.
ITEMS: dict[Type, tuple[Any, ...]] = {
    Type(Kind.TEXT): ("", "a", "A", "é", "e\u0301", "%", "a\\", '"', "{", ",", "NULL", ":a $1"),
    Type(Kind.INTEGER): (0, 1, -1, 2**53 - 1),
    Type(Kind.NUMBER, precision=38, scale=2): (Decimal("1.00"), Decimal("1.10"), Decimal("9" * 36 + ".99")),
    Type(Kind.BOOLEAN): (True, False),
    Type(Kind.DATE): (date(1970, 1, 1), date(2026, 1, 31)),
    Type(Kind.TIMESTAMP): (datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)),
    Type(Kind.UUID): (UUID(int=1), UUID(int=2**128 - 1)),
    Type(Kind.EMAIL): ("a@b.example", "A@b.example"),
    Type(Kind.URL): ("https://a.example", "https://a.example/"),
    Type(Kind.ENUM, literals=("x", "it's", "x y")): ("x", "it's", "x y"),
}
KINDS = {f"f{n}": type_ for n, type_ in enumerate(ITEMS)}
MANIFEST = backend(
    entity(
        "Box",
        field("data", JSON),
        field("more", JSON),
        *(field(name, Type(Kind.LIST, item=type_)) for name, type_ in KINDS.items()),
        *(field(f"{name}one", type_) for name, type_ in KINDS.items()),
    )
)
BOX = MANIFEST.resource("Box")


def _literal(value: Any, type_: Type) -> Literal:
    """A value as it is written in an expression."""
    if isinstance(value, datetime | date):
        return Literal(value.isoformat())
    return Literal(str(value) if type_.kind is Kind.UUID else value)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[dict[str, list[dict[str, Any]]], list[tuple[str, Expr]]]:
    """Rows with json and lists, and questions about what is in them."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        row: dict[str, Any] = {name: draw(st.none() | texts) for name in ("data", "more")}
        for name, type_ in KINDS.items():
            one = st.sampled_from(ITEMS[type_])
            row[name] = draw(st.none() | st.lists(one, max_size=3))
            row[f"{name}one"] = draw(st.none() | one)
        rows.append(row | built_in(BOX, number))
    known = [row["data"] for row in rows if row["data"] is not None]
    parts = [part_of(jsonb.decode(text)).map(written) for text in known]
    questions: list[Expr] = [
        Call("contains", (Path(("data",)), Literal(draw(st.one_of(texts, *parts))))),
        Call("contains", (Path(("data",)), Path(("more",)))),
    ]
    for name in draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=3, unique=True)):
        type_ = KINDS[name]
        written_in = _literal(draw(st.sampled_from(ITEMS[type_])), type_)
        questions += [In(written_in, Path((name,))), In(Path((f"{name}one",)), Path((name,)))]
    return {"Box": rows, "User": []}, [("Box", each) for one in questions for each in (one, Not(one))]


def test_conditions_on_json_and_lists_mean_the_same(database_url: str) -> None:
    """Of every type there are lists of, and with `None` on either side; `not` of it holds everywhere else."""

    async def ask(connection: asyncpg.Connection, case: tuple[Any, Any]) -> None:
        await compare(connection, MANIFEST, case[0], ANONYMOUS, case[1])

    on_postgresql(database_url, ask, boxes())


def test_every_type_of_list_is_asked() -> None:
    """What a list may hold is any plain type."""
    plain = {Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.UUID, *TEXT_KINDS}
    assert {type_.kind for type_ in ITEMS} == plain
