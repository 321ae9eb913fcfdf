"""Grants and rules about json and lists, held by the statement and by row-level security alike."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from protected import build, session_of, sessions_on
from served import Served, fresh_database, serving
from specwright.model.caller import Caller
from specwright.read.spec import read_specs

SPEC = """# Boxes

| Role   | Means |
|--------|-------|
| reader | reads |

## Box (boxes)

| Field | Type            | Rules          |
|-------|-----------------|----------------|
| name  | text            | required, ..20 |
| data  | json            |                |
| tags  | list of text    |                |
| sizes | list of integer |                |
| owner | User            | the caller     |

| Who    | May        | When                                                             |
|--------|------------|------------------------------------------------------------------|
| owner  | everything |                                                                  |
| reader | list, read | `contains(data, '{"for": ["all"]}')`                             |
| reader | list, read | `"open" in tags and not (7 in sizes)`                            |
| reader | list, read | `caller.claims.team in tags`                                     |

### Rules

- `data is None or not contains(data, '{"state": "broken"}')`
"""
ROWS = {
    "for all": {"data": {"for": ["some", "all"]}},
    "for some": {"data": {"for": ["some"]}, "tags": ["red"]},
    "open": {"tags": ["open", "red:blue"]},
    "closed": {"tags": ["open"], "sizes": [1, 7]},
    "nothing": {},
}


@pytest.fixture(scope="module")
def boxes(database_server: str) -> Iterator[Served]:
    """Ada's boxes."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, tables=False) as served:
            for name, members in ROWS.items():
                served.person("ada").made("/boxes", {"name": name} | members)
            yield served


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({}, ["for all", "open"]),
        ({"team": "red"}, ["for all", "for some", "open"]),
        ({"team": ["red"]}, ["for all", "open"]),
    ],
)
def test_readers_see_what_the_grants_say(boxes: Served, claims: dict[str, object], names: list[str]) -> None:
    """By the API, and in a session that names no condition."""
    found = boxes.person("eve", "reader", **claims).items("/boxes?sort=name")
    assert [box["name"] for box in found] == names

    async def seen() -> list[str]:
        sessions = sessions_on(boxes.database)
        try:
            caller = Caller("eve", frozenset({"reader"}), claims)
            async with session_of(sessions, boxes.backend.manifest, caller) as session:
                return list(await session.scalars(text("SELECT name FROM boxes ORDER BY name")))
        finally:
            await sessions.close()

    assert asyncio.run(seen()) == names


def test_a_session_cannot_break_the_rule(boxes: Served) -> None:
    """The table refuses it, whoever writes."""

    async def broken() -> None:
        sessions = sessions_on(boxes.database)
        try:
            async with session_of(sessions, boxes.backend.manifest, Caller("ada")) as session:
                await session.execute(text("""UPDATE boxes SET data = '{"state": "broken"}'"""))
        finally:
            await sessions.close()

    with pytest.raises(DBAPIError, match="ck_boxes"):
        asyncio.run(broken())
