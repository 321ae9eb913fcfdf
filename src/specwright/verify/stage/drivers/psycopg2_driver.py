"""psycopg2: one function connects, and a connection is told which class its cursors have."""

from types import ModuleType
from typing import Any

from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.drivers.psycopg_driver import redirected
from specwright.verify.stage.record import Record


def teach(psycopg2: ModuleType, elsewhere: Elsewhere, record: Record) -> None:
    """Patch the driver."""
    driver: Any = psycopg2
    connect = driver._connect
    extensions = psycopg2.extensions

    def connect_elsewhere(dsn: str, connection_factory: Any = None, **kwargs: Any) -> Any:
        asked = redirected(extensions.parse_dsn(dsn), elsewhere)
        factory = connection_factory or extensions.connection
        if isinstance(factory, type):
            factory = _heard_connection(factory, extensions.cursor, record)
        return connect(extensions.make_dsn(**asked), connection_factory=factory, **kwargs)

    driver._connect = connect_elsewhere


def _heard_connection(connection: Any, cursor: Any, record: Record) -> Any:
    class Heard(connection):  # type: ignore[misc]
        def cursor(self, name: Any = None, cursor_factory: Any = None, **kwargs: Any) -> Any:
            factory = cursor_factory or self.cursor_factory or cursor
            return super().cursor(name, cursor_factory=_heard_cursor(factory, record), **kwargs)

    return Heard


def _heard_cursor(cursor: Any, record: Record) -> Any:
    if not isinstance(cursor, type):
        return cursor

    class Heard(cursor):  # type: ignore[misc]
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            record.statement(_text(query, self))
            return super().execute(query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            record.statement(_text(query, self))
            return super().executemany(query, *args, **kwargs)

        def callproc(self, name: Any, *args: Any, **kwargs: Any) -> Any:
            record.statement(f"CALL {name}")
            return super().callproc(name, *args, **kwargs)

        def copy_expert(self, sql: Any, *args: Any, **kwargs: Any) -> Any:
            record.statement(_text(sql, self))
            return super().copy_expert(sql, *args, **kwargs)

    return Heard


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    return str(query.as_string(cursor)) if hasattr(query, "as_string") else str(query)
