"""The applications as processes, each alone on its port, one worker unless told otherwise."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers; `pids` are the processes that serve, `start_up` the seconds until it did."""

    port: int
    pids: list[int]
    start_up: float


@contextmanager
def serve(name: str, root: Path, environment: dict[str, str], workers: int = 1) -> Iterator[Running]:
    """Run `ours`, `bare` or `idiomatic` until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if name == "ours":
        command = ["specwright", "serve", str(root), "--port", str(port), "--workers", str(workers)]
        health = "/health/live"
    else:
        command = ["uvicorn", f"benchmarks.apps.{name}:app", "--port", str(port), "--workers", str(workers)]
        command += ["--no-access-log", "--log-level", "warning"]
        health = "/"
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=HERE.parent,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        # Its log lines are written like in production, and read by nobody.
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, health)
        start_up = time.perf_counter() - began
        yield Running(port, children(process.pid) or [process.pid], start_up)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(port: int, path: str) -> None:
    for _ in range(6_000):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"Nothing answers on port {port}.")


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
