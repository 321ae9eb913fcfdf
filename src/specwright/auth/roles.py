"""The caller's roles, from whichever claim an issuer puts them in."""

import re
from collections.abc import Mapping
from typing import Any


def roles_in(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The roles at `path`: a claim of that very name or, failing that, a dotted way through nested claims.

    A string is one or several names apart by commas or white space (Better Auth joins roles with commas,
    OAuth scopes with spaces); in a list each string is one name, spaces and all. Anything else gives none.
    """
    found: Any = claims
    if path in claims:
        found = claims[path]
    else:
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = re.split(r"[,\s]+", found)
    if not isinstance(found, list):
        return frozenset()
    return frozenset(role.strip() for role in found if isinstance(role, str) and role.strip())


def placed(path: str, roles: tuple[str, ...]) -> dict[str, Any]:
    """Claims in which `roles_in` finds these roles at `path`."""
    value: Any = list(roles)
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)
