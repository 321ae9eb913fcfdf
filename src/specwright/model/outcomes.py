"""Which truth values a condition can take for a caller, over all rows that there could be."""

from specwright.model.caller import Caller
from specwright.model.expression import And, CallerPath, Compare, Expr, In, Not, Or
from specwright.model.interpret import World
from specwright.model.resource import Resource
from specwright.model.typecheck import is_of_membership, on_caller_alone, type_of
from specwright.model.types import common_type
from specwright.model.values import Misfit, fit

_BOTH = frozenset({True, False})


def outcomes(world: World, condition: Expr, resource: Resource, caller: Caller) -> frozenset[bool]:
    """The truth values a condition can take for this caller, over all rows there could be."""
    match condition:
        case And(items) | Or(items):
            # The item that decides is False for `and`, True for `or`.
            decisive = isinstance(condition, Or)
            each_of = [outcomes(world, item, resource, caller) for item in items]
            found = {decisive} if any(decisive in each for each in each_of) else set()
            if all((not decisive) in each for each in each_of):
                found.add(not decisive)
            return frozenset(found)
        case Not(operand):
            return frozenset(not outcome for outcome in outcomes(world, operand, resource, caller))
    if on_caller_alone(condition):
        return frozenset({world.holds(condition, None, {}, caller)})
    settled = _settled(world, condition, resource, caller)
    return _BOTH if settled is None else frozenset({settled})


def _settled(world: World, condition: Expr, resource: Resource, caller: Caller) -> bool | None:
    """What a comparison with a claim that is missing or of another type comes to, whatever the row."""
    manifest = world.manifest
    match condition:
        case Compare(operator, left, right):
            shared = common_type(type_of(manifest, resource, left), type_of(manifest, resource, right))
            for side in (left, right):
                if isinstance(side, CallerPath) and not is_of_membership(side):
                    try:
                        value = fit(manifest, world.value(side, resource, {}, caller), shared)
                    except Misfit:
                        return operator == "!="
                    if value is None and operator not in ("==", "!="):
                        return False
        case In(item, container):
            known = isinstance(item, CallerPath) and not is_of_membership(item)
            if known and world.value(item, resource, {}, caller) is None:
                return False
            if isinstance(container, CallerPath):
                elements = world.value(container, resource, {}, caller)
                return None if isinstance(elements, list | tuple) else False
    return None
