"""What an app has started, detached or not: known by a variable that its environment was given."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: Processes have it from those that start them.
VARIABLE = "SPECWRIGHT_STAGE"
_PROCESSES = Path("/proc")
#: While some are ended, others may start more.
_TIMES = 10


def token() -> str:
    """A value for one process and what it starts."""
    return secrets.token_hex(16)


def end(value: str) -> None:
    """End every process that has this value, but the one that asks. Linux tells which they are."""
    for _ in range(_TIMES):
        found = [*_having(f"{VARIABLE}={value}".encode())]
        for each in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGKILL)
        if not found:
            return


def _having(entry: bytes) -> Iterator[int]:
    for each in _PROCESSES.glob("[0-9]*"):
        # Those of others, and those that have ended, are not to be read.
        with suppress(OSError):
            if int(each.name) != os.getpid() and entry in (each / "environ").read_bytes().split(b"\0"):
                yield int(each.name)
