"""F12, F14: many who want the same thing at the same time."""

import asyncio
from collections import Counter

import pytest

from faults.conftest import LONG
from faults.servers import App, Postgres

pytestmark = pytest.mark.anyio


async def test_two_who_hold_the_same_version(app: App) -> None:
    """F12: of two PUTs with one ETag exactly one is stored, each time."""
    person = app.person("versions")
    note = (await person.told("POST", "/notes", {"text": "0"})).json()
    path = f"/notes/{note['id']}"
    for n in range(50 if LONG else 20):
        before = await person.told("GET", path)
        match = f"if-match: {before.headers['etag']}"
        both = await asyncio.gather(
            *(person.told("PUT", path, {"text": f"{n} by {who}"}, match) for who in ("ada", "bob"))
        )
        assert sorted(told.status for told in both) == [200, 412]
        (stored,) = (told.json()["text"] for told in both if told.status == 200)
        assert (await person.told("GET", path)).json()["text"] == stored


async def test_one_unique_value_for_fifty(app: App, postgres: Postgres) -> None:
    """F14: one 201, forty-nine 409, one row."""
    for n in range(5 if LONG else 1):
        answers = await asyncio.gather(
            *(
                app.person(f"rival {k}").told("POST", "/notes", {"text": "mine", "code": f"only {n}"})
                for k in range(50)
            )
        )
        statuses = Counter(told.status for told in answers)
        assert statuses == {201: 1, 409: 49}, statuses
        assert await postgres.fetch("SELECT FROM notes WHERE code = $1", f"only {n}") != []
