"""What row-level security costs: derived routes, which carry their own predicates, and sessions."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks.comparison import CALLERS
from benchmarks.dataset import Size
from benchmarks.load import Call, drive
from benchmarks.project import Place, Project, execute
from benchmarks.report import Finding, Table, findings
from benchmarks.servers import serve
from specwright.db.session import Sessions
from specwright.db.url import normalise
from specwright.model.caller import Caller
from specwright.read.project import read_project
from specwright.sql.identity import identity

_LOGIN = "benchmark_app"
#: Sessions of one round, one after another.
_SESSIONS = 300
_SELECT = (
    "SELECT id, title, status FROM tasks WHERE owner_id = :owner ORDER BY created_at DESC, id DESC LIMIT 20"
)

_GRANT = """DO $$ DECLARE role record; BEGIN
  FOR role IN SELECT suffix, name FROM specwright.database_roles LOOP
    EXECUTE format('GRANT %I TO {login} WITH SET TRUE, INHERIT ', role.name) || (role.suffix = 'derived');
  END LOOP;
END $$"""
_DROP = """DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT tablename, policyname FROM pg_policies LOOP
    EXECUTE format('DROP POLICY %I ON %I', found.policyname, found.tablename);
  END LOOP;
  FOR found IN SELECT relname FROM pg_class WHERE relrowsecurity LOOP
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', found.relname);
  END LOOP;
END $$"""


def measure_access(place: Place, rounds: int, seconds: int) -> Table:
    """The table of access."""
    project = place.make("access", Size())
    execute(project.url, f"CREATE ROLE {_LOGIN} LOGIN", _GRANT.format(login=_LOGIN))
    execute(place.server.url, "CREATE DATABASE access_without TEMPLATE access")
    served = replace(project, login=_LOGIN)
    execute(replace(project, database="access_without").url, _DROP)
    return findings(
        "Access",
        "100,000 tasks of 1,000 people; a login that owns nothing (level 2).",
        [_derived(served, rounds, seconds), asyncio.run(_sessions(served, rounds))],
    )


def _derived(project: Project, rounds: int, seconds: int) -> Finding:
    calls = [Call("GET", "/api/v1/tasks", project.token(f"user{number}")) for number in range(CALLERS)]
    rates: dict[str, list[float]] = {"access_without": [], "access": []}
    for _ in range(rounds):
        for database, measured in rates.items():
            environment = replace(project, database=database).environment
            with serve("ours", project.root, environment) as running:
                drive(running.port, running.pids, calls, 1, project.place.folder)
                run = drive(running.port, running.pids, calls, seconds, project.place.folder)
                assert not run.failures, f"{run.failures} lists failed"
                measured.append(run.rate)
    without, present = (median(measured) for measured in rates.values())
    return Finding(
        "derived list of 20",
        "policies dropped → present",
        f"{without:,.0f}/s → {present:,.0f}/s",
        f"{without / present:.2f} × the time",
        "< 1.05",
        without < 1.05 * present,
    )


async def _sessions(project: Project, rounds: int) -> Finding:
    manifest = read_project(project.root)
    sessions = Sessions(normalise(project.url))
    ways: dict[str, Callable[[str], AbstractAsyncContextManager[Any]]] = {
        "unscoped": lambda owner: sessions.unscoped(identity(manifest, Caller(owner))),
        "scoped": lambda owner: sessions.scoped(identity(manifest, Caller(owner))),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for each in range(rounds + 1):
            for name, opened in ways.items():
                began = time.perf_counter()
                for number in range(_SESSIONS):
                    owner = f"user{number % CALLERS}"
                    async with opened(owner) as session:
                        rows = (await session.execute(text(_SELECT), {"owner": owner})).all()
                    assert len(rows) == 20
                if each:
                    taken[name].append((time.perf_counter() - began) * 1000 / _SESSIONS)
    finally:
        await sessions.close()
    plain, scoped = (median(measured) for measured in taken.values())
    return Finding(
        "a session with one SELECT of 20 rows",
        "unscoped → scoped",
        f"{plain:.2f} ms → {scoped:.2f} ms",
        f"{scoped / plain:.2f} × the time",
    )
