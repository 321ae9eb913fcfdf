"""The row that an expression is about, and the type of what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from specwright.model.resource import Resource

Predicate = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Row:
    """The row that an expression is about: where the value of each stored field comes from."""

    resource: Resource
    columns: Mapping[str, ColumnElement[Any]]

    @classmethod
    def of(cls, resource: Resource, table: FromClause) -> "Row":
        """The row of a table, alias or subquery that has the resource's columns."""
        columns = {field.name: table.c[field.column] for field in resource.fields if field.stored}
        return cls(resource, columns)
