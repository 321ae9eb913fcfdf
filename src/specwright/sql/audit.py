"""The audit trail: every change of an audited resource leaves a row, whoever makes it and by whatever way.

A trigger writes it, so no way around the API is a way around it. Whose change it is, the settings of the
transaction say. Sessions make them when they begin; a derived statement, which is a transaction of its own,
makes them itself: as a condition of its write, so that there is no row before there is a name to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, func, literal_column, select, true

from specwright.model.field import OnDelete, Shown
from specwright.model.grant import RESTORE
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import TEXT, USER
from specwright.sql.claims import CALLER, ROLES
from specwright.sql.columns import quoted
from specwright.sql.expression import Compiler
from specwright.sql.row import Predicate
from specwright.sql.tables import SEARCH, quote

TRAIL = "specwright.audit"
#: What every trigger of ours on an audited table is called, or begins with.
TRIGGER = "specwright_audit"
APPEND_ONLY = "specwright_append_only"

#: The parameter and the setting that name the request.
REQUEST = "request"
_REQUEST = "nullif(current_setting('specwright.request', true), '')"

#: Kept by us in every change: they tell nothing that the others do not.
_BOOKKEEPING = ("updated_at", "version", SEARCH)


@dataclass(frozen=True, slots=True)
class Audited:
    """A table whose changes are recorded; `withheld` are columns whose values are not."""

    table: str
    entity: str
    key: str
    withheld: tuple[str, ...]


def audited(manifest: Manifest) -> Iterator[Audited]:
    """The audited tables. What no client may see, no trail repeats."""
    for resource in manifest.stored:
        if resource.audited:
            withheld = (
                field.column
                for field in resource.fields
                if field.stored and field.shown in (Shown.HIDDEN, Shown.WRITE_ONLY) and not field.built_in
            )
            yield Audited(resource.table, resource.name, resource.key_field.column, tuple(withheld))


def is_recorded(manifest: Manifest, resource: Resource, action: str) -> bool:
    """Whether the action can change audited rows: the resource's own, or those that go with a deleted one."""
    return resource.audited or (
        action in ("delete", RESTORE) and _takes_along(manifest, resource, {resource.name})
    )


def _takes_along(manifest: Manifest, resource: Resource, seen: set[str]) -> bool:
    for other in manifest.stored:
        ways = {field.on_delete for field in other.fields if field.stored and field.target == resource.name}
        if other.audited and ways & {OnDelete.CASCADE, OnDelete.CLEAR}:
            return True
        if OnDelete.CASCADE in ways and other.name not in seen:
            seen.add(other.name)
            if _takes_along(manifest, other, seen):
                return True
    return False


def telling(compiler: Compiler) -> Predicate:
    """Always true, and then the transaction knows who asks, and in which request.

    A row is written only after all its conditions are found true, and triggers come after that: the order is
    that of the language, not the planner's choice. As a subquery it is asked once, not once a row.
    """
    roles = cast(compiler.caller_value(("roles",), TEXT, many=True), Text())
    settings: dict[str, ColumnElement[Any]] = {
        "caller": compiler.caller_value((), USER),
        "roles": roles,
        "request": bindparam(REQUEST, type_=Text(), required=True),
    }
    made: list[ColumnElement[Any]] = [
        func.set_config(
            literal_column(quoted(f"specwright.{name}")),
            func.coalesce(cast(value, Text()), literal_column("''")),
            true(),
        )
        for name, value in settings.items()
    ]
    told: Select[Any] = select(func.concat(*made))
    return told.scalar_subquery().is_not(None)


def script(tables: tuple[Audited, ...]) -> str:
    """The trail and its triggers, as the body of a block of PL/pgSQL; the trail outlives what it is about."""
    return _SCRIPT.format(
        trail=TRAIL,
        caller=CALLER,
        roles=ROLES,
        request=_REQUEST,
        bookkeeping=_array(_BOOKKEEPING),
        append_only=APPEND_ONLY,
        triggers="\n".join(map(_triggers, tables)),
    )


def _triggers(wanted: Audited) -> str:
    withheld = ",".join(f'"{name}"' for name in wanted.withheld)
    arguments = ", ".join(map(quoted, (wanted.entity, wanted.key, f"{{{withheld}}}")))
    return _TRIGGERS.format(trigger=TRIGGER, table=quote(wanted.table), arguments=arguments)


def _array(names: tuple[str, ...]) -> str:
    return f"ARRAY[{', '.join(map(quoted, names))}]"


# The function has the rights of its owner, so that whoever changes a row can write the trail in no other way.
# Nobody else may execute it: on a table of their own it would write what they like.
_SCRIPT = """
BEGIN
  CREATE SCHEMA IF NOT EXISTS specwright;
  CREATE TABLE IF NOT EXISTS {trail} (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    entity text NOT NULL,
    key text NOT NULL,
    action text NOT NULL,
    caller text,
    roles text[] NOT NULL,
    login text NOT NULL,
    request text,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    withheld text[] NOT NULL
  );
  CREATE INDEX IF NOT EXISTS audit_of_row ON {trail} (entity, key, number);
  CREATE INDEX IF NOT EXISTS audit_at ON {trail} (at);
  CREATE OR REPLACE FUNCTION specwright.record_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
  old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{{}}' ELSE to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{{}}' ELSE to_jsonb(NEW) END;
  changed text[] := ARRAY(
    SELECT field FROM jsonb_object_keys(old_row || new_row) AS field
    WHERE old_row -> field IS DISTINCT FROM new_row -> field AND field <> ALL ({bookkeeping}) ORDER BY field);
  secret text[] := TG_ARGV[2];
BEGIN
  INSERT INTO {trail} (at, entity, key, action, caller, roles, login, request, before, after, withheld)
  SELECT transaction_timestamp(), TG_ARGV[0],
    CASE WHEN TG_OP = 'INSERT' THEN new_row ELSE old_row END ->> TG_ARGV[1],
    CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
    {caller}, coalesce({roles}, '{{}}'), session_user, {request},
    coalesce((SELECT jsonb_object_agg(field, old_row -> field) FROM unnest(changed) AS field
      WHERE old_row ? field AND field <> ALL (secret)), '{{}}'),
    coalesce((SELECT jsonb_object_agg(field, new_row -> field) FROM unnest(changed) AS field
      WHERE new_row ? field AND field <> ALL (secret)), '{{}}'),
    ARRAY(SELECT field FROM unnest(changed) AS field WHERE field = ANY (secret));
  RETURN NULL;
END
$function$;
  REVOKE ALL ON FUNCTION specwright.record_change() FROM PUBLIC;
  CREATE OR REPLACE FUNCTION specwright.keep_trail() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
    MESSAGE = format('%s of %I.%I is refused: %s', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]);
END
$function$;
  CREATE OR REPLACE TRIGGER {append_only} BEFORE UPDATE OR DELETE OR TRUNCATE ON {trail}
    FOR EACH STATEMENT EXECUTE FUNCTION specwright.keep_trail('rows are added to it, and nothing else');
{triggers}
END
"""

_TRIGGERS = """  CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION specwright.record_change({arguments});
  CREATE TRIGGER {trigger}_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION specwright.keep_trail('its changes are audited, row by row');"""

#: Takes the triggers away; the trail stays, with all that it holds.
WITHOUT_TRIGGERS = f"""
DECLARE
  managed record;
BEGIN
  FOR managed IN SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
    WHERE tgname IN ('{TRIGGER}', '{TRIGGER}_truncate') AND NOT tgisinternal LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', managed.tgname, managed.place);
  END LOOP;
END
"""  # noqa: S608 # names of ours
