"""What an expression means on a resource: names resolved, kinds checked, literals read as their type."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from uuid import UUID

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
    Value,
    walk,
)
from specwright.model.functions import DURATIONS, FUNCTIONS, VOLATILE
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.resource import Resource
from specwright.model.syntax import ExpressionError
from specwright.model.types import (
    ANY,
    BOOLEAN,
    DATE,
    INTEGER,
    JSON,
    NUMBER,
    NUMBER_KINDS,
    ORDERED_KINDS,
    TEXT,
    TEXT_KINDS,
    TIMESTAMP,
    USER,
    Kind,
    Type,
    common_type,
    is_assignable,
)
from specwright.model.types import UUID as UUID_TYPE
from specwright.model.values import Misfit, fit, key_kind

_NOT_SCALAR = frozenset({Kind.JSON, Kind.LIST, Kind.MANY})


def check_condition(manifest: Manifest, resource: Resource | None, expr: Expr) -> list[ExpressionError]:
    """Every reason why expr is not a condition on a row of resource (None: on the caller alone)."""
    checker = _Checker(manifest, resource)
    checker.condition(expr)
    return checker.problems


def check_value(manifest: Manifest, resource: Resource, expr: Expr, expected: Type) -> list[ExpressionError]:
    """Every reason why expr does not yield a value of the expected type."""
    checker = _Checker(manifest, resource)
    if expected.kind is Kind.BOOLEAN:
        checker.condition(expr)
    else:
        found = checker.value(expr)
        if found is not None and not is_assignable(found, expected):
            checker.problem(expr, f"this is {found}, and the field is {expected}")
    return checker.problems


def check_computed(
    manifest: Manifest, resource: Resource, expr: Expr, expected: Type
) -> list[ExpressionError]:
    """Every reason why expr does not compute one value of the expected type, the same for every caller."""
    problems = check_value(manifest, resource, expr, expected)
    problems += _of_the_caller(expr)
    if problems or expected.kind is Kind.BOOLEAN:
        return problems
    return [
        ExpressionError(
            f'"{".".join(node.names)}" leads to many rows, and this is one value: '
            "count of and sum of make one of many",
            node.column or 1,
        )
        for node in walk(expr)
        if isinstance(node, Path) and any(hop.many for hop in resolve(manifest, resource, node).hops)
    ]


def check_counted(manifest: Manifest, resource: Resource, expr: Expr) -> list[ExpressionError]:
    """Every reason why expr is not a condition on the rows of an aggregate, the same for every caller."""
    return check_condition(manifest, resource, expr) + _of_the_caller(expr)


def _of_the_caller(expr: Expr) -> list[ExpressionError]:
    return [
        ExpressionError("a computed field is the same for every caller", node.column or 1)
        for node in walk(expr)
        if isinstance(node, CallerPath)
    ]


def type_of(manifest: Manifest, resource: Resource | None, expr: Expr) -> Type | None:
    """The type of a checked expression; None for the literal None."""
    return _Checker(manifest, resource).value(expr)


def on_caller_alone(expr: Expr) -> bool:
    """Whether expr depends on the caller only: neither on a row, be it a membership, nor on the time."""
    return not any(
        isinstance(node, Path | Parameter)
        or (isinstance(node, Call) and node.name in VOLATILE)
        or is_of_membership(node)
        for node in walk(expr)
    )


def is_of_membership(node: Expr) -> bool:
    """Whether a node is a field of the caller's membership, which the database knows."""
    return isinstance(node, CallerPath) and node.names[:1] == ("membership",)


