"""`Idempotency-Key`: a POST that is sent again is not done again, but answered as it was the first time.

The header is draft-ietf-httpapi-idempotency-key-header-07. Its key is stored in the transaction of the work:
either both are there or neither is, whenever a process is killed. A key is the caller's own, in their tenant,
for one path.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import asyncpg

from specwright.api.problems import Problem
from specwright.api.request import Reply, Request
from specwright.model.caller import Caller
from specwright.sql.idempotency import CLAIM, DROP, KEEP, PRIMARY_KEY, RECALL

if TYPE_CHECKING:
    from specwright.api.endpoints import Endpoints
    from specwright.api.writing import Asked

HEADER = b"idempotency-key"
REPLAYED = (b"idempotency-replayed", b"true")

#: A string of RFC 8941 §3.3.3, as the draft has it, or the same without quotes, as most clients send it.
_KEY = re.compile(r'"((?:[!#-\[\]-~]|\\["\\])+)"|([!#-\[\]-~]+)')
_ESCAPED = re.compile(r'\\(["\\])')
LONGEST = 255

Handler = Callable[[Request], Awaitable[Reply]]


@dataclass(slots=True)
class Keyed:
    """The key of one request: whose and what for, and what is asked, as digests."""

    id: bytes
    request: bytes
    #: Whether the database was asked to do the work.
    tried: bool = False

    @property
    def lock(self) -> int:
        """What whoever works under the key holds."""
        return int.from_bytes(self.id[:8], "big", signed=True)

    def create(self, asked: "Asked") -> "Asked":
        """The same create, which keeps what it makes under the key, in its own statement."""
        self.tried = True
        values = {"key_id": self.id, "key_request": self.request, "key_lock": self.lock}
        return replace(asked, shape=replace(asked.shape, keyed=True), values=asked.values | values)

    async def claim(self, connection: Any) -> None:
        """Begin to work under the key, in the transaction of this connection.

        Raises:
            Problem: another request does, or has.
        """
        self.tried = True
        if await connection.fetchval(CLAIM, self.id, self.request, self.lock) is None:
            raise still_running()

    async def keep(self, connection: Any, reply: Reply) -> None:
        """Store the answer in the transaction that began with the claim; a refusal leaves nothing."""
        if not 200 <= reply.status < 300:
            await connection.execute(DROP, self.id)
            return
        headers = [part.decode("latin-1") for line in reply.headers for part in line]
        media_type = reply.media_type.decode("latin-1")
        await connection.execute(KEEP, self.id, reply.status, headers, media_type, reply.body)


async def once(endpoints: "Endpoints", request: Request, handler: Handler) -> Reply:
    """The handler's answer, or that of an earlier request with the same key.

    Raises:
        Problem: the key is no key, or of another request, or of one that is still running.
    """
    keyed = await _keyed(endpoints, request)
    known = await _recall(endpoints, keyed, request.caller)
    if known is not None:
        return known
    request.keyed = keyed
    try:
        return await handler(request)
    except (Problem, asyncpg.UniqueViolationError) as refusal:
        lost = isinstance(refusal, asyncpg.UniqueViolationError)
        if lost and getattr(refusal, "constraint_name", None) != PRIMARY_KEY:
            raise
        # Another request with the key may have been faster, and be the reason of this refusal.
        known = await _recall(endpoints, keyed, request.caller) if keyed.tried else None
        if known is not None:
            return known
        if lost:
            raise still_running() from refusal
        raise


def judged(rows: list[Any]) -> list[Any]:
    """The row that a create under a key has made, if any.

    Raises:
        Problem: another request works under the key.
    """
    (row,) = rows
    if not row["free"]:
        raise still_running()
    return [row] if row["key"] is not None else []


def still_running() -> Problem:
    """The 409 for whoever comes while the first request with a key is being worked on."""
    return Problem("still_running", headers=[("Retry-After", "1")])


async def _keyed(endpoints: "Endpoints", request: Request) -> Keyed:
    key, caller, exchange = _read(request.header(HEADER)), request.caller, request.exchange
    if caller.anonymous:
        raise Problem("invalid_idempotency_key", "A key belongs to a caller: sign in, or leave it out.")
    assert exchange is not None
    request.content = await request.body(endpoints.service.max_body)
    path = exchange.scope.get("raw_path") or exchange.scope["path"].encode()
    tenant = None if caller.tenant is None else str(caller.tenant)
    place = json.dumps([tenant, caller.id, request.method, path.decode("latin-1"), key])
    asked = blake2b(request.query, digest_size=32)
    asked.update(b"\0" + request.content)
    return Keyed(blake2b(place.encode(), digest_size=32).digest(), asked.digest())


def _read(header: str | None) -> str:
    found = _KEY.fullmatch(header or "")
    if found is not None:
        key = found[2] if found[1] is None else _ESCAPED.sub(r"\1", found[1])
        if len(key) <= LONGEST:
            return key
    raise Problem("invalid_idempotency_key")


async def _recall(endpoints: "Endpoints", keyed: Keyed, caller: Caller) -> Reply | None:
    """The stored answer; None when there is none yet."""
    row = await endpoints.service.database.fetchrow(RECALL, (keyed.id,), read=True)
    if row is None:
        return None
    if row["request"] != keyed.request:
        raise Problem("idempotency_key_reused")
    if row["made_key"] is not None:
        item = None if row["body"] is None else row["body"].decode()
        reply = endpoints.created({"key": row["made_key"], "version": row["version"], "item": item}, caller)
    else:
        pairs = [part.encode("latin-1") for part in row["headers"]]
        headers = tuple(zip(pairs[::2], pairs[1::2], strict=True))
        reply = Reply(row["status"], row["body"], headers, row["media_type"].encode("latin-1"))
    return replace(reply, headers=(*reply.headers, REPLAYED))
