"""The steps of a migration: each can be told, run, written down and turned back."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from alembic.operations import ops
from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnClause,
    Constraint,
    PrimaryKeyConstraint,
    UniqueConstraint,
    literal_column,
    select,
    text,
    union,
)
from sqlalchemy import column as column_clause
from sqlalchemy import table as table_clause
from sqlalchemy.dialects.postgresql import insert

from specwright.migrate.rows import Rows
from specwright.migrate.shapes import (
    Check,
    ColumnShape,
    ForeignKey,
    IndexShape,
    Part,
    PrimaryKey,
    Search,
    TableShape,
    Unique,
)
from specwright.sql.tables import DIALECT, quote


class Operation(Protocol):
    """One reversible change of the schema."""

    @property
    def sentence(self) -> str:
        """What it does, for a person."""
        ...

    def inverse(self) -> "Operation":
        """The change that takes this one back."""
        ...

    def ops(self) -> list[ops.MigrateOperation]:
        """The change as Alembic runs and writes it."""
        ...


def escaped(sql: str) -> str:
    """SQL for `op.execute`, which reads `:word` as a parameter."""
    return sql.replace(":", "\\:")


def _execute(sql: str) -> list[ops.MigrateOperation]:
    return [ops.ExecuteSQLOp(escaped(sql))]


@dataclass(frozen=True, slots=True)
class CreateTable:
    """A new table with all but its foreign keys and indexes, which are steps of their own."""

    table: TableShape

    @property
    def sentence(self) -> str:
        return f"create table {self.table.name}"

    def inverse(self) -> "DropTable":
        return DropTable(self.table)

    def ops(self) -> list[ops.MigrateOperation]:
        columns: list[Column[object] | Constraint] = [column.build() for column in self.table.columns]
        for part in self.table.parts:
            match part:
                case PrimaryKey(name, names):
                    columns.append(PrimaryKeyConstraint(*names, name=name))
                case Unique(name, names):
                    columns.append(UniqueConstraint(*names, name=name))
                case Check(name, sql):
                    columns.append(CheckConstraint(literal_column(sql), name=name))
        return [ops.CreateTableOp(self.table.name, columns)]


@dataclass(frozen=True, slots=True)
class DropTable:
    """A table that goes, with its rows."""

    table: TableShape

    @property
    def sentence(self) -> str:
        return f"drop table {self.table.name}"

    def inverse(self) -> CreateTable:
        return CreateTable(self.table)

    def ops(self) -> list[ops.MigrateOperation]:
        return [ops.DropTableOp(self.table.name)]


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A new column; `fill` is what rows that are there already get where it has no default of its own."""

    table: str
    column: ColumnShape
    fill: str | None = None

    @property
    def sentence(self) -> str:
        return f"add column {self.table}.{self.column.name}"

    def inverse(self) -> "DropColumn":
        return DropColumn(self.table, self.column, self.fill)

    def ops(self) -> list[ops.MigrateOperation]:
        added: list[ops.MigrateOperation] = [ops.AddColumnOp(self.table, self.column.build(self.fill))]
        if self.fill is not None and self.column.default is None:
            added.append(_set_default(self.table, self.column, None))
        return added


@dataclass(frozen=True, slots=True)
class DropColumn:
    """A column that goes, with its values."""

    table: str
    column: ColumnShape
    fill: str | None = None

    @property
    def sentence(self) -> str:
        return f"drop column {self.table}.{self.column.name}"

    def inverse(self) -> AddColumn:
        return AddColumn(self.table, self.column, self.fill)

    def ops(self) -> list[ops.MigrateOperation]:
        return [ops.DropColumnOp(self.table, self.column.name)]


@dataclass(frozen=True, slots=True)
class Rename:
    """A new name: of a table, or of a column, constraint or index on `table`."""

    kind: str
    table: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        place = f"{self.table}." if self.kind == "column" else ""
        return f"rename {self.kind} {place}{self.before} to {self.after}"

    def inverse(self) -> "Rename":
        return replace(self, before=self.after, after=self.before)

    def ops(self) -> list[ops.MigrateOperation]:
        before, after = quote(self.before), quote(self.after)
        match self.kind:
            case "table":
                return _execute(f"ALTER TABLE {before} RENAME TO {after}")
            case "index":
                return _execute(f"ALTER INDEX {before} RENAME TO {after}")
            case kind:
                return _execute(f"ALTER TABLE {quote(self.table)} RENAME {kind.upper()} {before} TO {after}")


@dataclass(frozen=True, slots=True)
class AddPart:
    """A new constraint or index."""

    table: str
    part: Part

    @property
    def sentence(self) -> str:
        return f"add {_word(self.part)} {self.part.name} to {self.table}"

    def inverse(self) -> "DropPart":
        return DropPart(self.table, self.part)

    def ops(self) -> list[ops.MigrateOperation]:
        match self.part:
            case PrimaryKey(name, columns):
                return [ops.CreatePrimaryKeyOp(name, self.table, columns)]
            case Unique(name, columns):
                return [ops.CreateUniqueConstraintOp(name, self.table, columns)]
            case Check(name, sql):
                return _execute(f"ALTER TABLE {quote(self.table)} ADD CONSTRAINT {quote(name)} CHECK ({sql})")
            case ForeignKey(name, column, target, target_column, on_delete):
                return [
                    ops.CreateForeignKeyOp(
                        name, self.table, target, [column], [target_column], ondelete=on_delete
                    )
                ]
            case IndexShape(name, columns, using, unique, where, operators):
                options: dict[str, Any] = {"postgresql_using": using} if using else {}
                if operators is not None:
                    options["postgresql_ops"] = {columns[0]: operators}
                if where is not None:
                    options["postgresql_where"] = text(where)
                return [ops.CreateIndexOp(name, self.table, list(columns), unique=unique, **options)]
            case Search(name, column, sql):
                table, column = quote(self.table), quote(column)
                generated = f"{column} tsvector GENERATED ALWAYS AS ({sql}) STORED"
                return [
                    *_execute(f"ALTER TABLE {table} ADD COLUMN {generated}"),
                    *_execute(f"CREATE INDEX {quote(name)} ON {table} USING gin ({column})"),
                ]


