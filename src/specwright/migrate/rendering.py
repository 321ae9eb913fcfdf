"""Operations as the Python of an Alembic revision, and as SQL."""

from collections.abc import Iterable
from io import StringIO
from typing import Any, Literal

from alembic.autogenerate import render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, DefaultClause

from specwright.migrate.operations import Operation
from specwright.sql.tables import DIALECT


def python(operations: Iterable[Operation]) -> str:
    """The body of `upgrade` or `downgrade`, indented for a function."""
    steps = [step for operation in operations for step in operation.ops()]
    code = render_python_code(
        ops.UpgradeOps(steps),
        render_item=_verbatim,
        migration_context=MigrationContext.configure(dialect=DIALECT),
    )
    lines = [line for line in code.splitlines() if not line.strip().startswith("# ###")]
    return "\n".join(lines).strip("\n") if steps else "pass"


def sql(operations: Iterable[Operation]) -> str:
    """The statements, for a person to read."""
    buffer = StringIO()
    context = MigrationContext.configure(dialect=DIALECT, opts={"as_sql": True, "output_buffer": buffer})
    run(context, operations)
    return buffer.getvalue().strip()


def run(context: MigrationContext, operations: Iterable[Operation]) -> None:
    """Do it, in the transaction that the context's connection is in."""
    target = Operations(context)
    for operation in operations:
        for step in operation.ops():
            target.invoke(step)


def _verbatim(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write SQL as it is: in the `text` that Alembic would write, a colon names a parameter."""
    if kind == "check" and isinstance(item, CheckConstraint):
        sql = str(item.sqltext.compile(dialect=DIALECT))
        return f"sa.CheckConstraint({_column(sql)}, name={str(item.name)!r})"
    if kind == "server_default" and item is not None:
        default = item.arg if isinstance(item, DefaultClause) else item
        return _column(str(default))
    return False


def _column(sql: str) -> str:
    return f"sa.literal_column({sql!r})"
