"""Expression to SQL: a condition becomes a predicate that PostgreSQL evaluates the way the language means it.

The language is two-valued, SQL is not. So `not` is pushed inward until it stands at a comparison, where it
becomes `IS NOT TRUE`; above comparisons only AND and OR remain, for which NULL is as good as false. Equality
in positive position is a plain `=` wherever one side cannot be null: `IS NOT DISTINCT FROM` uses no index.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
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
    In,
    IsNone,
    ListOf,
    Literal,
    Negative,
    Not,
    Or,
    Parameter,
    Path,
    walk,
)
from specwright.model.manifest import Aggregate, Field, Manifest, Relation, Resource, Through
from specwright.model.paths import resolve
from specwright.model.typecheck import DURATIONS, common_type, is_of_membership, type_of
from specwright.model.types import NUMBER, NUMBER_KINDS, TEXT, TEXT_KINDS, USER, Kind, Type
from specwright.model.values import fit, key_kind
from specwright.sql.columns import column_type, quoted
from specwright.sql.tables import Tables

Predicate = ColumnElement[bool]

_COMPARE: dict[str, Callable[[Any, Any], Predicate]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_COMPUTE: dict[str, Callable[[Any, Any], ColumnElement[Any]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
_SEARCH: dict[str, Callable[[Any, Any], Predicate]] = {
    "contains": lambda text, part: func.strpos(text, part) > literal_column("0"),
    "startswith": lambda text, part: func.starts_with(text, part),
    "endswith": lambda text, part: func.right(text, func.char_length(part)) == part,
}
#: What the key of the row is called that links lead from; no column of a spec begins with an underscore.
NEAR = "_near"
NOW: ColumnElement[Any] = func.transaction_timestamp()
UTC: ColumnElement[Any] = literal_column("'UTC'")


@dataclass(frozen=True, slots=True)
class Row:
    """The row that an expression is about: where the value of each stored field comes from."""

    resource: Resource
    columns: Mapping[str, ColumnElement[Any]]

    @classmethod
    def of(cls, resource: Resource, table: FromClause) -> "Row":
        """The row of a table, alias or subquery that has the resource's columns."""
        columns = {field.name: table.c[field.column] for field in resource.fields if field.stored}
        return cls(resource, columns)


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
        """The value of a field of a row: as it is stored, or worked out."""
        return self.calculated(row, field) if field.calculated else row.columns[field.name]

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


_CAST = {Kind.DATE: "date", Kind.TIMESTAMP: "timestamptz", Kind.UUID: "uuid"}


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


