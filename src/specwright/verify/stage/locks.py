"""In the app's process: which statements of a revision read whole tables that nobody else can use meanwhile.

PostgreSQL itself tells: after each statement it is asked which locks are held, what was read from end to
end, and what was written anew. A default that needs no rewrite, or a constraint NOT VALID, is no finding.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

#: Ordinary tables, the revisions' own aside: their names, how often each was read from end to end by this
#: connection, the file that it is in, and the strongest lock on it that keeps others from writing.
_STATE = """
    SELECT t.oid, t.oid::regclass::text, pg_stat_get_xact_numscans(t.oid), pg_relation_filenode(t.oid),
        (SELECT max(CASE WHEN mode = 'AccessExclusiveLock' THEN 2
            WHEN mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock') THEN 1 ELSE 0 END)
         FROM pg_locks WHERE pid = pg_backend_pid() AND relation = t.oid AND granted)
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind IN ('r', 'm') AND t.relpersistence <> 't' AND t.relname <> 'alembic_version'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
#: What finds rows by an index where it can, however few there are.
_MANIPULATES = re.compile(r"\s*(select|insert|update|delete|merge|with)\b", re.IGNORECASE)
#: What lets others write while it reads.
_GENTLE = re.compile(r"\bconcurrently\b|\bvalidate\s+constraint\b", re.IGNORECASE)
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    scans: int
    file: int
    #: 2 keeps everybody away, 1 everybody who writes, 0 nobody; None when none is held any more.
    lock: int | None


@dataclass(slots=True)
class Holdups:
    """What was seen of one revision."""

    #: The file of the revision.
    file: str
    #: The tables that were there before it.
    old: frozenset[int]
    #: The line in the file, and what goes on there.
    found: list[tuple[int, str]] = field(default_factory=list)
    #: Statements whose locks could not be seen, for they ran outside of a transaction.
    unseen: list[str] = field(default_factory=list)

    def compare(self, statement: str, before: dict[int, _Table], after: dict[int, _Table]) -> None:
        """What a statement did to the tables that were there before."""
        read = [
            (before[oid], after[oid])
            for oid in self.old & before.keys() & after.keys()
            if after[oid].scans > before[oid].scans
        ]
        shown = " ".join(statement.split())
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        held = [(was, is_) for was, is_ in read if is_.lock]
        if held:
            does = "rewrites" if any(was.file != is_.file for was, is_ in held) else "reads"
            names = " and ".join(sorted(is_.name for _, is_ in held))
            who = "use" if any(is_.lock == 2 for _, is_ in held) else "write to"
            them = "it" if len(held) == 1 else "them"
            says = f"it {does} all of {names} while nobody can {who} {them}: {shown}"
            self.found.append((self._line(), says))
        elif any(is_.lock is None for _, is_ in read) and not _harmless(statement):
            self.unseen.append(shown)

    def _line(self) -> int:
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        return frame.f_lineno if frame is not None else 1


def _harmless(statement: str) -> bool:
    return bool(_GENTLE.search(statement) or _MANIPULATES.match(statement))


def tables(connection: Any) -> frozenset[int]:
    """The tables that a database has now."""
    return frozenset(_tables(connection.connection.cursor()))


@contextmanager
def holdups(file: str, old: frozenset[int]) -> Iterator[Holdups]:
    """What statements, on any connection, do to old tables for as long as the context lasts."""
    seen = Holdups(file, old)
    state: list[dict[int, _Table]] = []

    def before(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        own = conn.connection.cursor()
        # Of few rows all are read, whatever index there is.
        own.execute(f"SET enable_seqscan = {'off' if _MANIPULATES.match(statement) else 'on'}")
        state.append(_tables(own))

    def after(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        seen.compare(statement, state.pop(), _tables(conn.connection.cursor()))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


def _tables(cursor: Any) -> dict[int, _Table]:
    cursor.execute(_STATE)
    try:
        return {oid: _Table(name, scans, file, lock) for oid, name, scans, file, lock in cursor.fetchall()}
    finally:
        cursor.close()
