"""F1, F19: the backend's own process ends, by force and in order, while clients write."""

import asyncio
import signal
from pathlib import Path

import pytest

from faults.clients import write_until
from faults.conftest import LONG
from faults.ledger import Ledger
from faults.servers import App, Postgres, serving, waiting

pytestmark = pytest.mark.anyio


async def test_kill_9_under_writes(app: App, postgres: Postgres) -> None:
    """F1: every acknowledged row is there; another process takes over by itself."""
    ledger = Ledger()

    async def disturb() -> None:
        for _ in range(20 if LONG else 2):
            await asyncio.sleep(0.3)
            app.kill()
            await asyncio.sleep(0.1)
            await app.answers()

    await write_until(app.person("killed"), ledger, disturb)
    assert ledger.acknowledged
    ledger.settle(await postgres.texts("killed"))


async def test_an_orderly_stop_under_load(root: Path, postgres: Postgres) -> None:
    """F19: after SIGTERM what has begun is answered, then the process ends with exit code 0."""
    ledger = Ledger()
    with serving(root, postgres, DATABASE_POOL_SIZE="5") as app:
        person = app.person("stopped")
        blocker = await postgres.connect()
        try:
            holding = blocker.transaction()
            await holding.start()
            await blocker.execute("LOCK TABLE notes IN SHARE MODE")
            begun = {
                name: asyncio.create_task(person.ask("POST", "/notes", {"text": name})) for name in "abcd"
            }
            await waiting(blocker, len(begun))
            app.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(1)
            assert app.process.poll() is None, "it did not wait for what has begun"
            await holding.rollback()
            for name, task in begun.items():
                told = await task
                assert told is not None and told.status == 201, told
                ledger.note(name, told.status)
            # Ten seconds of grace are promised; twice that for a busy machine.
            assert await asyncio.to_thread(app.process.wait, 20) == 0
        finally:
            await blocker.close()
    ledger.settle(await postgres.texts("stopped"))


async def test_an_orderly_stop_loses_no_answer(root: Path, postgres: Postgres) -> None:
    """F19: under load, each connection that was accepted gets an answer, or the client never got through."""
    ledger = Ledger()
    with serving(root, postgres) as app:

        async def disturb() -> None:
            await asyncio.sleep(0.5)
            app.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(app.process.wait, 20) == 0

        await write_until(app.person("leaving"), ledger, disturb)
    stored = await postgres.texts("leaving")
    ledger.settle(stored)
    assert ledger.statuses.keys() <= {201, None}
    unanswered = ledger.unknown & set(stored)
    assert not unanswered, f"stored, and the client was not told: {unanswered}"
