"""Soft deletion, held by the database itself: a living row never refers to a deleted one.

Triggers see to it, whoever deletes and by whatever way. What is to go with a row goes with it, with its
timestamp, and comes back with it; what else refers to it is cleared, or refuses the deletion. A row is locked
when it goes, so that nothing can begin to refer to it meanwhile. A DELETE of a living row is made a soft one;
a DELETE of a deleted row is for good.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from specwright.model.field import Field, OnDelete
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.sql.checks import Violation
from specwright.sql.columns import quoted
from specwright.sql.tables import Tables, quote

#: The schema of the functions; the triggers go with it.
SCHEMA = "specwright_deletion"

#: Takes functions and triggers away.
WITHOUT_TRIGGERS = f"BEGIN\n  DROP SCHEMA IF EXISTS {SCHEMA} CASCADE;\nEND"

#: Whether a trigger of ours is at work: what it leaves behind is judged when it is done.
_CASCADING = "specwright.cascading"


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that refers to rows that may be deleted; `source` and `target` are tables."""

    source: str
    key: str
    column: str
    target: str
    target_key: str
    on_delete: OnDelete
    #: The foreign key that is violated by a reference to a deleted row.
    constraint: str
    #: Whether the rows that refer may be deleted as well.
    soft: bool


@dataclass(frozen=True, slots=True)
class Deletions:
    """The tables whose deleted rows stay, with their keys, and what refers to them."""

    tables: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]

    def to(self, table: str, on_delete: OnDelete) -> list[Reference]:
        """The references to a table to which this happens when a row goes."""
        found = (each for each in self.references if each.target == table)
        return [each for each in found if each.on_delete is on_delete]

    def reached(self, table: str) -> list[str]:
        """The tables of which rows may go with one of this table, itself first."""
        found = [table]
        for each in found:
            sources = (other.source for other in self.to(each, OnDelete.CASCADE) if other.soft)
            found += [source for source in sources if source not in found]
        return found


NO_DELETIONS = Deletions((), ())


def deletions(tables: Tables) -> Deletions:
    """What soft deletion is about in a manifest."""
    constraints = {
        (violated.resource, violated.fields): name
        for name, violated in tables.meanings.items()
        if violated.kind is Violation.REFERENCE
    }
    manifest = tables.manifest
    soft = {resource.name: resource for resource in manifest.stored if resource.deleted is not None}

    def reference(source: Resource, field: Field) -> Reference:
        target = soft[field.target or ""]
        return Reference(
            source=_place(source),
            key=quote(source.key_field.column),
            column=quote(field.column),
            target=_place(target),
            target_key=quote(target.key_field.column),
            on_delete=field.on_delete or OnDelete.REFUSE,
            constraint=constraints[source.name, (field.name,)],
            soft=source.name in soft,
        )

    return Deletions(
        tuple((_place(resource), quote(resource.key_field.column)) for resource in soft.values()),
        tuple(
            reference(source, field)
            for source in manifest.stored
            for field in source.fields
            if field.stored and field.target in soft
        ),
    )


def going_along(manifest: Manifest, resource: Resource) -> set[str]:
    """The names of the entities of which rows may go with a row of this one, and come back with it."""
    reached, found = [resource.name], set[str]()
    for name in reached:
        for source in manifest.stored:
            along = (
                field.stored and field.target == name and field.on_delete is OnDelete.CASCADE
                for field in source.fields
            )
            if (source.soft_delete or not resource.soft_delete) and source.name not in found and any(along):
                found.add(source.name)
                reached.append(source.name)
    return found


