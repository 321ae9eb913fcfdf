"""Names of constraints and indexes: readable, the same everywhere, as long as PostgreSQL keeps."""

from hashlib import sha256

#: PostgreSQL cuts identifiers to NAMEDATALEN - 1 bytes, silently.
LONGEST = 63


class Names:
    """The constraint and index names of one schema; no two alike, since a violation is told by its name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def make(self, prefix: str, table: str, *parts: str) -> str:
        """`prefix_table_part_…`; cut, or taken by another meaning, it ends in a hash of its parts."""
        name = "_".join((prefix, table, *parts))
        if len(name.encode()) > LONGEST or name in self._taken:
            digest = sha256("\0".join((prefix, table, *parts)).encode()).hexdigest()[:8]
            name = f"{name.encode()[: LONGEST - 9].decode(errors='ignore')}_{digest}"
        self._taken.add(name)
        return name
