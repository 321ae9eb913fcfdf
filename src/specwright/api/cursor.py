"""Cursors: where a page ended, signed and bound to the list it belongs to."""

import hmac
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from specwright.api.problems import Problem
from specwright.model.manifest import Contract
from specwright.model.resource import Resource
from specwright.sql.query import ListQuery

_SIGNATURE_LENGTH = 32
#: No server takes a longer URL.
_LONGEST = 65536
#: A longer payload is compressed: ten thousand emoji in a sort field must fit into a URL.
_SHORT = 1000

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def binding(
    contract: Contract,
    resource: Resource,
    query: ListQuery,
    caller: str | None,
    tenant: Any = None,
    above: str = "",
) -> bytes:
    """What a cursor of this list holds for: version, resource, sort, filters, search, caller and tenant.

    `above` tells the relation and the row, where it is a list of related rows.
    Limit, fields and count may change from page to page.
    """
    filters = sorted((asked.path, asked.operator, _write_value(asked.value)) for asked in query.filters)
    parts = [
        contract.name,
        resource.id,
        [[*sort.through, sort.field.id, str(sort.field.type), *sort.key[1:]] for sort in query.sort],
        filters,
        None if query.condition is None else query.condition.text,
        query.search,
        query.deleted,
        caller,
        *(() if tenant is None else (_write_value(tenant),)),
        *((above,) if above else ()),
    ]
    return json.dumps(parts).encode()


def write(secret: bytes, binding: bytes, values: Sequence[Any]) -> str:
    """The cursor that stands for these sort values in the list of this binding."""
    stated = [_write_value(value) for value in values]
    payload = _ENCODER.encode(stated).encode()
    if len(payload) > _SHORT:
        payload = zlib.compress(payload)
    return urlsafe_b64encode(_sign(secret, binding, payload) + payload).rstrip(b"=").decode()


def read(secret: bytes, binding: bytes, text: str) -> tuple[Any, ...]:
    """The sort values in a cursor.

    Raises:
        Problem: invalid_cursor, the same for every fault.
    """
    try:
        if len(text) > _LONGEST:
            raise ValueError
        encoded = text.encode("ascii")
        raw = urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        # b64decode skips what it does not know: only the one spelling that was written is taken.
        if urlsafe_b64encode(raw).rstrip(b"=") != encoded:
            raise ValueError
        signature, payload = raw[:_SIGNATURE_LENGTH], raw[_SIGNATURE_LENGTH:]
        if not hmac.compare_digest(signature, _sign(secret, binding, payload)):
            raise ValueError
    except ValueError:
        raise Problem("invalid_cursor") from None
    if not payload.startswith(b"["):
        payload = zlib.decompress(payload)
    return tuple(_read_value(value) for value in json.loads(payload))


def _sign(secret: bytes, binding: bytes, payload: bytes) -> bytes:
    # The length keeps binding and payload apart; the first word, cursors and other uses of the secret.
    message = b"cursor:%d:%b%b" % (len(binding), binding, payload)
    return hmac.digest(secret, message, "sha256")


def _write_value(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return ["number", str(value)]
        case datetime():
            return ["timestamp", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case UUID():
            return ["uuid", value.hex]
        case tuple():
            return ["tuple", *map(_write_value, value)]
        case _:
            raise TypeError(f"no cursor can hold a {type(value).__name__}")


def _read_value(value: Any) -> Any:
    match value:
        case ["number", text]:
            return Decimal(text)
        case ["timestamp", text]:
            return datetime.fromisoformat(text)
        case ["date", text]:
            return date.fromisoformat(text)
        case ["uuid", text]:
            return UUID(text)
        case _:
            return value
