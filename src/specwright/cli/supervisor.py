"""Keeps a backend served: replaces its processes without a gap, and puts back one that fell."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

from specwright.cli import console
from specwright.cli.worker import Order, Worker

#: Seconds before a process that fell is put back: long enough not to spin, short enough not to matter.
_PAUSE = 1.0


class Supervisor:
    """The processes behind one listening socket; use it as an async context manager."""

    def __init__(self, listener: socket.socket, *, count: int = 1) -> None:
        self._listener = listener
        self._count = count
        self._warm: list[asyncio.Task[Worker]] = []
        self._serving: list[Worker] = []
        self._all: set[Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._order: Order | None = None

    async def __aenter__(self) -> "Supervisor":
        self.warm_up()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        started = await asyncio.gather(*self._warm, *self._tasks, return_exceptions=True)
        self._all.update(worker for worker in started if isinstance(worker, Worker))
        await asyncio.gather(*(worker.stop() for worker in self._all))

    def warm_up(self) -> None:
        """Have the next processes import what they need while the present ones serve."""
        while len(self._warm) < self._count:
            self._warm.append(asyncio.create_task(Worker.start(self._listener)))

    async def serve(self, order: Order) -> bool:
        """Serve this from now on.

        The processes before take requests until the new ones do, and go on if those do not start: then the
        result is False, and what was wrong is on standard error.
        """
        new = [await self._next() for _ in range(self._count)]
        if not all(await asyncio.gather(*(worker.serve(order) for worker in new))):
            await asyncio.gather(*(self._dismiss(worker) for worker in new))
            return False
        old, self._serving, self._order = self._serving, new, order
        for worker in new:
            self._spawn(self._guard(worker))
        for worker in old:
            worker.begin_to_stop()
        await asyncio.gather(*(worker.closed() for worker in old))
        for worker in old:
            self._spawn(self._dismiss(worker))
        return True

    def kill(self) -> None:
        """End all processes at once: somebody is in a hurry."""
        for worker in self._all:
            worker.kill()

    async def _next(self) -> Worker:
        self.warm_up()
        worker = await self._warm.pop(0)
        self._all.add(worker)
        return worker

    async def _dismiss(self, worker: Worker) -> None:
        await worker.stop()
        self._all.discard(worker)

    async def _guard(self, worker: Worker) -> None:
        """Replace this process if it ends without having been told to."""
        code = await worker.ended()
        while not worker.stopping and worker in self._serving and self._order is not None:
            console.failed(f"a server process ended by itself ({_reason(code)}); starting another one")
            await asyncio.sleep(_PAUSE)
            another = await self._next()
            if await another.serve(self._order):
                if worker in self._serving:
                    self._serving[self._serving.index(worker)] = another
                    self._spawn(self._guard(another))
                else:
                    self._spawn(self._dismiss(another))
                self._all.discard(worker)
                return
            code = await another.ended()
            self._all.discard(another)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _reason(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
