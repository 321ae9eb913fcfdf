"""Conditions that callers write themselves, in `filter` and its kin: they see what their caller may read.

A path of a grant or a rule sees all living rows. In a filter or a sort key each hop carries the read
predicate of its resource: a row that the caller cannot read is, for the condition, not there.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement

from specwright.model.expression import TRUE, Expr, Path, walk
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.sql.expression import Compiler
from specwright.sql.row import Predicate, Row
from specwright.sql.scope import Scope


class Sight(Compiler):
    """Compiles what a caller asks; `reads` says what they may read of each resource that is led to.

    The predicates themselves go on seeing everything: they are compiled by the statement's own compiler, with
    which this one shares the caller's values.
    """

    def __init__(self, definer: Compiler, reads: Mapping[str, Scope]) -> None:
        super().__init__(definer.tables)
        self.caller_values = definer.caller_values
        self.definer = definer
        self._reads = reads

    def calculated(self, row: Row, field: Field) -> ColumnElement[Any]:
        """What the definer works it out to be."""
        return self.definer.calculated(row, field)

    def seen(self, row: Row) -> Predicate:
        """Whether the caller may read the row."""
        return self.definer.condition(self.readable(row.resource), row)

    def readable(self, resource: Resource) -> Expr:
        """When the caller may read a row of the resource; of users without a table, always."""
        return TRUE if resource.external else self._reads[resource.name].before

    def ends(self, hop: Relation) -> bool:
        """Whether a hop may lead nowhere: whatever it leads to may be unreadable."""
        return not hop.many


def reached(manifest: Manifest, resource: Resource, condition: Expr) -> set[str]:
    """The names of the entities that the paths of a condition lead through or to."""
    return {
        hop.target
        for node in walk(condition)
        if isinstance(node, Path)
        for hop in resolve(manifest, resource, node).hops
    }
