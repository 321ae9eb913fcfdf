"""What a check sees of an app that runs here: statements, blocking, logs; its databases and migrations."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

#: The header by which a request to an app inside is told from others; the app itself never sees it.
MARK = "x-specwright-mark"


@dataclass(frozen=True, slots=True)
class Observed:
    """What went on inside the app while it answered one request."""

    statements: tuple[str, ...] = ()
    #: Where the event loop stood still, `app/orders.py:12`, and for how many seconds.
    blocked: tuple[tuple[str, float], ...] = ()
    #: Lines that the app logged or printed.
    logged: tuple[str, ...] = ()
    #: Exceptions that nobody caught, with where: "ValueError: … at app/orders.py:12".
    raised: tuple[str, ...] = ()
    #: Where the event loop stands still for good, `app/orders.py:12`; "" where it does not, or elsewhere.
    stuck: str = ""
    #: Of everything: by line that was logged or printed, where in the app's own code, `app/orders.py:12`.
    places: Mapping[str, str] = field(default_factory=dict)


class Inside(Protocol):
    """An app that runs here, on a throw-away database, and can be looked into."""

    base: str
    #: What was done so that it could run, a sentence each.
    notes: list[str]

    @property
    def alive(self) -> bool:
        """Whether its process runs, and its event loop turns."""
        ...

    async def death(self) -> str:
        """How its process ended by itself: "ended with exit code 3"; "" where it runs, or was ended by us."""
        ...

    async def restart(self) -> None:
        """A new process on the same databases, at the same address."""
        ...

    async def kill(self) -> None:
        """End its process at once, as a lack of memory does (SIGKILL)."""
        ...

    async def end(self, patience: float) -> float | None:
        """Ask its process to end (SIGTERM); the seconds that it took, None where it went on for so long."""
        ...

    def cut_off(self) -> AbstractAsyncContextManager[None]:
        """While the context lasts its PostgreSQL cannot be reached: connections are cut, and none is made."""
        ...

    @property
    def database(self) -> str | None:
        """The throw-away database, as a URL; None where there is none."""
        ...

    async def observed(self, mark: str) -> Observed:
        """What was seen of the request that carried this mark."""
        ...

    async def everything(self) -> Observed:
        """What was seen since the app started."""
        ...

    async def rehearsed(self, what: str) -> list[dict[str, Any]]:
        """What was seen of its migrations, on databases of their own: subject, standing, says, details.

        Raises:
            SpecwrightError: there are none, or they do not run.
        """
        ...

    def filled(self, command: str) -> AbstractAsyncContextManager[str | None]:
        """Another empty database that a command has brought to its schema, as a URL."""
        ...
