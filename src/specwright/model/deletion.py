"""What a deletion takes along, and what comes back with a row, in plain Python over rows in memory.

Like the interpreter it knows nothing of the triggers and foreign keys that do the same in the database.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from specwright.model.field import DELETED, Field, OnDelete
from specwright.model.interpret import Row, World
from specwright.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Deletion:
    """Deletions and restores in a world."""

    world: World

    def refused(self, resource: Resource, row: Row) -> bool:
        """Whether a row that would outlive the deletion refuses it.

        To a row that is gone for good, deleted rows refer as well.
        """
        gone = {(resource.name, row[resource.key])}
        waiting = [(resource, row)]
        holding: list[tuple[str, Any]] = []
        while waiting:
            target, lost = waiting.pop()
            for source, field, other in self._pointing(target, lost, all_rows=not resource.soft_delete):
                mark = (source.name, other[source.key])
                along = source.soft_delete or not resource.soft_delete
                if field.on_delete is OnDelete.CASCADE and along and mark not in gone:
                    gone.add(mark)
                    waiting.append((source, other))
                elif field.on_delete in (None, OnDelete.REFUSE):
                    holding.append(mark)
        return any(mark not in gone for mark in holding)

    def deleted(self, resource: Resource, row: Row) -> World:
        """The world after a row of a soft-deleted entity went, with what goes with it."""
        later = self._copy()
        waiting = [(resource, later.one(resource, row[resource.key]))]
        while waiting:
            target, gone = waiting.pop()
            gone[DELETED] = self.world.now
            for source, field, other in later._pointing(target, gone, all_rows=True):
                if field.on_delete is OnDelete.CLEAR:
                    other[field.name] = None
                elif field.on_delete is OnDelete.CASCADE and source.soft_delete and other[DELETED] is None:
                    waiting.append((source, other))
        return later.world

    def restored(self, resource: Resource, row: Row) -> World:
        """The world after a deleted row came back; what went with it does once all it refers to is back."""
        later, since = self._copy(), row[DELETED]
        waiting = [(resource, later.one(resource, row[resource.key]))]
        while waiting:
            target, back = waiting.pop()
            back[DELETED] = None
            waiting += [
                (source, other)
                for source, field, other in later._pointing(target, back, all_rows=True)
                if field.on_delete is OnDelete.CASCADE
                and source.soft_delete
                and other[DELETED] == since
                and not later.lost(source, other)
            ]
        return later.world

    def lost(self, resource: Resource, row: Row) -> tuple[str, ...]:
        """The references of a row, by their wire names, to other rows that are deleted."""
        found = []
        for field in resource.fields:
            key = row[field.name] if field.stored and field.target is not None else None
            if key is None or (field.target == resource.name and key == row[resource.key]):
                continue
            target = self.world.manifest.resource(field.target or "")
            if target.soft_delete and self.one(target, key)[DELETED] is not None:
                found.append(field.wire)
        return tuple(found)

    def one(self, resource: Resource, key: Any) -> Any:
        """The row of this key, deleted or not."""
        return next(row for row in self.world.rows[resource.name] if row[resource.key] == key)

    def _copy(self) -> "Deletion":
        rows = {name: [dict(row) for row in known] for name, known in self.world.rows.items()}
        return Deletion(replace(self.world, rows=rows))

    def _pointing(
        self, target: Resource, row: Row, *, all_rows: bool
    ) -> Iterator[tuple[Resource, Field, Any]]:
        for source in self.world.manifest.stored:
            known = self.world.rows.get(source.name, ()) if all_rows else self.world.living(source.name)
            for field in source.fields:
                if field.target == target.name and field.stored:
                    for other in known:
                        if other[field.name] == row[target.key]:
                            yield source, field, other
