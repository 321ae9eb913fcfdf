"""Every statement of a manifest, compiled once per shape and kept."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from sqlalchemy import select, true

from specwright.model.expression import TRUE
from specwright.model.manifest import Manifest
from specwright.sql.expression import Compiler, Row
from specwright.sql.lists import ListShape, list_rows
from specwright.sql.reads import ReadShape, read_row
from specwright.sql.scope import Scope, Scopes
from specwright.sql.statement import Statement, compile_statement
from specwright.sql.tables import Tables
from specwright.sql.writes import Writes, WriteShape

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
