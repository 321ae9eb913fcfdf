"""Walking a list through a real server while somebody else writes to it without a pause."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from properties.oracle import Asked, order
from served import PREFIX, Served, fresh_database, serving, token
from specwright.model.caller import ANONYMOUS

pytestmark = pytest.mark.any_server

SPEC = """
# Lines

## Line

| Field  | Type    | Rules          |
|--------|---------|----------------|
| name   | text    |                |
| amount | integer |                |
| note   | text    |                |
| parent | Line    |                |

| Who       | May                     |
|-----------|-------------------------|
| signed in | everything, see deleted |

### Rules

- soft delete
"""
NAMES, AMOUNTS = ("", "a", "b", "é", None), (0, 1, 2, None)
KEYS = ("name", "amount", "created_at", "parent__name", "parent__amount")
STEADY = 30
#: An end, since a walk in the order of time would follow new lines for ever.
CHANGES = 400


@pytest.fixture(scope="module")
def lines(database_server: str) -> Iterator[Served]:
    """Lines that stay as they are; each refers to one of the first."""
    chance = random.Random(3)
    with fresh_database(database_server) as database, serving(SPEC, database) as served:
        ada = served.person("ada")
        keys: list[str] = []
        for _ in range(STEADY):
            body = {"name": chance.choice(NAMES), "amount": chance.choice(AMOUNTS)}
            parent = chance.choice([None, *keys[:4]])
            keys.append(ada.made("/lines", {**body, "parent_id": parent})["id"])
        yield served


async def disturb(url: str, steady: list[str], chance: random.Random, begun: asyncio.Event) -> None:
    """Insert lines, delete them, for good or not, and write to those that stay what nobody sorts by."""
    connection = await asyncpg.connect(url)
    mine: list[UUID] = []
    try:
        for _ in range(CHANGES):
            what = chance.random()
            if what < 0.6 or not mine:
                mine.append(uuid4())
                await connection.execute(
                    "INSERT INTO lines (id, name, amount, parent_id) VALUES ($1, $2, $3, $4)",
                    *(mine[-1], chance.choice(NAMES), chance.choice(AMOUNTS), UUID(chance.choice(steady))),
                )
            elif what < 0.7:
                key = mine.pop(chance.randrange(len(mine)))
                await connection.execute("DELETE FROM lines WHERE id = $1", key)
            elif what < 0.8:
                key = mine.pop(chance.randrange(len(mine)))
                await connection.execute("UPDATE lines SET deleted_at = now() WHERE id = $1", key)
            else:
                note, key = chance.choice("xyz"), UUID(chance.choice(steady))
                await connection.execute("UPDATE lines SET note = $1 WHERE id = $2", note, key)
            begun.set()
        await asyncio.Event().wait()
    finally:
        await connection.execute("DELETE FROM lines WHERE NOT id = ANY($1)", [UUID(key) for key in steady])
        await connection.close()


async def walk(served: Served, sort: str, limit: int) -> list[Mapping[str, Any]]:
    """The lines, page by page, each with its parent."""
    items: list[Mapping[str, Any]] = []
    bearer = {"authorization": f"Bearer {token('ada')}"}
    async with httpx2.AsyncClient(base_url=served.url, headers=bearer, timeout=20) as client:
        sent = {"sort": sort, "limit": str(limit), "include": "parent"}
        while True:
            answer = await client.get(f"{PREFIX}/lines", params=sent)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            sent["cursor"] = page["next_cursor"]


async def check(served: Served, keys: list[tuple[str, bool, bool]], limit: int, seed: int) -> None:
    """Assert that each line that stays comes once, that none comes twice, and that all are in order."""
    steady = [item["id"] for item in served.person("ada").items("/lines?limit=100")]
    begun = asyncio.Event()
    writer = asyncio.create_task(disturb(served.database, steady, random.Random(seed), begun))
    try:
        await asyncio.wait([writer, asyncio.create_task(begun.wait())], return_when="FIRST_COMPLETED")
        words = (f"{'-' * down}{key}__nulls_{'first' if first else 'last'}" for key, down, first in keys)
        items = await walk(served, ",".join(words), limit)
        assert not writer.done(), writer.exception()
    finally:
        writer.cancel()
        await asyncio.wait([writer])
    shown = [item["id"] for item in items]
    assert len(set(shown)) == len(shown)
    assert set(steady) <= set(shown)
    comes = order(Asked("Line", ANONYMOUS, sort=tuple(keys)))
    values = [tuple(_value(item, key) for key, _, _ in keys) for item in items]
    assert all(comes(one, other) <= 0 for one, other in pairwise(values))


def _value(item: Mapping[str, Any], key: str) -> Any:
    relation, _, name = key.rpartition("__")
    found = item[relation] if relation else item
    return None if found is None else found[name]


def test_pages_stay_apart_while_somebody_else_writes(lines: Served) -> None:
    """Others insert, delete and change lines all the while: what stays is shown exactly once, in order."""
    directed = st.tuples(st.sampled_from(KEYS), st.booleans(), st.booleans())
    several = st.lists(directed, min_size=1, max_size=3, unique_by=lambda key: key[0])
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
        @given(several, st.integers(1, 9), st.integers(0, 2**32))
        def agree(keys: list[tuple[str, bool, bool]], limit: int, seed: int) -> None:
            runner.run(check(lines, keys, limit, seed))

        agree()
