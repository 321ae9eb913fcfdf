"""Harm that is done to an app on a stage: its end, the loss of its database, tables that nobody gets at."""

import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from playing import Play, playing
from specwright.db.url import normalise
from specwright.verify.database.sessions import at_work, held

pytestmark = pytest.mark.any_server


@pytest.fixture(scope="module")
def pool(database_server: str) -> Iterator[Play]:
    """The app with a pool of asyncpg."""
    nowhere = "postgresql://somebody:secret@db.example.invalid:5432/shop"
    with playing("pool", environment={"SHOP_DATABASE": nowhere}, database=normalise(database_server)) as play:
        yield play


def test_a_database_that_is_away(pool: Play) -> None:
    """Connections are cut, and new ones meet nobody; afterwards they are made again, to the same database."""
    before = pool("GET", "/where").body
    with pool.portal.wrap_async_context_manager(pool.stage.cut_off()):
        seen = pool("GET", "/where")
        assert seen.status == 500
        assert "ConnectionRefusedError" in seen.inside.raised[-1]
    assert pool("GET", "/where").body == before


def test_tables_that_are_held(pool: Play) -> None:
    """Who reads a row waits, is seen to, and is answered afterwards; what is held already is left alone."""
    database = pool.stage.database
    with pool.portal.wrap_async_context_manager(held(database)) as locked:
        assert locked
        with pytest.raises(httpx2.TimeoutException):
            pool("GET", "/ways", patience=0.5)
        # Ours, which holds the tables, and the app's, which waits for them.
        _until(lambda: pool.portal.call(at_work, database) == 2)
        with pool.portal.wrap_async_context_manager(held(database)) as again:
            assert not again
    _until(lambda: pool.portal.call(at_work, database) == 0)
    assert pool("GET", "/ways").status == 200


def test_nothing_is_held_without_postgresql(pool: Play) -> None:
    """Other databases, and none, have nothing to hold, and nobody at work."""
    for database in (None, "sqlite:////nowhere"):
        with pool.portal.wrap_async_context_manager(held(database)) as locked:
            assert not locked
        assert pool.portal.call(at_work, database) == 0


def test_an_end_at_once_and_one_that_is_asked_for() -> None:
    """A killed app is gone; one that is asked to end says goodbye; both start again at the same address."""
    with playing("in_memory") as play:
        base = play.stage.base
        play.portal.call(play.stage.kill)
        assert not play.stage.alive
        play.restart()
        assert play("GET", "/pid").status == 200
        assert play.portal.call(play.stage.end, 30.0) is not None
        assert not play.stage.alive
        play.restart()
        assert (play("GET", "/pid").status, play.stage.base) == (200, base)


def test_an_app_that_does_not_end() -> None:
    """Nobody waits longer for its end than there is patience."""
    with playing("in_memory") as play:
        with pytest.raises(httpx2.TimeoutException):
            play("GET", "/stuck", patience=0.3)
        assert play.portal.call(play.stage.end, 0.2) is None
        assert play.stage._process is not None and play.stage._process.alive


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        time.sleep(0.05)
