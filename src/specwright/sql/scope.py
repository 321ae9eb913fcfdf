"""`scope`: the only maker of access predicates. What is not granted is denied.

Conditions on the caller alone are decided here, in Python, once per caller; what is left of the grants is the
predicate on rows. Grants are OR-ed, before and after apart, exactly as PostgreSQL combines policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

from specwright.model.caller import Caller
from specwright.model.expression import (
    FALSE,
    MEMBER,
    TRUE,
    And,
    Arithmetic,
    Call,
    CallerPath,
    Compare,
    Expr,
    In,
    IsNone,
    Literal,
    Negative,
    Not,
    Or,
    Path,
    all_of,
    any_of,
    negate,
    walk,
)
from specwright.model.functions import DURATIONS, FUNCTIONS
from specwright.model.grant import HAND_OVER, RESTORE, SEE_DELETED, Grant, Who, WhoKind
from specwright.model.interpret import World
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.resource import Resource
from specwright.model.typecheck import is_of_membership, on_caller_alone, type_of
from specwright.model.types import JSON, NUMBER, TEXT, Kind, Type, common_type
from specwright.model.values import Misfit, fit
from specwright.sql.members import Members
from specwright.sql.moves import Moves, Pairs


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What a caller may do: conditions on the row before and after.

    Scopes of equal conditions are one object: identity is a cheap key for compiled statements.
    """

    resource: Resource
    action: str
    before: Expr
    after: Expr
    #: For handing over: the before and the after of each grant. They go together, since its Who says nothing
    #: of the row after.
    pairs: tuple[tuple[Expr, Expr], ...] = ()

    @property
    def possible(self) -> bool:
        """Whether there could be a row that the caller may do this to."""
        return self.before != FALSE and self.after != FALSE


class Deleted(StrEnum):
    """What a scope makes of deleted rows."""

    #: They are not there.
    HIDDEN = "hidden"
    #: They alone are asked for, or they as well: by whoever is granted to see them.
    ONLY = "only"
    WITH = "with"
    #: They are like living ones: so the row is judged that is to be restored.
    ALIKE = "alike"


@dataclass(frozen=True, slots=True)
class Reason:
    """A grant and its conditions, with all that depends on the caller alone decided."""

    grant: Grant
    who: Expr
    when: Expr
    then: Expr


