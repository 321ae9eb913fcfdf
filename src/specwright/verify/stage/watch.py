"""In the app's process: a thread that sees when the event loop stands still, and where."""

import asyncio
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from specwright.verify.stage.record import Record
from specwright.verify.stage.source import Sources

#: Seconds that the loop may take for one turn.
PATIENCE = 0.05
_PAUSE = 0.01


def watch(loop: asyncio.AbstractEventLoop, record: Record, sources: Sources) -> None:
    """Watch the loop of this thread from another one, for as long as the process lasts."""
    watched = _Watched(threading.get_ident(), threading.get_native_id())
    threading.Thread(
        target=_watch, args=(loop, watched, record, sources), daemon=True, name="specwright watch"
    ).start()


class _Watched:
    """The thread of the loop."""

    def __init__(self, identity: int, native: int) -> None:
        self._identity = identity
        self._task = Path(f"/proc/self/task/{native}")
        self._ran = 0

    def place(self, sources: Sources) -> str | None:
        """Where in the app's own code it is."""
        return sources.at(sys._current_frames().get(self._identity))

    def starved(self) -> bool:
        """Whether it would go on if the machine let it: it is ready to run and is not run. Linux tells."""
        try:
            state = (self._task / "stat").read_text().rpartition(")")[2].split()[0]
            ran = int((self._task / "schedstat").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return False
        lately, self._ran = ran - self._ran, ran
        return state == "R" and lately < _PAUSE * 1e9 / 3


def _watch(loop: asyncio.AbstractEventLoop, watched: _Watched, record: Record, sources: Sources) -> None:
    while not loop.is_closed():
        turned = threading.Event()
        try:
            loop.call_soon_threadsafe(turned.set)
        except RuntimeError:
            return
        watched.starved()
        if not turned.wait(PATIENCE):
            with record.stopped() as found:
                found += _places(turned, watched, sources)
        time.sleep(_PAUSE)


def _places(turned: threading.Event, watched: _Watched, sources: Sources) -> list[tuple[str, float]]:
    """Look at the stack until the loop turns again.

    Only looks that find the app's own code at work or waiting count, each for one pause: where the machine
    or the garbage collector stops us both, there are few looks, and nobody is blamed.
    """
    seen: Counter[str] = Counter()
    while True:
        place = watched.place(sources)
        if place is not None and not watched.starved():
            seen[place] += 1
        if turned.wait(_PAUSE):
            break
    if seen.total() < 2:
        return []
    (place, _), *_ = seen.most_common(1)
    return [(place, round(PATIENCE + seen.total() * _PAUSE, 3))]
