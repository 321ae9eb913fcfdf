"""One clock for all requests: each has the same time, so the first that began is the first that is due."""

import asyncio
from time import perf_counter
from typing import Any, Protocol


class Timed(Protocol):
    """What has a deadline; `overdue` is set before its task is cancelled."""

    started: float
    overdue: bool


class Deadline:
    """Cancels the task of each request whose answer has not begun in time.

    A timer for each request would cost more than all else that is done here.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Timed, asyncio.Task[Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._armed = False

    def begin(self, timed: Timed) -> None:
        """The current task works on this from now on."""
        task = asyncio.current_task()
        assert task is not None
        self._running[timed] = task
        loop = asyncio.get_running_loop()
        if not self._armed or loop is not self._loop:
            self._arm(loop, self._seconds)

    def end(self, timed: Timed) -> None:
        """This has its answer."""
        self._running.pop(timed, None)

    def _arm(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop, self._armed = loop, True
        loop.call_later(seconds, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._armed = False
        begun_before = perf_counter() - self._seconds
        while self._running:
            timed, task = next(iter(self._running.items()))
            if timed.started > begun_before:
                # A timer may ring a little early.
                self._arm(loop, max(timed.started - begun_before, 0.001))
                return
            del self._running[timed]
            timed.overdue = True
            task.cancel()
