"""Entities: headings with a Field|Type|Rules table below."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from specwright.model.expression import Expr
from specwright.model.field import Aggregate, Field
from specwright.model.names import (
    EXPRESSION_WORDS,
    MAX_IDENTIFIER,
    class_name,
    field_problem,
    hint,
    kebab,
    name_problem,
    plural,
    snake,
    title,
)
from specwright.model.resource import Resource
from specwright.model.types import NUMBER_KINDS, Kind
from specwright.read.access import Subjects
from specwright.read.cells import expression_text, plain
from specwright.read.expressions import Written, parse_span
from specwright.read.fieldtype import read_type
from specwright.read.mistakes import Mistakes
from specwright.read.outline import Section, Table
from specwright.read.rules import AGGREGATES, COMPUTED, FieldRules, RuleReader, build_field
from specwright.read.span import Span
from specwright.read.tables import Line, lines

_HEADING = re.compile(r"([^()]*?)\s*(?:\(([^()]*)\))?")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A row of a field table as read: the field, and what is judged once everything is known."""

    field: Field
    rules: FieldRules
    name: Span
    #: The expression that the value is computed by, or that aggregated rows meet.
    written: Written | None
    broken: bool


@dataclass(slots=True, eq=False)
class Entity:
    """A heading with its field table."""

    name: str
    title: str
    plural: str
    was: str | None
    heading: Span
    section: Section
    table: Table
    feature: str
    rows: list[FieldRow] = field(default_factory=list)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The ways a Type cell may name the entity."""
        return (self.name, self.title)

    def resource(self) -> Resource:
        """The resource as declared, not yet completed."""
        return Resource(
            id=self.name,
            name=self.name,
            title=self.title,
            path=kebab(self.plural),
            table=self.section.table or snake(self.plural),
            fields=tuple(row.field for row in self.rows),
            feature=self.feature,
            was=self.was,
            means=self.section.means,
            origin=self.heading.origin,
        )


def read_heading(section: Section, table: Table, feature: str, mistakes: Mistakes) -> Entity | None:
    """The entity that a section with a field table declares."""
    heading = plain(section.heading)
    if not heading:
        mistakes.add(table.header.line, "this table names no entity: put a heading above it, as ## Task")
        return None
    found = _HEADING.fullmatch(heading.text)
    if found is None or not found[1]:
        mistakes.add(
            heading, f'"{heading.text}" cannot name an entity: ## Task, or with its plural ## Person (people)'
        )
        return None
    problem = name_problem(found[1])
    if problem is not None:
        mistakes.add(heading, f'"{found[1]}" cannot name an entity: {problem}')
        return None
    name = class_name(found[1])
    if name in EXPRESSION_WORDS or len(name) > MAX_IDENTIFIER:
        reason = "it is a word of the expression language" if name in EXPRESSION_WORDS else "it is too long"
        mistakes.add(heading, f'"{found[1]}" cannot name an entity: {reason}')
        return None
    many, was = plural(title(found[1])), None
    for part in heading[slice(*found.span(2))].split(",") if found[2] is not None else ():
        if part.text.startswith("was "):
            was = class_name(part.text.removeprefix("was "))
        elif problem := name_problem(part.text):
            mistakes.add(part, f'"{part.text}" cannot be a plural: {problem}')
        else:
            many = part.text
    return Entity(name, title(found[1]), many, was, heading, section, table, feature)


def read_fields(entity: Entity, entities: Mapping[str, str], mistakes: Mistakes) -> None:
    """Fill in the rows of the entity's table."""
    for line in lines(entity.table, mistakes):
        row = _read_row(entity, line, entities, mistakes)
        if row is not None:
            entity.rows.append(row)


def _read_row(entity: Entity, line: Line, entities: Mapping[str, str], mistakes: Mistakes) -> FieldRow | None:
    cell = plain(line["Field"])
    if not cell:
        mistakes.add(line.whole, "the name of the field is missing")
        return None
    before = len(mistakes)
    problem = field_problem(cell.text, entity.title)
    if problem is not None:
        mistakes.add(cell, f'"{cell.text}" cannot name a field: {problem}')
    type_ = read_type(line["Type"], entities, mistakes)
    name = snake(cell.text) if problem is None else ""
    if type_ is not None and type_.kind is Kind.REFERENCE and name.endswith("_id"):
        mistakes.add(cell, f'a reference is its name with _id in JSON: call it "{name.removesuffix("_id")}"')
    rules = RuleReader(cell.text, type_, mistakes).read(line["Rules"])
    text = rules.values.get(COMPUTED)
    written = parse_span(text, mistakes) if text is not None else None
    derived: Expr | Aggregate | None = written.expr if written is not None else None
    if word := next((word for word in AGGREGATES if word in rules.values), None):
        of, where = rules.values[word]
        derived, written = _read_aggregate(word, of, where, mistakes)
    if problem is not None:
        return None
    made = build_field(name, type_, rules, derived, line.means, cell)
    return FieldRow(made, rules, cell, written, broken=len(mistakes) > before)


