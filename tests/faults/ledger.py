"""What clients were told about their writes, held against what is stored."""

from collections import Counter
from collections.abc import Iterable


class Ledger:
    """Each write under a name of its own: acknowledged, refused, or unknown to whoever sent it.

    Unknown is a connection that broke, a client that ran out of patience, and 503: the database may have
    stored the row and been cut off before it could say so.
    """

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.unknown: set[str] = set()
        self.statuses: Counter[int | None] = Counter()

    def note(self, name: str, status: int | None) -> None:
        """Enter what the client was told; None if nothing."""
        self.statuses[status] += 1
        if status is None or status == 503:
            self.unknown.add(name)
        elif status < 400:
            self.acknowledged.add(name)
        else:
            self.refused.add(name)

    def settle(self, stored: Iterable[str]) -> None:
        """Acknowledged means stored, refused means not stored, and nothing is there twice or unasked for."""
        rows = Counter(stored)
        lost = self.acknowledged - rows.keys()
        assert not lost, f"acknowledged and gone: {sorted(lost)}"
        kept = self.refused & rows.keys()
        assert not kept, f"refused and stored all the same: {sorted(kept)}"
        strange = rows.keys() - self.acknowledged - self.unknown
        assert not strange, f"nobody asked for: {sorted(strange)}"
        twice = [name for name, times in rows.items() if times > 1]
        assert not twice, f"stored more than once: {twice}"
        assert 500 not in self.statuses, self.statuses
