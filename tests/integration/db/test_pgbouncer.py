"""PgBouncer in transaction mode: each statement may run in another session than the one before.

Debian's package is used, or the program that PGBOUNCER names. Without one the tests are skipped, and say so.
"""

import asyncio
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from served import create_tables, serving
from specwright.db.pool import Database, DatabaseUnavailable
from specwright.db.url import Dsn, normalise
from specwright.read.spec import read_specs

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

PROGRAM = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

#: What administrators add so that drivers get in; then the refusal that tells a pooler is missing.
LENIENT = "ignore_startup_parameters = IntervalStyle, statement_timeout, extra_float_digits"

NOTES = """
# Notes

## Note

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |
| amount | integer | default 0 |
| labels | list of text | ..5 |
| at | timestamp | |
| owner | User | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |
"""

Start = Callable[..., str]


def _version() -> tuple[int, ...]:
    assert PROGRAM is not None
    shown = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", shown.splitlines()[0])))


@pytest.fixture
def pooler(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start PgBouncer in front of the fresh database; the address that leads through it."""
    if PROGRAM is None:
        pytest.skip("NOT RUN: pgbouncer is not installed (apt-get install pgbouncer)")
    started: list[subprocess.Popen[bytes]] = []

    def start(*lines: str) -> str:
        assert PROGRAM is not None
        folder = tmp_path_factory.mktemp("pgbouncer")
        dsn = normalise(database_url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        place = {"host": dsn.host, "port": dsn.port, "user": dsn.user, "password": dsn.password}
        words = " ".join(f"{name}={value}" for name, value in place.items() if value is not None)
        config = folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = {words}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
            "unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n"
            "max_client_conn = 200\n" + "\n".join(lines) + "\n"
        )
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            [PROGRAM, str(config)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            **_privileges(dsn, folder),
        )
        log.close()
        started.append(process)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"postgresql://{dsn.user}@127.0.0.1:{port}/{dsn.database}?sslmode=disable"
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        raise AssertionError("PgBouncer does not listen")

    yield start
    for process in started:
        process.kill()
        process.wait()


def _privileges(dsn: Dsn, folder: Path) -> dict[str, Any]:
    """PgBouncer refuses to run as root: as the owner of the server's socket, which lets nobody else in."""
    if os.geteuid() != 0:
        return {}
    local = dsn.host is not None and dsn.host.startswith("/")
    owner = Path(dsn.host or "/").stat().st_uid if local else 0
    known = pwd.getpwuid(owner) if owner != 0 else pwd.getpwnam("nobody")
    for path in (folder, *folder.parents[:3]):
        path.chmod(path.stat().st_mode | 0o011)
    return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": []}


@asynccontextmanager
async def _connected(url: str, **options: Any) -> AsyncIterator[Database]:
    database = Database(normalise(url), **options)
    try:
        yield database
    finally:
        await database.close()


@pytest.mark.parametrize("lines", [(), (LENIENT,)], ids=["strict", "lenient"])
async def test_a_pooler_is_recognised_whatever_its_address(pooler: Start, lines: tuple[str, ...]) -> None:
    """Sessions are in UTC, and no statement of ours keeps a name on a server that others share."""
    async with _connected(pooler(*lines), size=6) as database:
        found = await asyncio.gather(
            *(database.fetchrow(f"SELECT $1::int + {n}, current_setting('TimeZone')", [n]) for n in range(40))
        )
        assert [tuple(row) for row in found] == [(2 * n, "UTC") for n in range(40)]
        names = await database.fetch("SELECT name FROM pg_prepared_statements WHERE name !~ '^PGBOUNCER_'")
        assert names == []


async def test_transactions_are_whole(pooler: Start) -> None:
    """A transaction keeps one session; thirty at a time share three."""
    async with _connected(pooler(), size=30) as database:
        await database.fetch("CREATE TABLE t (n int)")

        async def work(connection: Any) -> int:
            first = await connection.fetchval("SELECT pg_backend_pid()")
            await connection.execute("INSERT INTO t VALUES ($1)", 1)
            assert await connection.fetchval("SELECT pg_backend_pid()") == first
            return int(first)

        pids = await asyncio.gather(*(database.atomically(work) for _ in range(30)))
        assert len(set(pids)) <= 3
        assert (await database.fetchrow("SELECT count(*) FROM t"))[0] == 30


async def test_a_slow_statement_is_given_up_by_the_client(pooler: Start) -> None:
    """A pooler takes no limit for a session: the client cancels, and the session goes back clean."""
    url = pooler()
    async with _connected(url, size=2, statement_timeout=0.1) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.fetchrow("SELECT pg_sleep(60)")
        found = await database.fetchrow(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query ~ '^SELECT pg_s'"
        )
        assert found[0] == 0


async def test_a_pooler_without_its_server_is_away(pooler: Start) -> None:
    """Its own words for it are no fault of ours."""
    dsn = replace(normalise(pooler("server_login_retry = 1")), database="no_such_database")
    database = Database(dsn, acquire_timeout=1)
    with pytest.raises(DatabaseUnavailable):
        await database.ready()
    await database.close()


async def test_the_direct_server_keeps_its_prepared_statements(database_url: str) -> None:
    """Care where none is needed would cost a round trip for each statement."""
    async with _connected(database_url, size=1) as database:
        for _ in range(3):
            await database.fetchrow("SELECT $1::int", [1])
        names = await database.fetch(
            "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1%'"
        )
        assert len(names) == 1


async def test_a_pooler_that_tells_names_apart_may_keep_them(pooler: Start) -> None:
    """PgBouncer since 1.21 with max_prepared_statements: prepared once, whichever session it runs in."""
    if _version() < (1, 21):
        pytest.skip(f"NOT RUN: this PgBouncer is {'.'.join(map(str, _version()))}; 1.21 tracks statements")
    async with _connected(pooler("max_prepared_statements = 100"), size=6) as database:
        await asyncio.gather(*(database.fetchrow("SELECT $1::int", [n]) for n in range(30)))
        names = await database.fetch("SELECT name FROM pg_prepared_statements WHERE name ~ '^PGBOUNCER_'")
        assert names


def test_the_whole_api_through_it(pooler: Start, database_url: str) -> None:
    """Create, read, change, list and delete, with parameters of every kind, over few shared sessions."""
    asyncio.run(create_tables(database_url, read_specs({"specs/it/spec.md": NOTES})))
    with serving(NOTES, pooler(), tables=False) as served:
        ada = served.person("ada")
        for n in range(10):
            body = {"text": f"n{n}", "amount": n, "labels": ["a", "b"], "at": "2030-01-01T00:00:00Z"}
            note = ada.made("/notes", body)
            assert note["labels"] == ["a", "b"] and note["at"] == "2030-01-01T00:00:00.000000Z"
            assert ada.patch(f"/notes/{note['id']}", {"amount": n + 100}).json()["amount"] == n + 100
            assert ada.get(f"/notes/{note['id']}").status == 200
        assert [item["amount"] for item in ada.items("/notes?sort=amount&amount__gte=105")] == [
            105,
            106,
            107,
            108,
            109,
        ]
        assert served.person("bob").items("/notes") == []
        assert ada.delete(f"/notes/{note['id']}").status == 204
        assert ada.get(f"/notes/{note['id']}").status == 404


async def test_two_processes_never_run_each_others_statements(pooler: Start) -> None:
    """The names that two processes give are the same; the sessions behind a pooler are, too."""
    url = pooler(LENIENT)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _MULTIPLY, url, factor, stderr=asyncio.subprocess.PIPE
        )
        for factor in ("1000", "7")
    ]
    for process in processes:
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()


_MULTIPLY = """
import asyncio, sys
from specwright.db.pool import Database
from specwright.db.url import normalise

async def main(url, factor):
    database = Database(normalise(url), size=4)
    for n in range(25):
        asked = [database.fetchrow(f"SELECT $1::int * {factor} + {k}", [n]) for k in range(8)]
        found = [row[0] for row in await asyncio.gather(*asked)]
        assert found == [n * int(factor) + k for k in range(8)], found
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_trap_is_real(pooler: Start) -> None:
    """Named statements through a pooler that passes names on do fail: the care above is no superstition."""
    if _version() >= (1, 21):
        pytest.skip("NOT RUN: this PgBouncer may track statements")
    url = pooler(LENIENT)
    connections = [await asyncpg.connect(url) for _ in range(6)]
    try:
        with pytest.raises(asyncpg.PostgresError):
            for _ in range(20):
                await asyncio.gather(
                    *(each.fetch("SELECT $1::int, pg_sleep(0.001)", 1) for each in connections)
                )
    finally:
        for each in connections:
            each.terminate()
