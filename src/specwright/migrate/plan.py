"""The plan: every step from one manifest to the next, in an order that is safe, with what each may cost.

It compares manifests, never the live database. First goes what goes, in old names; then names change; then,
in new names, comes what comes. So no name is taken twice and nothing is dropped that others still need.
Row-level security goes before everything and comes back after it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

from specwright.migrate import hazards
from specwright.migrate.conversion import Conversion, convert, filler
from specwright.migrate.hazards import Hazard
from specwright.migrate.matching import match, renamed, trimmed
from specwright.migrate.operations import (
    AddColumn,
    AddPart,
    Allow,
    CreateTable,
    DropColumn,
    DropPart,
    DropTable,
    Operation,
    Populate,
    Rename,
    Require,
    SetDefault,
    SetType,
)
from specwright.migrate.protection import Protect, Unprotect
from specwright.migrate.shapes import (
    LATE,
    ColumnShape,
    ForeignKey,
    IndexShape,
    Part,
    Search,
    TableShape,
    meaning,
    shape,
)
from specwright.model.errors import Origin
from specwright.model.field import Field, Filled
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.sql.constraints import constrained
from specwright.sql.protection import protection
from specwright.sql.tables import Tables, quote


@dataclass(frozen=True, slots=True)
class Step:
    """An operation, and the question that it raises."""

    operation: Operation
    hazard: Hazard | None = None


@dataclass(frozen=True)
class Plan:
    """The way from one manifest to the next."""

    steps: tuple[Step, ...]

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """What is done, in order."""
        return tuple(step.operation for step in self.steps)

    @cached_property
    def inverse(self) -> tuple[Operation, ...]:
        """What takes it back, in order."""
        return tuple(operation.inverse() for operation in reversed(self.operations))

    @cached_property
    def hazards(self) -> tuple[Hazard, ...]:
        """The questions, in order."""
        return tuple(step.hazard for step in self.steps if step.hazard is not None)


def plan(before: Manifest, after: Manifest) -> Plan:
    """What to do to a database built from one manifest to make it one built from the other."""
    if before == after:
        return Plan(())
    matching = match(before, after)
    rest = trimmed(before, after, matching)
    told_anew = renamed(rest, after, matching)
    origins = {old: after.resource(new).origin for new, old in matching.resources.items()}
    old, kept, told, new = map(constrained, (before, rest, told_anew, after))
    steps = (
        *_Difference(old, kept, origins).steps(),
        *(Step(rename) for rename in renames(kept, told)),
        *_Difference(told, new, {}).steps(),
    )
    return Plan(tuple(_protected(before, after, steps)))


def _protected(before: Manifest, after: Manifest, steps: tuple[Step, ...]) -> Iterator[Step]:
    """The steps, without policies and views in their way, which are made anew when all is done."""
    old, new = protection(before), protection(after)
    in_the_way = any(isinstance(step.operation, DropColumn | SetType) for step in steps)
    # What is deleted to make room is deleted for good.
    mends = any(step.hazard is not None and step.hazard.mend is not None for step in steps)
    if old == new and not in_the_way and not (mends and old.deletions.tables):
        yield from steps
        return
    if old.tables:
        yield Step(Unprotect(old))
    yield from steps
    if new.tables:
        yield Step(Protect(new))


class _Difference:
    """The steps between two manifests that call everything they share by the same names."""

    def __init__(self, old: Tables, new: Tables, origins: Mapping[str, Origin]) -> None:
        self.before, self.after = before, after = old.manifest, new.manifest
        self.origins = origins
        self.meanings = new.meanings
        self.old = {resource.name: shape(old, resource) for resource in before.stored}
        self.new = {resource.name: shape(new, resource) for resource in after.stored}
        self.gone = [before.resource(name) for name in self.old if name not in self.new]
        self.come = [after.resource(name) for name in self.new if name not in self.old]
        self.both = [after.resource(name) for name in self.new if name in self.old]
        self.peopled = {
            resource.name: sources for resource in self.come if (sources := self._sources(resource))
        }

    def steps(self) -> Iterator[Step]:
        """The steps, in order."""
        parts = {
            resource.name: _parts(self.old[resource.name], self.new[resource.name]) for resource in self.both
        }
        dropped = [
            DropPart(self.old[name].name, part) for name, (away, _, _) in parts.items() for part in away
        ]
        dropped += [
            DropPart(self.old[resource.name].name, part)
            for resource in self.gone
            for part in self.old[resource.name].parts
            if isinstance(part, LATE)
        ]
        yield from (
            Step(drop) for drop in sorted(dropped, key=lambda drop: not isinstance(drop.part, ForeignKey))
        )
        for resource in self.gone:
            yield from self._drop(resource)
        for resource in self.both:
            yield from self._drop_columns(resource)
        yield from (Step(rename) for _, (_, same, _) in parts.items() for rename in sequence(same))
        yield from (Step(CreateTable(self.new[resource.name])) for resource in self.come)
        for resource in self.both:
            yield from self._columns(resource)
        for name, sources in self.peopled.items():
            resource = self.after.resource(name)
            yield Step(Populate(resource.table, resource.key_field.column, sources))
        added = [(resource, part) for resource in self.both for part in parts[resource.name][2]]
        added += [
            (resource, part)
            for resource in self.come
            for part in self.new[resource.name].parts
            if isinstance(part, LATE)
        ]
        for resource, part in sorted(added, key=lambda pair: isinstance(pair[1], ForeignKey)):
            yield Step(AddPart(resource.table, part), self._cost(resource, part))

    def _drop(self, resource: Resource) -> Iterator[Step]:
        sources = self._sources(resource, back=True)
        if sources:
            yield Step(Populate(resource.table, resource.key_field.column, sources, back=True))
        yield Step(DropTable(self.old[resource.name]), hazards.table_goes(resource))

    def _drop_columns(self, resource: Resource) -> Iterator[Step]:
        old, new = self.old[resource.name], self.new[resource.name]
        before = self.before.resource(resource.name)
        for field, column in _stored(before, old):
            if new.column(column.name) is None:
                fill = None if column.nullable else filler(self.before, field, column)
                origin = self.origins.get(resource.name, resource.origin)
                yield Step(DropColumn(old.name, column, fill), hazards.column_goes(before, field, origin))

    def _columns(self, resource: Resource) -> Iterator[Step]:
        old, new = self.old[resource.name], self.new[resource.name]
        known = {column.name: field for field, column in _stored(self.before.resource(resource.name), old)}
        for field, column in _stored(resource, new):
            was = old.column(column.name)
            if was is None:
                asks = not column.nullable and column.default is None
                hazard = hazards.column_comes(resource, field) if asks else None
                yield Step(AddColumn(new.name, column), hazard)
            elif was != column:
                yield from self._alter(resource, known[column.name], field, was, column)

    def _alter(
        self, resource: Resource, before: Field, after: Field, old: ColumnShape, new: ColumnShape
    ) -> Iterator[Step]:
        table, name = resource.table, quote(new.name)
        back_fill = None if old.nullable else filler(self.before, before, old)
        default = old.default
        if old.sql_type != new.sql_type and default is not None:
            yield Step(SetDefault(table, old, default, None))
            default = None
        if new.nullable and not old.nullable:
            yield Step(Allow(table, old, back_fill))
        if old.sql_type != new.sql_type:
            there = convert(name, old.sql_type, new.sql_type)
            back = convert(name, new.sql_type, old.sql_type)
            hazard = hazards.type_changes(resource, before, after, there)
            using = _filled(there, None if new.nullable else new.default)
            yield Step(SetType(table, new.name, old, new, using, _filled(back, back_fill)), hazard)
        if default != new.default:
            yield Step(SetDefault(table, new, default, new.default))
        if old.nullable and not new.nullable:
            hazard = hazards.value_required(resource, after) if new.default is None else None
            yield Step(Require(table, new, new.default), hazard)

    def _cost(self, resource: Resource, part: Part) -> Hazard | None:
        if resource.name not in self.old or isinstance(part, Search):
            return None
        if isinstance(part, IndexShape) and not part.unique:
            return None
        violated = self.meanings[part.name]
        before = self.before.resource(resource.name)
        fields = {name: before.field(name) for name in violated.fields}
        if isinstance(part, ForeignKey) and self._peopled(resource, violated.fields[0]):
            return None
        return hazards.part_comes(resource, violated, part, fields)

    def _peopled(self, resource: Resource, name: str) -> bool:
        field = resource.field(name)
        return field is not None and field.target in self.peopled

    def _sources(self, resource: Resource, back: bool = False) -> tuple[tuple[str, str], ...]:
        """The columns that name rows of a table which comes (or goes), though it was (or stays) external.

        None of them when such a row cannot be made of its key alone.
        """
        here, there = (self.before, self.after) if back else (self.after, self.before)
        if resource.name not in there or not all(map(_fills_itself, resource.fields)):
            return ()
        return tuple(
            (other.table, field.column)
            for other in self.both
            for field in here.resource(other.name).fields
            if field.stored
            and field.target == resource.name
            and (known := there.resource(other.name).field(field.name)) is not None
            and known.target == resource.name
        )


def _fills_itself(field: Field) -> bool:
    return field.nullable or field.built_in or field.default is not None or field.filled is Filled.NOW


def _stored(resource: Resource, table: TableShape) -> Iterator[tuple[Field, ColumnShape]]:
    return zip((field for field in resource.fields if field.stored), table.columns, strict=True)


def _filled(conversion: Conversion, default: str | None) -> str:
    return conversion.using if default is None else f"coalesce({conversion.using}, {default})"


def _parts(old: TableShape, new: TableShape) -> tuple[list[Part], list[Rename], list[Part]]:
    """What goes, what is only called otherwise, and what comes."""
    away = [part for part in old.parts if part not in new.parts]
    come = [part for part in new.parts if part not in old.parts]
    same = []
    for part in tuple(away):
        twin = next((other for other in come if meaning(other) == meaning(part)), None)
        if twin is not None:
            away.remove(part)
            come.remove(twin)
            same.append(_rename_part(new.name, part, twin))
    return away, same, come


def _rename_part(table: str, before: Part, after: Part) -> Rename:
    kind = "index" if isinstance(before, IndexShape | Search) else "constraint"
    return Rename(kind, table, before.name, after.name)


def renames(before: Tables, after: Tables) -> Iterator[Rename]:
    """The renames between two manifests that differ in names alone."""
    pairs = [
        (shape(before, old), shape(after, new))
        for old, new in zip(before.manifest.stored, after.manifest.stored, strict=True)
    ]
    yield from sequence(Rename("table", old.name, old.name, new.name) for old, new in pairs)
    for old, new in pairs:
        columns = zip(old.columns, new.columns, strict=True)
        yield from sequence(Rename("column", new.name, was.name, column.name) for was, column in columns)
    yield from sequence(
        _rename_part(new.name, was, part)
        for old, new in pairs
        for was, part in zip(old.parts, new.parts, strict=True)
    )


def sequence(wanted: Iterable[Rename]) -> Iterator[Rename]:
    """The renames in an order in which each new name is free; names that trade places go through a third."""
    left = {rename.before: rename for rename in wanted if rename.before != rename.after}
    while left:
        free = [name for name, rename in left.items() if rename.after not in left]
        for name in free:
            yield left.pop(name)
        if not free:
            name, rename = next(iter(left.items()))
            aside = f"aside_{sha256(name.encode()).hexdigest()[:8]}"
            del left[name]
            yield replace(rename, after=aside)
            table = aside if rename.kind == "table" else rename.table
            left[aside] = replace(rename, before=aside, table=table)
