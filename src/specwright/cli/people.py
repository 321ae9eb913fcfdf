"""The people that commands speak as."""

from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.manifest import Manifest
from specwright.model.roles import expanded


def person(manifest: Manifest, name: str | None, roles: list[str] | None) -> Caller:
    """The caller of this name: with the roles given, or those of the spec's examples, and all they include."""
    if name is None or name == "anonymous":
        return ANONYMOUS
    return Caller(name, expanded(manifest, roles or manifest.people.get(name, ())))
