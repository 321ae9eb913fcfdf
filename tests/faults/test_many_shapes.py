"""Ten thousand different requests leave no more behind than two thousand: what is kept of shapes is bounded.

A shape is a request without its values. A test run asks for 2,000 of them, `make faults` for 10,000.
"""

import asyncio
import functools
import gc
import tracemalloc
from collections.abc import Iterator
from itertools import combinations, islice, product
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from faults.conftest import LONG
from served import Served, fresh_database, serving
from specwright.api.plan import plan_request
from specwright.model.caller import Caller
from specwright.sql.statement import Statement
from specwright.sql.statements import SHAPES, WRITTEN

pytestmark = pytest.mark.any_server

NAMES = "abcdefgh"
SPEC = f"""# Notes

## Folder

| Field | Type | Rules        |
|-------|------|--------------|
| name  | text | ..9          |
| owner | User | the caller   |

| Who   | May        |
|-------|------------|
| owner | everything |

## Note

| Field  | Type    | Rules           |
|--------|---------|-----------------|
{chr(10).join(f"| {name} | integer | |" for name in NAMES)}
| folder | Folder  | on delete clear |
| owner  | User    | the caller      |

| Who   | May        |
|-------|------------|
| owner | everything |
"""
MANY = 10_000 if LONG else 2_000
#: Kept by asyncpg for each connection.
PREPARED = 100


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """The spec, served; requests come one after the other, on one connection."""
    with fresh_database(database_server) as database, serving(SPEC, database) as served:
        yield served


def shapes() -> Iterator[str]:
    """Requests of which no two have a shape in common, of every kind in turn."""
    operators = ("", "__ne", "__gt", "__lt", "__gte", "__lte", "__in", "__isnull")
    by_field = (
        {
            f"{name}{operator}": "true" if operator == "__isnull" else "1"
            for name, operator in zip(*each, strict=True)
        }
        for each in product(combinations(NAMES, 3), product(operators, repeat=3))
    )
    sorted_by = ({"sort": ",".join(names), "fields": "id"} for names in _orders())
    shown = ({"fields": ",".join(names), "include": "folder"} for names in _subsets())
    by_filter = (
        {"filter": f"a {one} 1 or {left} + {right} {other} {more}"}
        for one, other, left, right, more in _texts()
    )
    kinds = [map(_path, kind) for kind in (by_field, sorted_by, by_filter, by_filter, shown)]
    while kinds:
        for kind in tuple(kinds):
            if (path := next(kind, None)) is not None:
                yield path
            else:
                kinds.remove(kind)


def _path(parameters: dict[str, str]) -> str:
    return f"/notes?{urlencode(parameters)}"


def _orders() -> Iterator[list[str]]:
    for size in (3, 4, 5):
        for names in combinations(NAMES, size):
            for signs in product(("", "-"), repeat=size):
                yield [sign + name for sign, name in zip(signs, names, strict=True)]


def _subsets() -> Iterator[tuple[str, ...]]:
    for size in range(1, len(NAMES) + 1):
        yield from combinations(NAMES, size)


def _texts() -> Iterator[tuple[str, ...]]:
    comparisons = ("==", "!=", "<", "<=", ">", ">=")
    yield from product(comparisons, comparisons, NAMES, NAMES, NAMES)


def caches() -> list[Any]:
    """Every cache of functools in this process."""
    return [found for found in gc.get_objects() if isinstance(found, functools._lru_cache_wrapper)]


def statements() -> int:
    """How many statements there are in this process."""
    return sum(type(found) is Statement for found in gc.get_objects())


def prepared(notes: Served) -> int:
    """How many statements the server has prepared for the connection of the pool."""
    (connection,) = (
        found
        for found in gc.get_objects()
        if type(found) is asyncpg.Connection and not found.is_closed() and notes._is_of(found)
    )
    asked = notes.backend.service.database.fetch("SELECT count(*) FROM pg_prepared_statements")
    ((number,),) = asyncio.run_coroutine_threadsafe(asked, connection._loop).result(20)
    return int(number)


def send(notes: Served, paths: list[str]) -> None:
    """Ask for these lists."""
    for path in paths:
        answer = notes.person("ada").get(path)
        assert answer.status == 200, (path, answer)


def test_no_two_shapes_are_the_same() -> None:
    """As many as are asked for."""
    paths = list(islice(shapes(), 2 * MANY))
    assert len(set(paths)) == 2 * MANY


def test_what_is_kept_of_shapes_is_bounded(notes: Served) -> None:
    """Full is full: caches, and the statements in them, however many shapes come after."""
    before = {id(cache): cache.cache_info().currsize for cache in caches()}
    others = statements()
    for path in islice(shapes(), MANY):
        plan_request(notes.backend.dispatch, "GET", path, Caller("ada"))
    grown = [
        cache.cache_info() for cache in caches() if cache.cache_info().currsize > before.get(id(cache), 0)
    ]
    assert all(cache.maxsize is not None and cache.currsize <= cache.maxsize for cache in grown), grown
    # Of what is asked by fields, and of filters that callers write.
    assert {SHAPES, WRITTEN} <= {cache.currsize for cache in grown}
    assert SHAPES + WRITTEN <= statements() <= others + SHAPES + WRITTEN + 10


def test_what_is_prepared_is_bounded(notes: Served) -> None:
    """The server keeps the latest hundred statements of each connection."""
    send(notes, list(islice(shapes(), 2 * PREPARED)))
    assert prepared(notes) == PREPARED


def test_a_shape_leaves_nothing_behind(notes: Served) -> None:
    """When the caches are emptied, as much memory is in use after so many shapes as after twice as many."""
    paths = list(islice(shapes(), MANY, MANY + 3 * PREPARED))
    send(notes, paths[:PREPARED])
    used = []
    tracemalloc.start()
    try:
        for part in (1, 2):
            send(notes, paths[part * PREPARED : (part + 1) * PREPARED])
            for cache in caches():
                if cache.__wrapped__.__module__.startswith("specwright."):
                    cache.cache_clear()
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # The text of a statement alone has more.
    assert used[1] - used[0] < PREPARED * 1000
