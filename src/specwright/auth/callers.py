"""Callers by the token that proved them, so that a token is verified once."""

import time
from collections import OrderedDict
from collections.abc import Callable

from specwright.auth.token import LEEWAY
from specwright.model.caller import Caller


class Callers:
    """The callers used last, at most `capacity` of them, each until its token expires."""

    def __init__(self, capacity: int = 4096, *, now: Callable[[], float] = time.time) -> None:
        self._capacity = capacity
        self._now = now
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, token: str) -> Caller | None:
        """The caller this token proved, unless it has expired or been crowded out."""
        entry = self._known.get(token)
        if entry is None:
            return None
        caller, expires = entry
        if expires <= self._now() - LEEWAY:
            del self._known[token]
            return None
        self._known.move_to_end(token)
        return caller

    def add(self, token: str, caller: Caller, expires: float) -> None:
        """Remembers the caller; the one not seen for longest makes room."""
        self._known[token] = (caller, expires)
        self._known.move_to_end(token)
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forgets everyone."""
        self._known.clear()
