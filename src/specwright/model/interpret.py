"""The expression language executed in plain Python: what every proof compares the SQL against.

It knows nothing of the SQL compiler, on purpose: sharing code, both would err alike.

The language is two-valued. None is a value for `==` and `!=`; `<` and its kin, `in` and boolean functions
with a None are false; `not` is plain negation; arithmetic with None is None. A comparison over a relation
to many holds when it holds for some related row; paths of one comparison that share such a relation mean
the same row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import localcontext
from typing import Any

from specwright.model import jsonb
from specwright.model.caller import ANONYMOUS, Caller
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
from specwright.model.field import DELETED, Aggregate
from specwright.model.manifest import Manifest
from specwright.model.operations import Duration, are_ordered, compute, is_same, rounded
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.typecheck import type_of
from specwright.model.types import JSON, Kind, Type, common_type
from specwright.model.values import Misfit, fit

Row = Mapping[str, Any]

_ASCII_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
_ASCII_UPPER = str.maketrans({chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)})


@dataclass(frozen=True, slots=True)
class World:
    """All that an expression can see: rows by resource name, the time, the request's values.

    The value of a json field is its JSON text, None where there is none: JSON's null is another.

    Deleted rows that stay are among them, and no path leads there.

    `memberships` are those that were there when the request came; the rows of now unless given.
    """

    manifest: Manifest
    rows: Mapping[str, Sequence[Row]]
    now: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    memberships: Sequence[Row] | None = None

    def holds(self, expr: Expr, resource: Resource | None, row: Row, caller: Caller = ANONYMOUS) -> bool:
        """Whether a condition holds on a row of resource (None: a condition on the caller alone)."""
        match expr:
            case And(items):
                return all(self.holds(item, resource, row, caller) for item in items)
            case Or(items):
                return any(self.holds(item, resource, row, caller) for item in items)
            case Not(operand):
                return not self.holds(operand, resource, row, caller)
            case _:
                return any(
                    _Evaluation(self, resource, caller, chosen).atom(expr)
                    for chosen in self._choices(expr, resource, row)
                )

    def value(self, expr: Expr, resource: Resource, row: Row, caller: Caller = ANONYMOUS) -> Any:
        """The value of an expression without a relation to many."""
        return _Evaluation(self, resource, caller, next(self._choices(expr, resource, row))).value(expr)

    def member(self, resource: Resource, row: Row, name: str) -> Any:
        """The value of a field of a row: as it is stored, or worked out."""
        if name in row:
            return row[name]
        field = resource.field(name)
        assert field is not None
        if field.aggregate is not None:
            found = self._aggregated(resource, row, field.aggregate)
        elif field.computed is not None and field.type.kind is Kind.BOOLEAN:
            return self.holds(field.computed, resource, row)
        else:
            assert field.computed is not None, f"{name} is neither stored nor computed"
            found = self.value(field.computed, resource, row)
        return rounded(found, field.type)

    def _aggregated(self, resource: Resource, row: Row, aggregate: Aggregate) -> Any:
        relation = resource.relation(aggregate.relation)
        assert relation is not None
        target = self.manifest.resource(relation.target)
        counted = [
            other
            for other in self._related(relation, row)
            if other is not None and (aggregate.where is None or self.holds(aggregate.where, target, other))
        ]
        if not aggregate.field:
            return len(counted)
        values = [self.member(target, other, aggregate.field) for other in counted]
        with localcontext(prec=5000):
            return sum((value for value in values if value is not None), 0)

    def reached(self, resource: Resource, names: tuple[str, ...]) -> Resource:
        """The resource that these relations lead to."""
        for name in names:
            resource = self.manifest.resource(self._relation(resource, (name,)).target)
        return resource

    def nearest(self, resource: Resource | None, names: tuple[str, ...]) -> tuple[str, ...]:
        """The same names, but `project.id` is the reference itself, whether or not it leads to a row."""
        if len(names) == 1 or resource is None:
            return names
        relation = self._relation(resource, names[:-1])
        is_key = names[-1] == self.manifest.resource(relation.target).key
        return names[:-1] if is_key and not relation.many else names

    def roles(self, caller: Caller) -> frozenset[str]:
        """The caller's roles, and those that they include."""
        known = {role.name: role.includes for role in self.manifest.roles}
        found = set(caller.roles)
        while more := {each for name in found for each in known.get(name, ())} - found:
            found |= more
        return frozenset(found)

    def living(self, name: str) -> Sequence[Row]:
        """The rows of an entity that are not deleted."""
        return [row for row in self.rows.get(name, ()) if row.get(DELETED) is None]

    def membership(self, caller: Caller) -> Row | None:
        """The caller's row in the tenant that their request is for."""
        tenant = self.manifest.tenant
        if tenant is None or caller.tenant is None or caller.anonymous:
            return None
        within = self.manifest.resource(tenant.through).tenant
        assert within is not None
        known = self.living(tenant.through) if self.memberships is None else self.memberships
        return next(
            (row for row in known if row[within.name] == caller.tenant and row[tenant.member] == caller.id),
            None,
        )

    def _choices(
        self, atom: Expr, resource: Resource | None, row: Row
    ) -> Iterator[dict[tuple[str, ...], Row | None]]:
        """Every way to pick a related row for each relation of the comparison."""
        prefixes = {
            names[:length]
            for path in walk(atom)
            if isinstance(path, Path)
            for names in [self.nearest(resource, path.names)]
            for length in range(1, len(names))
        }
        choices: list[dict[tuple[str, ...], Row | None]] = [{(): row}]
        for prefix in sorted(prefixes, key=lambda names: (len(names), names)):
            assert resource is not None
            relation = self._relation(resource, prefix)
            choices = [
                {**chosen, prefix: related}
                for chosen in choices
                for related in self._related(relation, chosen[prefix[:-1]])
            ]
        return iter(choices)

    def _relation(self, resource: Resource, names: tuple[str, ...]) -> Relation:
        *before, name = names
        resource = self.reached(resource, tuple(before))
        relation = resource.relation(name)
        if relation is not None:
            return relation
        # `owner.id` of a User without a table: the reference itself
        reference = resource.field(name)
        assert reference is not None and reference.target is not None
        return Relation(name, resource.name, reference.target, name, many=False)

    def _related(self, relation: Relation, row: Row | None) -> list[Row | None]:
        target = self.manifest.resource(relation.target)
        through = relation.through
        if through is not None:
            here = None if row is None else row[self.manifest.resource(relation.source).key]
            links = self.rows.get(through.link, ())
            keys = [link[through.far] for link in links if here is not None and link[through.near] == here]
            if target.external:
                return [{target.key: key} for key in keys]
            return [other for other in self.living(target.name) if other[target.key] in keys]
        if relation.many:
            key = None if row is None else row[self.manifest.resource(relation.source).key]
            return [
                other
                for other in self.living(target.name)
                if key is not None and other[relation.field] == key
            ]
        reference = None if row is None else row[relation.field]
        if reference is None:
            return [None]
        if target.external:
            return [{target.key: reference}]
        return [
            next(
                (other for other in self.living(target.name) if other[target.key] == reference),
                None,
            )
        ]


