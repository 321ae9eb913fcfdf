"""What the roles of a caller come to: those that their token names, and all that these include."""

from collections.abc import Iterable, Mapping

from specwright.model.manifest import Manifest


def expanded(manifest: Manifest, held: Iterable[str]) -> frozenset[str]:
    """These roles with all that they include, at any depth; those that no spec declares stay."""
    includes: Mapping[str, tuple[str, ...]] = {role.name: role.includes for role in manifest.roles}
    found: set[str] = set()
    waiting = list(held)
    while waiting:
        role = waiting.pop()
        if role not in found:
            found.add(role)
            waiting += includes.get(role, ())
    return frozenset(found)
