"""aiosqlite: sqlite3 in a thread, to which the request has to be carried over."""

import contextvars
from types import ModuleType
from typing import Any

from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.record import Record


def teach(aiosqlite: ModuleType, elsewhere: Elsewhere, record: Record) -> None:
    """Patch the driver."""
    execute = aiosqlite.core.Connection._execute

    def execute_here(self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        return execute(self, contextvars.copy_context().run, function, *args, **kwargs)

    aiosqlite.core.Connection._execute = execute_here
