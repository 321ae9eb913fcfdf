"""Expression to SQL: a condition becomes a predicate that PostgreSQL evaluates the way the language means it.

The language is two-valued, SQL is not. So `not` is pushed inward until it stands at a comparison, where it
becomes `IS NOT TRUE`; above comparisons only AND and OR remain, for which NULL is as good as false.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from specwright.model.expression import (
    And,
    Arithmetic,
    Call,
    CallerPath,
    Compare,
    Expr,
    IsNone,
    Literal,
    Negative,
    Not,
    Or,
    Path,
    walk,
)
from specwright.model.field import Aggregate, Field
from specwright.model.functions import DURATIONS
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.types import NUMBER_KINDS, TEXT, TEXT_KINDS, USER, Kind, Type
from specwright.model.values import fit, key_kind
from specwright.sql.columns import column_type, quoted
from specwright.sql.comparison import Comparison
from specwright.sql.row import Predicate, Row
from specwright.sql.tables import Tables


@dataclass(frozen=True, slots=True)
class CallerValue:
    """A value of the caller that a statement takes as a parameter, and the type it is read as."""

    names: tuple[str, ...]
    type: Type
    many: bool = False

    @property
    def parameter(self) -> str:
        """The name of the statement's parameter."""
        kind = f"{'list_' if self.many else ''}{self.type.kind.value}"
        return "_".join(("caller", *self.names, kind))


