"""Tables of SQLAlchemy Core, written down as the Python that makes them."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from specwright.write.python import Call, Code, text

_KINDS = (
    sa.PrimaryKeyConstraint,
    sa.ForeignKeyConstraint,
    sa.UniqueConstraint,
    sa.CheckConstraint,
)


def column_code(column: sa.Column[Any], *more: Code) -> Call:
    """The call that makes a column."""
    arguments: list[Code] = [text(column.name), _type(column.type)]
    if not column.nullable:
        arguments.append("nullable=False")
    default = server_default(column)
    if default is not None:
        arguments.append(Call("server_default=sa.literal_column", [text(default)]))
    return Call("sa.Column", [*arguments, *more])


def server_default(column: sa.Column[Any]) -> str | None:
    """The SQL that fills the column when a row does not say."""
    default = column.server_default
    return str(default.arg) if isinstance(default, sa.DefaultClause) else None


def table_code(table: sa.Table) -> Call:
    """The `__table_args__` of a table: constraints and indexes by kind and name, then its schema."""
    constraints = sorted(
        table.constraints,
        key=lambda part: (_KINDS.index(type(part)), str(part.name)),
    )
    indexes = sorted(
        # What `q` looks into is no business of a class.
        (index for index in table.indexes if not any(column.computed for column in index.columns)),
        key=lambda index: str(index.name),
    )
    arguments: list[Code] = [*map(_constraint, constraints), *map(_index, indexes)]
    if table.schema is not None:
        arguments.append(f'{{"schema": {text(table.schema)}}}')
    return Call("", arguments)


def _constraint(constraint: sa.Constraint) -> Call:
    name = f"name={text(str(constraint.name))}"
    match constraint:
        case sa.PrimaryKeyConstraint() | sa.UniqueConstraint():
            return Call(f"sa.{type(constraint).__name__}", [*_names(constraint.columns), name])
        case sa.ForeignKeyConstraint():
            sources = ", ".join(text(key) for key in constraint.column_keys)
            targets = ", ".join(text(element.target_fullname) for element in constraint.elements)
            on_delete = [] if constraint.ondelete is None else [f"ondelete={text(constraint.ondelete)}"]
            return Call("sa.ForeignKeyConstraint", [f"[{sources}]", f"[{targets}]", name, *on_delete])
        case sa.CheckConstraint():
            return Call(
                "sa.CheckConstraint", [Call("sa.literal_column", [text(str(constraint.sqltext))]), name]
            )
        case _:
            raise AssertionError(f"no table has a {type(constraint).__name__}")


def _index(index: sa.Index) -> Call:
    using = index.dialect_options["postgresql"]["using"]
    ops = index.dialect_options["postgresql"]["ops"]
    classes = ", ".join(f"{text(name)}: {text(known)}" for name, known in ops.items())
    return Call(
        "sa.Index",
        [
            text(str(index.name)),
            *_names(index.columns),
            *([f"postgresql_using={text(using)}"] if using else []),
            *([f"postgresql_ops={{{classes}}}"] if classes else []),
        ],
    )


def _names(columns: Any) -> Iterator[str]:
    return (text(column.name) for column in columns)


def _type(type_: Any) -> str:
    match type_:
        case JSONB():
            return "postgresql.JSONB()"
        case ARRAY():
            return f"postgresql.ARRAY({_type(type_.item_type)}, dimensions={type_.dimensions})"
        case sa.Text():
            return f"sa.Text(collation={text(type_.collation)})" if type_.collation else "sa.Text()"
        case sa.Numeric():
            given = [str(digits) for digits in (type_.precision, type_.scale) if digits is not None]
            return f"sa.Numeric({', '.join(given)})"
        case sa.DateTime():
            return f"sa.DateTime(timezone={type_.timezone})"
        case _:
            return f"sa.{type(type_).__name__}()"
