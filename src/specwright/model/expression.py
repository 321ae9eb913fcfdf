"""The nodes of the one expression language of rules, grants, computed fields and filters.

`column` is where a node starts in its source text, from 1; it never takes part in equality.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from specwright.model.types import Type

Value = None | bool | int | Decimal | str | date | datetime | UUID


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant written in the expression, as a Python value."""

    value: Value
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Path:
    """A field of the row, possibly through relations: `status`, `project.owner`, `tags.name`."""

    names: tuple[str, ...]
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class CallerPath:
    """The caller (no names), `caller.id`, `caller.roles`, `caller.claims.x`.

    Within a tenant `caller.tenant` and `caller.membership.x` besides, of the tenant that the request is for.
    """

    names: tuple[str, ...] = ()
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a request supplies; never written in a spec, never None."""

    name: str
    #: What the value has been read as; a container's items, where it stands at the right of `in`.
    type: Type
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A literal list: in expressions only ever at the right of `in`."""

    items: tuple[Literal, ...]
    column: int = field(default=0, compare=False, repr=False, kw_only=True)

    @property
    def value(self) -> list[Value]:
        """Its items as Python values."""
        return [item.value for item in self.items]


#: What a field can have as its default.
Constant = Literal | ListOf


@dataclass(frozen=True, slots=True)
class Compare:
    """`==`, `!=`, `<`, `<=`, `>` or `>=`."""

    operator: str
    left: "Expr"
    right: "Expr"
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class In:
    """`item in container`; the container is a literal list, `caller.roles`, a claim or a list field."""

    item: "Expr"
    container: "Expr"
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class IsNone:
    """`operand is None`."""

    operand: "Expr"
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+`, `-` or `*` on numbers, exact."""

    operator: str
    left: "Expr"
    right: "Expr"
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: "Expr"
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Not:
    """Plain negation: the language is two-valued."""

    operand: "Expr"
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class And:
    """All of them; with no items, true."""

    items: tuple["Expr", ...]
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them; with no items, false."""

    items: tuple["Expr", ...]
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the closed list in `typecheck.FUNCTIONS`."""

    name: str
    arguments: tuple["Expr", ...] = ()
    column: int = field(default=0, compare=False, repr=False, kw_only=True)


Expr = (
    Literal
    | Path
    | CallerPath
    | Parameter
    | ListOf
    | Compare
    | In
    | IsNone
    | Arithmetic
    | Negative
    | Not
    | And
    | Or
    | Call
)

TRUE = Literal(True)
FALSE = Literal(False)


def all_of(*items: Expr) -> Expr:
    """The conjunction of items, flattened and without needless trues."""
    flat: list[Expr] = []
    for item in items:
        for part in item.items if isinstance(item, And) else (item,):
            if part == FALSE:
                return FALSE
            if part != TRUE and part not in flat:
                flat.append(part)
    return TRUE if not flat else flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(*items: Expr) -> Expr:
    """The disjunction of items, flattened and without needless falses."""
    flat: list[Expr] = []
    for item in items:
        for part in item.items if isinstance(item, Or) else (item,):
            if part == TRUE:
                return TRUE
            if part != FALSE and part not in flat:
                flat.append(part)
    return FALSE if not flat else flat[0] if len(flat) == 1 else Or(tuple(flat))


def negate(item: Expr) -> Expr:
    """The negation of item, folding constants and double negation."""
    match item:
        case Literal(bool(value)):
            return Literal(not value)
        case Not(operand):
            return operand
        case _:
            return Not(item)


#: Whether the caller belongs to the tenant that the request is for.
MEMBER = Compare("!=", CallerPath(("membership", "id")), Literal(None))


def children(node: Expr) -> tuple[Expr, ...]:
    """The direct parts of a node, in reading order."""
    match node:
        case Compare(_, left, right) | Arithmetic(_, left, right) | In(left, right):
            return (left, right)
        case IsNone(operand) | Negative(operand) | Not(operand):
            return (operand,)
        case And(items) | Or(items) | Call(_, items):
            return items
        case ListOf(items):
            return items
        case _:
            return ()


def walk(node: Expr) -> "list[Expr]":
    """Every node of the tree, parents first."""
    found = [node]
    for child in children(node):
        found.extend(walk(child))
    return found
