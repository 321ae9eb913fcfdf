"""The app's process, seen from ours: started, asked, and ended whatever happens."""

import asyncio
import itertools
import json
import os
import signal
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from specwright.verify.stage import offspring
from specwright.verify.stage.interpreter import command

_STOP = 2.0
#: Seconds in which a process answers us, and ends when it is killed: machines are busy.
_ANSWER = 20.0
_TICK = 0.01
#: A line holds everything that was logged since the start.
_LINE = 512 * 1024 * 1024
_OUTCOMES = {"ready", "failed"}
_PRINTED = 100_000

#: What the process may ask of us.
Serve = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


class Gone(Exception):
    """The process has ended, or says nothing any more."""


class Process:
    """One process with a line to it. `told` holds what it said last of each kind."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        serve: Serve,
        token: str,
    ) -> None:
        self._process = process
        self._token = token
        self._reader = reader
        self._writer = writer
        self._serve = serve
        self._ids = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.told: dict[str, dict[str, Any]] = {}
        #: Whether nothing is to be heard from it any more, which may be known before its exit code is.
        self._over = False
        self._ended_here = False
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: Lines that came out of it, stdout and stderr.
        self.printed: deque[str] = deque(maxlen=_PRINTED)

    @classmethod
    async def start(
        cls,
        plan: Mapping[str, Any],
        folder: Path,
        environment: Mapping[str, str],
        serve: Serve,
        python: Path,
    ) -> "Process":
        """Start one on a plan, with the app's own Python."""
        token = offspring.token()
        ours, theirs = socket.socketpair()
        try:
            child = await asyncio.create_subprocess_exec(
                *command(python, theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=folder,
                env={**environment, offspring.VARIABLE: token},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours, limit=_LINE)
        process = cls(child, reader, writer, serve, token)
        for work in (process._listen(), process._overhear()):
            process._keep(asyncio.create_task(work))
        process._send(plan)
        return process

    @property
    def alive(self) -> bool:
        """Whether it runs, and can be spoken to."""
        return self._runs and not self._over

    @property
    def _runs(self) -> bool:
        return self._process.returncode is None

    @property
    def ending(self) -> str:
        """How it ended: "was ended by SIGSEGV", "ended with exit code 3"."""
        code = self._process.returncode
        if code is None:
            return "says nothing any more"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    async def death(self) -> str:
        """How it ended, if it did so by itself; "" while it runs, and where it was ended from here."""
        if self.alive or self._ended_here:
            return ""
        return self.ending if await self._exited(_STOP) else ""

    async def wait(self) -> int:
        """Wait for its end, and until everything that it printed is here."""
        while not await self._exited(_STOP):
            pass
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP)
        assert self._process.returncode is not None
        return self._process.returncode

    async def settle(self) -> None:
        """Wait until it has told that it is ready or has failed, or has ended without a word."""
        await self._settled
        if not self.told.keys() & _OUTCOMES:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), _STOP)

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask for something.

        Raises:
            Gone: it has ended, or does not answer.
        """
        number = next(self._ids)
        if not self.alive or self._writer.is_closing():
            raise Gone
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "ask": what, **more})
        try:
            return await asyncio.wait_for(answer, _ANSWER)
        except TimeoutError:
            # Something in it lets no other thread run, not even the one that answers us.
            self._over = True
            raise Gone from None
        finally:
            self._asked.pop(number, None)

    async def end(self, patience: float = _STOP) -> bool:
        """Ask it to end; whether it has done so in time."""
        self._ended_here = self._ended_here or self.alive
        if self._runs:
            # Not `terminate`, which looks whether it still runs and so takes its exit code from asyncio.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
        return await self._exited(patience)

    async def kill(self) -> None:
        """End it at once, with whatever it has started."""
        self._ended_here = self._ended_here or self.alive
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.to_thread(offspring.end, self._token)
        await self._exited(_ANSWER)

    async def stop(self) -> None:
        """End it, gently and then not, with whatever it has started."""
        await self.end()
        await self.kill()
        # The end of the line is the end of the process, too: it is closed last.
        self._writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Private, but the only way to let go of pipes that a grandchild might hold.
        transport = self._process._transport  # type: ignore[attr-defined]
        transport.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _exited(self, patience: float) -> bool:
        """Wait for its end, and not for those of its children that hold on to its stdout."""
        until = asyncio.get_running_loop().time() + patience
        while self._runs and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_TICK)
        return not self._runs

    async def _listen(self) -> None:
        try:
            await self._read()
        except (OSError, ValueError):
            pass
        finally:
            self._over = True
            if not self._settled.done():
                self._settled.set_result(None)
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(Gone())

    async def _read(self) -> None:
        async for line in self._reader:
            message = json.loads(line)
            if "answer" in message:
                # Nobody waits any more for what comes too late.
                answer = self._asked.get(message["answer"])
                if answer is not None and not answer.done():
                    answer.set_result(message)
            elif "tell" in message:
                self.told[message["tell"]] = message
                if message["tell"] in _OUTCOMES and not self._settled.done():
                    self._settled.set_result(None)
                self._keep(asyncio.create_task(self._hear(message)))
            else:
                self._keep(asyncio.create_task(self._answer(message)))

    async def _hear(self, message: Mapping[str, Any]) -> None:
        await self._serve(message)

    async def _answer(self, message: Mapping[str, Any]) -> None:
        self._send({"answer": message["id"], **await self._serve(message)})

    async def _overhear(self) -> None:
        assert self._process.stdout is not None
        begun = b""
        while chunk := await self._process.stdout.read(65536):
            *lines, begun = (begun + chunk).split(b"\n")
            self.printed.extend(line.decode(errors="replace") for line in lines)
        if begun:
            self.printed.append(begun.decode(errors="replace"))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
