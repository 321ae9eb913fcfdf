"""What one caller may do to one resource, worked out once and kept as long as the caller is."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

from specwright.api.fields import Taken, exists, readable, taken
from specwright.model.caller import Caller
from specwright.model.manifest import ACTIONS, Field, Resource
from specwright.sql.query import ListQuery
from specwright.sql.scope import Scope
from specwright.sql.statement import Statement
from specwright.sql.statements import Statements
from specwright.sql.writes import WriteShape


class Rights:
    """The scopes, the visible fields and the write shapes of a caller."""

    def __init__(self, statements: Statements, resource: Resource, caller: Caller) -> None:
        self._statements = statements
        self._resource = resource
        self._roles = caller.roles
        self._anonymous = caller.anonymous
        manifest = statements.manifest
        targets = {field.target for field in resource.fields if field.target is not None}
        self._targets = {
            target: statements.scope(manifest.resource(target), "read", caller)
            for target in sorted(targets)
            if not manifest.resource(target).external
        }
        self._users = "User" in manifest and not manifest.resource("User").external
        self._scopes = {
            action: statements.scope(resource, action, caller)
            for action in (*ACTIONS, *(known.name for known in resource.actions))
        }
        self._shapes: dict[str, WriteShape] = {}
        #: The plan of a list without parameters, once it was asked for.
        self.first_page: tuple[ListQuery, Statement] | None = None

    @cached_property
    def readable(self) -> tuple[Field, ...]:
        """The fields the caller sees."""
        return readable(self._resource, self._roles)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The names of the fields the caller sees."""
        return tuple(field.name for field in self.readable)

    def scope(self, action: str) -> Scope:
        """The rows that the caller may list, read, create, update, delete or do an action to."""
        return self._scopes[action]

    def shape(self, action: str) -> WriteShape:
        """The create, update, replace or delete that sends all the caller may and shows all they see.

        That of an action sends nothing yet.
        """
        known = self._shapes.get(action)
        if known is None:
            fields = self._writable(action) if action in ("create", "update", "replace") else []
            known = self._shapes[action] = self.setting(self._shape(action), fields)
        return known

    def setting(self, shape: WriteShape, fields: Iterable[Field]) -> WriteShape:
        """The same write, setting these fields."""
        fields = tuple(fields)
        targets = {
            field.target: self._targets[field.target] for field in fields if field.target in self._targets
        }
        return replace(shape, targets=tuple(targets.items()), fields=tuple(field.name for field in fields))

    def _shape(self, action: str) -> WriteShape:
        return WriteShape(
            scope=self.scope("update" if action == "replace" else action),
            read=self.scope("read"),
            targets=(),
            shown=() if action == "delete" else self.shown,
            caller_row=self._users and not self._anonymous,
        )

    def _writable(self, action: str) -> list[Field]:
        return [
            field
            for field in self._resource.fields
            if exists(field, self._roles)
            and taken(self._resource, field, action, self._roles) is Taken.WRITTEN
        ]


def rights_of(statements: Statements, resource: Resource) -> Callable[[Caller], Rights]:
    """The rights of each caller to a resource."""
    known: WeakKeyDictionary[Caller, Rights] = WeakKeyDictionary()

    def rights(caller: Caller) -> Rights:
        found = known.get(caller)
        if found is None:
            found = known[caller] = Rights(statements, resource, caller)
        return found

    return rights
