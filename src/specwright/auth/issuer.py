"""The issuer at the other end of `AUTH_JWKS_URL`: its keys, fetched seldom and kept through its outages."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
import jwt

from specwright.auth.errors import KeysUnavailable
from specwright.auth.keys import usable_keys

logger = logging.getLogger(__name__)

#: Seconds after which keys in use are fetched anew in the background: a withdrawn key is gone soon after.
FRESH = 600
#: Seconds between two fetches for key ids that are not known: whoever invents ids causes no more than these.
COOL_DOWN = 10
#: Seconds without another try after a failed fetch.
RETRY = 5
#: Seconds a fetch may take in all.
TIMEOUT = 5
MAX_DOCUMENT_BYTES = 256 * 1024

_NEVER = -math.inf


class Issuer:
    """Keys by id and algorithm. However many ask at once, one fetch is under way at a time."""

    def __init__(self, jwks_url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = jwks_url
        self._clock = clock
        self._client = httpx2.AsyncClient(
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            # An issuer on this machine is never behind the proxy that the environment names.
            trust_env=urlsplit(jwks_url).hostname not in ("localhost", "127.0.0.1", "::1"),
        )
        self._document = b""
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._fetched_at = self._failed_at = self._searched_at = _NEVER
        self._fetching: asyncio.Task[None] | None = None
        #: Grows when the keys change: what was verified with earlier keys is to be verified again.
        self.generation = 0

    async def find(self, key_id: str | None, algorithm: str) -> tuple[jwt.PyJWK, ...]:
        """The keys of this id, or all when a token names none, for this algorithm; empty if there is none.

        Raises:
            KeysUnavailable: there are no keys, or not this one, and the issuer does not answer.
        """
        if not self._keys:
            await self._fetch()
            if not self._keys:
                raise KeysUnavailable(self._retry_after())
        self.revalidate()
        found = self._known(key_id, algorithm)
        if not found and (self._fetching is not None or self._clock() - self._searched_at >= COOL_DOWN):
            self._searched_at = self._clock()
            await self._fetch()
            found = self._known(key_id, algorithm)
        if not found and self._failed_at > self._fetched_at:
            raise KeysUnavailable(self._retry_after())
        return found

    def revalidate(self) -> None:
        """Starts a fetch in the background when the keys have been in use for long."""
        if self._keys and self._clock() - self._fetched_at >= FRESH:
            self._start()

    async def close(self) -> None:
        """Gives up a fetch under way and closes the connection."""
        if self._fetching is not None:
            self._fetching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._fetching
        await self._client.aclose()

    def _known(self, key_id: str | None, algorithm: str) -> tuple[jwt.PyJWK, ...]:
        return tuple(
            key
            for key in self._keys
            if key.algorithm_name == algorithm and (key_id is None or key.key_id == key_id)
        )

    def _start(self) -> asyncio.Task[None] | None:
        if self._fetching is None and self._clock() - self._failed_at >= RETRY:
            self._fetching = asyncio.create_task(self._refresh())
        return self._fetching

    async def _fetch(self) -> None:
        if (fetching := self._start()) is not None:
            # Shielded: a caller who hangs up does not end what others wait for.
            await asyncio.shield(fetching)

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                document = await self._download()
            keys = usable_keys(document)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            self._failed_at = self._clock()
            logger.warning("The keys at %s cannot be had: %s", self._url, str(error) or type(error).__name__)
        else:
            self._fetched_at = self._clock()
            if document != self._document:
                self._document, self._keys = document, keys
                self.generation += 1
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != 200:
                raise ValueError(f"the issuer answered {response.status_code}")
            document = bytearray()
            # Raw: what is small on the wire may be huge when unpacked.
            async for chunk in response.aiter_raw():
                document += chunk
                if len(document) > MAX_DOCUMENT_BYTES:
                    raise ValueError(f"the answer is longer than {MAX_DOCUMENT_BYTES} bytes")
            return bytes(document)

    def _retry_after(self) -> int:
        return max(1, math.ceil(RETRY - (self._clock() - self._failed_at)))
