"""What one caller may do to one resource, worked out once and kept as long as the caller is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from weakref import WeakKeyDictionary, ref

from specwright.api.fields import Taken, exists, must_be_sent, readable, seen, taken
from specwright.model.caller import Caller
from specwright.model.field import Field
from specwright.model.grant import ACTIONS, HAND_OVER, LINK, RESTORE, SEE_DELETED
from specwright.model.names import kebab
from specwright.model.resource import Resource
from specwright.sql.includes import Include
from specwright.sql.linking import How, Linking
from specwright.sql.members import Members, is_unsure
from specwright.sql.moves import Moves
from specwright.sql.query import ListQuery, Related
from specwright.sql.reads import ReadShape
from specwright.sql.scope import Deleted, Scope
from specwright.sql.statement import Statement
from specwright.sql.statements import Statements
from specwright.sql.writeshape import WriteShape

#: Lists of each caller whose plans are kept, and how long the query strings may be that ask for them.
_KEPT, _LONGEST = 8, 512


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as it was asked for: what answers it, and what its cursors are bound to."""

    query: ListQuery
    statement: Statement
    binding: bytes


@dataclass(frozen=True, slots=True)
class Showing:
    """What a request wants to be shown of a row, and what the caller may read of the entities included."""

    shown: tuple[str, ...]
    include: tuple[Include, ...] = ()
    reads: tuple[tuple[str, Scope], ...] = ()

    def by(self, shape: WriteShape) -> WriteShape:
        """The same write, answered so."""
        if (self.shown, self.include) == (shape.shown, shape.include):
            return shape
        return replace(shape, shown=self.shown, include=self.include, reads=self.reads)

    def of(self, read: ReadShape) -> ReadShape:
        """The same read, answered so."""
        return replace(read, fields=self.shown, include=self.include, reads=self.reads)


