"""`filter=`: an expression that a caller wrote, made a shape that many requests share, and its values.

The literals become parameters, and what depends on the caller alone is decided, as in a grant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from specwright.model.caller import Caller
from specwright.model.expression import FALSE, Expr, In, ListOf, Literal, Parameter
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import NUMBER, TEXT, Kind, Type
from specwright.model.values import fit
from specwright.sql.scope import Binder, is_bigint


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked filter: what the caller wrote, and how it is asked."""

    text: str
    shape: Expr
    #: What fills the parameters of the shape.
    values: Mapping[str, Any]


def bind(manifest: Manifest, resource: Resource, expr: Expr, caller: Caller, text: str) -> Condition:
    """The condition that a checked expression is for this caller."""
    binder = _Literals(manifest, resource, caller)
    shape = binder.condition(expr)
    return Condition(text, shape, binder.values)


@dataclass(frozen=True)
class _Literals(Binder):
    """Binds the caller as grants do, and takes the literals out."""

    values: dict[str, Any] = field(default_factory=dict)

    def value(self, node: Expr, expected: Type | None) -> Expr:
        taken = self._taken(node, expected)
        return super().value(node, expected) if taken is node else taken

    def membership(self, item: Expr, container: Expr) -> Expr:
        if not isinstance(container, ListOf):
            return super().membership(item, container)
        wanted = self.typed(item) or TEXT
        found = [fit(self.manifest, literal.value, wanted) for literal in container.items]
        bound = self.value(item, wanted)
        return FALSE if bound == Literal(None) else In(bound, self._parameter(found, wanted))

    def _taken(self, node: Expr, expected: Type | None) -> Expr:
        """The parameter that a literal becomes; every other node as it is."""
        if not isinstance(node, Literal) or node.value is None:
            return node
        if expected is None or expected.kind is Kind.ANY:
            expected = self.typed(node) or TEXT
        return self._parameter(fit(self.manifest, node.value, expected), expected)

    def _parameter(self, value: Any, type_: Type) -> Parameter:
        """A new parameter; a number that no bigint holds is compared as what it is."""
        several = value if isinstance(value, list) else [value]
        if type_.kind is Kind.INTEGER and not all(map(is_bigint, several)):
            type_ = NUMBER
        if type_.kind is Kind.NUMBER:
            value = [Decimal(n) for n in value] if isinstance(value, list) else Decimal(value)
        name = f"literal{len(self.values)}"
        self.values[name] = value
        return Parameter(name, type_)
