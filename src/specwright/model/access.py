"""Access: what the grants of a manifest let a caller do, on the rows of a world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specwright.model.caller import Caller
from specwright.model.expression import Expr
from specwright.model.field import DELETED, Field, Shown
from specwright.model.grant import HAND_OVER, RESTORE, SEE_DELETED, Grant, Who, WhoKind
from specwright.model.interpret import Row, World
from specwright.model.outcomes import outcomes
from specwright.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what to which rows, and is shown which fields of them."""

    world: World

    def may_ever(self, resource: Resource, action: str, caller: Caller) -> bool:
        """Whether the action could ever succeed on some row: what depends on the row counts as possible.

        Before and after may be granted apart, and changing a row needs reading it.
        """
        if action == "create":
            return self._possible(resource, action, caller, "when", "then")
        changing = action not in ("list", "read", SEE_DELETED)
        return (
            self._possible(resource, action, caller, "when")
            and (
                action in ("delete", RESTORE)
                or not changing
                or self._possible(resource, action, caller, "then")
            )
            and (not changing or self._possible(resource, "read", caller, "when"))
        )

    def before(self, resource: Resource, action: str, caller: Caller, row: Row) -> Grant | None:
        """The first grant whose Who and When hold on a row; for update and delete, the row before."""
        return next(
            (
                grant
                for grant in resource.granting(action)
                if self._within(resource, caller, row)
                and self._who(grant.who, resource, caller, row)
                and self._condition(grant.when, resource, caller, row)
            ),
            None,
        )

    def after(self, resource: Resource, action: str, caller: Caller, row: Row) -> Grant | None:
        """The first grant whose Who and Then, and for create When, hold on the row that is written."""
        return next(
            (
                grant
                for grant in resource.granting(action)
                if self._within(resource, caller, row)
                and self._who(grant.who, resource, caller, row)
                and (action != "create" or self._condition(grant.when, resource, caller, row))
                and self._condition(grant.then, resource, caller, row)
            ),
            None,
        )

    def hands_over(
        self, resource: Resource, caller: Caller, row: Row, later: "Access", new: Row
    ) -> Grant | None:
        """The first grant to hand over whose Who and When hold on a row, and Then on what becomes of it."""
        return next(
            (
                grant
                for grant in resource.granting(HAND_OVER)
                if self._who(grant.who, resource, caller, row)
                and self._condition(grant.when, resource, caller, row)
                and later._condition(grant.then, resource, caller, new)
            ),
            None,
        )

    def visible(self, resource: Resource, caller: Caller) -> list[Row]:
        """The rows that a list shows to the caller, in no order."""
        return [row for row in self._rows(resource) if self.before(resource, "list", caller, row)]

    def sees(self, resource: Resource, action: str, caller: Caller, row: Row) -> bool:
        """Whether a list or a read with `deleted=with` shows the row."""
        return self.before(resource, action, caller, row) is not None and (
            row.get(DELETED) is None or self.before(resource, SEE_DELETED, caller, row) is not None
        )

    def seen(self, resource: Resource, caller: Caller, row: Row) -> tuple[Field, ...]:
        """The fields of a row that are shown to the caller."""
        return tuple(
            field
            for field in resource.fields
            if (field.stored or field.calculated)
            and field.shown not in (Shown.HIDDEN, Shown.WRITE_ONLY)
            and self._one_of(field.readable_by, resource, caller, row)
        )

    def _one_of(self, words: tuple[str, ...], resource: Resource, caller: Caller, row: Row) -> bool:
        """Whether the caller is one of these, for the row; of no words, whether they are anybody."""
        manifest = self.world.manifest
        return not words or any(self._who(manifest.who(word), resource, caller, row) for word in words)

    def _unknown(self, resource: Resource, caller: Caller, sent: Mapping[str, Any]) -> list[Field]:
        """The fields sent that the caller sees of no row there could be."""
        who = self.world.manifest.who
        return [
            field
            for field in resource.fields
            if field.name in sent
            and field.readable_by
            and not any(self._who_possible(who(word), resource, caller) for word in field.readable_by)
        ]

    def _within(self, resource: Resource, caller: Caller, row: Row) -> bool:
        """Whether the row is in the request's tenant, and the caller a member of it."""
        within = resource.tenant
        if within is None:
            return True
        return self.world.membership(caller) is not None and row[within.name] == caller.tenant

    def _who(self, who: Who, resource: Resource, caller: Caller, row: Row) -> bool:
        match who.kind:
            case WhoKind.ANYONE:
                return True
            case WhoKind.SIGNED_IN:
                return not caller.anonymous
            case WhoKind.OWNER:
                owner = resource.owner
                return owner is not None and not caller.anonymous and row[owner.name] == caller.id
            case WhoKind.ROLE:
                return not caller.anonymous and who.name in self.world.roles(caller)
            case WhoKind.NAMED:
                known = self.world.manifest.name(who.name)
                return (
                    known is not None
                    and not caller.anonymous
                    and self.world.holds(known.condition, resource, row, caller)
                )

    def _condition(self, condition: Expr | None, resource: Resource, caller: Caller, row: Row) -> bool:
        return condition is None or self.world.holds(condition, resource, row, caller)

    def _possible(self, resource: Resource, action: str, caller: Caller, *parts: str) -> bool:
        """Whether some grant's Who and these parts of it could hold; a membership counts as possible."""
        if resource.tenant is not None and (caller.anonymous or caller.tenant is None):
            return False
        return any(
            self._who_possible(grant.who, resource, caller)
            and all(
                condition is None or True in outcomes(self.world, condition, resource, caller)
                for condition in (getattr(grant, part) for part in parts)
            )
            for grant in resource.granting(action)
        )

    def _who_possible(self, who: Who, resource: Resource, caller: Caller) -> bool:
        if who.kind is WhoKind.OWNER:
            return resource.owner is not None and not caller.anonymous
        if who.kind is WhoKind.NAMED:
            known = self.world.manifest.name(who.name)
            return (
                known is not None
                and not caller.anonymous
                and True in outcomes(self.world, known.condition, resource, caller)
            )
        return self._who(who, resource, caller, {})

    def _rows(self, resource: Resource) -> Sequence[Row]:
        return self.world.living(resource.name)

    def _find(self, resource: Resource, key: Any, *, deleted: bool = False) -> Row | None:
        known = self.world.rows.get(resource.name, ()) if deleted else self._rows(resource)
        return next((row for row in known if row[resource.key] == key), None)
