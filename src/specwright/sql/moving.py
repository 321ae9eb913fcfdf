"""Moves held by the database itself: a trigger refuses what is no move, whoever asks and by whatever way.

Whose a move is, and that a new row is in its first state, is said to sessions alone, as a policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, literal_column, not_, or_, select

from specwright.model.expression import TRUE, Compare, Expr, Path, all_of
from specwright.model.field import Field
from specwright.model.resource import Resource
from specwright.sql.claims import PolicyCompiler
from specwright.sql.columns import quoted
from specwright.sql.moves import Pairs, is_kept, is_move
from specwright.sql.row import Predicate, Row
from specwright.sql.tables import Tables, quote


@dataclass(frozen=True, slots=True)
class Moving:
    """A column that changes by moves alone; `name` is that of its trigger."""

    name: str
    table: str
    column: str
    pairs: Pairs


def moving(tables: Tables) -> Iterator[Moving]:
    """The columns that move."""
    for resource in tables.manifest.stored:
        for field in resource.moving:
            pairs = dict.fromkeys((move.before, move.after) for move in resource.moves_of(field.name))
            name = tables.move_name(resource, field)
            yield Moving(name, resource.table, field.column, tuple(pairs))


def begun(resource: Resource) -> Expr:
    """What is asked of a new row: that whatever moves is in its first state."""
    return all_of(
        *(
            TRUE if field.default is None else Compare("==", Path((field.name,)), field.default)
            for field in resource.moving
        )
    )


def made_by_whose(
    compiler: PolicyCompiler, new: Row, whose: tuple[tuple[Field, tuple[tuple[Pairs, Expr], ...]], ...]
) -> Predicate:
    """Whether each move that was made is one that the caller may make, by what the row was.

    PostgreSQL tells a WITH CHECK nothing of the row before, so the check looks it up. What is no move at all
    is left to the trigger, which tells it better.
    """
    resource = new.resource
    source = compiler.source(resource)
    old = Row.of(resource, source)
    asked = [
        or_(
            is_kept(field, old, new),
            not_(is_move(compiler, field, old, new, [pair for pairs, _ in made for pair in pairs])),
            *(
                and_(is_move(compiler, field, old, new, pairs), compiler.condition(condition, old))
                for pairs, condition in made
            ),
        )
        for field, made in whose
    ]
    found: Select[Any] = select(literal_column("1")).select_from(source)
    found = found.where(old.columns[resource.key] == new.columns[resource.key], *asked)
    return exists(found.correlate_except(source))


def script(columns: tuple[Moving, ...]) -> str:
    """The triggers, as the body of a block of PL/pgSQL."""
    return _SCRIPT.format(triggers="\n".join(map(_trigger, columns)))


def _trigger(wanted: Moving) -> str:
    column = quote(wanted.column)
    pairs = ", ".join(f"({quoted(before)}, {quoted(after)})" for before, after in wanted.pairs)
    return _TRIGGER.format(
        name=quote(wanted.name),
        table=quote(wanted.table),
        column=column,
        pairs=pairs,
        argument=quoted(wanted.column),
    )


# Its WHEN decides: a move that there is calls no function. It comes AFTER, and so judges what is stored.
_TRIGGER = """  CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW
    WHEN (OLD.{column} <> NEW.{column} AND (OLD.{column}, NEW.{column}) NOT IN ({pairs}))
    EXECUTE FUNCTION specwright.refuse_move({argument});"""

_SCRIPT = """
BEGIN
  CREATE SCHEMA IF NOT EXISTS specwright;
  CREATE OR REPLACE FUNCTION specwright.refuse_move() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
  before text := to_jsonb(OLD) ->> TG_ARGV[0];
  after text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, DETAIL = before,
    SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[0],
    MESSAGE = format('%I of %I does not go from %L to %L', TG_ARGV[0], TG_TABLE_NAME, before, after);
END
$function$;
{triggers}
END
"""

#: Takes the triggers away.
WITHOUT_TRIGGERS = """
DECLARE
  managed record;
BEGIN
  FOR managed IN SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
    WHERE tgfoid = to_regprocedure('specwright.refuse_move()') LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', managed.tgname, managed.place);
  END LOOP;
END
"""
