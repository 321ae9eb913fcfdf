"""What a step may cost: rows or values that are lost, or that the step would be refused for."""

from collections.abc import Mapping
from dataclasses import dataclass

from specwright.migrate.conversion import Conversion
from specwright.migrate.rows import Rows
from specwright.migrate.shapes import Check, ForeignKey, IndexShape, Part, PrimaryKey, Search, Unique
from specwright.model.errors import Origin
from specwright.model.field import Bounds, Field
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.sql.checks import UNBOUNDED_TEXT, Violation
from specwright.sql.columns import default_sql
from specwright.sql.tables import Violated, quote


@dataclass(frozen=True, slots=True)
class Hazard:
    """A question that somebody must answer before a step."""

    #: What `--accept` takes: `drop Task.note`.
    key: str
    sentence: str
    advice: str
    origin: Origin
    #: The rows it concerns, in the names that hold just before the step. Without any there is no question.
    rows: Rows
    #: What becomes of them in a development database when the answer is yes.
    price: str
    #: The statement that does it, where the step itself does not. Other databases are mended by whoever
    #: knows what their rows mean.
    mend: str | None = None

    def __str__(self) -> str:
        return f"{self.origin}: {self.sentence} {self.advice}"


def table_goes(resource: Resource) -> Hazard:
    """An entity, or the links of a field, are dropped without `was`."""
    if resource.link:
        return Hazard(
            f"drop {resource.name}",
            f"{resource.name} is no longer in the spec: its links, the rows of {resource.table}, go.",
            f'If it has another name now, write the rule "was {resource.name.partition(".")[2]}" on the new '
            "field.",
            resource.origin,
            Rows(resource.table),
            "will be lost",
        )
    return Hazard(
        f"drop {resource.name}",
        f"{resource.name} is no longer in the spec: its table {resource.table} goes.",
        f'If it has another name now, write "(was {resource.name})" in the heading of the new one.',
        resource.origin,
        Rows(resource.table),
        "will be lost",
    )


def column_goes(resource: Resource, field: Field, origin: Origin) -> Hazard:
    """A field is dropped without `was`; or deleted rows stay no longer, and would come back."""
    if field == resource.deleted:
        rows = Rows(resource.table, f"{quote(field.column)} IS NOT NULL")
        return Hazard(
            f"drop {resource.name}.{field.name}",
            f"{resource.name} is no longer soft delete: rows that are deleted would be there again.",
            'Keep the rule line "soft delete", or restore or remove these rows first.',
            origin,
            rows,
            "will be deleted for good",
            rows.delete,
        )
    return Hazard(
        f"drop {resource.name}.{field.name}",
        f"{resource.name}.{field.name} is no longer in the spec: its values go.",
        f'If it has another name now, write the rule "was {field.name}" on the new field.',
        origin,
        Rows(resource.table, f"{quote(field.column)} IS NOT NULL"),
        "will lose this value",
    )


def column_comes(resource: Resource, field: Field) -> Hazard:
    """A new field must have a value, and nothing says which for rows that are there."""
    rows = Rows(resource.table)
    return Hazard(
        f"add {resource.name}.{field.name}",
        f"{resource.name}.{field.name} is new and cannot be empty; rows that are there have no value for it.",
        "Give it a default, or make it optional.",
        field.origin,
        rows,
        "will be deleted",
        rows.delete,
    )


def value_required(resource: Resource, field: Field) -> Hazard:
    """A field may no longer be without a value."""
    rows = Rows(resource.table, f"{quote(field.column)} IS NULL")
    return Hazard(
        f"require {resource.name}.{field.name}",
        f"{resource.name}.{field.name} becomes required; rows without a value cannot stay.",
        "Give it a default, or fill these rows first.",
        field.origin,
        rows,
        "will be deleted",
        rows.delete,
    )


def type_changes(resource: Resource, before: Field, field: Field, conversion: Conversion) -> Hazard | None:
    """The values of a field may not all fit its new type."""
    if conversion.loses is None:
        return None
    rows = Rows(resource.table, conversion.loses)
    kept = field.nullable or default_sql(field) is not None
    return Hazard(
        f"convert {resource.name}.{field.name}",
        f"{resource.name}.{field.name} changes from {before.type} to {field.type}; other values are lost.",
        "Keep the type, or add a new field beside it.",
        field.origin,
        rows,
        "will lose this value" if kept else "will be deleted",
        None if kept else rows.delete,
    )


