"""What a list must answer, by brute force: the judge and the interpreter on rows in memory."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cmp_to_key
from typing import Any
from uuid import UUID

from specwright.model.caller import Caller
from specwright.model.expression import TRUE, Expr, Path
from specwright.model.field import DELETED, Field
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.types import Kind

Row = Mapping[str, Any]
#: The sort values of a row.
Key = tuple[Any, ...]
#: Relations by name, each with those beyond it.
Tree = Mapping[str, Any]
#: Rows that an answer includes of a relation to many.
INCLUDED = 20


@dataclass(frozen=True)
class Asked:
    """Which rows of an entity are to be listed, and in which order."""

    entity: str
    caller: Caller
    condition: Expr = TRUE
    #: Path of each key, whether it descends, and whether rows without a value come first.
    sort: tuple[tuple[str, bool, bool], ...] = ()
    #: `only` or `with` deleted ones.
    deleted: str = ""
    #: Of which row, by its key, these are the related ones, and by which relation.
    beneath: tuple[Relation, Any] | None = None


@dataclass(frozen=True)
class Oracle:
    """What people are to be shown of a world."""

    judge: Judge

    def listed(self, asked: Asked) -> list[Row]:
        """The rows that the list holds, in order."""
        return [row for _, row in self.keyed(asked)]

    def keyed(self, asked: Asked) -> list[tuple[Key, Row]]:
        """The same rows, each behind its sort values. Filters and sort keys see what the caller may read."""
        world = self.judge.world
        resource = world.manifest.resource(asked.entity)
        readable = {
            each.name: [
                whole(world, each, row)
                for row in world.rows.get(each.name, ())
                if self.judge.before(each, "read", asked.caller, row) is not None
            ]
            for each in world.manifest.served
        } | {each.name: world.rows.get(each.name, ()) for each in world.manifest.stored if each.link}
        seen = replace(world, rows=readable)
        shown = (whole(world, resource, row) for row in self._shown(resource, asked))
        found = [row for row in shown if seen.holds(asked.condition, resource, row, asked.caller)]
        paths = [Path(tuple(path.split("."))) for path, _, _ in asked.sort]
        keyed = [(tuple(seen.value(path, resource, row) for path in paths), row) for row in found]
        comes = order(asked)
        return sorted(keyed, key=cmp_to_key(lambda one, other: comes(one[0], other[0])))

    def _shown(self, resource: Resource, asked: Asked) -> Sequence[Row]:
        if asked.beneath is not None:
            relation, key = asked.beneath
            source = self.judge.world.manifest.resource(relation.source)
            rows = self.judge.world.living(source.name)
            row = next((row for row in rows if row[source.key] == key), None)
            return [] if row is None else self.related(relation, row, asked.caller)
        if not asked.deleted:
            return self.judge.visible(resource, asked.caller)
        return [
            row
            for row in self.judge.world.rows.get(resource.name, ())
            if self.judge.sees(resource, "list", asked.caller, row)
            and (asked.deleted == "with" or row[DELETED] is not None)
        ]

    def item(
        self, resource: Resource, caller: Caller, row: Row, include: Tree, fields: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """A row as JSON, with what is included in it; of its own members those of `fields`, if given."""
        stated = {
            field.wire: self._stated(resource, field, row)
            for field in self.judge.seen(resource, caller, row)
            if fields is None or field.wire in fields
        }
        for name, beyond in include.items():
            relation = resource.relation(name)
            assert relation is not None
            target = self.judge.world.manifest.resource(relation.target)
            found = [
                self.item(target, caller, other, beyond) for other in self.related(relation, row, caller)
            ]
            if relation.many:
                href = f"/api/v1/{resource.path}/{_segment(row[resource.key])}/{name.replace('_', '-')}"
                stated[name] = {"items": found[:INCLUDED], "more": len(found) > INCLUDED, "href": href}
            else:
                stated[name] = found[0] if found else None
        return stated

    def _stated(self, resource: Resource, field: Field, row: Row) -> Any:
        return as_json(self.judge.world.member(resource, row, field.name), field.type.kind)

    def related(self, relation: Relation, row: Row, caller: Caller) -> list[Row]:
        """The rows that a relation leads to and that the caller may read, newest first."""
        target = self.judge.world.manifest.resource(relation.target)
        through, rows = relation.through, self.judge.world.living(target.name)
        if through is not None:
            links = self.judge.world.rows[through.link]
            keys = [link[through.far] for link in links if link[through.near] == row["id"]]
            found = [other for other in rows if other["id"] in keys]
        elif relation.many:
            found = [other for other in rows if other[relation.field] == row["id"]]
        else:
            found = [other for other in rows if other[target.key] == row[relation.field]]
        seen = [other for other in found if self.judge.before(target, "read", caller, other) is not None]
        return sorted(seen, key=lambda other: (other["created_at"], other["id"]), reverse=True)


def tree(names: Iterable[str]) -> Tree:
    """`a` and `a.b` as the relations by name, each with those beyond it."""
    found: dict[str, Any] = {}
    for name in names:
        branch = found
        for step in name.split("."):
            branch = branch.setdefault(step, {})
    return found


def whole(world: World, resource: Resource, row: Row) -> Row:
    """The row with what is calculated, which is so from all rows, whoever asks."""
    calculated = [field.name for field in resource.fields if field.calculated]
    return {**row, **{name: world.member(resource, row, name) for name in calculated}}


def as_json(value: Any, kind: Kind) -> Any:
    """A value as an answer has it."""
    match value:
        case None:
            return None
        case str() if kind is Kind.JSON:
            return json.loads(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            # What is rounded to nothing has no sign.
            return format(value if value else value.copy_abs(), "f")
        case UUID():
            return str(value)
        case list():
            return [as_json(each, Kind.LIST) for each in value]
        case _:
            return value


def _segment(key: Any) -> str:
    return "".join(f"%{byte:02X}" for byte in key.encode()) if isinstance(key, str) else str(key)


def order(asked: Asked) -> Callable[[Key, Key], int]:
    """Which sort values come first: less than 0, the ones named first."""

    def compare(one: Key, other: Key) -> int:
        for a, b, (_, descends, nulls_first) in zip(one, other, asked.sort, strict=True):
            if a == b:
                continue
            if a is None or b is None:
                return -1 if (a is None) is nulls_first else 1
            return -1 if (a < b) is not descends else 1
        return 0

    return compare