class Rights:
    """The scopes, the visible fields and the write shapes of a caller."""

    def __init__(self, statements: Statements, resource: Resource, caller: Caller) -> None:
        self._statements = statements
        self._resource = resource
        self.members = statements.members(resource, caller)
        self._anonymous = caller.anonymous
        # The caller keeps its rights, and must not be kept by them.
        self._caller = ref(caller)
        manifest = statements.manifest
        targets = {field.target for field in resource.fields if field.target is not None}
        self._targets = {
            target: statements.scope(manifest.resource(target), "read", caller)
            for target in sorted(targets)
            if not manifest.resource(target).external
        }
        tenant = manifest.tenant
        founded = tenant is not None and tenant.entity == resource.name and tenant.founder is not None
        self._founds = founded and not caller.anonymous
        self._users = "User" in manifest and not manifest.resource("User").external
        self._scopes = {
            action: statements.scope(resource, action, caller)
            for action in (
                *ACTIONS,
                HAND_OVER,
                RESTORE,
                SEE_DELETED,
                *resource.moved_alone.values(),
                *(known.name for known in resource.actions),
                *(f"{LINK}{field.name}" for field in resource.fields if field.linked is not None),
            )
        }
        self._shapes: dict[str, WriteShape] = {}
        #: What the caller's query strings ask for: nothing of it depends on who else asks, or when.
        self._listings: dict[bytes, Listing] = {}

    @cached_property
    def readable(self) -> tuple[Field, ...]:
        """The fields the caller sees of every row."""
        return readable(self._resource, self.members)

    @cached_property
    def completes(self) -> bool:
        """Whether the caller can send all that a new row needs."""
        needed = (field for field in self._resource.fields if must_be_sent(self._resource, field, "create"))
        return all(exists(field, self.members) for field in needed)

    @cached_property
    def seen(self) -> tuple[Field, ...]:
        """The fields the caller sees, of some row at least."""
        return seen(self._resource, self.members)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(field.name for field in self.seen)

    @cached_property
    def apart(self) -> Members | None:
        """The members, where the row decides which of them the caller sees; None where it does not."""
        return self.members if self.members.unsure(self.shown) else None

    @cached_property
    def read(self) -> ReadShape:
        """The read that shows all that the caller sees."""
        return ReadShape(self.scope("read"), self.shown, self.apart)

    def listing(self, query: bytes) -> Listing | None:
        """What this query string asks for, if that is known."""
        return self._listings.get(query)

    def keep(self, query: bytes, listing: Listing) -> None:
        """Remember what a query string asks for, in place of what has been known for longest."""
        if len(query) > _LONGEST:
            return
        if len(self._listings) == _KEPT:
            del self._listings[next(iter(self._listings))]
        self._listings[query] = listing

    def scope(self, action: str) -> Scope:
        """The rows that the caller may list, read, create, update, delete or do an action to."""
        return self._scopes[action]

    def within(self, deleted: Deleted, action: str) -> Scope:
        """The same scope to list or read, of deleted rows."""
        if deleted is Deleted.HIDDEN:
            return self._scopes[action]
        caller = self._caller()
        assert caller is not None
        return self._statements.scope(self._resource, action, caller, deleted)

    def reads(self, names: Iterable[str]) -> tuple[tuple[str, Scope], ...]:
        """What the caller may read of the entities of these names."""
        manifest = self._statements.manifest
        caller = self._caller()
        assert caller is not None
        return tuple(
            (name, self._statements.scope(manifest.resource(name), "read", caller)) for name in names
        )

    def linking(self, field: Field, how: How) -> Linking:
        """A change of the links of a field, of which the caller must be able to read what is linked."""
        ((_, read),) = self.reads([str(field.linked)])
        return Linking(field, how, None if read.resource.external else read)

    def includes(self, asked: Iterable[Related]) -> tuple[Include, ...]:
        """What to include, with the fields that the caller sees."""
        return tuple(map(self._include, asked))

    def _include(self, asked: Related) -> Include:
        manifest = self._statements.manifest
        caller = self._caller()
        assert caller is not None
        relation = asked.relation
        source, target = manifest.resource(relation.source), manifest.resource(relation.target)
        members = self._statements.members(target, caller)
        names = tuple(field.name for field in seen(target, members))
        return Include(
            relation=relation,
            fields=names,
            members=members if members.unsure(names) else None,
            place=f"{manifest.contracts[0].prefix}/{manifest.route(source)}" if relation.many else "",
            path=kebab(relation.name) if relation.many else "",
            include=self.includes(asked.beyond),
        )

    def shape(self, action: str) -> WriteShape:
        """The create, update, replace or delete that sends all the caller may and shows all they see.

        That of an action sends nothing yet.
        """
        known = self._shapes.get(action)
        if known is None:
            known = self._shapes[action] = self.setting(self._shape(action), self._writable(action))
        return known

    def setting(self, shape: WriteShape, fields: Iterable[Field]) -> WriteShape:
        """The same write, setting these fields."""
        fields = tuple(fields)
        targets = {
            field.target: self._targets[field.target] for field in fields if field.target in self._targets
        }
        return replace(shape, targets=tuple(targets.items()), fields=tuple(field.name for field in fields))

    def _shape(self, action: str) -> WriteShape:
        unsure = tuple(
            field.name for field in self._writable(action) if is_unsure(self.members.sets(field.name))
        )
        if action == HAND_OVER:
            unsure = ()
        return WriteShape(
            members=self.members if unsure or self.apart is not None else None,
            unsure=unsure,
            scope=self.scope("update" if action == "replace" else action),
            read=self.within(Deleted.ALIKE, "read") if action == RESTORE else self.scope("read"),
            targets=(),
            shown=() if action == "delete" or action.startswith(LINK) else self.shown,
            caller_row=self._users and not self._anonymous,
            founds=self._founds and action == "create",
            moves=self._moves(action),
        )

    def _moves(self, action: str) -> Moves | None:
        moved = self._resource.moved_alone
        if not moved or action not in ("update", "replace", *moved.values()):
            return None
        caller = self._caller()
        assert caller is not None
        return self._statements.moves(self._resource, caller, alone=action in moved.values())

    def _writable(self, action: str) -> list[Field]:
        if action == HAND_OVER:
            handed = self._resource.handed_over
            return [] if handed is None else [handed]
        moved = next((name for name, move in self._resource.moved_alone.items() if move == action), None)
        if moved is None and action not in ("create", "update", "replace"):
            return []
        as_ = action if moved is None else "update"
        return [
            field
            for field in self._resource.fields
            if moved in (None, field.name)
            and field.stored
            and exists(field, self.members)
            and taken(self._resource, field, as_, self.members) is Taken.WRITTEN
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
