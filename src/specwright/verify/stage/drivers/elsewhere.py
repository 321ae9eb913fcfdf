"""Where a database is when the app asks for it: never where the app believes."""

import hashlib
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from specwright.verify.stage.channel import Channel

#: A port on this machine at which nobody listens.
_NOBODY = 1


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a throw-away database, for any driver of PostgreSQL."""

    host: str
    port: int
    user: str
    password: str | None
    database: str


class Elsewhere:
    """One throw-away database for each name that is asked for, the same one each time."""

    def __init__(self, channel: Channel, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str], Place] = {}
        self._parted = False
        self._copies: dict[Path, Path] = {}

    def postgres(self, database: str | None, user: str | None) -> Place:
        """The database that stands in for one on a PostgreSQL server; waits until it is there.

        Raises:
            Refused: there is no server to be had.
        """
        # libpq: the user is the system's, and the database is named as the user is.
        user = user or os.environ.get("PGUSER") or "postgres"
        database = database or os.environ.get("PGDATABASE") or user
        with self._lock:
            if (database, user) not in self._places:
                said = self._channel.ask("postgres", database=database, user=user)
                self._places[database, user] = Place(**said["place"])
            place = self._places[database, user]
            return replace(place, host="127.0.0.1", port=_NOBODY) if self._parted else place

    def part(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """From now on, whoever connects to PostgreSQL meets nobody, as if it did not run."""
        self._parted = True
        return {}

    def meet(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """It runs again."""
        self._parted = False
        return {}

    def sqlite(self, file: str) -> str:
        """The copy of a file, made when it is first asked for; an empty place where there is no file."""
        original = Path(os.path.realpath(file))
        with self._lock:
            if original not in self._copies:
                self._copies[original] = copy = self._copied(original)
                self._channel.tell("sqlite", original=str(original), copy=str(copy))
            return str(self._copies[original])

    def _copied(self, original: Path) -> Path:
        if original.is_relative_to(self._folder):  # a temporary file of the app's
            return original
        digest = hashlib.sha256(os.fsencode(original)).hexdigest()[:8]
        copy = self._folder / f"{digest}-{original.name}"
        if not copy.exists() and original.is_file():
            # The bytes, and the log that SQLite keeps beside: to open it would be to write there.
            log = original.with_name(f"{original.name}-wal")
            if log.is_file():
                shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
            shutil.copyfile(original, copy)
        return copy