class Compiler:
    """Compiles expressions over one manifest; `caller_values` collects what the caller must supply."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.manifest: Manifest = tables.manifest
        self.caller_values: dict[str, CallerValue] = {}

    def condition(self, expr: Expr, row: Row) -> Predicate:
        """The predicate of a checked condition; where NULL, it counts as false."""
        match expr:
            case Literal(bool(value)):
                return true() if value else false()
            case And(items):
                return and_(true(), *(self.condition(item, row) for item in items))
            case Or(items):
                return or_(false(), *(self.condition(item, row) for item in items))
            case Not(operand):
                return self._negated(operand, row)
            case _:
                return self._related(expr, row)

    def _negated(self, expr: Expr, row: Row) -> Predicate:
        match expr:
            case Literal(bool(value)):
                return false() if value else true()
            case And(items):
                return or_(false(), *(self._negated(item, row) for item in items))
            case Or(items):
                return and_(true(), *(self._negated(item, row) for item in items))
            case Not(operand):
                return self.condition(operand, row)
            case _:
                return self._related(expr, row).is_not(true())

    def _related(self, atom: Expr, row: Row) -> Predicate:
        """A comparison; over relations it asks whether there is a related row that it holds for."""
        joined = self._prefixes(atom, row.resource)
        comparison = Comparison(self, row)
        if not joined:
            return self.atom(comparison, atom)
        sources: list[FromClause] = []
        links: list[Predicate] = []
        for prefix in joined:
            source, link = comparison.join(prefix)
            sources.append(source)
            links.append(link)
        held = self.atom(comparison, atom)
        related: Select[Any] = select(literal_column("1")).select_from(*sources).where(*links, held)
        return exists(related.correlate_except(*sources))

    def atom(self, comparison: "Comparison", node: Expr) -> Predicate:
        """What a comparison asks of the row and of the related rows joined to it."""
        return comparison.atom(node)

    def source(self, resource: Resource) -> FromClause:
        """Where the rows are that a path leads to: all of them, whoever asks."""
        return self.tables.of(resource).alias()

    def living(self, row: Row) -> Iterator[Predicate]:
        """That the row is not deleted, where deleted rows stay: no path leads to them."""
        deleted = row.resource.deleted
        if deleted is not None:
            yield row.columns[deleted.name].is_(None)

    def subquery(self, query: Select[Any]) -> FromClause:
        """A query to select from."""
        return query.subquery()

    def seen(self, row: Row) -> Predicate:
        """Whether a path that leads to this row may go on: always, whoever asks."""
        return true()

    def _prefixes(self, atom: Expr, resource: Resource) -> list[tuple[str, ...]]:
        """The relations to join: those to many, and those to one whose absence makes the comparison false."""
        found: set[tuple[str, ...]] = set()
        strict = is_strict(self, atom, resource)
        for node in walk(atom):
            if isinstance(node, Path):
                hops = resolve(self.manifest, resource, node).hops
                many = [position for position, hop in enumerate(hops, 1) if hop.many]
                depth = len(hops) if strict else max(many, default=0)
                found.update(node.names[:length] for length in range(1, depth + 1))
        return sorted(found, key=lambda names: (len(names), names))

    def column(self, row: Row, field: Field) -> ColumnElement[Any]:
        """The value of a field of a row: as it is stored, worked out, or the keys that are linked."""
        if field.linked is not None:
            return self._linked(row, field)
        return self.calculated(row, field) if field.calculated else row.columns[field.name]

    def _linked(self, row: Row, field: Field) -> ColumnElement[Any]:
        source, related, link = Comparison(self, row).follow(row, field.name)
        key = related.columns[related.resource.key]
        order = key.collate("C") if related.resource.key_field.type.kind in TEXT_KINDS else key
        keys = select(key).select_from(source).where(link).order_by(order).correlate_except(source)
        return func.array(keys.scalar_subquery())

    def calculated(self, row: Row, field: Field) -> ColumnElement[Any]:
        """The value of a computed or aggregated field: from all rows there are, whoever asks."""
        if field.aggregate is not None:
            return self._aggregated(row, field, field.aggregate)
        assert field.computed is not None
        if field.type.kind is Kind.BOOLEAN:
            return self.condition(field.computed, row).is_(true())
        return self._settled(Comparison(self, row).value(field.computed, field.type), field.type)

    def _aggregated(self, row: Row, field: Field, aggregate: Aggregate) -> ColumnElement[Any]:
        source, related, link = Comparison(self, row).follow(row, aggregate.relation)
        counted = true() if aggregate.where is None else self.condition(aggregate.where, related)
        if aggregate.field:
            summed = related.resource.field(aggregate.field)
            assert summed is not None
            found: ColumnElement[Any] = func.sum(self.column(related, summed))
            found = func.coalesce(found, literal_column("0"))
        else:
            found = func.count()
        query: Select[Any] = select(self._settled(found, field.type)).select_from(source)
        return query.where(link, counted).correlate_except(source).scalar_subquery()

    def _settled(self, value: ColumnElement[Any], type_: Type) -> ColumnElement[Any]:
        """What was worked out as a value of its type, a number rounded to its digits after the point."""
        if type_.scale is not None:
            return func.round(cast(value, Numeric()), literal_column(str(type_.scale)))
        if type_.kind in NUMBER_KINDS:
            return cast(value, Numeric())
        made = cast(value, self.bind_type(type_))
        return made.collate("C") if type_.kind in TEXT_KINDS else made

    def nullable(self, node: Expr, resource: Resource) -> bool:
        """Whether the value of a node can be None."""
        match node:
            case Literal(value):
                return value is None
            case CallerPath(("membership", *_)):
                return True
            case Path():
                found = resolve(self.manifest, resource, node)
                return found.field.nullable or any(self.ends(hop) for hop in found.hops)
            case Arithmetic(_, _, Call(name)) if name in DURATIONS:
                # There is no moment outside the years 1 to 9999.
                return True
            case Arithmetic(_, left, right):
                return self.nullable(left, resource) or self.nullable(right, resource)
            case Negative(operand):
                return self.nullable(operand, resource)
            case Call("coalesce", arguments):
                return all(self.nullable(argument, resource) for argument in arguments)
            case Call(_, arguments):
                return any(self.nullable(argument, resource) for argument in arguments)
            case _:
                return False

    def ends(self, hop: Relation) -> bool:
        """Whether a hop may lead nowhere, where it leads to one row."""
        if hop.many:
            return False
        reference = self.manifest.resource(hop.source).field(hop.field)
        assert reference is not None, "a relation to one is a field"
        # Of a deleted row, the row that it refers to may be deleted, too.
        return reference.nullable or self.manifest.resource(hop.target).soft_delete

    def constant(self, value: Any, expected: Type | None) -> ColumnElement[Any]:
        """A literal, spelled out in the statement."""
        value = fit(self.manifest, value, expected)
        if value is None:
            return literal_column("NULL")
        type_ = Text() if expected is None else self.bind_type(expected)
        text = quoted(value)
        return literal_column(
            f"{text}::{_CAST[kind]}" if (kind := self.kind(expected)) in _CAST else text, type_
        )

    def kind(self, type_: Type | None) -> Kind:
        """The kind that is stored: a reference is its target's key."""
        return Kind.TEXT if type_ is None else key_kind(self.manifest, type_)

    def bind_type(self, type_: Type) -> TypeEngine[Any]:
        """The SQL type of a parameter: never narrower than the value, so that nothing is rounded or cut."""
        kind = self.kind(type_)
        if kind in TEXT_KINDS:
            return Text()
        if kind is Kind.NUMBER:
            return Numeric()
        return column_type(self.manifest, type_)

    def caller_value(self, names: tuple[str, ...], expected: Type, many: bool = False) -> ColumnElement[Any]:
        """A parameter that takes a value of the caller."""
        wanted = CallerValue(names, TEXT if self.kind(expected) in TEXT_KINDS else expected, many)
        self.caller_values[wanted.parameter] = wanted
        bind = self.bind_type(wanted.type)
        return bindparam(wanted.parameter, type_=ARRAY(bind) if many else bind, required=True)

    def membership(self, name: str) -> ColumnElement[Any]:
        """A field of the caller's row in the request's tenant, NULL where there is none.

        It asks nothing of any row of the statement, so that PostgreSQL asks it once.
        """
        tenant = self.manifest.tenant
        assert tenant is not None, "a checked expression speaks of memberships where there are some"
        through = self.manifest.resource(tenant.through)
        within = through.tenant
        assert within is not None
        source = self.source(through)
        row = Row.of(through, source)
        mine = (
            row.columns[within.name] == self.caller_value(("tenant",), within.type),
            row.columns[tenant.member] == self.caller_value((), USER),
            *self.living(row),
        )
        return select(row.columns[name]).select_from(source).where(*mine).correlate(None).scalar_subquery()


_CAST = {Kind.DATE: "date", Kind.TIMESTAMP: "timestamptz", Kind.UUID: "uuid", Kind.JSON: "jsonb"}


def is_strict(compiler: Compiler, atom: Expr, resource: Resource) -> bool:
    """Whether a None anywhere in the comparison makes it false."""
    if any(isinstance(node, Call) and node.name == "coalesce" for node in walk(atom)):
        return False
    match atom:
        case Compare("==", left, right):
            return not (compiler.nullable(left, resource) and compiler.nullable(right, resource))
        case Compare("!=") | IsNone():
            return False
        case _:
            return True


def check_clause(tables: Tables, resource: Resource, expr: Expr) -> Predicate:
    """A rule on the row alone as the condition of a CHECK, which accepts NULL and so is asked for TRUE."""
    return Compiler(tables).condition(expr, Row.of(resource, tables.of(resource))).is_(true())
