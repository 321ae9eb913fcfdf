"""Identity: a caller as the settings of a session, which the policies read."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.sql.claims import CALLER
from specwright.sql.roles import database_role
from specwright.sql.tables import quote

#: The schema of what sessions may call, and the function in it that makes the caller's own row.
CALLABLE = "specwright_callable"
OWN_ROW = f"{CALLABLE}.make_own_row"
_MAKE_OWN_ROW = f"SELECT {OWN_ROW}()"


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller as the settings of a session: a suffix of a database role, and what the policies read."""

    role: str
    #: The id, the roles as an array, the claims as JSON, the tenant, the id of the request:
    #: `specwright.caller`, `.roles`, `.claims`, `.tenant` and `.request`.
    settings: tuple[str, str, str, str, str]
    #: The statement that makes the caller's own row, where a table of users has such rows.
    own_row: str | None = None


def identity(manifest: Manifest, caller: Caller, request: str = "") -> Identity:
    """What a session must be told about its caller and, for the audit trail, its request."""
    roles = ",".join(_element(role) for role in sorted(caller.roles) if _storable(role))
    name = caller.id if caller.id is not None and _storable(caller.id) else ""
    claims = json.dumps(_sound(caller.claims), separators=(",", ":"))
    tenant = "" if caller.tenant is None else str(caller.tenant)
    settings = (name, f"{{{roles}}}", claims, tenant, request)
    return Identity(
        database_role(manifest, caller),
        settings,
        _MAKE_OWN_ROW if name and making_own_row(manifest) else None,
    )


def making_own_row(manifest: Manifest) -> str | None:
    """The caller's own row comes with their first write, and no grant need allow it."""
    users = next((resource for resource in manifest.stored if resource.name == "User"), None)
    if users is None:
        return None
    table, key = f"{quote(users.schema)}.{quote(users.table)}", quote(users.key_field.column)
    return f"INSERT INTO {table} ({key}) SELECT {CALLER} WHERE {CALLER} IS NOT NULL ON CONFLICT DO NOTHING"


def _element(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _sound(value: Any) -> Any:
    """A claim that PostgreSQL can read. What it cannot is like nothing else: an empty object."""
    match value:
        case str():
            return value if _storable(value) else {}
        case float():
            return value if math.isfinite(value) else {}
        case Mapping():
            return {str(key): _sound(item) for key, item in value.items() if _storable(str(key))}
        case list() | tuple():
            return [_sound(item) for item in value]
        case None | bool() | int():
            return value
        case _:
            return {}
