"""An ASGI app on a real loopback socket, in a thread of its own: a stuck app does not stick its judge."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn

from specwright import loopback
from specwright.model.errors import SpecwrightError

_START = 30.0
_STOP = 3.0
_TICK = 0.01


class NotServed(SpecwrightError):
    """The app does not start, or does not start in time."""


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve the app for as long as the context lasts; gives its base URL.

    Raises:
        NotServed: the app does not start.
    """
    watched = _Watched(app)
    config = uvicorn.Config(
        watched, lifespan="on", log_config=None, access_log=False, log_level="critical", ws="none"
    )
    server = _Server(config)
    with loopback.listener() as listener:
        thread = threading.Thread(target=_run, args=(server, listener), daemon=True, name="served app")
        thread.start()
        try:
            await _started(server, thread, watched)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await _ended(server, thread)


class _Server(uvicorn.Server):
    """Uvicorn, which looks up ten times as often whether it is to stop: it is stopped after each proof."""

    async def main_loop(self) -> None:
        """Go on until told to stop."""
        while not await self.on_tick(0):  # noqa: ASYNC110 - it is told from another thread
            await asyncio.sleep(_TICK)


class _Watched:
    """The app, with an ear on what it says when it fails to start."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.failure = ""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def listen(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.failure = str(message.get("message", "")).strip().rpartition("\n")[2]
            await send(message)

        await self.app(scope, receive, listen)


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # Uvicorn exits when the start fails; `_started` says so.
    with suppress(SystemExit):
        server.run([listener])


async def _started(server: uvicorn.Server, thread: threading.Thread, watched: _Watched) -> None:
    deadline = asyncio.get_running_loop().time() + _START
    while not server.started:
        if not thread.is_alive() or server.should_exit:
            said = f": {watched.failure}" if watched.failure else "."
            raise NotServed(f"The app does not start{said}")
        if asyncio.get_running_loop().time() > deadline:
            raise NotServed(f"The app does not start within {_START:g} seconds.")
        await asyncio.sleep(_TICK)


async def _ended(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = asyncio.get_running_loop().time() + _STOP
    while thread.is_alive():
        if asyncio.get_running_loop().time() > deadline:
            # A daemon thread: it ends with the process at the latest.
            server.force_exit = True
            return
        await asyncio.sleep(_TICK)
