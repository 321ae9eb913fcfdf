"""One PostgreSQL server process: starting, finding and stopping it by its data directory.

The server is started directly, never through `pg_ctl`, whose shell breaks on paths with spaces and dollars.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from specwright.db.account import Account
from specwright.model.errors import ConfigError

PORT = 5432
_PATIENCE = 60.0
_TICK = 0.02
#: A Unix socket's path holds 104 bytes on macOS, 108 on Linux, with `/.s.PGSQL.5432.lock` at its end.
_SOCKET_ROOM = 103 - len("/.s.PGSQL.5432.lock")
_SOCKET_PREFIX = "specwright-"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server: its process id, the directory of its socket, and whether it accepts sessions."""

    pid: int
    socket: str
    ready: bool


def find(data: Path) -> Postmaster | None:
    """The server that runs on this data directory, told from a left-over file and from a reused pid."""
    try:
        lines = _lines(data / "postmaster.pid")
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    if not _serves(pid, data):
        return None
    ready = len(lines) > 7 and lines[7].strip() == "ready"
    return Postmaster(pid, _socket_in(lines), ready)


def launch(postgres: Path, data: Path, log: Path, to: Account, settings: Mapping[str, str]) -> Postmaster:
    """Start a server and wait until it accepts sessions; one that is starting or stopping is waited for.

    Raises:
        ConfigError: it does not start; the message ends with its last words.
    """
    deadline = time.monotonic() + _PATIENCE
    process: subprocess.Popen[bytes] | None = None
    socket = ""
    while time.monotonic() < deadline:
        running = find(data)
        if running is not None and running.ready:
            if process is not None:
                process.returncode = 0  # let go of it without a ResourceWarning: stop() finds it by its pid
            return running
        if process is None and running is None:
            socket = _socket_directory(data, to)
            process = _spawn(postgres, data, log, to, settings, socket)
        elif process is not None and process.poll() is not None:
            _drop_socket_directory(socket)
            if not _old_session_lingers(log):
                break
            process = None
        time.sleep(_TICK)
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGQUIT)
        process.wait()
        _drop_socket_directory(socket)
    raise ConfigError(f"The embedded PostgreSQL did not start ({log}):\n{_last_words(log)}")


def stop(data: Path, *, at_once: bool = False) -> None:
    """Stop the server of this data directory, if there is one, and wait until it is gone.

    Sessions are ended; `at_once` also skips the shutdown's checkpoint, for data that nobody keeps.
    """
    running = find(data)
    if running is None:
        return
    hurry = time.monotonic() + 15
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGQUIT if at_once else signal.SIGINT)
        while _serves(running.pid, data):
            with suppress(ChildProcessError):
                os.waitpid(running.pid, os.WNOHANG)
            if time.monotonic() > hurry:
                os.kill(running.pid, signal.SIGQUIT)
                hurry += 15
            time.sleep(_TICK)
    _drop_socket_directory(running.socket)


def _spawn(
    postgres: Path, data: Path, log: Path, to: Account, settings: Mapping[str, str], socket: str
) -> subprocess.Popen[bytes]:
    # find() says nobody serves here, so the file is a dead server's. PostgreSQL would mind it if another
    # process, in a fresh container easily, has got the same pid.
    left = data / "postmaster.pid"
    if left.exists():
        _drop_socket_directory(_socket_in(_lines(left)))
        left.unlink()
    chosen = {
        "port": str(PORT),
        "listen_addresses": "",
        "unix_socket_directories": _quoted(socket),
        "unix_socket_permissions": "0700",
        **settings,
    }
    command = [str(postgres), "-D", str(data)]
    for name, value in chosen.items():
        command += ["-c", f"{name}={value}"]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C at the terminal must reach us, not the database under our feet.
        return subprocess.Popen(
            command,
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            **to.privileges,
        )


def environment() -> dict[str, str]:
    """What PostgreSQL's programs get of our environment: no PG* variables, no secrets, plain messages."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def _socket_directory(data: Path, to: Account) -> str:
    """The data directory, which only its owner enters; a short private one if its path is too long."""
    if len(os.fsencode(data)) <= _SOCKET_ROOM and not set(str(data)) & set(',:"\n'):
        return str(data)
    directory = tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir="/tmp")
    os.chown(directory, to.uid, to.gid)
    return directory


def _drop_socket_directory(directory: str) -> None:
    """Remove a directory that was made for a socket; its owner alone can write there, and so can root."""
    path = Path(directory)
    if path.parent != Path("/tmp") or not path.name.startswith(_SOCKET_PREFIX):
        return
    with suppress(OSError):
        for left in path.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        path.rmdir()


def _lines(pid_file: Path) -> list[str]:
    return os.fsdecode(pid_file.read_bytes()).splitlines()


def _socket_in(lines: list[str]) -> str:
    return lines[4] if len(lines) > 4 else ""


def _quoted(directory: str) -> str:
    return '"' + directory.replace('"', '""') + '"'


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is the server of this data directory; a zombie is not."""
    if sys.platform == "darwin":
        command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        return os.fsencode(data) in subprocess.run(command, capture_output=True, check=False).stdout
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in words


def _old_session_lingers(log: Path) -> bool:
    """After a kill of the server its sessions live on for a moment, and a new server must wait for them."""
    return b"is still in use" in log.read_bytes()


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])
