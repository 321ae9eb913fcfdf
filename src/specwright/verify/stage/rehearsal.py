"""In a process of the app's, `python -m … WHAT FILE`: its Alembic revisions, tried on an empty database.

Everything happens inside of the app's env.py, with the connection that it makes; what was seen is written to
the file as JSON.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from specwright.verify.stage import drift
from specwright.verify.stage.locks import holdups, tables
from specwright.verify.stage.rows import Rows, seed, snapshot
from specwright.verify.stage.shape import differences, shape

#: Revisions that are tried; of more, the last.
_MOST = 40
_NO_ROW = "the revisions do not stand in a row, or there are none"

Seen = dict[str, Any]


class Rehearsal:
    """The app's migrations, and an empty database."""

    def __init__(self) -> None:
        self.config = Config("alembic.ini")
        self.scripts = ScriptDirectory.from_config(self.config)

    def inside(self, work: Callable[[Any], Any]) -> Any:
        """What comes of work with the migration context that env.py makes."""
        results = []

        def steps(heads: Any, context: Any) -> list[Any]:
            results.append(work(context))
            return []

        with EnvironmentContext(self.config, self.scripts, fn=steps):
            self.scripts.run_env()
        return results[0]

    def revisions(self) -> list[Script]:
        """From the first to the last; nothing where they are not in a row."""
        found = list(reversed(list(self.scripts.walk_revisions())))
        straight = all(not isinstance(each.down_revision, tuple) for each in found)
        return found if straight and len(self.scripts.get_heads()) == 1 else []

    def up(self, revision: str) -> None:
        """Apply what leads to a revision."""
        command.upgrade(self.config, revision)

    def down(self, revision: str) -> None:
        """Take back what leads from a revision."""
        command.downgrade(self.config, revision)


def migrations() -> list[Seen]:
    """Each revision up, down and up again, with rows in the tables."""
    rehearsal = Rehearsal()
    rehearsal.inside(_emptied)
    revisions = rehearsal.revisions()
    if not revisions:
        return [_seen("", "not run", _NO_ROW)]
    tried = revisions[-_MOST:]
    before = tried[0].down_revision
    if isinstance(before, str):
        rehearsal.up(before)
    seen = []
    for script in tried:
        seen.append(_tried(rehearsal, script))
        if seen[-1]["standing"] != "proved":
            break
    return seen


def _tried(rehearsal: Rehearsal, script: Script) -> Seen:
    name, below = _name(script), str(script.down_revision or "base")
    rehearsal.inside(lambda context: seed(context.connection))
    old, kept = rehearsal.inside(_state)
    try:
        rehearsal.up(script.revision)
    except SQLAlchemyError as error:
        if "null" in str(error).lower():
            return _seen(name, "broken", "it cannot be applied where there are rows", error)
        return _seen(name, "not run", "it does not take the rows that were made up", error)
    new, carried = rehearsal.inside(_state)
    if lost := _lost(kept, carried):
        return _seen(name, "broken", f"rows are lost when it is applied: {lost}")
    try:
        rehearsal.down(below)
    except NotImplementedError:
        return _seen(name, "not run", "it says that it cannot be taken back")
    except Exception as error:
        return _seen(name, "broken", "it cannot be taken back where there are rows", error)
    back, returned = rehearsal.inside(_state)
    if different := differences(old, back):
        return _seen(name, "broken", f"taken back, the schema is not what it was: {different[0]}", *different)
    if lost := _lost(carried, returned):
        return _seen(name, "broken", f"rows are lost when it is taken back: {lost}")
    try:
        rehearsal.up(script.revision)
    except Exception as error:
        return _seen(name, "broken", "taken back, it cannot be applied again", error)
    again, last = rehearsal.inside(_state)
    if different := differences(new, again):
        return _seen(name, "broken", f"applied again, the schema is another: {different[0]}", *different)
    if lost := _lost(returned, last):
        return _seen(name, "broken", f"rows are lost when it is applied again: {lost}")
    rows = sum(kept.values())
    return _seen(name, "proved", f"up, down and up again with {rows} rows: the schema and the rows are there")


def _state(context: Any) -> tuple[Seen, Rows]:
    return shape(context.connection), snapshot(context.connection)


def _lost(before: Rows, after: Rows) -> str:
    """The first table that has fewer rows than it had, and is there still."""
    for table, count in before.items():
        if after.get(table, count) < count:
            return f"{table} had {count} and has {after[table]}"
    return ""


def models() -> list[Seen]:
    """What the models say and the migrated database has not."""
    rehearsal = Rehearsal()
    rehearsal.inside(_emptied)
    rehearsal.up("heads")
    found: list[Seen] = rehearsal.inside(drift.compared)
    return found


def locks() -> list[Seen]:
    """For each revision, the statements of it that hold others up for as long as a table is large."""
    rehearsal = Rehearsal()
    if rehearsal.inside(lambda context: context.dialect.name) != "postgresql":
        return [_seen("", "not run", "SQLite has one writer at a time, whatever a revision does")]
    rehearsal.inside(_emptied)
    revisions = rehearsal.revisions()
    if not revisions:
        return [_seen("", "not run", _NO_ROW)]
    tried = revisions[-_MOST:]
    before = tried[0].down_revision
    if isinstance(before, str):
        rehearsal.up(before)
    seen: list[Seen] = []
    for script in tried:
        old = rehearsal.inside(lambda context: tables(context.connection))
        try:
            with holdups(script.path, old) as found:
                rehearsal.up(script.revision)
        except Exception as error:
            return [*seen, _seen(_name(script), "not run", "it cannot be applied", error)]
        file = os.path.relpath(script.path)
        seen += [
            {**_seen(f"{file}:{line}", "suspected", says), "at": (file, line)} for line, says in found.found
        ]
        if found.unseen:
            why = "it runs outside of a transaction, where its locks cannot be seen"
            seen.append(_seen(_name(script), "not run", why, *found.unseen))
        elif not found.found:
            says = "no statement of it reads or rewrites a whole table that others have to wait for"
            seen.append(_seen(_name(script), "proved", says))
    return seen


def _emptied(context: Any) -> None:
    # A SQLite file begins as a copy of the app's own.
    found = MetaData()
    found.reflect(context.connection)
    found.drop_all(context.connection)


def _name(script: Script) -> str:
    return Path(script.path).name


def _seen(subject: str, standing: str, says: str, *details: object) -> Seen:
    told = [" ".join(str(each).split())[:400] for each in details]
    return {"subject": subject, "standing": standing, "says": says, "details": told}


if __name__ == "__main__":
    seen = {"migrations": migrations, "models": models, "locks": locks}[sys.argv[1]]()
    Path(sys.argv[2]).write_text(json.dumps(seen), encoding="utf-8")