class Comparison:
    """One comparison being compiled: the row, and the related rows joined to it."""

    def __init__(self, compiler: Compiler, row: Row) -> None:
        self.compiler = compiler
        self.manifest = compiler.manifest
        self.resource = row.resource
        self.rows: dict[tuple[str, ...], Row] = {(): row}

    def join(self, prefix: tuple[str, ...]) -> tuple[FromClause, Predicate]:
        source, row, link = self.follow(self.rows[prefix[:-1]], prefix[-1])
        self.rows[prefix] = row
        return source, link

    def follow(self, row: Row, name: str) -> tuple[FromClause, Row, Predicate]:
        """The rows that a relation leads to, one of them, and what links it to this one."""
        hop = row.resource.relation(name)
        assert hop is not None, f"{row.resource.name} has no relation {name}"
        target = self.manifest.resource(hop.target)
        through = hop.through
        table = self.compiler.source(target) if through is None else self.linked(through, target)
        found = Row.of(target, table)
        if through is not None:
            link = table.c[NEAR] == row.columns[row.resource.key]
        elif hop.many:
            link = found.columns[hop.field] == row.columns[row.resource.key]
        else:
            link = found.columns[target.key] == row.columns[hop.field]
        return table, found, and_(link, *self.compiler.living(found), self.compiler.seen(found))

    def linked(self, through: Through, target: Resource) -> FromClause:
        """The rows that links lead to, each with the key of the row that it is linked to."""
        links = self.compiler.manifest.resource(through.link)
        source = self.compiler.source(links)
        link = Row.of(links, source)
        near, far = link.columns[through.near].label(NEAR), link.columns[through.far]
        if target.external:
            return self.compiler.subquery(select(near, far.label(target.key_field.column)))
        others = self.compiler.source(target)
        other = Row.of(target, others)
        found = select(near, *other.columns.values())
        joined = found.select_from(source.join(others, other.columns[target.key] == far))
        return self.compiler.subquery(joined)

    def atom(self, node: Expr) -> Predicate:
        match node:
            case Compare(operator, left, right):
                return self.compare(operator, left, right)
            case In(item, container):
                return self.membership(item, container)
            case IsNone(operand):
                return self.value(operand, self.typed(operand)).is_(None)
            case Call(name, (text, part)) if name in _SEARCH:
                return _SEARCH[name](self.text(text), self.text(part))
            case _:
                return self.value(node, self.typed(node)) == true()

    def typed(self, node: Expr) -> Type | None:
        return type_of(self.manifest, self.resource, node)

    def text(self, node: Expr) -> ColumnElement[Any]:
        return self.value(node, TEXT).collate("C")

    def compare(self, operator: str, left: Expr, right: Expr) -> Predicate:
        if left == right and operator == "==":
            # In a policy, PostgreSQL 18 has an internal error for now() = now().
            return true()
        shared = common_type(self.typed(left), self.typed(right))
        a, b = self.value(left, shared), self.value(right, shared)
        if operator in _COMPARE:
            if shared is not None and shared.kind in TEXT_KINDS:
                a = a.collate("C")
            return _COMPARE[operator](a, b)
        if Literal(None) in (left, right):
            operand = b if left == Literal(None) else a
            return operand.is_(None) if operator == "==" else operand.is_not(None)
        if operator == "!=":
            return a.is_distinct_from(b)
        if self.nullable(left) and self.nullable(right):
            return a.is_not_distinct_from(b)
        return a == b

    def nullable(self, node: Expr) -> bool:
        return self.compiler.nullable(node, self.resource)

    def membership(self, item: Expr, container: Expr) -> Predicate:
        expected = self.typed(item)
        match container:
            case ListOf(()):
                return false()
            case ListOf(items) if is_of_membership(item):
                # A subquery, which is not to stand there once for each of them.
                return self.value(item, expected).in_([self.value(each, expected) for each in items])
            case ListOf(items):
                value = self.value(item, expected)
                return or_(*(value == self.value(element, expected) for element in items))
            case CallerPath(names):
                wanted = TEXT if names == ("roles",) or expected is None else expected
                elements = self.compiler.caller_value(names, wanted, many=True)
                return self.value(item, wanted) == any_(elements)
            case Parameter(name, items):
                bind = ARRAY(self.compiler.bind_type(items))
                return self.value(item, expected) == any_(bindparam(name, type_=bind, required=True))
            case _:
                listed = self.typed(container)
                wanted = common_type(expected, listed.item if listed is not None else None) or TEXT
                # Cast, since ANY over a bare subquery would look for the item among its rows.
                elements = cast(self.value(container, listed), ARRAY(self.compiler.bind_type(wanted)))
                return self.value(item, wanted) == any_(elements)

    def value(self, node: Expr, expected: Type | None) -> ColumnElement[Any]:
        match node:
            case Literal(value):
                return self.compiler.constant(value, expected)
            case Path():
                return self.path(node)
            case CallerPath(("membership", name)):
                return self.compiler.membership(name)
            case CallerPath(names):
                return self.compiler.caller_value(names, expected or TEXT)
            case Parameter(name, type_):
                return bindparam(name, type_=self.compiler.bind_type(type_), required=True)
            case Negative(operand):
                return -self.number(operand)
            case Arithmetic(operator, left, Call(name, (count,))) if name in DURATIONS:
                typed = self.typed(left)
                hours: ColumnElement[Any] = literal_column(str(DURATIONS[name])) * self.number(count)
                later = hours if operator == "+" else -hours
                return moved(self.value(left, typed), self.compiler.kind(typed), later)
            case Arithmetic(operator, left, right):
                return _COMPUTE[operator](self.number(left), self.number(right))
            case Call(name, arguments):
                return self.call(name, arguments, expected)
            case _:
                raise TypeError(f"{type(node).__name__} is not a value")

    def number(self, node: Expr) -> ColumnElement[Any]:
        """An operand of arithmetic: numeric, so that nothing overflows."""
        return cast(self.value(node, NUMBER), Numeric())

    def path(self, node: Path) -> ColumnElement[Any]:
        found = resolve(self.manifest, self.resource, node)
        depth = max(length for length in range(len(found.hops) + 1) if node.names[:length] in self.rows)
        row = self.rows[node.names[:depth]]
        return self._scalar(row, node.names[depth : len(found.hops)], found.field)

    def _scalar(self, row: Row, names: tuple[str, ...], field: Field) -> ColumnElement[Any]:
        if not names:
            return self.compiler.column(row, field)
        source, related, link = self.follow(row, names[0])
        inner = self._scalar(related, names[1:], field)
        return select(inner).select_from(source).where(link).correlate_except(source).scalar_subquery()

    def call(self, name: str, arguments: tuple[Expr, ...], expected: Type | None) -> ColumnElement[Any]:
        match name, arguments:
            case "now", ():
                return NOW
            case "today", ():
                return _utc_date(NOW)
            case "date", (moment,):
                return _utc_date(self.value(moment, self.typed(moment)))
            case "len", (sized,):
                type_ = self.typed(sized)
                count = (
                    func.cardinality if type_ is not None and type_.kind is Kind.LIST else func.char_length
                )
                return count(self.value(sized, type_))
            case "lower", (text,):
                return func.lower(self.text(text))
            case "upper", (text,):
                return func.upper(self.text(text))
            case "abs", (number,):
                return func.abs(self.number(number))
            case "coalesce", _:
                shared = common_type(*(self.typed(argument) for argument in arguments)) or expected
                return func.coalesce(*(self.value(argument, shared) for argument in arguments))
            case _, (text, part):
                return _SEARCH[name](self.text(text), self.text(part))
            case _:
                raise TypeError(f"{name} is not a function of the language")