class Scopes:
    """The scopes of one manifest, each decided once per caller."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._decided: WeakKeyDictionary[Caller, dict[tuple[str, str, Deleted], Scope]] = WeakKeyDictionary()
        self._distinct: dict[Any, Scope] = {}
        self._members: dict[Any, Members] = {}
        self._moves: dict[Any, Moves] = {}

    def scope(
        self, resource: Resource, action: str, caller: Caller, deleted: Deleted = Deleted.HIDDEN
    ) -> Scope:
        """What `caller` may do to rows of `resource`; with `deleted`, which of them they may list or read.

        Writing needs reading: the row must be readable before (else it does not exist for the caller) and
        stay readable after. A create has no row before, and need not be readable after.
        """
        decided = self._decided.setdefault(caller, {})
        known = decided.get((resource.name, action, deleted))
        if known is None:
            known = self._decide(resource, action, caller, deleted)
            conditions = known.before, known.after, known.pairs
            known = self._distinct.setdefault((resource.name, action, conditions), known)
            decided[resource.name, action, deleted] = known
        return known

    def members(self, resource: Resource, caller: Caller) -> Members:
        """When `caller` may see and set the fields of `resource` that are not everyone's."""
        seen = {
            field.name: self._one_of(resource, field.readable_by, caller)
            for field in resource.fields
            if field.readable_by
        }
        set = {
            field.name: self._one_of(resource, field.writable_by, caller)
            for field in resource.fields
            if field.writable_by
        }
        same = resource.name, tuple(seen.items()), tuple(set.items())
        return self._members.setdefault(same, Members(seen, set))

    def _one_of(self, resource: Resource, words: tuple[str, ...], caller: Caller) -> Expr:
        who = (self._who(resource, self.manifest.who(word), caller) for word in words)
        return any_of(*(self._bind(resource, each, caller) for each in who))

    def reasons(self, resource: Resource, action: str, caller: Caller) -> tuple[Reason, ...]:
        """Every grant of the action, with its conditions as they stand for this caller."""
        return tuple(
            Reason(
                grant,
                self._bind(resource, self._who(resource, grant.who, caller), caller),
                self._bind(resource, grant.when or TRUE, caller),
                self._bind(resource, grant.then or TRUE, caller),
            )
            for grant in resource.granting(action)
        )

    def moves(self, resource: Resource, caller: Caller, *, alone: bool) -> Moves:
        """Which moves `caller` may make; `alone`: in a PATCH of the field alone, without other changes.

        A move without a Who is an update like any other.
        """
        granted = self.reasons(resource, "moves", caller)
        everything = any_of(*(all_of(reason.who, reason.when) for reason in granted))
        update = self.scope(resource, "update", caller).before if alone else TRUE
        made: dict[str, tuple[tuple[Pairs, Expr], ...]] = {}
        for name in resource.moved_alone:
            moves: dict[tuple[str, str], list[Expr]] = {}
            for move in resource.moves_of(name):
                who = (self._who(resource, each, caller) for each in move.who)
                ways = [self._bind(resource, each, caller) for each in who] if move.who else [update]
                moves.setdefault((move.before, move.after), [everything]).extend(ways)
            groups: dict[Expr, Pairs] = {}
            for pair, ways in moves.items():
                condition = any_of(*ways)
                groups[condition] = (*groups.get(condition, ()), pair)
            made[name] = tuple((pairs, condition) for condition, pairs in groups.items())
        same = resource.name, tuple(made.items())
        return self._moves.setdefault(same, Moves(made))

    def _decide(self, resource: Resource, action: str, caller: Caller, deleted: Deleted) -> Scope:
        if resource.tenant is not None and (caller.anonymous or caller.tenant is None):
            return Scope(resource, action, FALSE, FALSE)
        granted = self._granted(resource, action, caller)
        asked = within(resource)
        if action == RESTORE or deleted is Deleted.ALIKE:
            whole = all_of(asked, granted.before)
            return Scope(resource, action, whole, whole)
        if action == "create":
            return Scope(resource, action, granted.before, all_of(asked, granted.after))
        if _is_of_all(resource, action):
            return Scope(resource, action, *(_of_no_row(all_of(asked, granted.before)),) * 2)
        asked = all_of(self._life(resource, caller, deleted), asked)
        before, after = all_of(asked, granted.before), all_of(asked, granted.after)
        return Scope(resource, action, before, after, granted.pairs)

    def _life(self, resource: Resource, caller: Caller, deleted: Deleted) -> Expr:
        """Which rows are there, as far as they live or not."""
        lives = living(resource)
        if deleted is Deleted.HIDDEN:
            return lives
        seen = self._granted(resource, SEE_DELETED, caller).before
        return all_of(negate(lives), seen) if deleted is Deleted.ONLY else any_of(lives, seen)

    def _granted(self, resource: Resource, action: str, caller: Caller) -> Scope:
        reasons = [reason for reason in self.reasons(resource, action, caller) if reason.who != FALSE]
        before = any_of(*(all_of(reason.who, reason.when) for reason in reasons))
        if action in ("list", "read", SEE_DELETED):
            return Scope(resource, action, before, before)
        if action == RESTORE:
            whole = all_of(self._granted(resource, "read", caller).before, before)
            return Scope(resource, action, whole, whole)
        if action == "create":
            after = any_of(*(all_of(reason.who, reason.when, reason.then) for reason in reasons))
            return Scope(resource, action, TRUE if after != FALSE else FALSE, after)
        if _is_of_all(resource, action):
            # Of no row: who may on any row, may.
            return Scope(resource, action, before, before)
        read = self.scope(resource, "read", caller)
        if action == "delete":
            # There is no row after, so Then says nothing.
            whole = all_of(read.before, before)
            return Scope(resource, action, whole, whole)
        if action == HAND_OVER:
            # Whoever lets go of a row need have nothing of it afterwards.
            pairs = tuple((all_of(reason.who, reason.when), reason.then) for reason in reasons)
            after = any_of(*(then for _, then in pairs))
            return Scope(resource, action, all_of(read.before, before), after, pairs)
        after = any_of(*(all_of(reason.who, reason.then) for reason in reasons))
        return Scope(resource, action, all_of(read.before, before), all_of(read.before, after))

    def _who(self, resource: Resource, who: Who, caller: Caller) -> Expr:
        if caller.anonymous:
            return Literal(who.kind is WhoKind.ANYONE)
        return who_condition(self.manifest, resource, who)

    def _bind(self, resource: Resource, expr: Expr, caller: Caller) -> Expr:
        return Binder(self.manifest, resource, caller).condition(expr)


def within(resource: Resource) -> Expr:
    """What is asked before any grant: the row is in the request's tenant, and the caller a member of it."""
    field = resource.tenant
    if field is None:
        return TRUE
    return all_of(Compare("==", Path((field.name,)), CallerPath(("tenant",))), MEMBER)


def living(resource: Resource) -> Expr:
    """Whether a row is not deleted, where deleted rows stay."""
    return TRUE if resource.deleted is None else IsNone(Path((resource.deleted.name,)))


def _is_of_all(resource: Resource, action: str) -> bool:
    return any(known.name == action and known.level == "collection" for known in resource.actions)


def _of_no_row(expr: Expr) -> Expr:
    """What can be asked without a row; what a row would decide counts as true."""
    match expr:
        case And(items):
            return all_of(*map(_of_no_row, items))
        case Or(items):
            return any_of(*map(_of_no_row, items))
        case _:
            return TRUE if any(isinstance(node, Path) for node in walk(expr)) else expr


