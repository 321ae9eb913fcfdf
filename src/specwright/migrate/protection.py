"""Row-level security as steps of a migration: roles, views and policies, made anew where they change.

PostgreSQL lets no column change that a policy or view uses. So they go first and come back last, in the terms
of the new manifest. Database roles belong to the whole cluster and are named after the database that made
them, which keeps a list: a copy of a database goes on with the roles of its original.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import renderers
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from specwright.migrate.operations import escaped
from specwright.model.manifest import Manifest
from specwright.sql import audit, deletion, idempotency, moving
from specwright.sql.claims import DEFINER
from specwright.sql.columns import quoted
from specwright.sql.identity import CALLABLE, OWN_ROW
from specwright.sql.naming import LONGEST
from specwright.sql.policies import Policy
from specwright.sql.protection import Protection, protection
from specwright.sql.roles import DERIVED
from specwright.sql.tables import quote

#: What a login that may not make roles is told, by migrations and by every session that is refused.
NO_ROLES = (
    "Row-level security needs database roles, and the login of the migrations may make none: as an"
    " administrator run ALTER ROLE … CREATEROLE on it, then specwright migrate apply."
    " Until then sessions are refused."
)


class Script(ops.ExecuteSQLOp):
    """SQL that a revision shows line by line."""


@renderers.dispatch_for(Script)
def _written(context: AutogenContext, script: Script) -> str:
    sql = str(script.sqltext)
    body = repr(sql) if '"""' in sql or sql.endswith(("\\", '"')) else f'r"""\n{sql}\n"""'
    return f"op.execute({body})"


@dataclass(frozen=True, slots=True)
class Protect:
    """Make the roles, views and policies."""

    protection: Protection

    @property
    def sentence(self) -> str:
        return policies_sentence(self.protection.tables)

    def inverse(self) -> "Unprotect":
        return Unprotect(self.protection)

    def ops(self) -> list[ops.MigrateOperation]:
        return [Script(escaped(script)) for script in scripts(self.protection)]


@dataclass(frozen=True, slots=True)
class Unprotect:
    """Drop the policies and views, so that columns can change; the roles stay, without any right.

    Tables stay closed meanwhile: without a policy row-level security shows nothing to anybody but the owner.
    """

    protection: Protection

    @property
    def sentence(self) -> str:
        return "drop the row-level security policies"

    def inverse(self) -> Protect:
        return Protect(self.protection)

    def ops(self) -> list[ops.MigrateOperation]:
        gone = [_UNPROTECT, *([_do(audit.WITHOUT_TRIGGERS)] if self.protection.audited else [])]
        gone += [_do(moving.WITHOUT_TRIGGERS)] if self.protection.moving else []
        gone += [_do(deletion.WITHOUT_TRIGGERS)] if self.protection.deletions.tables else []
        return [Script(escaped(script)) for script in gone]


def policies_sentence(tables: Iterable[str]) -> str:
    """What becomes of the policies of these tables, for a person."""
    return f"write the grants on {', '.join(tables)} as row-level security policies"


def audit_sentences(before: Protection | None, after: Protection) -> Iterator[str]:
    """What becomes of the audit trail, for a person."""
    old = () if before is None else before.audited
    if come := [known.table for known in after.audited if known not in old]:
        yield f"record every change of {', '.join(come)} in {audit.TRAIL}"
    kept = {known.table for known in after.audited}
    if gone := [known.table for known in old if known.table not in kept]:
        yield f"record the changes of {', '.join(gone)} no longer; what was recorded stays"


def move_sentences(before: Protection | None, after: Protection) -> Iterator[str]:
    """What becomes of the triggers that refuse moves, for a person."""
    old = () if before is None else before.moving
    for known in after.moving:
        if known not in old:
            yield f"refuse changes of {known.table}.{known.column} that are no moves"
    kept = {known.name for known in after.moving}
    for known in old:
        if known.name not in kept:
            yield f"let {known.table}.{known.column} change as it likes"


def wants_protection(manifest: Manifest) -> bool:
    """Whether there is anything to protect."""
    return next(manifest.stored, None) is not None


def converge(connection: Connection, manifest: Manifest) -> bool:
    """Make the database's policies those of its manifest where they are not; whether they were not.

    That is so when an older Specwright made its tables, or when the login could make no roles at the time.
    """
    wanted = protection(manifest)
    if not wants_protection(manifest) or fingerprint(connection) == _fingerprint(wanted):
        return False
    context = MigrationContext.configure(connection)
    for operation in (Unprotect(wanted), Protect(wanted)):
        for step in operation.ops():
            assert isinstance(step, Script)
            context.execute(step.sqltext)
    return fingerprint(connection) is not None


def fingerprint(connection: Connection) -> str | None:
    """Which policies the database has; None where it has none."""
    found = f"SELECT obj_description(to_regnamespace('{DEFINER}'), 'pg_namespace')"
    mark: str | None = connection.scalar(text(found))
    return mark


def expected_fingerprint(manifest: Manifest) -> str:
    """What `fingerprint` is of a database with the policies of this manifest."""
    return _fingerprint(protection(manifest))


def scripts(wanted: Protection) -> Iterator[str]:
    """The statements that make the roles, then the views and policies."""
    yield _do(_roles(wanted))
    if wanted.audited:
        # Before the policies, with which everything in our schema is granted.
        yield _do(audit.script(wanted.audited))
    if wanted.moving:
        yield _do(moving.script(wanted.moving))
    if wanted.deletions.tables:
        yield _do(deletion.script(wanted.deletions))
    yield _do(_policies(wanted, _fingerprint(wanted)))


def _fingerprint(wanted: Protection) -> str:
    trail = audit.script(wanted.audited) if wanted.audited else ""
    moves = moving.script(wanted.moving) if wanted.moving else ""
    kept = deletion.script(wanted.deletions) if wanted.deletions.tables else ""
    made = _roles(wanted) + trail + moves + kept + _policies(wanted, "")
    return sha256(made.encode()).hexdigest()[:32]


def _do(body: str) -> str:
    """The body as a statement; no text of the spec can end it before its time."""
    tag = "$specwright$"
    while tag in body:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag}\n{body.strip()}\n{tag}"


_ROLES = """
DECLARE
  wanted text;
  chosen text;
  modern boolean := current_setting('server_version_num')::int >= 160000;