def _read_aggregate(
    word: str, of: Span, where: Span | None, mistakes: Mistakes
) -> tuple[Aggregate, Written | None]:
    relation, *summed = (snake(name) for name in of.text.split("."))
    text = None
    if where is not None:
        text = expression_text(where, mistakes) if where else None
        if not where:
            mistakes.add(where, f'"{word} {of.text} where" needs a condition, as `status != "done"`')
    written = parse_span(text, mistakes) if text is not None else None
    condition = written.expr if written is not None else None
    return Aggregate(word.partition(" ")[0], relation, ".".join(summed), condition), written


def judge_fields(
    entity: Entity,
    resource: Resource,
    by_name: Mapping[str, Resource],
    subjects: Subjects,
    mistakes: Mistakes,
) -> None:
    """What can be judged once all entities, roles and names are known."""
    for row in entity.rows:
        for rule in ("readable by", "writable by"):
            for word in row.rules.values.get(rule, ()):
                subjects.find_limit(word, resource, mistakes)
        for other in row.rules.values.get("unique per", ()):
            _judge_unique_per(row, other, resource, mistakes)
        place = row.rules.places.get("on delete")
        target = by_name.get(str(row.field.target))
        if place is not None and target is not None and target.external:
            mistakes.add(
                place, 'there is no ## User table, so a User is never deleted here. Leave "on delete" out'
            )
        if row.field.aggregate is not None:
            _judge_aggregate(row, row.field.aggregate, resource, by_name, mistakes)


def _judge_unique_per(row: FieldRow, other: Span, resource: Resource, mistakes: Mistakes) -> None:
    field = resource.field(snake(other.text))
    if field is None:
        close = hint(other.text, [known.name for known in resource.fields])
        mistakes.add(other, f'{resource.name} has no field "{other.text}" to be unique per.{close}')
    elif field.name == row.field.name:
        mistakes.add(other, f'"{row.field.name}" is unique per itself: write unique')
    elif not field.stored:
        mistakes.add(other, f'"{field.name}" is not stored, so nothing can be unique per it')
    elif field.nullable:
        mistakes.add(
            other,
            f'"unique per {other.text}" of field "{row.field.name}" needs "{other.text}" never empty: '
            "make it required or give it a default",
        )


def _judge_aggregate(
    row: FieldRow,
    aggregate: Aggregate,
    resource: Resource,
    by_name: Mapping[str, Resource],
    mistakes: Mistakes,
) -> None:
    word = f"{aggregate.function} of"
    place, (of, _) = row.rules.places[word], row.rules.values[word]
    relation = resource.relation(aggregate.relation)
    many = [known.name for known in resource.relations if known.many]
    if relation is None or not relation.many:
        first = of.text.partition(".")[0]
        close = hint(first, many, "It has")
        mistakes.add(place, f'{resource.name} has no relation to many named "{first}".{close}')
        return
    target = by_name[relation.target]
    if (aggregate.function == "sum") != bool(aggregate.field) or "." in aggregate.field:
        mistakes.add(place, "write count of RELATION, or sum of RELATION.FIELD")
    elif aggregate.field:
        summed = target.field(aggregate.field)
        if summed is None:
            close = hint(aggregate.field, [known.name for known in target.fields])
            mistakes.add(place, f'{target.name} has no field "{aggregate.field}".{close}')
        elif summed.type.kind not in NUMBER_KINDS:
            mistakes.add(place, f'"{summed.name}" of {target.name} is {summed.type}, and a sum needs numbers')
        elif summed.type.kind is Kind.NUMBER and row.field.type.kind is Kind.INTEGER:
            mistakes.add(place, f'"{summed.name}" of {target.name} is {summed.type}, and its sum no integer')


def unknown_role(role: str, roles: Iterable[str]) -> str:
    """The message about a role that no Role|Means table has."""
    close = hint(role, roles, "Roles are") or " No Role | Means table declares roles"
    return f'unknown role "{role}".{close}'