def who_condition(manifest: Manifest, resource: Resource, who: Who) -> Expr:
    """The subject of a grant as a condition on a row and a caller who is signed in."""
    match who.kind:
        case WhoKind.ANYONE | WhoKind.SIGNED_IN:
            return TRUE
        case WhoKind.ROLE:
            return In(Literal(who.name), CallerPath(("roles",)))
        case WhoKind.OWNER:
            owner = resource.owner
            return FALSE if owner is None else Compare("==", Path((owner.name,)), CallerPath())
        case _:
            named = manifest.name(who.name)
            return FALSE if named is None else named.condition


@dataclass(frozen=True, slots=True)
class Binder:
    """Decides what depends on the caller alone; what stays of the caller is never None and fits its type."""

    manifest: Manifest
    resource: Resource
    caller: Caller

    def condition(self, expr: Expr) -> Expr:
        if on_caller_alone(expr):
            return Literal(World(self.manifest, {}, _NEVER).holds(expr, None, {}, self.caller))
        try:
            match expr:
                case And(items):
                    return all_of(*(self.condition(item) for item in items))
                case Or(items):
                    return any_of(*(self.condition(item) for item in items))
                case Not(operand):
                    return negate(self.condition(operand))
                case Compare():
                    return self.compare(expr)
                case In(item, container):
                    return self.membership(item, container)
                case IsNone(operand):
                    return IsNone(self.value(operand, self.typed(operand)))
                case _:
                    return self.value(expr, self.typed(expr))
        except Misfit:
            return FALSE

    def typed(self, node: Expr) -> Type | None:
        return type_of(self.manifest, self.resource, node)

    def compare(self, node: Compare) -> Expr:
        shared = common_type(self.typed(node.left), self.typed(node.right))
        try:
            left, right = self.value(node.left, shared), self.value(node.right, shared)
        except Misfit:
            return self.unlike(node) if node.operator == "!=" else FALSE
        if Literal(None) in (left, right) and node.operator not in ("==", "!="):
            return FALSE
        return Compare(node.operator, left, right)

    def unlike(self, node: Compare) -> Expr:
        """When a value of another type differs: always; over a relation to many, from each row there is."""
        for side in (node.left, node.right):
            paths = (each for each in walk(side) if isinstance(each, Path))
            if any(hop.many for path in paths for hop in resolve(self.manifest, self.resource, path).hops):
                value = self.value(side, self.typed(side))
                return any_of(IsNone(value), Compare("!=", value, Literal(None)))
        return TRUE

    def membership(self, item: Expr, container: Expr) -> Expr:
        expected = self.typed(item)
        if isinstance(container, Path):
            listed = self.typed(container)
            expected = common_type(expected, None if listed is None else listed.item)
        bound = self.value(item, expected)
        if bound == Literal(None):
            return FALSE
        if isinstance(container, CallerPath) and container.names != ("roles",):
            found = claim(self.caller, container.names)
            if not isinstance(found, list | tuple):
                return FALSE
        return In(bound, container)

    def value(self, node: Expr, expected: Type | None) -> Expr:
        match node:
            case CallerPath(names) if not is_of_membership(node):
                found = fit(self.manifest, claim(self.caller, names), expected or TEXT)
                if found is None:
                    return Literal(None)
                # A number that no bigint holds would be cut to one: arithmetic takes it as it is.
                cut = expected is not None and expected.kind is Kind.INTEGER and not is_bigint(found)
                return Arithmetic("+", node, Literal(0)) if cut else node
            case Arithmetic(operator, left, right):
                return Arithmetic(operator, self.value(left, NUMBER), self.value(right, NUMBER))
            case Negative(operand):
                return Negative(self.value(operand, NUMBER))
            case Call(name, arguments):
                takes = NUMBER if name in ("abs", *DURATIONS) else expected if name == "coalesce" else TEXT
                if FUNCTIONS[name][1] is not None:
                    takes = JSON if name == "contains" and self.typed(arguments[0]) == JSON else TEXT
                return Call(name, tuple(self.value(argument, takes) for argument in arguments))
            case _:
                return node


#: A condition on the caller alone never asks for the time.
_NEVER: Any = None


def claim(caller: Caller, names: tuple[str, ...]) -> Any:
    """What `caller.NAMES` stands for: the id, the roles, the tenant or a claim, None where there is none."""
    if names in ((), ("id",)):
        return caller.id
    if names == ("tenant",):
        return caller.tenant
    if names == ("roles",):
        return sorted(caller.roles)
    found: Any = caller.claims
    for name in names[1:]:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def fitting(manifest: Manifest, elements: Any, expected: Type) -> list[Any]:
    """Those elements of a claim that are of the type they are compared with."""
    found = []
    for element in elements:
        try:
            value = fit(manifest, element, expected)
        except Misfit:
            continue
        if value is not None and (expected.kind is not Kind.INTEGER or is_bigint(value)):
            found.append(value)
    return found


def is_bigint(value: Any) -> bool:
    """Whether a number is one that PostgreSQL's bigint holds."""
    return bool(-(2**63) <= value < 2**63) and value == int(value)
