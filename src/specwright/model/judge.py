"""The access rules executed in plain Python over rows in memory: what every proof compares the backend with.

It knows nothing of the statements that the backend runs, on purpose: sharing code, both would err alike.
Requests arrive here after the body was validated: values are typed, known, and within their field's rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from specwright.model.access import Access
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.deletion import Deletion
from specwright.model.field import DELETED, Field, Filled
from specwright.model.grant import LINK, RESTORE, Grant
from specwright.model.interpret import Row, World
from specwright.model.linked import Linked
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.model.verdict import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, Verdict


@dataclass(frozen=True, slots=True)
class Judge(Access):
    """Decides requests on the rows of a world, in the order of judgement of the HTTP contract."""

    def closed(self, resource: Resource, action: str, caller: Caller) -> Verdict | None:
        """The refusal of a collection route: no grant of the action could ever apply."""
        if self.may_ever(resource, action, caller):
            return None
        return UNAUTHENTICATED if caller.anonymous else FORBIDDEN

    def read(self, resource: Resource, caller: Caller, key: Any) -> Verdict:
        """Judge the reading of one row."""
        if caller.anonymous and not self.may_ever(resource, "read", caller):
            return UNAUTHENTICATED
        row = self._find(resource, key)
        grant = None if row is None else self.before(resource, "read", caller, row)
        return NOT_FOUND if grant is None else Verdict(200, grant=grant)

    def create(
        self, resource: Resource, caller: Caller, values: Mapping[str, Any], key: Any = None
    ) -> Verdict:
        """Judge the creation of a row from the values sent, and keys linked, by the names of the spec."""
        if refusal := self.closed(resource, "create", caller):
            return refusal
        if caller.anonymous and any(field.filled is Filled.CALLER for field in resource.fields):
            return UNAUTHENTICATED
        required = {field.name: None for field in resource.fields if field.required}
        if self._unknown(resource, caller, required):
            return FORBIDDEN
        if refusal := self._malformed(resource, caller, values):
            return refusal
        row = self.fill(resource, caller, values, key)
        wanted = _wanted(resource, values)
        linked = self.linked(caller).set(resource, key, wanted)
        later = Judge(linked)._with(resource, row)
        grant = later.after(resource, "create", caller, row)
        if grant is None:
            return FORBIDDEN
        if refusal := later._not_settable(resource, caller, values, row):
            return refusal
        return (
            self._references(resource, caller, values)
            or self._unlinkable(resource, caller, wanted)
            or _begun(resource, row)
            or later.broken(resource, row)
            or Verdict(201, grant=grant)
        )

    def update(self, resource: Resource, caller: Caller, key: Any, changes: Mapping[str, Any]) -> Verdict:
        """Judge the merging of changes into a row; of the owner alone, it may be a handing over."""
        handed = resource.handed_over
        if handed is not None and set(changes) == {handed.name}:
            return self._hand_over(resource, caller, key, changes)
        moves = resource.moved_alone
        possible = (self.may_ever(resource, each, caller) for each in ("update", *moves.values()))
        if caller.anonymous and not any(possible):
            return UNAUTHENTICATED
        if refusal := self._malformed(resource, caller, changes):
            return refusal
        row = self._readable(resource, "read", caller, key)
        if isinstance(row, Verdict):
            return row
        wanted = _wanted(resource, changes)
        plain = {name: value for name, value in changes.items() if name not in wanted}
        new = {**row, **plain, **_touched(resource, row, self.world)}
        later = Judge(self.linked(caller).set(resource, key, wanted))._with(resource, new)
        alone = next(iter(changes), "") if len(changes) == 1 else ""
        action = moves.get(alone, "update")
        grant = self._changes(later, resource, action, caller, row, new)
        if grant is None:
            return FORBIDDEN
        if refusal := self._not_settable(resource, caller, changes, row):
            return refusal
        changed = {name: value for name, value in plain.items() if row[name] != value}
        moved = [field for field in resource.moving if field.name in changed]
        if not all(self._makes(resource, caller, row, field, new, action) for field in moved):
            return FORBIDDEN
        return (
            _immutable(resource, changed)
            or self._references(resource, caller, changed)
            or self._unlinkable(resource, caller, wanted)
            or _stuck(resource, row, new, moved)
            or later.broken(resource, new)
            or Verdict(200, grant=grant)
        )

    def link(
        self, resource: Resource, caller: Caller, key: Any, name: str, other: Any, *, linked: bool
    ) -> Verdict:
        """Judge a link of the field of this name, made or taken away by a route of its own."""
        action = f"{LINK}{name}"
        row = self._readable(resource, action, caller, key)
        if isinstance(row, Verdict):
            return row
        new = {**row, **_touched(resource, row, self.world)}
        world = self.linked(caller).changed(resource, key, name, other, linked=linked)
        later = Judge(world)._with(resource, new)
        grant = self._changes(later, resource, action, caller, row, new)
        if grant is None:
            return FORBIDDEN
        if self._unlinkable(resource, caller, {name: [other]}):
            return NOT_FOUND
        return later.broken(resource, new) or Verdict(204, grant=grant)

    def _changes(
        self, later: "Judge", resource: Resource, action: str, caller: Caller, row: Row, new: Row
    ) -> Grant | None:
        """The grant to change a row, if what becomes of it is granted as well, and for the caller to read."""
        if (
            later.after(resource, action, caller, new) is None
            or later.before(resource, "read", caller, new) is None
        ):
            return None
        return self.before(resource, action, caller, row)

    def linked(self, caller: Caller) -> Linked:
        """The links of the world, as the caller may see and set them."""

        def readable(target: Resource, key: Any) -> bool:
            if target.external:
                return True
            row = self._find(target, key)
            return row is not None and self.before(target, "read", caller, row) is not None

        return Linked(self.world, readable)

    def _unlinkable(
        self, resource: Resource, caller: Caller, wanted: Mapping[str, Sequence[Any]]
    ) -> Verdict | None:
        """What is linked must be there for the caller to read."""
        lost = self.linked(caller).lost(resource, wanted)
        return Verdict(422, "reference_not_found", lost) if lost else None

    def _makes(
        self, resource: Resource, caller: Caller, row: Row, field: Field, new: Row, action: str
    ) -> bool:
        """Whether a move is the caller's to make. One that there is not is nobody's, and told so later."""
        listed = [
            move
            for move in resource.moves_of(field.name)
            if (move.before, move.after) == (row[field.name], new[field.name])
        ]
        if not listed or field.name not in resource.moved_alone:
            return True
        if self.before(resource, "moves", caller, row) is not None:
            return True
        if any(not move.who for move in listed):
            # It is an update like any other.
            return action == "update" or self.before(resource, "update", caller, row) is not None
        return any(self._who(who, resource, caller, row) for move in listed for who in move.who)

    def _hand_over(self, resource: Resource, caller: Caller, key: Any, changes: Mapping[str, Any]) -> Verdict:
        if caller.anonymous and not self.may_ever(resource, "update", caller):
            return UNAUTHENTICATED
        if self._unknown(resource, caller, changes):
            return Verdict(422, "validation_failed")
        row = self._readable(resource, "update", caller, key)
        if isinstance(row, Verdict):
            return row
        new = {**row, **changes, **_touched(resource, row, self.world)}
        later = self._with(resource, new)
        grant = self.hands_over(resource, caller, row, later, new)
        if grant is None:
            return FORBIDDEN
        changed = {name: value for name, value in changes.items() if row[name] != value}
        return (
            self._references(resource, caller, changed)
            or later.broken(resource, new)
            or Verdict(200 if later.before(resource, "read", caller, new) else 204, grant=grant)
        )

    def _malformed(self, resource: Resource, caller: Caller, sent: Mapping[str, Any]) -> Verdict | None:
        """The refusal of members that are not there for the caller, or that nobody sends."""
        ours = [
            field
            for field in resource.fields
            if field.name in sent and field.filled and not field.writable_by
        ]
        wrong = {field.wire: None for field in (*self._unknown(resource, caller, sent), *ours)}
        return Verdict(422, "validation_failed", tuple(wrong)) if wrong else None

    def delete(self, resource: Resource, caller: Caller, key: Any) -> Verdict:
        """Judge the deletion of a row."""
        row = self._readable(resource, "delete", caller, key)
        if isinstance(row, Verdict):
            return row
        grant = self.before(resource, "delete", caller, row)
        if grant is None:
            return FORBIDDEN
        return (
            Verdict(409, "conflict")
            if Deletion(self.world).refused(resource, row)
            else Verdict(204, grant=grant)
        )

    def restore(self, resource: Resource, caller: Caller, key: Any) -> Verdict:
        """Judge the return of a deleted row, and of what went with it."""
        if caller.anonymous and not self.may_ever(resource, RESTORE, caller):
            return UNAUTHENTICATED
        row = self._find(resource, key, deleted=True)
        if row is None or self.before(resource, "read", caller, row) is None:
            return NOT_FOUND
        grant = self.before(resource, RESTORE, caller, row)
        if grant is None:
            return FORBIDDEN if row[DELETED] is None else NOT_FOUND
        if row[DELETED] is None:
            return Verdict(409, "conflict")
        later = Judge(Deletion(self.world).restored(resource, row))
        if lost := Deletion(later.world).lost(resource, row):
            return Verdict(409, "conflict", lost)
        return later._repeated() or Verdict(200, grant=grant)

    def _repeated(self) -> Verdict | None:
        """The refusal of a world in which living rows repeat a unique value."""
        for resource in self.world.manifest.stored:
            for row in self._rows(resource):
                if refusal := self._unique(resource, row):
                    return refusal
        return None

    def fill(self, resource: Resource, caller: Caller, values: Mapping[str, Any], key: Any = None) -> Row:
        """The row that a create stores: the values sent, defaults, what we fill, None for the rest."""
        row: dict[str, Any] = {}
        for field in resource.fields:
            if not field.stored:
                continue
            if field.name in values:
                row[field.name] = values[field.name]
            elif field.name == resource.key and field.built_in:
                row[field.name] = key
            elif field.filled is Filled.CALLER:
                row[field.name] = caller.id
            elif field.filled is Filled.TENANT:
                row[field.name] = caller.tenant
            elif field.built_in and field.name == DELETED:
                row[field.name] = None
            elif field.filled is Filled.NOW or (field.built_in and field.type.kind is Kind.TIMESTAMP):
                row[field.name] = _now(field, self.world)
            elif field.built_in:
                row[field.name] = 1
            else:
                row[field.name] = None if field.default is None else field.default.value
        return row

    def _readable(self, resource: Resource, action: str, caller: Caller, key: Any) -> Row | Verdict:
        if caller.anonymous and not self.may_ever(resource, action, caller):
            return UNAUTHENTICATED
        row = self._find(resource, key)
        if row is None or self.before(resource, "read", caller, row) is None:
            return NOT_FOUND
        return row

    def _references(self, resource: Resource, caller: Caller, changed: Mapping[str, Any]) -> Verdict | None:
        """References that are sent and changed must lead to rows that the caller can read."""
        lost = []
        for field in resource.fields:
            reference = changed.get(field.name)
            if field.target is None or reference is None:
                continue
            target = self.world.manifest.resource(field.target)
            if target.external:
                continue
            row = self._find(target, reference)
            if row is None or self.before(target, "read", caller, row) is None:
                lost.append(field.wire)
        return Verdict(422, "reference_not_found", tuple(lost)) if lost else None

    def broken(self, resource: Resource, row: Row) -> Verdict | None:
        """The refusal of a row, already in this world, that breaks a rule or repeats a unique value."""
        if all(self.world.holds(rule.condition, resource, row, ANONYMOUS) for rule in resource.rules):
            return self._unique(resource, row)
        return Verdict(422, "rule_failed")

    def _unique(self, resource: Resource, row: Row) -> Verdict | None:
        others = [other for other in self._rows(resource) if other[resource.key] != row[resource.key]]
        for field in resource.fields:
            if not field.unique:
                continue
            names = (field.name, *field.unique_per)
            mine = [row[name] for name in names]
            if None not in mine and any([other[name] for name in names] == mine for other in others):
                return Verdict(409, "conflict", (field.wire,))
        return None

    def _not_settable(
        self, resource: Resource, caller: Caller, sent: Mapping[str, Any], row: Row
    ) -> Verdict | None:
        """The refusal of members that the caller may not set, or not see, on this row."""
        wires = tuple(
            field.wire
            for field in resource.fields
            if field.name in sent
            and not (
                self._one_of(field.readable_by, resource, caller, row)
                and self._one_of(field.writable_by, resource, caller, row)
            )
        )
        return Verdict(403, "forbidden", wires) if wires else None

    def _with(self, resource: Resource, row: Row) -> "Judge":
        """The judge of the world in which the row is written."""
        known = self.world.rows.get(resource.name, ())
        others = [other for other in known if other[resource.key] != row[resource.key]]
        rows = {**self.world.rows, resource.name: [*others, row]}
        tenant, memberships = self.world.manifest.tenant, self.world.memberships
        if tenant is not None and memberships is None:
            memberships = self.world.living(tenant.through)
        return Judge(replace(self.world, rows=rows, memberships=memberships))


def _wanted(resource: Resource, values: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """The keys that are to be linked, by field."""
    linked = (field.name for field in resource.fields if field.linked is not None)
    return {name: values[name] for name in linked if name in values}


def _begun(resource: Resource, row: Row) -> Verdict | None:
    """The refusal of a new row that does not begin in the first state."""
    wires = tuple(
        field.wire
        for field in resource.moving
        if field.default is None or row[field.name] != field.default.value
    )
    return Verdict(422, "not_a_choice", wires) if wires else None


def _stuck(resource: Resource, row: Row, new: Row, moved: Sequence[Field]) -> Verdict | None:
    """The refusal of moves that there are not."""
    wires = tuple(
        field.wire
        for field in moved
        if new[field.name] not in resource.states_after(field.name, row[field.name])
    )
    return Verdict(409, "move_not_allowed", wires) if wires else None


def _immutable(resource: Resource, changed: Mapping[str, Any]) -> Verdict | None:
    wires = tuple(field.wire for field in resource.fields if field.immutable and field.name in changed)
    return Verdict(422, "immutable", wires) if wires else None


def _touched(resource: Resource, row: Row, world: World) -> dict[str, Any]:
    """What every update writes besides: `updated_at` and the hidden version."""
    built_in = {field.name for field in resource.fields if field.built_in}
    touched: dict[str, Any] = {}
    if "updated_at" in built_in:
        touched["updated_at"] = world.now
    if "version" in built_in:
        touched["version"] = row["version"] + 1
    return touched


def _now(field: Field, world: World) -> Any:
    return world.now.astimezone(UTC).date() if field.type.kind is Kind.DATE else world.now