class _Checker:
    def __init__(self, manifest: Manifest, resource: Resource | None) -> None:
        self.manifest = manifest
        self.resource = resource
        self.problems: list[ExpressionError] = []

    def problem(self, node: Expr, message: str) -> None:
        self.problems.append(ExpressionError(message, node.column or 1))

    def condition(self, node: Expr) -> None:
        match node:
            case And(items) | Or(items):
                for item in items:
                    self.condition(item)
            case Not(operand):
                self.condition(operand)
            case Compare():
                self.comparison(node)
            case In():
                self.membership(node)
            case IsNone(operand):
                self.value(operand)
            case _:
                found = self.value(node)
                if found is not None and found.kind not in (Kind.BOOLEAN, Kind.ANY):
                    self.problem(node, f"this is {found}, not a condition")
                elif node == Literal(None):
                    self.problem(node, "None is not a condition")

    def value(self, node: Expr) -> Type | None:
        match node:
            case Literal(value):
                return _type_of_literal(value)
            case Path():
                return self.path(node)
            case CallerPath(names):
                return self.caller(node, names)
            case Parameter(_, type_):
                return NUMBER if type_.kind is Kind.NUMBER else type_
            case Negative(operand):
                return self.number(operand)
            case Arithmetic(operator, left, Call(name) as duration) if name in DURATIONS:
                return self.moved(operator, left, duration)
            case Arithmetic(_, left, right):
                kinds = (self.number(left), self.number(right))
                return NUMBER if NUMBER in kinds else INTEGER
            case Call(name) if name in DURATIONS:
                self.call(node)
                self.problem(node, f"{name} stands after + or -, behind a moment: now() + {name}(7)")
            case Call():
                return self.call(node)
            case ListOf():
                self.problem(node, 'a list stands at the right of "in" only')
            case Compare() | In() | IsNone() | Not() | And() | Or():
                self.problem(node, "a condition is not a value: it cannot be compared or computed with")
        return None

    def path(self, node: Path) -> Type | None:
        if self.resource is None:
            self.problem(node, f'"{".".join(node.names)}" is not known here: only the caller is')
            return None
        try:
            found = resolve(self.manifest, self.resource, node).field.type
        except ExpressionError as error:
            self.problems.append(ExpressionError(error.message, node.column or 1))
            return None
        return NUMBER if found.kind is Kind.NUMBER else found

    def caller(self, node: Expr, names: tuple[str, ...]) -> Type | None:
        match names:
            case () | ("id",):
                return USER
            case ("roles",):
                return Type(Kind.LIST, item=TEXT)
            case ("claims", _, *_):
                return ANY
            case ("tenant" | "membership", *rest):
                return self.within_tenant(node, names[0], rest)
            case _:
                self.problem(node, "a caller has caller.id, caller.roles and caller.claims.NAME")
                return None

    def within_tenant(self, node: Expr, what: str, rest: Sequence[str]) -> Type | None:
        """The type of `caller.tenant` or `caller.membership.FIELD`."""
        tenant = self.manifest.tenant
        if tenant is None:
            self.problem(
                node,
                f"caller.{what} needs a tenant: a line as "
                "- tenant Organization through Membership by header X-Organization",
            )
            return None
        if self.resource is None or self.resource.tenant is None:
            where = "here" if self.resource is None else self.resource.name
            self.problem(
                node, f"caller.{what} is known within a tenant only, and {where} is within no {tenant.entity}"
            )
            return None
        if what == "tenant":
            if rest:
                self.problem(node, f"caller.tenant is a key of {tenant.entity}: nothing can follow it")
                return None
            return Type(Kind.REFERENCE, target=tenant.entity)
        through = self.manifest.resource(tenant.through)
        scalar = [
            field.name for field in through.fields if field.stored and field.type.kind not in _NOT_SCALAR
        ]
        if len(rest) != 1 or rest[0] not in scalar:
            close = get_close_matches(rest[0], scalar, 1) if rest else []
            hint = (
                f" Did you mean caller.membership.{close[0]}?" if close else f" It has {', '.join(scalar)}."
            )
            self.problem(node, f"caller.membership.FIELD is one value of a {tenant.through}.{hint}")
            return None
        found = through.field(rest[0])
        assert found is not None
        return NUMBER if found.type.kind is Kind.NUMBER else found.type

    def moved(self, operator: str, moment: Expr, duration: Call) -> Type | None:
        """The type of a moment so much later or earlier."""
        found = self.value(moment)
        self.call(duration)
        if operator == "*":
            self.problem(duration, f"nothing is multiplied by {duration.name}(…): put the number inside")
        elif found is None or found.kind not in (Kind.DATE, Kind.TIMESTAMP):
            given = "None" if found is None else str(found)
            self.problem(moment, f"{duration.name} are added to a timestamp or a date, and this is {given}")
        elif found.kind is Kind.DATE and duration.name != "days":
            self.problem(duration, f"a date has no {duration.name}: add days(…)")
        return found

    def number(self, node: Expr) -> Type:
        if isinstance(node, Call) and node.name in DURATIONS:
            self.value(node)
            return INTEGER
        found = self.value(node)
        if found is not None and found.kind not in NUMBER_KINDS:
            moment = found.kind in (Kind.DATE, Kind.TIMESTAMP)
            way_out = "; a moment moves by days(…), as now() + days(7)" if moment else ""
            self.problem(node, f"arithmetic needs numbers, and this is {found}{way_out}")
        return NUMBER if found == NUMBER else INTEGER

    def call(self, node: Call) -> Type | None:
        if node.name not in FUNCTIONS:
            close = get_close_matches(node.name, FUNCTIONS, 1)
            hint = f' Did you mean "{close[0]}"?' if close else f" There are {', '.join(FUNCTIONS)}."
            self.problem(node, f'unknown function "{node.name}".{hint}')
            return None
        expected, result = FUNCTIONS[node.name]
        if len(node.arguments) != len(expected):
            wanted = {0: "no argument", 1: "one argument", 2: "two arguments"}[len(expected)]
            self.problem(node, f"{node.name} takes {wanted}")
            return result
        found = [self.value(argument) for argument in node.arguments]
        for argument, kinds, given in zip(node.arguments, expected, found, strict=True):
            if given is not None and given.kind not in kinds:
                self.problem(argument, f"{node.name} takes {_either(kinds)}, and this is {given}")
        if node.name == "contains":
            self.containment(node.arguments[1], found[0], found[1])
        if result is not None:
            return result
        if node.name == "coalesce":
            self.comparable(node, node.arguments[0], node.arguments[1], *found)
        return common_type(found[0], found[-1])

    def containment(self, part: Expr, left: Type | None, right: Type | None) -> None:
        """Text holds text, and json holds json, which may be written as a text."""
        takes, _ = FUNCTIONS["contains"]
        if left is None or right is None or left.kind not in takes[0] or right.kind not in takes[1]:
            return
        if left == JSON and isinstance(part, Literal):
            self.literal(part, JSON)
        elif JSON in (left, right) and left != right:
            written = """; JSON is written as a text: contains(data, '{"color": "red"}')"""
            self.problem(
                part, f"{left} contains {left}, and this is {right}{written if left == JSON else ''}"
            )

    def comparison(self, node: Compare) -> None:
        left, right = self.value(node.left), self.value(node.right)
        if node.operator not in ("==", "!="):
            for side, found in ((node.left, left), (node.right, right)):
                if side == Literal(None):
                    self.problem(side, f'nothing is "{node.operator}" None')
                    return
                if found is not None and found.kind is Kind.ENUM:
                    self.problem(side, "the literals of a field have no order")
                    return
                if found is not None and found.kind not in ORDERED_KINDS | {Kind.ANY}:
                    self.problem(side, f"{found} has no order")
                    return
        self.comparable(node, node.left, node.right, left, right)

    def comparable(
        self, node: Expr, left: Expr, right: Expr, left_type: Type | None, right_type: Type | None
    ) -> None:
        if left_type is None or right_type is None or ANY in (left_type, right_type):
            return
        kinds = {left_type.kind, right_type.kind}
        if kinds == {Kind.DATE, Kind.TIMESTAMP}:
            self.problem(node, "a date and a timestamp do not compare; write today() or date(…)")
            return
        if Kind.JSON in kinds or Kind.LIST in kinds or Kind.MANY in kinds:
            self.problem(node, 'json and lists do not compare; use "in" or "is None"')
            return
        for literal, other in ((left, right_type), (right, left_type)):
            if isinstance(literal, Literal) and literal.value is not None:
                self.literal(literal, other)
                return
        if kinds <= NUMBER_KINDS or kinds <= TEXT_KINDS:
            return
        left_key, right_key = key_kind(self.manifest, left_type), key_kind(self.manifest, right_type)
        targets = {type_.target for type_ in (left_type, right_type) if type_.kind is Kind.REFERENCE}
        if len(targets) == 2 or not (left_key == right_key or {left_key, right_key} <= TEXT_KINDS):
            self.problem(node, f"{left_type} and {right_type} do not compare")

    def literal(self, literal: Literal, expected: Type) -> None:
        try:
            value = fit(self.manifest, literal.value, expected)
        except Misfit as error:
            reason = "" if str(error) == f"not {expected}" else f": {error}"
            self.problem(literal, f"{literal.value!r} is not {expected}{reason}")
            return
        if expected.kind is Kind.ENUM and value not in expected.literals:
            close = get_close_matches(str(value), expected.literals, 1)
            hint = f' Did you mean "{close[0]}"?' if close else f" It has {expected}."
            self.problem(literal, f'"{value}" is not one of the literals.{hint}')

    def membership(self, node: In) -> None:
        item = self.value(node.item)
        if node.item == Literal(None):
            self.problem(node.item, "None is in no list")
        match node.container:
            case ListOf(items):
                for literal in items:
                    if item is not None:
                        self.literal(literal, item)
            case _:
                container = self.value(node.container)
                if container is None or container == ANY or item is None:
                    return
                if container.kind is not Kind.LIST or container.item is None:
                    self.problem(node.container, f'"in" needs a list, and this is {container}')
                else:
                    self.comparable(node, node.item, node.container, item, container.item)


def _type_of_literal(value: Value) -> Type | None:
    match value:
        case None:
            return None
        case bool():
            return BOOLEAN
        case int():
            return INTEGER
        case Decimal():
            return NUMBER
        case datetime():
            return TIMESTAMP
        case date():
            return DATE
        case UUID():
            return UUID_TYPE
        case _:
            return TEXT


def _either(kinds: frozenset[Kind]) -> str:
    return " or ".join(sorted(kind.value for kind in kinds if kind is not Kind.ENUM))
