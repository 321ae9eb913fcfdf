"""What `up` and `serve` share: running until told to stop, and the embedded server beside it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from specwright.cli.supervisor import Supervisor
from specwright.db import embedded
from specwright.db.embedded import Embedded
from specwright.model.errors import SpecwrightError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def until_stopped(work: Callable[[list[Supervisor]], Coroutine[Any, Any, None]]) -> None:
    """Run the work until it ends or a signal asks it to; its own clean-up is left to finish.

    A second signal kills the supervisors that the work has put into its list, for somebody in a hurry.
    """

    async def run() -> None:
        supervisors: list[Supervisor] = []
        task = asyncio.create_task(work(supervisors))
        asked = False

        def stop() -> None:
            nonlocal asked
            if asked:
                for supervisor in supervisors:
                    supervisor.kill()
            else:
                asked = True
                task.cancel()

        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, stop)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


@asynccontextmanager
async def embedded_server(root: Path) -> AsyncIterator["asyncio.Task[Embedded]"]:
    """The embedded server, starting; stopped at the end even when that comes before it has started."""
    starting = asyncio.create_task(asyncio.to_thread(embedded.start, root))
    try:
        yield starting
    finally:
        with suppress(SpecwrightError):
            server = await starting
            await asyncio.to_thread(server.stop)
