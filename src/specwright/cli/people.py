"""The people that commands speak as."""

from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.manifest import Manifest


def person(manifest: Manifest, name: str | None, roles: list[str] | None) -> Caller:
    """The caller of this name: with the roles given, else those that the spec's examples give."""
    if name is None or name == "anonymous":
        return ANONYMOUS
    return Caller(name, frozenset(roles or manifest.people.get(name, ())))