def script(found: Deletions) -> str:
    """The functions and their triggers, as the body of a block of PL/pgSQL."""
    parts = [f"CREATE SCHEMA {SCHEMA};"]
    for number, (table, key) in enumerate(found.tables):
        parts += _of_deleted(found, number, table, key)
    for number, source in enumerate(dict.fromkeys(each.source for each in found.references)):
        references = [each for each in found.references if each.source == source]
        parts.append(_refers(number, source, references))
    parts.append(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC;")
    return "BEGIN\n" + "\n".join(parts) + "\nEND"


def _of_deleted(found: Deletions, number: int, table: str, key: str) -> Iterator[str]:
    touched = "updated_at = transaction_timestamp(), version = version + 1"
    yield _trigger(
        f"keep_{number}",
        f"""  UPDATE {table} SET deleted_at = transaction_timestamp(), {touched}
    WHERE {key} = OLD.{key} AND deleted_at IS NULL;
  RETURN NULL;""",  # noqa: S608 # names of the spec, quoted
        # What goes with a row that is gone for good is gone for good: a foreign key sees to that.
        f"BEFORE DELETE ON {table} FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND pg_trigger_depth() = 0)",
    )
    coming = [each for each in found.references if each.target == table]
    if not coming:
        return
    changed = "OLD.deleted_at IS DISTINCT FROM NEW.deleted_at"
    yield _trigger(
        f"lock_{number}",
        f"  PERFORM FROM {table} WHERE {key} = OLD.{key} FOR UPDATE;\n  RETURN NEW;",
        f"BEFORE UPDATE OF deleted_at ON {table} FOR EACH ROW WHEN ({changed})",
    )
    # What cannot be deleted softly stays, and is not led to.
    cascades = [each for each in found.to(table, OnDelete.CASCADE) if each.soft]
    clears = found.to(table, OnDelete.CLEAR)
    back = [
        f"""    UPDATE {each.source} AS source SET deleted_at = NULL, {touched}
      WHERE source.{each.column} = NEW.{key} AND source.deleted_at = OLD.deleted_at"""  # noqa: S608
        + f"{_others(found, each)};"
        for each in cascades
    ]
    along = [
        f"""    UPDATE {each.source} SET deleted_at = NEW.deleted_at, {touched}
      WHERE {each.column} = NEW.{key} AND deleted_at IS NULL;"""  # noqa: S608
        for each in cascades
    ]
    along += [
        f"    UPDATE {each.source} SET {each.column} = NULL WHERE {each.column} = NEW.{key};"  # noqa: S608
        for each in clears
    ]
    if along:
        body = ["  IF NEW.deleted_at IS NULL THEN", *back, "  ELSIF OLD.deleted_at IS NULL THEN", *along]
        yield _trigger(
            f"follow_{number}",
            "\n".join([*body, "  END IF;", "  RETURN NULL;"]),
            f"AFTER UPDATE OF deleted_at ON {table} FOR EACH ROW WHEN ({changed})",
            f" SET {_CASCADING} = 'on'",
        )
    refusals = [_refusal(each) for other in found.reached(table) for each in found.to(other, OnDelete.REFUSE)]
    if refusals:
        cascading = f"coalesce(current_setting('{_CASCADING}', true), '')"
        begin = f"  IF {cascading} = 'on' THEN\n    RETURN NULL;\n  END IF;"
        yield _trigger(
            f"refuse_{number}",
            "\n".join([begin, *refusals, "  RETURN NULL;"]),
            f"AFTER UPDATE OF deleted_at ON {table} FOR EACH STATEMENT",
        )


def _others(found: Deletions, revived: Reference) -> str:
    """That a row which comes back refers to nothing else that is still deleted."""
    conditions = ""
    for each in found.references:
        if each.source == revived.source and each != revived:
            living = f"SELECT FROM {each.target} AS target WHERE target.{each.target_key}"
            itself = f" OR source.{each.column} = source.{each.key}" if each.target == each.source else ""
            conditions += (
                f"\n      AND (source.{each.column} IS NULL{itself}"
                f" OR EXISTS ({living} = source.{each.column} AND target.deleted_at IS NULL))"
            )
    return conditions


def _refusal(each: Reference) -> str:
    alive = " AND source.deleted_at IS NULL" if each.soft else ""
    return f"""  IF EXISTS (SELECT FROM {each.target} AS target
      JOIN {each.source} AS source ON source.{each.column} = target.{each.target_key}
      WHERE target.deleted_at = transaction_timestamp(){alive}) THEN
{_violation(each)}
  END IF;"""


def _refers(number: int, source: str, references: list[Reference]) -> str:
    """That what is written refers to living rows, and goes on doing so until it is committed."""
    soft = references[0].soft
    columns = ", ".join(each.column for each in references)
    begin = "  IF NEW.deleted_at IS NOT NULL THEN\n    RETURN NULL;\n  END IF;\n" if soft else ""
    checks = [
        f"""  IF NEW.{each.column} IS NOT NULL THEN
    PERFORM FROM {each.target}
      WHERE {each.target_key} = NEW.{each.column} AND deleted_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
{_violation(each)}
    END IF;
  END IF;"""
        for each in references
    ]
    when = "INSERT OR UPDATE OF " + columns + (", deleted_at" if soft else "")
    return _trigger(
        # After what follows, in the order of names: rows in a circle come back together.
        f"refer_{number}",
        begin + "\n".join(checks) + "\n  RETURN NULL;",
        f"AFTER {when} ON {source} FOR EACH ROW",
    )


def _violation(each: Reference) -> str:
    message = quoted(f"{each.source}.{each.column} refers to a deleted row of {each.target}")
    return f"""      RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
        CONSTRAINT = {quoted(each.constraint)}, MESSAGE = {message};"""


def _trigger(name: str, body: str, when: str, options: str = "") -> str:
    """A function with the rights of its owner, so that no policy is asked, and its trigger."""
    return f"""CREATE FUNCTION {SCHEMA}.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp{options} AS $function$
BEGIN
{body}
END
$function$;
CREATE TRIGGER specwright_{name} {when} EXECUTE FUNCTION {SCHEMA}.{name}();"""


def _place(resource: Resource) -> str:
    return f"{quote(resource.schema)}.{quote(resource.table)}"