#: More hours than lie between any two moments of the years 1 to 9999.
_LONGEST: ColumnElement[Any] = literal_column("87649417")
_ZERO: ColumnElement[Any] = literal_column("0")


def moved(moment: ColumnElement[Any], kind: Kind, hours: ColumnElement[Any]) -> ColumnElement[Any]:
    """The moment so many hours later, NULL outside the years 1 to 9999 and for NULL.

    Nothing overflows on the way: the hours are bounded first, and each end is looked at from its own side.
    NULL hours are as good as too many.
    """
    whole = cast(func.least(func.greatest(hours, -_LONGEST), _LONGEST), Integer())
    if kind is Kind.DATE:
        ends, span = ("'0001-01-01'::date", "'10000-01-01'::date"), _days
    else:
        ends, span = (
            ("'0001-01-01 00:00:00+00'::timestamptz", "'10000-01-01 00:00:00+00'::timestamptz"),
            _hours,
        )
    first, end = (literal_column(each, moment.type) for each in ends)
    inside = and_(
        moment + span(func.greatest(whole, _ZERO)) < end,
        moment >= first + span(func.greatest(-whole, _ZERO)),
    )
    return case((inside, moment + span(whole)))


def _days(hours: ColumnElement[Any]) -> ColumnElement[Any]:
    return hours.op("/", return_type=Integer())(literal_column("24"))


def _hours(hours: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of no calendar: a day of it has 24 hours in every time zone."""
    return func.make_interval(_ZERO, _ZERO, _ZERO, _ZERO, hours)


def _utc_date(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.timezone(UTC, moment), Date())


def check_clause(tables: Tables, resource: Resource, expr: Expr) -> Predicate:
    """A rule on the row alone as the condition of a CHECK, which accepts NULL and so is asked for TRUE."""
    return Compiler(tables).condition(expr, Row.of(resource, tables.of(resource))).is_(true())
