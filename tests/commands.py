"""The installed command line, run as a person runs it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

SPECWRIGHT = Path(sys.executable).with_name("specwright")
#: For whatever should happen soon, on a slow machine under load.
PATIENCE = 60.0

_OURS = re.compile(r"DATABASE_|MIGRATION_|AUTH_|BETTER_AUTH_|APP_|ENVIRONMENT|LOG_|MAX_")


def environment(**settings: str) -> dict[str, str]:
    """The surroundings without any setting of ours but these."""
    return {name: value for name, value in os.environ.items() if not _OURS.match(name)} | settings


def specwright(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [SPECWRIGHT, *arguments],
        cwd=cwd,
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


class Running:
    """A backend that `up` or `serve` runs, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.printed("→ http")
        found = re.search(r"→ (http://\S+?)(?:/docs)?\s", self.output)
        assert found is not None
        self.url = found[1]

    def printed(self, text: str, times: int = 1) -> None:
        """Wait until it has printed this."""
        deadline = time.monotonic() + PATIENCE
        while self.output.count(text) < times:
            ended = self.process.poll() is not None and not self._reader.is_alive()
            assert not ended and time.monotonic() < deadline, f"no {text!r} in:\n{self.output}"
            time.sleep(0.05)

    def get(self, path: str, token: str | None = None) -> httpx.Response:
        """Ask, on a fresh connection."""
        return httpx.get(self.url + path, headers=_bearer(token), timeout=PATIENCE, verify=False)

    def post(self, path: str, body: Mapping[str, object], token: str | None = None) -> httpx.Response:
        """Send a JSON body."""
        return httpx.post(
            self.url + path, json=dict(body), headers=_bearer(token), timeout=PATIENCE, verify=False
        )

    def refuses(self) -> bool:
        """Whether nobody listens any more."""
        try:
            self.get("/health/live")
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            pass
        return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line


@contextmanager
def running(*arguments: str, cwd: Path, **settings: str) -> Iterator[Running]:
    """A backend on a free port, stopped at the end."""
    with subprocess.Popen(
        [SPECWRIGHT, *arguments, "--port", "0"],
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            backend = Running(process)
            yield backend
            backend.stop()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}
