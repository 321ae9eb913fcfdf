"""Connections on loan: each goes from one user straight to the next, without the pool in between."""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import asyncpg

from specwright.db.sqlstate import DRIVER_ERRORS

#: Seconds that a connection may lie idle: fewer than those after which a serverless database falls asleep.
LONGEST_IDLE = 240


class Checkout:
    """Takes connections out of asyncpg's pool and keeps them going from hand to hand.

    Taking one from the pool and returning it costs as much as a short statement. Nothing is connected before
    the first one is wanted.
    """

    def __init__(self, arguments: Mapping[str, Any], size: int, patience: float) -> None:
        self._arguments = dict(arguments, min_size=0, max_size=size)
        self._size = size
        self._patience = patience
        self._pool: Any = None
        self._opening = asyncio.Lock()
        #: How many are out of the pool.
        self._out = 0
        #: Free, and since when; the last one used is the first to be used again.
        self._at_hand: list[tuple[Any, float]] = []
        #: Those who wait. They are given a connection, or None when the pool has room again.
        self._waiters: deque[asyncio.Future[Any]] = deque()
        self._sweeper: asyncio.Task[None] | None = None

    async def take(self) -> Any:
        """A connection, in the order of asking.

        Raises:
            TimeoutError: none was free within the patience.
        """
        while self._at_hand:
            connection, since = self._at_hand.pop()
            if monotonic() - since < LONGEST_IDLE and not is_lost(connection):
                return connection
            await self.give_back(connection)
        async with asyncio.timeout(self._patience):
            return await self._next()

    def hand_on(self, connection: Any) -> None:
        """Pass a sound connection to who waits longest, or keep it at hand."""
        if self._wake(connection):
            return
        self._at_hand.append((connection, monotonic()))
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())

    async def give_back(self, connection: Any) -> None:
        """Return a connection to the pool, which looks after those that are not sound."""
        try:
            if self._pool is not None:
                with suppress(*DRIVER_ERRORS):
                    # The limit is for a cancelled statement, whose end the server might never tell.
                    await self._pool.release(connection, timeout=self._patience)
        finally:
            self._out -= 1
            self._wake(None)

    async def expire(self) -> None:
        """Replace every connection before its next use: one was broken, so the others may be."""
        if self._pool is not None:
            await self._pool.expire_connections()
            await self._empty_hands()

    async def close(self) -> None:
        """Close all connections; those still in use get a moment to finish."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        if self._pool is None:
            return
        await self._empty_hands()
        pool, self._pool = self._pool, None
        try:
            async with asyncio.timeout(5):
                await pool.close()
        except (TimeoutError, *DRIVER_ERRORS):
            pool.terminate()

    async def _next(self) -> Any:
        while self._out >= self._size:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                connection = await waiter
            except asyncio.CancelledError:
                if not waiter.cancelled():
                    # It came in the very moment of giving up.
                    self._pass_over(waiter.result())
                raise
            if connection is not None:
                return connection
        self._out += 1
        try:
            return await (await self._opened()).acquire()
        except BaseException:
            self._out -= 1
            self._wake(None)
            raise

    def _pass_over(self, given: Any) -> None:
        if given is None:
            self._wake(None)
        else:
            self.hand_on(given)

    def _wake(self, given: Any) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(given)
                return True
        return False

    async def _opened(self) -> Any:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(**self._arguments)
        return self._pool

    async def _empty_hands(self) -> None:
        while self._at_hand:
            await self.give_back(self._at_hand.pop()[0])

    async def _sweep(self) -> None:
        """Close what has lain idle for too long, until nothing is at hand."""
        while self._at_hand:
            connection, since = self._at_hand[0]
            rest = since + LONGEST_IDLE - monotonic()
            if rest > 0:
                await asyncio.sleep(rest)
                continue
            del self._at_hand[0]
            with suppress(*DRIVER_ERRORS):
                await connection.close(timeout=self._patience)
            await self.give_back(connection)
        self._sweeper = None


def is_lost(connection: Any) -> bool:
    """Whether a connection is closed, or no longer on loan."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # asyncpg took the broken connection back by itself.
        return True
