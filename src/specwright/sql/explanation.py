"""Why a caller may, or may not, do something to a row: each grant judged on the row itself."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from specwright.model.caller import Caller
from specwright.model.manifest import Resource
from specwright.sql.expression import Compiler, Row
from specwright.sql.reads import is_key
from specwright.sql.scope import Reason
from specwright.sql.statement import Statement, compile_statement
from specwright.sql.statements import Statements


def explain_row(
    statements: Statements, resource: Resource, action: str, caller: Caller
) -> tuple[tuple[Reason, ...], Statement]:
    """The grants of an action, and the statement that judges them on the row `:key`.

    Its columns are `readable`, `allowed`, and `who0`, `when0`, `who1` … for the grants in order.
    """
    compiler = Compiler(statements.tables)
    table = statements.tables.of(resource).alias("t")
    row = Row.of(resource, table)
    reasons = statements.reasons(resource, action, caller)
    read = statements.scope(resource, "read", caller)
    scope = statements.scope(resource, action, caller)
    asked = {"readable": read.before, "allowed": scope.before}
    for position, reason in enumerate(reasons):
        asked |= {f"who{position}": reason.who, f"when{position}": reason.when}
    columns: list[ColumnElement[Any]] = [
        compiler.condition(condition, row).is_(True).label(name) for name, condition in asked.items()
    ]
    query: Select[Any] = select(*columns).select_from(table).where(is_key(compiler, row))
    return reasons, compile_statement(compiler, query)