@dataclass(frozen=True, slots=True)
class _Evaluation:
    world: World
    resource: Resource | None
    caller: Caller
    chosen: Mapping[tuple[str, ...], Row | None]

    def atom(self, node: Expr) -> bool:
        match node:
            case Compare(operator, left, right):
                return self.compare(operator, left, right)
            case In(item, container):
                return self.contains(item, container)
            case IsNone(operand):
                return self.value(operand) is None
            case _:
                return self.value(node) is True

    def value(self, node: Expr) -> Any:
        match node:
            case Literal(value):
                return value
            case Parameter(name):
                return self.world.parameters[name]
            case Path(names):
                names = self.world.nearest(self.resource, names)
                row = self.chosen[names[:-1]]
                if row is None or names[-1] in row:
                    return None if row is None else row[names[-1]]
                assert self.resource is not None
                return self.world.member(self.world.reached(self.resource, names[:-1]), row, names[-1])
            case CallerPath(names):
                return self.of_caller(names)
            case Negative(operand):
                number = self.value(operand)
                return None if number is None else -number
            case Arithmetic(operator, left, right):
                return compute(operator, self.value(left), self.value(right))
            case Call(name, arguments):
                return self.call(name, arguments)
            case _:
                raise TypeError(f"{type(node).__name__} is not a value")

    def of_caller(self, names: tuple[str, ...]) -> Any:
        match names:
            case () | ("id",):
                return self.caller.id
            case ("roles",):
                return sorted(self.world.roles(self.caller))
            case ("tenant",):
                return self.caller.tenant
            case ("membership", name):
                membership = self.world.membership(self.caller)
                return None if membership is None else membership[name]
            case _:
                found: Any = self.caller.claims
                for name in names[1:]:
                    found = found.get(name) if isinstance(found, Mapping) else None
                return found

    def typed(self, node: Expr) -> Type | None:
        return type_of(self.world.manifest, self.resource, node)

    def compare(self, operator: str, left: Expr, right: Expr) -> bool:
        shared = common_type(self.typed(left), self.typed(right))
        try:
            a = fit(self.world.manifest, self.value(left), shared)
            b = fit(self.world.manifest, self.value(right), shared)
        except Misfit:
            return operator == "!="
        if operator in ("==", "!="):
            return is_same(a, b) == (operator == "==")
        if a is None or b is None or not are_ordered(a, b):
            return False
        x: Any = a
        y: Any = b
        match operator:
            case "<":
                return bool(x < y)
            case "<=":
                return bool(x <= y)
            case ">":
                return bool(x > y)
            case _:
                return bool(x >= y)

    def contains(self, item: Expr, container: Expr) -> bool:
        found = self.value(item)
        if found is None:
            return False
        literal_list = isinstance(container, ListOf)
        elements = (
            [element.value for element in container.items]
            if isinstance(container, ListOf)
            else self.value(container)
        )
        if not isinstance(elements, list | tuple):
            return False
        expected = self.typed(item)
        if not literal_list:
            listed = self.typed(container)
            expected = common_type(expected, listed.item if listed is not None and listed.item else listed)
        for element in elements:
            try:
                if element is not None and is_same(
                    fit(self.world.manifest, found, expected), fit(self.world.manifest, element, expected)
                ):
                    return True
            except Misfit:
                continue
        return False

    def call(self, name: str, arguments: tuple[Expr, ...]) -> Any:
        values = [self.value(argument) for argument in arguments]
        match name:
            case "now":
                return self.world.now
            case "today":
                return self.world.now.astimezone(UTC).date()
            case "coalesce":
                shared = common_type(*(self.typed(argument) for argument in arguments))
                first = next((value for value in values if value is not None), None)
                return fit(self.world.manifest, first, shared)
        if any(value is None for value in values):
            return None
        match name, values:
            case "date", [moment]:
                return moment.astimezone(UTC).date()
            case "len", [sized]:
                return len(sized)
            case "lower", [text]:
                return text.translate(_ASCII_LOWER)
            case "upper", [text]:
                return text.translate(_ASCII_UPPER)
            case "contains", [whole, part] if self.typed(arguments[0]) == JSON:
                return jsonb.contains(jsonb.decode(whole), jsonb.decode(part))
            case "contains", [text, part]:
                return part in text
            case "startswith", [text, part]:
                return text.startswith(part)
            case "endswith", [text, part]:
                return text.endswith(part)
            case "abs", [number]:
                return abs(number)
            case "days" | "hours", [number]:
                return Duration(number * (24 if name == "days" else 1))
        raise TypeError(f"{name} is not a function of the language")