BEGIN
  CREATE SCHEMA IF NOT EXISTS specwright;
  CREATE TABLE IF NOT EXISTS specwright.database_roles (suffix text PRIMARY KEY, name text NOT NULL UNIQUE);
{keys}
  BEGIN
    FOREACH wanted IN ARRAY {roles} LOOP
      SELECT known.name INTO chosen FROM specwright.database_roles AS known
        JOIN pg_roles ON rolname = known.name WHERE known.suffix = wanted;
      IF chosen IS NULL THEN
        chosen := current_database() || '_' || wanted;
        IF octet_length(chosen) > {longest} THEN
          chosen := left(chosen, 7) || '_' || md5(chosen);
        END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = chosen) THEN
          BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', chosen);
          EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another migration was faster
          END;
        END IF;
        INSERT INTO specwright.database_roles VALUES (wanted, chosen)
          ON CONFLICT (suffix) DO UPDATE SET name = excluded.name;
      END IF;
      IF NOT pg_has_role(chosen, CASE WHEN modern THEN 'SET' ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', chosen)
          || CASE WHEN modern THEN ' WITH SET TRUE, INHERIT FALSE' ELSE '' END;
      END IF;
    END LOOP;
  EXCEPTION WHEN insufficient_privilege THEN
    DELETE FROM specwright.database_roles;
    RAISE WARNING USING MESSAGE = {refusal};
  END;
END
"""

_POLICIES = """
DECLARE
  everyone text;
  derived text;
  wanted record;
BEGIN
  IF NOT EXISTS (SELECT FROM specwright.database_roles) THEN
    RETURN;
  END IF;
  SELECT string_agg(quote_ident(name), ', ') INTO everyone
    FROM specwright.database_roles WHERE suffix = ANY ({roles});
  SELECT quote_ident(name) INTO derived FROM specwright.database_roles WHERE suffix = '{derived}';
  CREATE SCHEMA IF NOT EXISTS {definer};
{views}
  FOR wanted IN SELECT * FROM (VALUES
{tables}
  ) AS protected (name) LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', wanted.name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ', wanted.name) || everyone;
  END LOOP;
  FOR wanted IN SELECT * FROM (VALUES
{policies}
  ) AS policy (on_table, name, kind, command, suffixes, seen, written) LOOP
    EXECUTE format('CREATE POLICY %I ON %I AS ', wanted.name, wanted.on_table) || wanted.kind
      || ' FOR ' || wanted.command || ' TO '
      || (SELECT string_agg(quote_ident(name), ', ') FROM specwright.database_roles
          WHERE suffix = ANY (wanted.suffixes::text[]))
      || coalesce(' USING (' || wanted.seen || ')', '')
      || coalesce(' WITH CHECK (' || wanted.written || ')', '');
  END LOOP;
{filled}
{own_row}
  EXECUTE 'GRANT USAGE ON SCHEMA specwright TO ' || derived;
  EXECUTE 'GRANT SELECT ON ALL TABLES IN SCHEMA specwright TO ' || derived;
  EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA specwright GRANT SELECT ON TABLES TO ' || derived;
  EXECUTE 'GRANT INSERT, UPDATE, DELETE ON specwright.idempotency_keys TO ' || derived;
  IF to_regclass('alembic_version') IS NOT NULL THEN
    EXECUTE 'GRANT SELECT ON alembic_version TO ' || derived;
  END IF;
  COMMENT ON SCHEMA {definer} IS '{fingerprint}';
