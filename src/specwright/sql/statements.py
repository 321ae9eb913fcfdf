"""Every statement of a manifest, compiled once per shape and kept."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from specwright.model.manifest import Manifest
from specwright.sql.expression import Compiler
from specwright.sql.reads import ListShape, list_rows, read_row
from specwright.sql.scope import Scope, Scopes
from specwright.sql.statement import Statement, compile_statement
from specwright.sql.tables import Tables
from specwright.sql.writes import Writes, WriteShape

#: Shapes kept per kind of statement. A shape is what a request asks for without its values.
SHAPES = 1024

WriteKind = Literal[
    "create", "update", "delete", "diagnose_create", "diagnose_update", "diagnose_delete", "lock"
]


class Statements:
    """The statements of one manifest; the least recently used shapes are forgotten first."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.tables = Tables(manifest)
        scopes = Scopes(manifest)
        self.scope = scopes.scope
        self.reasons = scopes.reasons
        self.list: Callable[[ListShape], Statement] = lru_cache(SHAPES)(self._list)
        self.read: Callable[[Scope, tuple[str, ...]], Statement] = lru_cache(SHAPES)(self._read)
        self.write: Callable[[WriteShape, WriteKind], Statement] = lru_cache(SHAPES)(self._write)
        self.confirmation: Callable[[WriteShape, WriteKind], Statement | None] = lru_cache(SHAPES)(
            self._confirmation
        )

    def _list(self, shape: ListShape) -> Statement:
        compiler = Compiler(self.tables)
        return compile_statement(compiler, list_rows(self.tables, compiler, shape))

    def _read(self, scope: Scope, fields: tuple[str, ...]) -> Statement:
        compiler = Compiler(self.tables)
        return compile_statement(compiler, read_row(self.tables, compiler, scope, fields))

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
            case _:
                return None
        return None if confirmation is None else compile_statement(writes.compiler, confirmation)