def part_comes(
    resource: Resource, violated: Violated, part: Part, before: Mapping[str, Field | None]
) -> Hazard | None:
    """A new constraint on a table that may have rows; `before` holds what each of its fields was."""
    fields = [field for name in violated.fields if (field := resource.field(name)) is not None]
    known = any(before[field.name] is not None for field in fields)
    match part:
        case Unique(_, columns) | IndexShape(_, columns, unique=True):
            if not known and default_sql(fields[-1]) is None:
                return None
            return _repeats(resource, fields[-1], columns, part)
        case Check(_, sql) if violated.kind is Violation.RULE:
            return _breaks(resource, violated, fields, sql)
        case _ if not known:
            # What fills a new column, fits it.
            return None
        case ForeignKey():
            return _strays(resource, fields[0], part)
        case Check(_, sql):
            (field,) = fields
            old = before[field.name]
            if (
                old is not None
                and old.type.kind is field.type.kind
                and not _narrower(violated.kind, old, field)
            ):
                return None
            sentence = (
                f"{resource.name}.{field.name} has a narrower {violated.kind}; values outside cannot stay."
            )
            return _outside(
                f"narrow {resource.name}.{field.name}", sentence, resource, field, f"({sql}) IS FALSE"
            )
        case PrimaryKey() | IndexShape() | Search():
            return None


def _repeats(resource: Resource, field: Field, columns: tuple[str, ...], part: Part) -> Hazard:
    of = part.where if isinstance(part, IndexShape) and part.where else ""
    rows = Rows.repeating(resource.table, columns, resource.key_field.column, of)
    return Hazard(
        f"unique {resource.name}.{field.name}",
        f"{resource.name}.{field.name} becomes unique; rows that repeat a value cannot stay.",
        "Change the repeated values first.",
        field.origin,
        rows,
        "will be deleted, the oldest of each value kept",
        rows.delete,
    )


def _strays(resource: Resource, field: Field, key: ForeignKey) -> Hazard:
    column = f"{quote(resource.table)}.{quote(key.column)}"
    target = f"SELECT FROM {quote(key.target)} AS target WHERE target.{quote(key.target_column)} = {column}"
    return _outside(
        f"refer {resource.name}.{field.name}",
        f"{resource.name}.{field.name} must name a {field.target} now; values that name none cannot stay.",
        resource,
        field,
        f"{column} IS NOT NULL AND NOT EXISTS ({target})",
    )


def _breaks(resource: Resource, violated: Violated, fields: list[Field], sql: str) -> Hazard:
    rule = next(rule for rule in resource.rules if rule.id == violated.rule)
    rows = Rows(resource.table, f"({sql}) IS FALSE")
    names = ", ".join(field.name for field in fields)
    return Hazard(
        f"rule {resource.name}.{rule.requirements[0] if rule.requirements else rule.id}",
        f"{resource.name} has a new rule on {names}; rows that break it cannot stay.",
        "Mend these rows first.",
        rule.origin,
        rows,
        "will be deleted",
        rows.delete,
    )


def _outside(key: str, sentence: str, resource: Resource, field: Field, where: str) -> Hazard:
    rows = Rows(resource.table, where)
    advice = "Keep it as it was, or mend these rows first."
    instead = "NULL" if field.nullable else default_sql(field)
    if instead is None:
        return Hazard(key, sentence, advice, field.origin, rows, "will be deleted", rows.delete)
    mend = rows.update(field.column, instead)
    return Hazard(key, sentence, advice, field.origin, rows, f"will get {instead} instead", mend)


def _narrower(kind: Violation, before: Field, after: Field) -> bool:
    match kind:
        case Violation.LENGTH | Violation.RANGE:
            return not _within(before.bounds, after.bounds, after.type.kind)
        case Violation.LITERALS:
            return not set(before.type.literals) <= set(after.type.literals)
        case Violation.ITEMS:
            item, old = after.type.item, before.type.item
            if item is None or old is None or item.kind is not old.kind:
                return True
            return not set(old.literals) <= set(item.literals)
        case _:
            return True


def _within(inner: Bounds, outer: Bounds, kind: Kind) -> bool:
    most = outer.most
    if most is None and kind in {Kind.TEXT, Kind.EMAIL, Kind.URL}:
        most = UNBOUNDED_TEXT
    inner_most = UNBOUNDED_TEXT if inner.most is None and most == UNBOUNDED_TEXT else inner.most
    low = outer.least is None or (inner.least is not None and inner.least >= outer.least)
    return low and (most is None or (inner_most is not None and inner_most <= most))
