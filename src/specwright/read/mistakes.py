"""All mistakes of all files at once: reading goes on after one."""

from collections.abc import Iterator
from typing import Protocol

from specwright.model.errors import Mistake, Origin, SpecError


class Placed(Protocol):
    """Anything that knows where it was written."""

    @property
    def origin(self) -> Origin: ...


class Mistakes:
    """The mistakes found so far."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []

    def add(self, where: Placed | Origin, message: str) -> None:
        """Note a mistake at a place, or where something begins."""
        self._found.append(Mistake(where if isinstance(where, Origin) else where.origin, message))

    def __iter__(self) -> Iterator[Mistake]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def settle(self) -> None:
        """Go on if nothing was wrong.

        Raises:
            SpecError: all mistakes, in reading order.
        """
        if self._found:
            raise SpecError(self._found)
