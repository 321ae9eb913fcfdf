"""Every statement of a manifest, compiled once per shape and kept."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from sqlalchemy import select, true
from sqlalchemy.sql.expression import ClauseElement

from specwright.model.expression import TRUE
from specwright.model.manifest import Manifest
from specwright.sql.changes import Changes
from specwright.sql.creations import Creations
from specwright.sql.expression import Compiler
from specwright.sql.lists import ListShape, list_rows
from specwright.sql.reads import ReadShape, read_row
from specwright.sql.row import Row
from specwright.sql.scope import Scope, Scopes
from specwright.sql.statement import Statement, compile_statement
from specwright.sql.tables import Tables
from specwright.sql.writes import Writes
from specwright.sql.writeshape import WriteShape

#: Shapes kept per kind of statement. A shape is what a request asks for without its values.
SHAPES = 1024
#: Shapes kept of filters that callers write: as many as they like, which must push out no other.
WRITTEN = 256

WriteKind = Literal[
    "create",
    "update",
    "delete",
    "restore",
    "diagnose_create",
    "diagnose_update",
    "diagnose_delete",
    "diagnose_restore",
    "lock",
]
#: Of writes of many rows.
CreationKind = Literal["create", "confirm", "diagnose"]
ChangeKind = Literal["update", "delete", "confirm", "diagnose", "lock"]


class Statements:
    """The statements of one manifest; the least recently used shapes are forgotten first."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.tables = Tables(manifest)
        scopes = Scopes(manifest)
        self.scope = scopes.scope
        self.reasons = scopes.reasons
        self._lists: Callable[[ListShape], Statement] = lru_cache(SHAPES)(self._list)
        self._written: Callable[[ListShape], Statement] = lru_cache(WRITTEN)(self._list)
        self.members = scopes.members
        self.moves = scopes.moves
        self.read: Callable[[ReadShape], Statement] = lru_cache(SHAPES)(self._read)
        self.permit: Callable[[Scope], Statement] = lru_cache(SHAPES)(self._permit)
        self.write: Callable[[WriteShape, WriteKind], Statement] = lru_cache(SHAPES)(self._write)
        self.confirmation: Callable[[WriteShape, WriteKind], Statement | None] = lru_cache(SHAPES)(
            self._confirmation
        )
        self.creation: Callable[[WriteShape, CreationKind], Statement | None] = lru_cache(SHAPES)(
            self._creation
        )
        self.taken: Callable[[WriteShape, tuple[str, ...]], Statement] = lru_cache(WRITTEN)(self._taken)
        self.changed_into_taken: Callable[[WriteShape, ListShape, tuple[str, ...]], Statement] = lru_cache(
            WRITTEN
        )(self._changed_into_taken)
        self.deleted_in_use: Callable[[WriteShape, ListShape, str, str], Statement] = lru_cache(WRITTEN)(
            self._deleted_in_use
        )
        self.change: Callable[[WriteShape, ListShape, ChangeKind], Statement | None] = lru_cache(WRITTEN)(
            self._change
        )

    def list(self, shape: ListShape) -> Statement:
        """The statement of a page."""
        return self._lists(shape) if shape.condition is TRUE else self._written(shape)

    def _list(self, shape: ListShape) -> Statement:
        compiler = Compiler(self.tables)
        return compile_statement(compiler, list_rows(self.tables, compiler, shape))

    def _read(self, shape: ReadShape) -> Statement:
        compiler = Compiler(self.tables)
        return compile_statement(compiler, read_row(self.tables, compiler, shape))

    def _permit(self, scope: Scope) -> Statement:
        """Whether the caller may do what is done to no row in particular, as `granted`."""
        compiler = Compiler(self.tables)
        condition = compiler.condition(scope.before, Row(scope.resource, {})).is_(true())
        return compile_statement(compiler, select(condition.label("granted")))

    def _write(self, shape: WriteShape, kind: WriteKind) -> Statement:
        writes = Writes(self.tables, shape)
        return compile_statement(writes.compiler, getattr(writes, kind)())

    def _confirmation(self, shape: WriteShape, kind: WriteKind) -> Statement | None:
        """The statement that must follow this write in its transaction; None where the write says it all."""
        writes = Writes(self.tables, shape)
        match kind:
            case "create":
                confirmation = writes.confirm_create()
            case "update":
                confirmation = writes.confirm_update()
            case "restore":
                confirmation = writes.confirm_restore()
            case _:
                return None
        return None if confirmation is None else compile_statement(writes.compiler, confirmation)

    def _creation(self, shape: WriteShape, kind: CreationKind) -> Statement | None:
        """A statement of a create of many rows; None for a confirmation that is not needed."""
        creations = Creations(self.tables, shape)
        return _compiled(creations.compiler, getattr(creations, kind)())

    def _taken(self, shape: WriteShape, names: tuple[str, ...]) -> Statement:
        """Which of many new rows has values of these fields that another row has."""
        creations = Creations(self.tables, shape)
        return compile_statement(creations.compiler, creations.find_taken(names))

    def _change(self, shape: WriteShape, listed: ListShape, kind: ChangeKind) -> Statement | None:
        """A statement of a change of the rows of a list; None for a confirmation that is not needed."""
        changes = Changes(self.tables, shape, listed)
        return _compiled(changes.compiler, getattr(changes, kind)())

    def _changed_into_taken(self, shape: WriteShape, listed: ListShape, names: tuple[str, ...]) -> Statement:
        """Which of the rows of a list is to have values of these fields that another row has."""
        changes = Changes(self.tables, shape, listed)
        return compile_statement(changes.compiler, changes.find_taken(names))

    def _deleted_in_use(self, shape: WriteShape, listed: ListShape, source: str, name: str) -> Statement:
        """Which of the rows of a list is referred to by the field of this name of another entity."""
        changes = Changes(self.tables, shape, listed)
        return compile_statement(changes.compiler, changes.find_used(self.manifest.resource(source), name))


def _compiled(compiler: Compiler, statement: ClauseElement | None) -> Statement | None:
    return None if statement is None else compile_statement(compiler, statement)
