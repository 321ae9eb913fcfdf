"""F13: clients that were not answered, and send the same request again under its `Idempotency-Key`."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from faults.clients import Person, Told
from faults.conftest import LONG
from faults.servers import App, Postgres, waiting

pytestmark = pytest.mark.anyio


class Sent:
    """A create of one note that waits in the database, which somebody else holds up."""

    def __init__(self, person: Person, postgres: Postgres, blocker: Any) -> None:
        self.code = str(uuid4())
        self._person = person
        self._postgres = postgres
        self._blocker = blocker
        self._holding = blocker.transaction()
        self._first: asyncio.Task[Told | None] | None = None

    async def send(self) -> None:
        """Send it for the first time, and return when it waits."""
        await self._holding.start()
        taken = "INSERT INTO notes (id, text, code, owner_id) VALUES (gen_random_uuid(), 'x', $1, 'nobody')"
        await self._blocker.execute(taken, self.code)
        self._first = asyncio.create_task(self._ask())
        await waiting(self._blocker, 1)

    async def again(self) -> Told:
        """Send it again."""
        told = await self._ask()
        assert told is not None
        return told

    async def release(self) -> None:
        """Let it go on."""
        await self._holding.rollback()

    async def first(self) -> Told | None:
        """What the first time was answered; None when nothing."""
        assert self._first is not None
        return await self._first

    async def stored(self) -> list[Any]:
        """The rows that it has made."""
        return await self._postgres.fetch("SELECT id, text FROM notes WHERE code = $1", self.code)

    async def made(self) -> list[Any]:
        """The rows, as soon as there are any."""
        for _ in range(1000):
            if rows := await self.stored():
                return rows
            await asyncio.sleep(0.02)
        raise AssertionError("it is not stored")

    async def end(self) -> None:
        """Have the server end the session that waits."""
        waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        pid = await self._blocker.fetchval("SELECT pg_backend_pid()")
        assert await self._postgres.fetch(waits, pid)

    async def _ask(self) -> Told | None:
        note = {"text": "once", "code": self.code}
        return await self._person.ask("POST", "/notes", note, f"idempotency-key: {self.code}")


@asynccontextmanager
async def sent(app: App, postgres: Postgres, name: str) -> AsyncIterator[Sent]:
    """A create that waits, in the name of this person."""
    blocker = await postgres.connect()
    try:
        one = Sent(app.person(name), postgres, blocker)
        await one.send()
        yield one
    finally:
        await blocker.close()


async def test_one_key_for_twenty(app: App, postgres: Postgres) -> None:
    """One row. Each is told of it, at once or as soon as it is no longer being made, in the same bytes."""
    person = app.person("twenty")

    async def insist(n: int) -> Told:
        while True:
            told = await person.told("POST", "/notes", {"text": f"{n}"}, f"idempotency-key: twenty-{n}")
            if told.status != 409:
                return told
            assert told.json()["code"] == "still_running" and int(told.headers["retry-after"]) >= 1
            await asyncio.sleep(0.05)

    for n in range(50 if LONG else 3):
        answers = await asyncio.gather(*(insist(n) for _ in range(20)))
        assert {told.status for told in answers} == {201}
        assert len({(told.body, told.headers["location"], told.headers["etag"]) for told in answers}) == 1
        assert len([told for told in answers if "idempotency-replayed" not in told.headers]) == 1
        assert (
            len(await postgres.fetch("SELECT FROM notes WHERE owner_id = 'twenty' AND text = $1", f"{n}"))
            == 1
        )


async def test_killed_between_commit_and_answer(app: App, postgres: Postgres) -> None:
    """The row is stored and nobody was told: whoever asks again is told of that very row."""
    for _ in range(20 if LONG else 1):
        async with sent(app, postgres, "cut off") as one:
            worker = app.worker
            assert worker is not None
            os.kill(worker, signal.SIGSTOP)
            await one.release()
            rows = await one.made()
            os.kill(worker, signal.SIGKILL)
            assert await one.first() is None
            await app.answers()
            for _ in range(2):
                told = await one.again()
                assert (told.status, told.headers["idempotency-replayed"]) == (201, "true")
                assert told.json()["id"] == str(rows[0]["id"])
            assert await one.stored() == rows


async def test_killed_while_the_database_works(app: App, postgres: Postgres) -> None:
    """The statement goes on without its client: it is still running, and then it has been done."""
    for _ in range(10 if LONG else 1):
        async with sent(app, postgres, "orphaned") as one:
            app.kill()
            assert await one.first() is None
            await app.answers()
            told = await one.again()
            assert (told.status, told.json()["code"]) == (409, "still_running")
            await one.release()
            rows = await one.made()
            told = await one.again()
            assert (told.status, told.headers["idempotency-replayed"]) == (201, "true")
            assert told.json()["id"] == str(rows[0]["id"])
            assert await one.stored() == rows


async def test_killed_before_the_commit(app: App, postgres: Postgres) -> None:
    """Nothing is left, of the key either: whoever asks again is the first."""
    for _ in range(10 if LONG else 1):
        async with sent(app, postgres, "too early") as one:
            app.kill()
            assert await one.first() is None
            await one.end()
            await one.release()
            await app.answers()
            told = await one.again()
            assert told.status == 201 and "idempotency-replayed" not in told.headers
            again = await one.again()
            assert (again.body, again.headers["idempotency-replayed"]) == (told.body, "true")
            assert [str(row["id"]) for row in await one.stored()] == [told.json()["id"]]


async def test_a_503_that_was_stored_after_all(app: App, postgres: Postgres) -> None:
    """The connection breaks under the statement: 503, and the same key tells what has become of it."""
    for _ in range(10 if LONG else 1):
        async with sent(app, postgres, "unsure") as one:
            await one.end()
            told = await one.first()
            assert told is not None and told.status == 503 and int(told.headers["retry-after"]) >= 1
            await one.release()
            told = await one.again()
            assert told.status == 201
            assert [str(row["id"]) for row in await one.stored()] == [told.json()["id"]]
