"""In the app's process: what happens inside, by the request it happens for."""

import contextvars
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

#: The mark of the request that is being answered; "" outside of one, None for what we do ourselves.
mark: contextvars.ContextVar[str | None] = contextvars.ContextVar("specwright_mark", default="")

#: Transactions are the frame of the work; a text that holds more than one statement is work.
_FRAME = re.compile(
    r"\s*(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|SET TRANSACTION"
    r"|SET SESSION CHARACTERISTICS)\b[^;]*;?\s*",
    re.IGNORECASE,
)
#: What drivers and SQLAlchemy ask for themselves.
_OWN = re.compile(
    r"\s*(DISCARD ALL|SELECT pg_advisory_unlock_all\(\)|SELECT (pg_catalog\.)?version\(\)"
    r"|SELECT current_schema\(\)|SHOW standard_conforming_strings|SHOW transaction isolation level"
    r"|SHOW default_transaction_isolation|PRAGMA (main\.|temp\.)?table_x?info"
    r"|SELECT\s+(pg_catalog\.)?(current_setting|set_config)\('jit')",
    re.IGNORECASE,
)
_KINDS = ("statements", "blocked", "logged", "raised")
#: Of each kind; an app that logs without end must not fill the memory.
_KEPT = 200_000


class Record:
    """What was seen, in order; written and read by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, list[tuple[str, Any]]] = {kind: [] for kind in _KINDS}
        self._places: dict[str, str] = {}
        self._by_mark: dict[str, dict[str, list[Any]]] = {}
        self._open: defaultdict[str, int] = defaultdict(int)
        self._stopped: frozenset[str] = frozenset()
        self._stopped_at: float | None = None

    def statement(self, text: str) -> None:
        """A statement that goes to a database."""
        if not _FRAME.fullmatch(text) and not _OWN.match(text):
            self._add("statements", text)

    def log(self, line: str, place: str | None = None) -> None:
        """A line that is logged or printed, and where."""
        self._add("logged", line)
        if place is not None and len(self._places) < _KEPT:
            self._places.setdefault(line, place)

    def exception(self, text: str) -> None:
        """An exception that nobody caught."""
        self._add("raised", text)

    @contextmanager
    def stopped(self) -> Iterator[list[tuple[str, float]]]:
        """While the event loop stands still, which concerns every request that is being answered.

        Where and for how long goes into the list; no request is over until that is known.
        """
        found: list[tuple[str, float]] = []
        with self._lock:
            self._stopped = frozenset(self._open)
            self._stopped_at = time.monotonic()
        try:
            yield found
        finally:
            for each in self._stopped or [""]:
                for one in found:
                    self._add("blocked", one, each)
            with self._lock:
                self._stopped = frozenset()
                self._stopped_at = None

    def begin(self, name: str) -> None:
        """A request with this mark comes in."""
        with self._lock:
            self._open[name] += 1

    def end(self, name: str) -> None:
        """It is answered, and everything that belongs to it is over."""
        with self._lock:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    def of(self, name: str) -> dict[str, Any]:
        """What was seen for a mark, whether its request is over, and for how long the loop stands still."""
        with self._lock:
            still = time.monotonic() - self._stopped_at if self._stopped_at is not None else 0.0
            seen = self._by_mark.get(name, {})
            over = name not in self._open and name not in self._stopped
            return {kind: list(seen.get(kind, ())) for kind in _KINDS} | {"over": over, "still": still}

    def everything(self) -> dict[str, Any]:
        """What was seen since the start."""
        with self._lock:
            seen = {kind: [what for _, what in seen] for kind, seen in self._seen.items()}
            return seen | {"places": dict(self._places)}

    def _add(self, kind: str, what: Any, name: str | None = "?") -> None:
        name = mark.get() if name == "?" else name
        if name is None:
            return
        with self._lock:
            if len(self._seen[kind]) >= _KEPT:
                return
            self._seen[kind].append((name, what))
            if name:
                self._by_mark.setdefault(name, {}).setdefault(kind, []).append(what)


def follow_threads() -> None:
    """Let work that is given to a thread pool belong to the request that gives it."""
    submit = ThreadPoolExecutor.submit

    def submit_here(self: ThreadPoolExecutor, work: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, contextvars.copy_context().run, work, *args, **kwargs)

    ThreadPoolExecutor.submit = submit_here  # type: ignore[method-assign, assignment]
