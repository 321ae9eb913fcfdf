"""The manifest as one caller knows it: what their filters and sort keys may name."""

from collections.abc import Callable
from dataclasses import replace
from weakref import WeakKeyDictionary

from specwright.api.fields import readable
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.sql.members import Members


class Visible:
    """Manifests without the fields that a caller cannot read of every row, and the relations by them."""

    def __init__(self, manifest: Manifest, members: Callable[[Resource, Caller], Members]) -> None:
        self._manifest = manifest
        self._members = members
        self._known: WeakKeyDictionary[Caller, Manifest] = WeakKeyDictionary()
        #: Callers who know the same share what they know.
        self._distinct: dict[frozenset[tuple[str, str]], Manifest] = {}

    def of(self, caller: Caller) -> Manifest:
        """What the caller knows."""
        found = self._known.get(caller)
        if found is None:
            names = frozenset(
                (resource.name, field.name)
                for resource in self._manifest.resources
                for field in (
                    resource.key_field,
                    *readable(resource, self._members(resource, caller)),
                    *(field for field in resource.fields if field.linked is not None),
                )
            )
            found = self._distinct.setdefault(names, self._trimmed(names))
            self._known[caller] = found
        return found

    def _trimmed(self, names: frozenset[tuple[str, str]]) -> Manifest:
        def seen(resource: Resource) -> Resource:
            fields = (field for field in resource.fields if (resource.name, field.name) in names)
            hops = (hop for hop in resource.relations if (hop.holder, hop.field) in names)
            return replace(resource, fields=tuple(fields), relations=tuple(hops))

        return replace(self._manifest, resources=tuple(map(seen, self._manifest.resources)))
