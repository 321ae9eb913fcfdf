"""In the app's process: the line to those who started it, JSON by JSON, in a thread of its own.

A thread, so that an event loop that is stuck does not make the app mute; and when the line ends, so do we.
"""

import itertools
import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from specwright.verify.stage import offspring

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """What was asked for is not to be had; the message is a sentence."""


class Channel:
    """The line. `answers` by what is asked."""

    def __init__(self, descriptor: int) -> None:
        # Read now: the app may do to its environment what it likes.
        self._token = os.environ[offspring.VARIABLE]
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._reader = self._socket.makefile("rb")
        #: The first message says what is to be done.
        self.plan: dict[str, Any] = json.loads(self._reader.readline())
        self.answers: dict[str, Answer] = {}
        self._ids = itertools.count()
        self._asked: dict[int, Future[dict[str, Any]]] = {}
        self._writing = threading.Lock()
        threading.Thread(target=self._listen, daemon=True, name="specwright control").start()

    def tell(self, what: str, **more: Any) -> None:
        """Say something that wants no answer."""
        self._send({"tell": what, **more})

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask for something, and wait for it.

        Raises:
            Refused: it is not to be had.
        """
        answer: Future[dict[str, Any]] = Future()
        number = next(self._ids)
        self._asked[number] = answer
        self._send({"id": number, "ask": what, **more})
        said = answer.result()
        if "refused" in said:
            raise Refused(said["refused"])
        return said

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, default=str).encode() + b"\n"
        with self._writing:
            self._socket.sendall(line)

    def _listen(self) -> None:
        try:
            for line in self._reader:
                message = json.loads(line)
                if "answer" in message:
                    self._asked.pop(message["answer"]).set_result(message)
                else:
                    said = self.answers[message["ask"]](message)
                    self._send({"answer": message["id"], **said})
        except (OSError, ValueError):
            pass
        # Whoever started us is gone, perhaps killed: nobody else would clear up.
        shutil.rmtree(self.plan["temporary"], ignore_errors=True)
        offspring.end(self._token)
        os.killpg(os.getpgid(0), signal.SIGKILL)
