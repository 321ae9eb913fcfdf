"""In the app's process: database drivers, taught to go to the throw-away database and to say what they send.

A driver is taught when it is imported, by whomever; one that is not used is not loaded.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from specwright.verify.stage.drivers import (
    aiosqlite_driver,
    asyncpg_driver,
    psycopg2_driver,
    psycopg_driver,
    sqlite_driver,
)
from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.record import Record

Teach = Callable[[ModuleType, Elsewhere, Record], None]

_POSTGRES: dict[str, Teach] = {
    "asyncpg": asyncpg_driver.teach,
    "psycopg": psycopg_driver.teach,
    "psycopg2": psycopg2_driver.teach,
}
_DRIVERS: dict[str, Teach] = {**_POSTGRES, "aiosqlite": aiosqlite_driver.teach}


def teach(elsewhere: Elsewhere, record: Record) -> None:
    """Teach every driver that there is, now or as soon as it is imported."""
    sqlite_driver.teach(elsewhere, record)
    sys.meta_path.insert(0, _Teacher(elsewhere, record))


def postgres_in_use() -> bool:
    """Whether a driver of PostgreSQL has been imported."""
    return any(name in sys.modules for name in _POSTGRES)


class _Teacher(importlib.abc.MetaPathFinder):
    """Finds the drivers, as Python would, and has them taught once they are there."""

    def __init__(self, elsewhere: Elsewhere, record: Record) -> None:
        self._elsewhere = elsewhere
        self._record = record

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _DRIVERS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_teach(module: ModuleType) -> None:
            load(module)
            _DRIVERS[name](module, self._elsewhere, self._record)

        spec.loader.exec_module = load_and_teach  # type: ignore[method-assign]
        return spec
