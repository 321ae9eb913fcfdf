"""Comparison: what stands between `and`, `or` and `not`, with the related rows that it asks of.

Equality in positive position is a plain `=` wherever one side cannot be null: `IS NOT DISTINCT FROM` uses no
index.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Numeric,
    and_,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from specwright.model.expression import (
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
    Parameter,
    Path,
)
from specwright.model.field import Field
from specwright.model.functions import DURATIONS
from specwright.model.paths import resolve
from specwright.model.relation import Through
from specwright.model.resource import Resource
from specwright.model.typecheck import is_of_membership, type_of
from specwright.model.types import JSON, NUMBER, TEXT, TEXT_KINDS, Kind, Type, common_type
from specwright.sql.moments import NOW, moved, utc_date
from specwright.sql.row import Predicate, Row

if TYPE_CHECKING:
    from specwright.sql.expression import Compiler

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


class Comparison:
    """One comparison being compiled: the row, and the related rows joined to it."""

    def __init__(self, compiler: "Compiler", row: Row) -> None:
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
                return self.search(name, text, part)
            case _:
                return self.value(node, self.typed(node)) == true()

    def typed(self, node: Expr) -> Type | None:
        return type_of(self.manifest, self.resource, node)

    def search(self, name: str, whole: Expr, part: Expr) -> Predicate:
        """Whether a text has a part, or a json value another."""
        if self.typed(whole) == JSON:
            return self.value(whole, JSON).bool_op("@>")(self.value(part, JSON))
        return _SEARCH[name](self.text(whole), self.text(part))

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
                wide = wanted.kind is Kind.INTEGER and not self.is_bigint(item)
                several = ARRAY(Numeric() if wide else self.compiler.bind_type(wanted))
                one = cast(array([self.value(item, wanted)]), several)
                # Not `= ANY`, which knows no index.
                return cast(self.value(container, listed), several).bool_op("@>")(one)

    def is_bigint(self, whole: Expr) -> bool:
        """Whether a whole number is one that a column could hold; what is worked out may be of any size."""
        match whole:
            case Literal(int() as value):
                return -(2**63) <= value < 2**63
            case Path():
                return not resolve(self.manifest, self.resource, whole).field.calculated
            case _:
                return isinstance(whole, CallerPath | Parameter)

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
                return utc_date(NOW)
            case "date", (moment,):
                return utc_date(self.value(moment, self.typed(moment)))
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
                return self.search(name, text, part)
            case _:
                raise TypeError(f"{name} is not a function of the language")
