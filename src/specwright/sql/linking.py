"""Linking: what a write does to the links of its row, in the same statement.

Whoever links must be able to read what is linked. Links to rows that they cannot read are not theirs to see:
a new set of links leaves them as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    TableValuedAlias,
    all_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from specwright.model.field import Field
from specwright.model.resource import Resource
from specwright.sql.expression import Compiler
from specwright.sql.row import Predicate, Row
from specwright.sql.scope import Scope


class How(StrEnum):
    """What becomes of the links of a row."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Linking:
    """A change of the links of a field; `:link_FIELD` holds the keys of what is linked."""

    field: Field
    how: How
    #: What the caller may read of the other entity; None where it has no rows of its own.
    read: Scope | None

    @property
    def parameter(self) -> str:
        """The name of the statement's parameter."""
        return f"link_{self.field.name}"


class Links:
    """The links of one field of a resource, as a write sees them."""

    def __init__(
        self,
        compiler: Compiler,
        resource: Resource,
        linking: Linking,
        wanted: ColumnElement[Any] | None = None,
    ) -> None:
        """Those of `:link_FIELD`, or of an array that is `wanted` instead."""
        self.compiler, self.linking, self.resource = compiler, linking, resource
        relation = resource.relation(linking.field.name)
        assert relation is not None and relation.through is not None
        self.link = compiler.manifest.resource(relation.through.link)
        self.table = compiler.tables.of(self.link)
        row = Row.of(self.link, self.table)
        self.near, self.far = row.columns[relation.through.near], row.columns[relation.through.far]
        key = compiler.manifest.resource(relation.target).key_field
        keys = ARRAY(compiler.bind_type(key.type))
        self.wanted = bindparam(linking.parameter, type_=keys, required=True) if wanted is None else wanted

    def readable(self, key: ColumnElement[Any]) -> Predicate:
        """Whether there is a row of this key that the caller may read."""
        read = self.linking.read
        if read is None:
            return true()
        source = self.compiler.tables.of(read.resource).alias()
        row = Row.of(read.resource, source)
        found: Select[Any] = select(literal_column("1")).select_from(source)
        held = found.where(row.columns[read.resource.key] == key, self.compiler.condition(read.before, row))
        return exists(held.correlate_except(source))

    def allowed(self) -> Predicate:
        """Whether the caller may read all that is wanted."""
        if self.linking.read is None:
            return true()
        wanted = self._wanted()
        unread: Select[Any] = select(literal_column("1")).select_from(wanted)
        return not_(exists(unread.where(not_(self.readable(wanted.c.key))).correlate_except(wanted)))

    def missing(self) -> ColumnElement[Any]:
        """The place of the first that the caller cannot read, from 1."""
        wanted = self._wanted()
        unread = select(func.min(wanted.c.place)).select_from(wanted).where(not_(self.readable(wanted.c.key)))
        return unread.correlate_except(wanted).scalar_subquery()

    def _wanted(self) -> TableValuedAlias:
        wanted = func.unnest(self.wanted).table_valued("key", with_ordinality="place", name="wanted")
        return wanted.render_derived()

    def changes(self, written: FromClause, *, new: bool) -> Iterator[CTE]:
        """The parts of a statement that link the row it has written, and take links away."""
        key = written.c[self.resource.key_field.column]
        if not new and self.linking.how is not How.ADD:
            away = self.far == any_(self.wanted)
            if self.linking.how is How.SET:
                away = self.far != all_(self.wanted)
            gone = delete(self.table).where(self.near == key, away, self.readable(self.far))
            yield gone.returning(literal_column("1")).cte(f"unlinked_{self.linking.field.name}")
        if self.linking.how is not How.REMOVE:
            wanted = self._wanted()
            rows = select(key, wanted.c.key).select_from(written, wanted)
            made = upsert(self.table).from_select([self.near.name, self.far.name], rows)
            yield made.on_conflict_do_nothing().cte(f"linked_{self.linking.field.name}")


def links_of(compiler: Compiler, resource: Resource, linkings: Sequence[Linking]) -> list[Links]:
    """Those of each field whose links a write changes."""
    return [Links(compiler, resource, linking) for linking in linkings]
