"""Cross-origin requests: explicit origins (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

import re
from collections.abc import Mapping

from specwright.api.request import Headers, Reply
from specwright.settings import Settings

#: What a page may read of an answer, besides what it always may.
EXPOSED = b"etag, location, x-request-id, retry-after, idempotency-replayed"
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
#: How long a browser may remember a preflight; Chromium remembers none longer than two hours.
_REMEMBERED = b"7200"
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~, ]{1,1024}")
_PREFLIGHT_VARY = (b"vary", b"origin, access-control-request-method, access-control-request-headers")


class Cors:
    """What pages of other origins may do, as header lines."""

    def __init__(self, settings: Settings) -> None:
        allow = b"access-control-allow-origin"
        more: Headers = ((b"access-control-expose-headers", EXPOSED),)
        if settings.cors_credentials:
            more = ((b"access-control-allow-credentials", b"true"), *more)
        origins = [origin.encode() for origin in settings.cors_origins]
        self._grants: dict[bytes, Headers] = {origin: ((allow, origin), *more) for origin in origins}
        self._others: Headers = ((allow, b"*"), *more) if b"*" in origins else ()

    def grant(self, headers: Mapping[bytes, bytes]) -> Headers:
        """The lines that let the page that asks read the answer; none for other origins."""
        origin = headers.get(b"origin")
        return () if origin is None else self._grants.get(origin, self._others)

    def preflight(self, headers: Mapping[bytes, bytes], grant: Headers) -> Reply | None:
        """The answer to a preflight from an origin with this grant; None if it is none.

        Any header may be asked for: the origin is trusted by name, and hand-written routes may take what we
        do not know of.
        """
        if not grant or b"access-control-request-method" not in headers:
            return None
        lines: list[tuple[bytes, bytes]] = [(b"access-control-allow-methods", _METHODS)]
        wanted = headers.get(b"access-control-request-headers")
        if wanted and _NAMES.fullmatch(wanted):
            lines.append((b"access-control-allow-headers", wanted))
        return Reply(204, headers=(*lines, (b"access-control-max-age", _REMEMBERED), _PREFLIGHT_VARY))
