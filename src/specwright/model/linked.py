"""Links in a world: what a write makes of those of a row, and takes away."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from specwright.model.interpret import Row, World
from specwright.model.relation import Through
from specwright.model.resource import Resource

#: Whether the caller may read the row of this resource and key.
Readable = Callable[[Resource, Any], bool]


@dataclass(frozen=True, slots=True)
class Linked:
    """The links of a world, with the eyes of somebody who may read some of its rows."""

    world: World
    readable: Readable

    def lost(self, resource: Resource, wanted: Mapping[str, Sequence[Any]]) -> tuple[str, ...]:
        """The places of keys that lead to nothing for this caller, by the wire names of their fields."""
        return tuple(
            f"{field.wire}.{place}"
            for field in resource.fields
            for place, key in enumerate(wanted.get(field.name, ()))
            if not self.readable(self.world.manifest.resource(str(field.linked)), key)
        )

    def set(self, resource: Resource, key: Any, wanted: Mapping[str, Sequence[Any]]) -> World:
        """The world in which a row is linked to these, and to what the caller cannot see."""
        world = self.world
        for name, keys in wanted.items():
            target = self.world.manifest.resource(self._through(resource, name)[1])
            unseen = [other for other in self.of(resource, key, name) if not self.readable(target, other)]
            world = self._with(world, resource, key, name, [*unseen, *keys])
        return world

    def changed(self, resource: Resource, key: Any, name: str, other: Any, *, linked: bool) -> World:
        """The world in which a row is linked to another, or no longer."""
        others = [known for known in self.of(resource, key, name) if known != other]
        return self._with(self.world, resource, key, name, [*others, other] if linked else others)

    def of(self, resource: Resource, key: Any, name: str) -> list[Any]:
        """The keys of what the field of a row links it to."""
        through, _ = self._through(resource, name)
        rows = self.world.rows.get(through.link, ())
        return [row[through.far] for row in rows if row[through.near] == key]

    def _with(self, world: World, resource: Resource, key: Any, name: str, others: Iterable[Any]) -> World:
        through, _ = self._through(resource, name)
        kept: list[Row] = [row for row in world.rows.get(through.link, ()) if row[through.near] != key]
        made = [{through.near: key, through.far: other} for other in dict.fromkeys(others)]
        return replace(world, rows={**world.rows, through.link: [*kept, *made]})

    def _through(self, resource: Resource, name: str) -> tuple[Through, str]:
        relation = resource.relation(name)
        assert relation is not None and relation.through is not None, f"{name} links nothing"
        return relation.through, relation.target
