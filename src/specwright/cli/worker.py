"""The supervisor's end of a serving process."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

#: Seconds that running requests get when a process is told to stop; then it is killed.
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What to serve: the project, and the environment that its settings are read from."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    #: Of the specs that the database was brought to; a process that reads others does not start.
    digest: str | None = None

    def line(self) -> bytes:
        """The order as the process reads it. It goes through a pipe: the database's password is in it."""
        order = {
            "root": str(self.root),
            "environment": self.environment,
            "digest": self.digest,
            "patience": PATIENCE,
        }
        return json.dumps(order).encode() + b"\n"


class Worker:
    """One serving process: it starts warm, with everything imported, and serves when it is told to."""

    def __init__(self, process: asyncio.subprocess.Process, report: asyncio.StreamReader) -> None:
        self._process = process
        self._report = report
        self.stopping = False

    @classmethod
    async def start(cls, listener: socket.socket) -> Self:
        """A process that shares the listening socket and accepts nothing yet."""
        ours, theirs = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "specwright.cli.server",
                str(listener.fileno()),
                str(theirs),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(listener.fileno(), theirs),
                # Ctrl-C is for the supervisor, which stops things in order.
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        report = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(report), os.fdopen(ours, "rb", 0))
        return cls(process, report)

    async def serve(self, order: Order) -> bool:
        """Give the order; True when the process answers requests, False when it ended instead."""
        assert self._process.stdin is not None
        with suppress(ConnectionError):
            self._process.stdin.write(order.line())
            await self._process.stdin.drain()
        return await self._report.read(1) == b"1"

    async def closed(self) -> None:
        """Wait until it takes no more requests, having been told to stop."""
        await self._report.read(1)

    async def ended(self) -> int:
        """Wait until the process has ended; its exit code."""
        return await self._process.wait()

    def begin_to_stop(self) -> None:
        """Tell it to take no more requests, and to end when it has answered those it has."""
        self._signal(signal.SIGTERM)

    async def stop(self) -> None:
        """Let it answer what it has begun, and wait until it is gone."""
        self.begin_to_stop()
        try:
            async with asyncio.timeout(PATIENCE + 5):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        self.stopping = True
        # Not send_signal(), which would reap an ended process before asyncio does and lose its exit code.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)
