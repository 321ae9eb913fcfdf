"""`specwright doctor`: what is wrong around a backend, and what to do about it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from specwright.cli.database import project_database, session_dsn
from specwright.cli.project import find_project
from specwright.cli.settings import Format, Surroundings
from specwright.db.url import Dsn, normalise
from specwright.migrate.apply import pending
from specwright.migrate.level import Level, Login, level_of
from specwright.migrate.protection import NO_ROLES, expected_fingerprint
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project
from specwright.settings import Settings, unsafe
from specwright.sql.claims import DEFINER
from specwright.sql.protection import protection
from specwright.sql.roles import DERIVED

FINDINGS = 1
_OLDEST, _NEWEST = 15, 18
#: A token is expired or not yet valid by our clock; rows are stamped by the database's.
_CLOCKS_APART, _CLOCKS_WRONG = 2, 30


class State(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` says what to do where something is to be done."""

    subject: str
    state: State
    text: str
    advice: str = ""


def doctor(
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; by default the one you are in.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="The database; by default DATABASE_URL.")
    ] = None,
    environment: Annotated[
        Surroundings | None,
        typer.Option(help="Which settings are looked at; else as ENVIRONMENT says."),
    ] = None,
    format: Annotated[Format, typer.Option(help="text, or json for programs.")] = Format.TEXT,
) -> None:
    """Look at the database, the rights of its login, row-level security, the clock and the settings.

    Nothing is changed. The exit code is 1 when something is wrong, 0 when there are notes at most.
    """
    root = find_project(project)
    settings = Settings.load(root, database_url=database, environment=environment)
    manifest = read_project(root)
    sessions = session_dsn(settings)
    with project_database(root, settings) as url:
        findings = [*asyncio.run(_examined(root, manifest, url, sessions)), *_settings(settings)]
    if format is Format.JSON:
        document = {"findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(_line(finding))
    if any(finding.state is State.WRONG for finding in findings):
        raise typer.Exit(FINDINGS)


def _line(finding: Finding) -> str:
    mark = {State.OK: "✓", State.NOTE: "→", State.WRONG: "✗"}[finding.state]
    advice = f"\n      {finding.advice}" if finding.advice else ""
    return f"  {mark} {finding.subject:<11} {finding.text}{advice}"


async def _examined(root: Path, manifest: Manifest, url: str, sessions: Dsn | None) -> list[Finding]:
    dsn = normalise(url)
    try:
        connection = await asyncpg.connect(**dsn.arguments, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        advice = "Is the server running, and the address in DATABASE_URL right?"
        return [Finding("connection", State.WRONG, f"{dsn} does not answer: {reason}", advice)]
    try:
        findings = [*(await _server(connection, dsn)), await _clock(connection)]
        findings.append(await _tables(root, url))
        findings += [
            finding
            async for finding in _protection(connection, manifest, sessions if sessions != dsn else None)
        ]
        return findings
    finally:
        await connection.close()


async def _server(connection: Any, dsn: Dsn) -> list[Finding]:
    number = int(await connection.fetchval("SELECT current_setting('server_version_num')")) // 10000
    findings = [Finding("server", State.OK, f"PostgreSQL {number} at {dsn}")]
    if number < _OLDEST:
        advice = f"Use PostgreSQL {_OLDEST} to {_NEWEST}."
        findings = [Finding("server", State.WRONG, f"PostgreSQL {number} is too old", advice)]
    elif number > _NEWEST:
        findings = [
            Finding("server", State.NOTE, f"PostgreSQL {number} is newer than Specwright was tried on")
        ]
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        advice = "Make the database with ENCODING 'UTF8'."
        findings.append(Finding("encoding", State.WRONG, f"the database is {encoding}, not UTF8", advice))
    own = await connection.fetchval("SELECT pg_backend_pid()") == connection.get_server_pid()
    if dsn.pooled or not own:
        advice = "Migrations need a session of their own: set MIGRATION_DATABASE_URL to the server itself."
        text = "a transaction pooler answers; sessions work behind it, for all their settings are LOCAL"
        findings.append(Finding("pooler", State.NOTE, text, advice))
    else:
        findings.append(Finding("pooler", State.OK, "none between this machine and the server"))
    language = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql')")
    if language:
        findings.append(Finding("extensions", State.OK, "none needed but plpgsql, which is there"))
    else:
        advice = "CREATE EXTENSION plpgsql;"
        findings.append(Finding("extensions", State.WRONG, "plpgsql is missing; migrations use it", advice))
    return findings


async def _clock(connection: Any) -> Finding:
    before = datetime.now(UTC)
    theirs = await connection.fetchval("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    apart = abs((theirs - before - (after - before) / 2).total_seconds())
    text = f"this machine and the server are {apart:.1f} seconds apart"
    if apart < _CLOCKS_APART:
        return Finding("clock", State.OK, text)
    state = State.WRONG if apart > _CLOCKS_WRONG else State.NOTE
    advice = "Let both follow NTP: tokens expire by the one, rows are stamped by the other."
    return Finding("clock", state, text, advice)


async def _tables(root: Path, url: str) -> Finding:
    try:
        behind = await pending(root, url)
    except ConfigError as error:
        return Finding("tables", State.WRONG, str(error))
    if behind:
        advice = "specwright migrate apply, or specwright up while developing."
        return Finding(
            "tables", State.WRONG, f"the database is behind the specs: {', '.join(behind)}", advice
        )
    return Finding("tables", State.OK, "as the specs say")


_RIGHTS = """
SELECT current_user::text AS login, rolsuper AS super, rolcreaterole AS roles,
       has_database_privilege(current_database(), 'CREATE') AS schemas,
       has_schema_privilege('public', 'CREATE') AS tables
FROM pg_roles WHERE rolname = current_user
"""
_OWNED = """
SELECT relname, relrowsecurity FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1::text[])
"""


async def _protection(connection: Any, manifest: Manifest, sessions: Dsn | None) -> AsyncIterator[Finding]:
    """Rights and row-level security: which level the database is at, and whether it is as the specs say."""
    rights = await connection.fetchrow(_RIGHTS)
    login = rights["login"]
    roles = rights["super"] or rights["roles"]
    held = {"tables": rights["tables"], "schemas": rights["schemas"], "roles": roles}
    may = ", ".join(word for word, has in held.items() if has)
    yield Finding("rights", State.OK, f"{login} may make {may or 'nothing'}")
    wanted = protection(manifest)
    found = await connection.fetch(_OWNED, list(wanted.tables))
    if len(found) < len(wanted.tables):
        return
    has_mark = "SELECT obj_description(to_regnamespace($1), 'pg_namespace')"
    mark = await connection.fetchval(has_mark, DEFINER)
    try:
        level = await level_of(connection, sessions)
    except ConfigError as error:
        advice = "Is the login in SESSION_DATABASE_URL right?"
        yield Finding("sessions", State.WRONG, str(error), advice)
        level = await level_of(connection)
    if mark is None:
        advice = "specwright migrate apply makes the policies." if roles else NO_ROLES
        yield Finding("level", State.WRONG, str(level), advice)
        return
    yield Finding("level", State.OK, str(level))
    for finding in _roles(login, level, wanted.roles):
        yield finding
    async for finding in _policies(connection, manifest, mark, found):
        yield finding


def _roles(login: str, level: Level, wanted: tuple[str, ...]) -> Iterator[Finding]:
    by_suffix = {role.suffix: role for role in level.roles}
    missing = [suffix for suffix in wanted if suffix not in by_suffix]
    if missing:
        yield Finding(
            "roles",
            State.WRONG,
            f"the database roles for {', '.join(missing)} are missing, or hidden from {login}",
            "specwright migrate apply, with a login that may make roles.",
        )
        return
    options = " WITH SET TRUE, INHERIT FALSE" if level.modern else ""
    grants = [
        f'GRANT "{role.name}" TO "{login}"{options};'
        for role in level.roles
        if role.suffix != DERIVED and not role.settable
    ]
    derived = by_suffix[DERIVED]
    if not level.owner and not derived.inherited:
        grants.append(f'GRANT "{derived.name}" TO "{login}"{" WITH INHERIT TRUE" if level.modern else ""};')
    if grants:
        yield Finding("roles", State.WRONG, f"{login} may not act as every database role", _as_owner(grants))
    else:
        yield Finding("roles", State.OK, f"{len(level.roles)} database roles, and {login} may act as each")
    if level.sessions is not None:
        yield _sessions(level.sessions, options)


def _sessions(login: Login, options: str) -> Finding:
    if login.faults:
        text = f"{login.name} can do more than sessions need: {'; '.join(login.faults)}"
        advice = "Make a login for them alone: CREATE ROLE app_sessions LOGIN NOINHERIT PASSWORD '…';"
        return Finding("sessions", State.WRONG, text, advice)
    if login.lacking:
        text = f"{login.name} may not act as every caller's database role"
        grants = [f'GRANT "{role}" TO "{login.name}"{options};' for role in login.lacking]
        return Finding("sessions", State.WRONG, text, _as_owner(grants))
    text = f"{login.name} may act as the callers' database roles, and reaches no table by itself"
    return Finding("sessions", State.OK, text)


def _as_owner(statements: list[str]) -> str:
    return f"As the login of the migrations: {' '.join(statements)}"


async def _policies(
    connection: Any, manifest: Manifest, mark: str, tables: list[Any]
) -> AsyncIterator[Finding]:
    wanted = {(policy.table, policy.name) for policy in protection(manifest).policies}
    rows = await connection.fetch("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'")
    found = {(row["tablename"], row["policyname"]) for row in rows}
    lost = sorted(f"{table}.{name}" for table, name in wanted - found)
    foreign = sorted(f"{table}.{name}" for table, name in found - wanted)
    opened = sorted(row["relname"] for row in tables if not row["relrowsecurity"])
    again = (
        "Somebody changed it by hand: DROP SCHEMA specwright_definer CASCADE, then specwright migrate apply."
    )
    if opened:
        yield Finding("policies", State.WRONG, f"row-level security is off on {', '.join(opened)}", again)
    elif lost:
        yield Finding("policies", State.WRONG, f"missing: {', '.join(lost)}", again)
    elif mark != expected_fingerprint(manifest):
        yield Finding("policies", State.WRONG, "they are of other grants", "specwright migrate apply.")
    else:
        yield Finding("policies", State.OK, f"{len(wanted)}, as the grants say")
    if foreign:
        text = f"not of the specs: {', '.join(foreign)}"
        yield Finding("policies", State.NOTE, text, "Each of them may let sessions do more than the grants.")


def _settings(settings: Settings) -> Iterator[Finding]:
    refused = unsafe(settings)
    production = settings.environment == "production"
    for sentence in refused:
        yield Finding("settings", State.WRONG if production else State.NOTE, sentence)
    if not refused:
        yield Finding("settings", State.OK, "safe for production")
