"""Python modules made from text, imported as a project's own, and forgotten afterwards."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import sqlmodel
from sqlalchemy import Dialect, MetaData
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.schema import CreateIndex, CreateTable

DIALECT: Dialect = asyncpg_dialect()


@contextmanager
def imported(folder: Path, name: str, **texts: str) -> Iterator[ModuleType]:
    """Write each text as a module of the folder and import the one of this name."""
    for module, text in texts.items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    known = set(sys.modules)
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for module in [
            module
            for module in set(sys.modules) - known
            if str(folder) in str(getattr(sys.modules[module], "__file__", ""))
        ]:
            del sys.modules[module]
        registry = sqlmodel.SQLModel._sa_registry
        registry.dispose()
        registry._class_registry.clear()
        sqlmodel.SQLModel.metadata.clear()


def definitions(metadata: MetaData) -> dict[str, set[str]]:
    """What each table is made of, line by line, with its indexes."""
    found = {}
    for name, table in metadata.tables.items():
        created = str(CreateTable(table).compile(dialect=DIALECT))
        lines = {line.strip().rstrip(",") for line in created.splitlines()}
        found[name] = lines | {str(CreateIndex(index).compile(dialect=DIALECT)) for index in table.indexes}
    return found
