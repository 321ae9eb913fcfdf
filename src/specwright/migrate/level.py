"""How far the database itself holds sessions back: the level of its logins."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from specwright.db.sqlstate import DRIVER_ERRORS
from specwright.db.url import Dsn
from specwright.model.errors import ConfigError
from specwright.sql.claims import DEFINER
from specwright.sql.roles import DERIVED

_MEANINGS = (
    "no row-level security, so sessions are refused",
    "one login owns the tables; derived statements carry their predicates, sessions take a role",
    "the login that serves owns nothing",
    "the login that serves owns nothing, and that of sessions reaches no table by itself",
)


@dataclass(frozen=True, slots=True)
class Role:
    """One of the database's roles, and how two logins stand to it."""

    suffix: str
    name: str
    #: Whether the login that serves may act as it, and has its rights all the time.
    settable: bool
    inherited: bool


@dataclass(frozen=True, slots=True)
class Login:
    """A login for sessions alone; `faults` say what it can do besides, `lacking` whom it cannot act as."""

    name: str
    faults: tuple[str, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """The level, and what it was found by."""

    #: What PostgreSQL 16 and newer have: `GRANT … WITH SET TRUE, INHERIT FALSE`.
    modern: bool
    protected: bool
    owner: bool
    #: Roles that the login that serves can see.
    roles: tuple[Role, ...]
    sessions: Login | None

    @property
    def number(self) -> int:
        """From 0, nothing, to 3."""
        if not self.protected or self.owner:
            return int(self.protected)
        apart = self.sessions is not None and not self.sessions.faults and not self.sessions.lacking
        return 3 if apart else 2

    @property
    def meaning(self) -> str:
        """What that holds."""
        return _MEANINGS[self.number]

    def __str__(self) -> str:
        return f"{self.number}: {self.meaning}"


async def read_level(dsn: Dsn, sessions: Dsn | None = None) -> Level:
    """The level of the login that serves, and of that of sessions.

    Raises:
        ConfigError: one of them cannot connect.
    """
    connection = await _connect(dsn)
    try:
        return await level_of(connection, sessions if sessions != dsn else None)
    finally:
        await connection.close()


async def level_of(connection: Any, sessions: Dsn | None = None) -> Level:
    """The same, on a connection of the login that serves.

    Raises:
        ConfigError: the login of sessions cannot connect.
    """
    facts = await connection.fetchrow(_FACTS, DEFINER)
    roles: tuple[Role, ...] = ()
    if facts["protected"]:
        try:
            found = await connection.fetch(_ROLES, "SET" if facts["modern"] else "MEMBER")
            roles = tuple(Role(*row) for row in found)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError):
            pass
    login = None if sessions is None or not roles else await _login(sessions, facts["modern"], roles)
    return Level(facts["modern"], facts["protected"], facts["owner"], roles, login)


async def _login(dsn: Dsn, modern: bool, roles: tuple[Role, ...]) -> Login:
    callers = [role.name for role in roles if role.suffix != DERIVED]
    connection = await _connect(dsn)
    try:
        facts = await connection.fetchrow(_SESSIONS, callers, "SET" if modern else "MEMBER")
    finally:
        await connection.close()
    return Login(facts["login"], tuple(_faults(facts)), tuple(facts["lacking"]))


def _faults(facts: Any) -> Iterator[str]:
    if facts["powers"]:
        yield f"it is {', '.join(facts['powers'])}"
    if facts["others"]:
        yield f"it is a member of {', '.join(facts['others'])}"
    if facts["tables"]:
        yield f"it has rights of its own on {', '.join(facts['tables'])}"


async def _connect(dsn: Dsn) -> Any:
    try:
        return await asyncpg.connect(**dsn.arguments, timeout=10)
    except DRIVER_ERRORS as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(f"The database at {dsn} does not answer: {reason}.") from error


_FACTS = """
SELECT current_setting('server_version_num')::int >= 160000 AS modern,
       obj_description(to_regnamespace($1), 'pg_namespace') IS NOT NULL AS protected,
       EXISTS (
         SELECT FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
         WHERE polname = 'specwright_derived' AND pg_has_role(relowner, 'USAGE')
       ) AS owner
"""
_ROLES = """
SELECT suffix, name, pg_has_role(name, $1), pg_has_role(name, 'USAGE')
FROM specwright.database_roles JOIN pg_roles ON rolname = name ORDER BY suffix
"""
#: A membership counts, whatever it allows now: with ADMIN, or before PostgreSQL 16, it can come to allow all.
_SESSIONS = """
SELECT session_user::text AS login,
  array_remove(ARRAY[
    CASE WHEN rolsuper THEN 'a superuser' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' END
  ], NULL) AS powers,
  ARRAY(
    SELECT rolname::text FROM pg_roles AS other
    WHERE pg_has_role(other.oid, 'MEMBER') AND rolname <> session_user AND rolname <> ALL ($1)
      AND NOT me.rolsuper ORDER BY 1
  ) AS others,
  ARRAY(
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT me.rolsuper
      AND relnamespace NOT IN (
        SELECT oid FROM pg_namespace WHERE nspname = 'information_schema' OR starts_with(nspname, 'pg_')
      )
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
      AND (
        has_any_column_privilege(oid, 'SELECT, INSERT, UPDATE')
        OR has_table_privilege(oid, 'DELETE, TRUNCATE')
      )
    ORDER BY 1
  ) AS tables,
  ARRAY(
    SELECT name FROM unnest($1::text[]) AS name WHERE NOT pg_has_role(name, $2) ORDER BY 1
  ) AS lacking
FROM pg_roles AS me WHERE rolname = session_user
"""
