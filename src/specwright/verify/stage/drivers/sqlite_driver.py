"""sqlite3: a connection and a cursor of classes of our own, on a copy of the file."""

import os
import re
import sqlite3
import sys
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.record import Record

#: What `connect` takes after the file, in order.
_PLACES = ("timeout", "detect_types", "isolation_level", "check_same_thread", "factory", "cached_statements")
_ATTACH = re.compile(r"\s*ATTACH\b(?!.*(':memory:'|\":memory:\"|''))", re.IGNORECASE | re.DOTALL)


def teach(elsewhere: Elsewhere, record: Record) -> None:
    """Patch the driver, and see to it that no file is opened past us."""
    connect = sqlite3.connect
    copies: set[str] = set()

    def connect_elsewhere(database: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs |= dict(zip((*_PLACES, "uri"), args, strict=False))
        copy = _elsewhere(database, bool(kwargs.get("uri")), elsewhere)
        copies.add(copy)
        factory = kwargs.get("factory", sqlite3.Connection)
        if isinstance(factory, type):
            kwargs["factory"] = _heard_connection(factory, record)
        return connect(copy, **kwargs)

    def guard(event: str, args: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect" and not _in_memory(_text(args[0])) and _text(args[0]) not in copies:
            raise PermissionError(f"{_text(args[0])} is the app's own file: verify works on copies")

    sqlite3.connect = connect_elsewhere
    sqlite3.dbapi2.connect = connect_elsewhere
    sys.addaudithook(guard)


def _elsewhere(database: Any, uri: bool, elsewhere: Elsewhere) -> str:
    text = _text(database)
    if _in_memory(text):
        return text
    if not uri or not text.startswith("file:"):
        return elsewhere.sqlite(text)
    parts = urlsplit(text)
    copy = quote(elsewhere.sqlite(unquote(parts.path)))
    return f"file:{copy}?{parts.query}" if parts.query else f"file:{copy}"


def _text(database: Any) -> str:
    return os.fsdecode(database)


def _in_memory(text: str) -> bool:
    return (
        text in ("", ":memory:")
        or text.startswith("file::memory:")
        or (text.startswith("file:") and "memory" in parse_qs(urlsplit(text).query).get("mode", ()))
    )


def _heard_connection(connection: Any, record: Record) -> Any:
    class Heard(connection):  # type: ignore[misc]
        def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
            return super().cursor(_heard_cursor(factory, record))

        # Python's own shortcuts make a cursor without asking.
        def execute(self, *args: Any) -> Any:
            return self.cursor().execute(*args)

        def executemany(self, *args: Any) -> Any:
            return self.cursor().executemany(*args)

        def executescript(self, *args: Any) -> Any:
            return self.cursor().executescript(*args)

    return Heard


def _heard_cursor(cursor: Any, record: Record) -> Any:
    if not isinstance(cursor, type):
        return cursor

    class Heard(cursor):  # type: ignore[misc]
        def execute(self, sql: str, *args: Any) -> Any:
            if _ATTACH.match(sql):
                raise sqlite3.OperationalError("ATTACH opens a file of the app's own: verify works on copies")
            record.statement(sql)
            return super().execute(sql, *args)

        def executemany(self, sql: str, *args: Any) -> Any:
            record.statement(sql)
            return super().executemany(sql, *args)

        def executescript(self, script: str) -> Any:
            record.statement(script)
            return super().executescript(script)

    return Heard
