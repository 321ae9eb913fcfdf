"""Rows handed over, as row-level security sees it: by another owner, and nothing else, than the row had.

PostgreSQL tells a WITH CHECK nothing of the row before, so the check looks it up: a statement sees what its
own table held when it began.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, literal_column, select

from specwright.model.expression import Expr
from specwright.model.field import Field
from specwright.model.types import Kind
from specwright.sql.claims import PolicyCompiler
from specwright.sql.row import Predicate, Row

#: What every update writes besides.
_TOUCHED = frozenset({"updated_at", "version"})


def handed_over(compiler: PolicyCompiler, new: Row, before: Expr, then: Expr) -> Predicate:
    """Whether a row met `before`, has at most another owner now, and meets `then`."""
    return and_(was(compiler, new, before, alike=True), compiler.condition(then, new))


def was(compiler: PolicyCompiler, new: Row, before: Expr, *, alike: bool = False) -> Predicate:
    """Whether a row met a condition before this statement; `alike`: and was the same but for its owner."""
    resource = new.resource
    source = compiler.source(resource)
    old = Row.of(resource, source)
    asked = [old.columns[resource.key] == new.columns[resource.key], compiler.condition(before, old)]
    if alike:
        asked += [
            _compared(field, old).is_not_distinct_from(_compared(field, new))
            for field in resource.fields
            if field.stored
            and field not in (resource.owner, resource.key_field)
            and field.name not in _TOUCHED
        ]
    found: Select[Any] = select(literal_column("1")).select_from(source).where(*asked)
    return exists(found.correlate_except(source))


def _compared(field: Field, row: Row) -> ColumnElement[Any]:
    column = row.columns[field.name]
    return cast(column, Text()) if field.type.kind is Kind.JSON else column
