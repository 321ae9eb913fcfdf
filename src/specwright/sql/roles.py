"""The database roles that sessions run as: one for each role of the spec, and some of ours."""

from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.model.roles import expanded

#: The database roles that are there whatever the spec says, by what follows the database's name: of nobody
#: signed in, of somebody without a role, with several, and of the derived statements where they own nothing.
NOBODY, SIGNED_IN, SEVERAL, DERIVED = "anyone", "signed_in", "any", "derived"
OURS = (NOBODY, SIGNED_IN, SEVERAL, DERIVED)


def database_role(manifest: Manifest, caller: Caller) -> str:
    """The suffix of the database role that a caller's sessions run as."""
    if caller.anonymous:
        return NOBODY
    held = {role.name for role in manifest.roles if role.name in caller.roles}
    if not held:
        return SIGNED_IN
    # A role with all that it includes is one.
    whole = (name for name in sorted(held) if expanded(manifest, {name}) >= held)
    return next(map(role_suffix, whole), SEVERAL)


def role_suffix(role: str) -> str:
    """The suffix of a role of the spec, apart from ours."""
    return f"role_{role}" if role in OURS or role.startswith("role_") else role