@dataclass(frozen=True, slots=True)
class DropPart:
    """A constraint or index that goes."""

    table: str
    part: Part

    @property
    def sentence(self) -> str:
        return f"drop {_word(self.part)} {self.part.name} of {self.table}"

    def inverse(self) -> AddPart:
        return AddPart(self.table, self.part)

    def ops(self) -> list[ops.MigrateOperation]:
        if isinstance(self.part, IndexShape):
            return [ops.DropIndexOp(self.part.name, self.table)]
        if isinstance(self.part, Search):
            # The index goes with its column.
            return [ops.DropColumnOp(self.table, self.part.column)]
        return [ops.DropConstraintOp(self.part.name, self.table)]


@dataclass(frozen=True, slots=True)
class SetType:
    """Another type; `using` and `back` compute the new value from the old and the old from the new."""

    table: str
    column: str
    before: ColumnShape
    after: ColumnShape
    using: str
    back: str

    @property
    def sentence(self) -> str:
        return (
            f"change type of {self.table}.{self.column} from {self.before.sql_type} to {self.after.sql_type}"
        )

    def inverse(self) -> "SetType":
        return SetType(self.table, self.column, self.after, self.before, self.back, self.using)

    def ops(self) -> list[ops.MigrateOperation]:
        column = f"ALTER TABLE {quote(self.table)} ALTER COLUMN {quote(self.column)}"
        return _execute(f"{column} TYPE {self.after.sql_type} USING {self.using}")


@dataclass(frozen=True, slots=True)
class SetDefault:
    """Another server default, or none."""

    table: str
    column: ColumnShape
    before: str | None
    after: str | None

    @property
    def sentence(self) -> str:
        what = "drop the default" if self.after is None else f"set the default to {self.after}"
        return f"{what} of {self.table}.{self.column.name}"

    def inverse(self) -> "SetDefault":
        return SetDefault(self.table, self.column, self.after, self.before)

    def ops(self) -> list[ops.MigrateOperation]:
        return [_set_default(self.table, self.column, self.after)]


@dataclass(frozen=True, slots=True)
class Require:
    """NOT NULL; `fill` is what rows without a value get first, if there is such a thing."""

    table: str
    column: ColumnShape
    fill: str | None

    @property
    def sentence(self) -> str:
        filled = f", filling rows without a value with {self.fill}" if self.fill else ""
        return f"require a value in {self.table}.{self.column.name}{filled}"

    def inverse(self) -> "Allow":
        return Allow(self.table, self.column, self.fill)

    def ops(self) -> list[ops.MigrateOperation]:
        fill: list[ops.MigrateOperation] = []
        if self.fill is not None:
            empty = Rows(self.table, f"{quote(self.column.name)} IS NULL")
            fill = _execute(empty.update(self.column.name, self.fill))
        return [*fill, _set_nullable(self.table, self.column, False)]


@dataclass(frozen=True, slots=True)
class Allow:
    """No NOT NULL any more; `fill` is what rows without a value would get on the way back."""

    table: str
    column: ColumnShape
    fill: str | None

    @property
    def sentence(self) -> str:
        return f"allow rows without a value in {self.table}.{self.column.name}"

    def inverse(self) -> Require:
        return Require(self.table, self.column, self.fill)

    def ops(self) -> list[ops.MigrateOperation]:
        return [_set_nullable(self.table, self.column, True)]


@dataclass(frozen=True, slots=True)
class Populate:
    """A row for each key that other rows name, before a foreign key asks for it.

    Forward where a table comes, back where it goes; the other direction needs nothing.
    """

    table: str
    column: str
    sources: tuple[tuple[str, str], ...]
    back: bool = False

    @property
    def sentence(self) -> str:
        if self.back:
            return f"leave the values that referred to {self.table} as they are"
        return f"add a row to {self.table} for each value that refers to it"

    def inverse(self) -> "Populate":
        return replace(self, back=not self.back)

    def ops(self) -> list[ops.MigrateOperation]:
        if self.back:
            return []
        columns = [_column(*source) for source in self.sources]
        values = union(*(select(column).where(column.is_not(None)) for column in columns))
        target = table_clause(self.table, column_clause(self.column))
        statement = insert(target).from_select([self.column], values).on_conflict_do_nothing()
        return _execute(str(statement.compile(dialect=DIALECT)))


def _column(table: str, column: str) -> ColumnClause[Any]:
    return table_clause(table, column_clause(column)).c[column]


def _set_default(table: str, column: ColumnShape, default: str | None) -> ops.AlterColumnOp:
    return ops.AlterColumnOp(
        table,
        column.name,
        existing_type=column.type,
        modify_server_default=None if default is None else literal_column(default),
    )


def _set_nullable(table: str, column: ColumnShape, nullable: bool) -> ops.AlterColumnOp:
    return ops.AlterColumnOp(table, column.name, existing_type=column.type, modify_nullable=nullable)


def _word(part: Part) -> str:
    match part:
        case PrimaryKey():
            return "primary key"
        case Unique():
            return "unique constraint"
        case Check():
            return "check"
        case ForeignKey():
            return "foreign key"
        case IndexShape(unique=unique):
            return "unique index" if unique else "index"
        case Search():
            return "search index"