END
"""

_UNPROTECT = """DO $specwright$
DECLARE
  managed record;
BEGIN
  FOR managed IN SELECT schemaname, tablename, policyname FROM pg_policies
    WHERE starts_with(policyname, 'specwright_') LOOP
    EXECUTE format('DROP POLICY %I ON %I.%I', managed.policyname, managed.schemaname, managed.tablename);
  END LOOP;
  FOR managed IN SELECT attrelid::regclass AS place, attname FROM pg_attrdef
    JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE pg_get_expr(adbin, adrelid) ~ 'specwright[.](caller|tenant)' LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', managed.place, managed.attname);
  END LOOP;
  DROP SCHEMA IF EXISTS specwright_definer CASCADE;
  DROP SCHEMA IF EXISTS specwright_callable CASCADE;
END
$specwright$"""

#: With the rights of its owner, who owns the tables, too: no policy is asked.
_MAKE_OWN_ROW = """  CREATE SCHEMA {schema};
  CREATE FUNCTION {function}() RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS {body};
  REVOKE ALL ON FUNCTION {function} FROM PUBLIC;
  EXECUTE 'GRANT USAGE ON SCHEMA {schema} TO ' || everyone;
  EXECUTE 'GRANT EXECUTE ON FUNCTION {function} TO ' || everyone;"""


def _roles(wanted: Protection) -> str:
    keys = "\n".join(f"  {statement};" for statement in idempotency.DEFINITION)
    return _ROLES.format(keys=keys, roles=_array(wanted.roles), refusal=quoted(NO_ROLES), longest=LONGEST)


def _policies(wanted: Protection, mark: str) -> str:
    views = [
        f"  CREATE VIEW {view.name} AS {view.select};\n"
        f"  EXECUTE 'GRANT SELECT ON {view.name} TO ' || everyone;"
        for view in wanted.views
    ]
    filled = [
        f"  ALTER TABLE {quote(table)} ALTER COLUMN {quote(column)} SET DEFAULT {filling};"
        for table, column, filling in wanted.filled
    ]
    return _POLICIES.format(
        roles=_array(wanted.roles),
        derived=DERIVED,
        definer=DEFINER,
        views="\n".join(views),
        tables=",\n".join(f"    ({quoted(table)})" for table in wanted.tables),
        policies=",\n".join(map(_row, wanted.policies)),
        filled="\n".join(filled),
        own_row=_own_row(wanted),
        fingerprint=mark,
    )


def _own_row(wanted: Protection) -> str:
    if wanted.own_row is None:
        return ""
    return _MAKE_OWN_ROW.format(schema=CALLABLE, function=OWN_ROW, body=quoted(wanted.own_row))


def _row(policy: Policy) -> str:
    kind = "PERMISSIVE" if policy.permissive else "RESTRICTIVE"
    suffixes = "{" + ",".join(f'"{role}"' for role in policy.roles) + "}"
    conditions = ["NULL" if each is None else quoted(each) for each in (policy.using, policy.check)]
    parts = (policy.table, policy.name, kind, policy.command, suffixes)
    return f"    ({', '.join((*map(quoted, parts), *conditions))})"


def _array(names: tuple[str, ...]) -> str:
    return f"ARRAY[{', '.join(map(quoted, names))}]"
