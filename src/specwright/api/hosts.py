"""The names this server answers to."""

import re
from collections.abc import Iterable

_HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9.\-]+)(?::\d{1,5})?")


class Hosts:
    """Exact names, and `*.example.com` for all names below one."""

    def __init__(self, names: Iterable[str]) -> None:
        known = [name.encode() for name in names]
        self._exact = frozenset(name for name in known if not name.startswith(b"*."))
        self._below = tuple(name[1:] for name in known if name.startswith(b"*."))

    def include(self, host: bytes | None) -> bool:
        """Whether a `Host` header names this server; its port does not matter."""
        found = _HOST.fullmatch((host or b"").lower())
        return found is not None and (found[1] in self._exact or found[1].endswith(self._below))
