"""An app on this machine's loopback, for one client here: its socket, and a server in a thread of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from specwright.model.errors import SpecwrightError

_START = 30.0
_STOP = 3.0
_TICK = 0.01


class NotServed(SpecwrightError):
    """The app does not start, or does not start in time."""


def listener(port: int = 0) -> socket.socket:
    """A socket that listens on loopback, at a free port or at this one.

    It says that it speaks TCP, as `socket.create_server` does not: asyncio turns off the delay of small
    packets only then, and each answer in two parts would come 40 milliseconds late.

    Raises:
        OSError: the port is taken.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI app for as long as the context lasts; gives its base URL.

    A stuck app does not stick whoever asks it: what does not end in time is left to end with the process.

    Raises:
        NotServed: the app does not start.
    """
    watched = _Watched(app)
    config = uvicorn.Config(
        watched, lifespan="on", log_config=None, access_log=False, log_level="critical", ws="none"
    )
    server = _Server(config)
    with listener() as at:
        thread = threading.Thread(target=_run, args=(server, at), daemon=True, name="served app")
        thread.start()
        try:
            _wait(server, thread, watched)
            yield f"http://127.0.0.1:{at.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP)
            server.force_exit = True


class _Server(uvicorn.Server):
    """Uvicorn, which waits in ticks where it waits in tenths of a second: it is stopped after each proof."""

    async def main_loop(self) -> None:
        """Go on until told to stop."""
        while not await self.on_tick(0):  # noqa: ASYNC110 - it is told from another thread
            await asyncio.sleep(_TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let what is on its way be answered, then end the app."""
        for each in (*self.servers, *(sockets or ())):
            each.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 - as above
            await asyncio.sleep(_TICK)
        if not self.force_exit:
            await self.lifespan.shutdown()


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


def _run(server: uvicorn.Server, at: socket.socket) -> None:
    # Uvicorn exits when the start fails; `_wait` says so.
    with suppress(SystemExit):
        server.run([at])


def _wait(server: uvicorn.Server, thread: threading.Thread, watched: _Watched) -> None:
    deadline = time.monotonic() + _START
    while not server.started:
        if not thread.is_alive() or server.should_exit:
            said = f": {watched.failure}" if watched.failure else "."
            raise NotServed(f"The app does not start{said}")
        if time.monotonic() > deadline:
            raise NotServed(f"The app does not start within {_START:g} seconds.")
        time.sleep(_TICK)
