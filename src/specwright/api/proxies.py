"""Proxies that are believed: who a request came from, over what, and under which path, as they tell it."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network

from specwright.api.request import Scope

_PREFIX = re.compile(rb"(/[A-Za-z0-9._~\-]+)+")
_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")


class Proxies:
    """The networks whose `X-Forwarded-*` headers are believed; anybody else's are ignored."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(network) for network in networks)
        self._trusts = lru_cache(1024)(self._is_inside)

    def apply(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Correct the scope's client, scheme and root path, if the request comes from a believed proxy."""
        client = scope.get("client")
        if client is None or not self._trusts(client[0]):
            return
        # Each proxy appends: the last entries are the believable ones.
        if (told := headers.get(b"x-forwarded-for")) is not None:
            self._correct_client(scope, told.decode("latin-1"))
        scheme = headers.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
        if scheme in (b"http", b"https"):
            scope["scheme"] = scheme.decode()
        prefix = headers.get(b"x-forwarded-prefix", b"").rstrip(b"/")
        if _PREFIX.fullmatch(prefix):
            # The proxy cut the prefix off; in ASGI the path has it, and the root path says how much of it.
            scope["root_path"] = prefix.decode()
            scope["path"] = prefix.decode() + scope["path"]
            scope["raw_path"] = prefix + (scope.get("raw_path") or b"")

    def _correct_client(self, scope: Scope, told: str) -> None:
        for entry in reversed(told.split(",")):
            host = entry.strip()
            if found := _PORT.fullmatch(host):
                host = found[1] or found[2]
            try:
                ip_address(host)
            except ValueError:
                return
            scope["client"] = (host, 0)
            if not self._trusts(host):
                return

    def _is_inside(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)
