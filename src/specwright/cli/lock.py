"""One `specwright up` a folder."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from specwright.model.errors import ConfigError

FILE = Path(".specwright", "up.lock")


@contextmanager
def only_here(root: Path) -> Iterator[Callable[[str], None]]:
    """Hold the folder for this process; call the result with the URL that it serves at, to be told to others.

    The lock is the system's and ends with the process, however it ends; the file only says who holds it.

    Raises:
        ConfigError: another process holds it; the message says where it serves.
    """
    path = root / FILE
    try:
        path.parent.mkdir(exist_ok=True)
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}): run as the folder's owner."
        ) from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(_holder(held)) from None

        def serves_at(url: str) -> None:
            os.ftruncate(held, 0)
            os.pwrite(held, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)

        serves_at("an address not yet chosen")
        yield serves_at
    finally:
        os.close(held)


def _holder(held: int) -> str:
    try:
        holder = json.loads(os.pread(held, 4096, 0))
        where = f" at {holder['url']} (process {holder['pid']})"
    except (ValueError, KeyError, TypeError):
        where = ""
    return f"specwright up already runs in this folder{where}: use that one, or stop it first."
