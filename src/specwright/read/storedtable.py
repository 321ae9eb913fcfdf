"""A table, mapped or found in a database, as the fields of an entity, and what of it cannot be said."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from specwright.model.field import Bounds, Field, Filled, OnDelete
from specwright.model.names import BUILT_IN_FIELDS, field_problem, name_problem, snake
from specwright.model.pattern import PatternError, canonical
from specwright.model.types import MAX_INTEGER, TEXT_KINDS, USER, Kind, Type
from specwright.read.checks import Checks
from specwright.read.storeddefault import Unclear, is_now, stored_default
from specwright.read.storedtype import stored_type

_ON_DELETE = {
    "CASCADE": OnDelete.CASCADE,
    "SET NULL": OnDelete.CLEAR,
    "RESTRICT": OnDelete.REFUSE,
    "NO ACTION": OnDelete.REFUSE,
}
_BUILT_IN_KINDS = {"created_at": Kind.TIMESTAMP, "updated_at": Kind.TIMESTAMP, "version": Kind.INTEGER}
#: Characters of a text that names no bound.
_TEXT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Something of a table that the spec language has no words for, or other ones."""

    what: str
    #: The column it is about; None for the table.
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """What a mapped class knows of a column, and its table does not."""

    type: Type | None = None
    bounds: Bounds = field(default_factory=Bounds)
    pattern: str | None = None
    means: str = ""
    the_caller: bool = False


@dataclass(slots=True)
class StoredTable:
    """Reads one table.

    `entities` names the entity of each table by its full name, `extras` what is known of columns besides.
    """

    entity: str
    table: sa.Table
    entities: Mapping[str, str]
    extras: Mapping[str, Extra] = field(default_factory=dict)
    #: The entity that rows are within, where there is one: its column leads every index.
    tenant: str = ""
    unsaid: list[Unsaid] = field(default_factory=list)
    checks: Checks = field(default_factory=Checks)
    #: The name of each column's field.
    names: dict[str, str] = field(default_factory=dict)

    def read(self) -> tuple[tuple[str, Field], ...]:
        """The fields that the table has besides the built-in ones, each with its column."""
        for constraint in _sorted(self.table.constraints):
            if isinstance(constraint, sa.CheckConstraint) and not _of_enum(constraint):
                self.checks.read(str(constraint.sqltext))
        self.judge_key()
        fields = {
            column.name: found
            for column in self.table.columns
            if not self.built_in(column) and (found := self.field(column)) is not None
        }
        for sql in self.checks.unsaid:
            self.tell(f"the condition {' '.join(sql.split())} is not read: say it under Rules")
        self.read_uniques(fields)
        self.read_indexes(fields)
        return tuple(fields.items())

    def tell(self, what: str, column: str | None = None) -> None:
        """Note what cannot be said."""
        self.unsaid.append(Unsaid(what, column))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key.columns)

    def judge_key(self) -> None:
        wanted = Kind.TEXT if self.entity == "User" else Kind.UUID
        if len(self.key) != 1:
            found = f"its key is ({', '.join(self.key)})" if self.key else "it has no key"
            self.tell(f"{found}: the key of an entity is one column, id")
            return
        column = self.table.columns[self.key[0]]
        type_ = stored_type(column.type, lambda _: None)
        kind = type_.kind.value if type_ is not None else type(column.type).__name__.lower()
        if type_ is None or type_.kind is not wanted or column.name != "id":
            self.tell(f"its key {column.name} is {kind}: the key of an entity is id, a {wanted.value}")

    def built_in(self, column: sa.Column[Any]) -> bool:
        """Whether the column is there without being declared."""
        name = snake(column.name)
        if self.key == (column.name,):
            return True
        if name not in _BUILT_IN_KINDS:
            return False
        told: list[str] = []
        type_ = stored_type(column.type, told.append)
        if type_ is None or type_.kind is not _BUILT_IN_KINDS[name] or told:
            self.tell(f"{name} is built in, as {_BUILT_IN_KINDS[name]}", column.name)
        elif column.nullable:
            self.tell(f"{name} is built in, and never empty", column.name)
        if column.name != name:
            self.tell(f"{name} is built in, under that name", column.name)
        return True

    def field(self, column: sa.Column[Any]) -> Field | None:
        extra = self.extras.get(column.name, Extra())
        if "specwright.caller" in str(getattr(column.server_default, "arg", "")):
            extra = replace(extra, the_caller=True)
        type_ = self.type_of(column, extra)
        if type_ is None:
            return None
        name = self.name(column.name, type_)
        if name is None:
            return None
        self.names[column.name] = name
        default, filled = None, Filled.CALLER if extra.the_caller else None
        if filled is None and type_.kind is Kind.TIMESTAMP and is_now(column):
            filled = Filled.NOW
        elif filled is None:
            try:
                default = stored_default(column, type_) if type_.kind is not Kind.REFERENCE else None
            except Unclear as unclear:
                self.tell(str(unclear), column.name)
        if column.nullable and (default is not None or filled is not None):
            self.tell("it has a default and may be empty: what has a default is never empty", column.name)
            default = None
            filled = filled if extra.the_caller else None
        return Field(
            id="",
            name=name,
            wire=name,
            column=column.name,
            type=type_,
            required=not column.nullable and default is None and filled is None,
            default=default,
            filled=filled,
            bounds=self.bounds(column, type_, extra),
            pattern=self.pattern(column, extra),
            on_delete=self.on_delete(column) if type_.kind is Kind.REFERENCE else None,
            means=extra.means or " ".join((column.comment or "").split()),
        )

    def type_of(self, column: sa.Column[Any], extra: Extra) -> Type | None:
        if extra.the_caller or extra.type == USER:
            if getattr(stored_type(column.type, lambda _: None), "kind", None) is not Kind.TEXT:
                self.tell("a User is known by a text, the `sub` of a token", column.name)
            return USER
        if extra.type is not None:
            return extra.type
        keys = [key for key in column.foreign_keys if key.constraint is not None]
        if keys:
            target = keys[0].target_fullname.rpartition(".")[0]
            entity = self.entities.get(target)
            if len(keys) > 1 or (keys[0].constraint is not None and len(keys[0].constraint.elements) > 1):
                self.tell("it refers to more than one column: a reference is one", column.name)
            elif entity is None:
                self.tell(f"it refers to {target}, which is no entity here", column.name)
            else:
                return Type(Kind.REFERENCE, target=entity)
        type_ = stored_type(column.type, lambda what: self.tell(what, column.name))
        said = self.checks.of(column.name)
        if type_ is not None and said.literals:
            if type_.kind is Kind.TEXT:
                return Type(Kind.ENUM, literals=said.literals)
            if type_.item is not None and type_.item.kind is Kind.TEXT:
                return Type(Kind.LIST, item=Type(Kind.ENUM, literals=said.literals))
        return type_

    def name(self, column: str, type_: Type) -> str | None:
        """The name of a column's field."""
        plain = snake(re.sub(r"[^A-Za-z0-9_]+", "_", column).strip("_"))
        name = plain
        if type_.kind is Kind.REFERENCE:
            name = plain.removesuffix("_id")
            stored = f"{name}_id"
        else:
            stored = plain
        if name_problem(name) is not None or not column.isascii():
            self.tell(f'no field can be called "{column}"', column)
            return None
        problem = (
            field_problem(name, self.entity) if name not in BUILT_IN_FIELDS - {"deleted_at"} else "taken"
        )
        if problem is not None:
            stored = name = f"{snake(self.entity)}_{name}"
            stored = f"{name}_id" if type_.kind is Kind.REFERENCE else name
        if name in self.names.values() or (name in self.table.columns and name != column):
            self.tell(f'it would be a second field "{name}"', column)
            return None
        if stored != column:
            self.tell(f'it would be stored as {stored}, not as "{column}"', column)
        return name

    def bounds(self, column: sa.Column[Any], type_: Type, extra: Extra) -> Bounds:
        said = self.checks.of(column.name)
        if said.whole and type_.kind is Kind.NUMBER:
            self.tell("a bound of a number is within it: write <= or >=", column.name)
            return extra.bounds
        if type_.kind not in (TEXT_KINDS - {Kind.ENUM}) | {Kind.INTEGER, Kind.NUMBER, Kind.LIST}:
            return Bounds()
        whole = type_.kind is not Kind.NUMBER
        length = getattr(column.type, "length", None) if type_.kind in TEXT_KINDS else None
        lows = [end for end in (said.least, extra.bounds.least) if end is not None]
        highs = [end for end in (said.most, extra.bounds.most, length) if end is not None]
        least = max(lows, default=None)
        most = min(highs, default=None)
        if type_.kind is Kind.INTEGER:
            least = None if least == -MAX_INTEGER else least
            most = None if most == MAX_INTEGER else most
        if type_.kind in TEXT_KINDS and most == _TEXT_CAP and length is None:
            most = None
        return Bounds(*(end if end is None or not whole else int(end) for end in (least, most)))

    def pattern(self, column: sa.Column[Any], extra: Extra) -> str | None:
        pattern = extra.pattern or self.checks.of(column.name).pattern
        if pattern is None:
            return None
        try:
            return canonical(pattern)
        except PatternError as error:
            self.tell(f"its pattern {pattern} cannot be said: {error.message}", column.name)
            return None

    def on_delete(self, column: sa.Column[Any]) -> OnDelete | None:
        (key, *_) = [*column.foreign_keys, None]
        rule = key.ondelete.upper() if key is not None and key.ondelete else None
        if rule is not None and rule not in _ON_DELETE:
            self.tell(f"ON DELETE {rule} cannot be said", column.name)
        return _ON_DELETE.get(rule) if rule is not None else None

    def read_uniques(self, fields: dict[str, Field]) -> None:
        found = {
            tuple(column.name for column in constraint.columns)
            for constraint in self.table.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        }
        for index in self.table.indexes:
            if index.unique and _plain(index):
                found.add(tuple(str(column.name) for column in index.columns))
            elif index.unique:
                self.tell(f"the unique index {index.name} is on an expression or a part of the rows")
        for columns in sorted(found):
            self.read_unique(columns, fields)

    def read_unique(self, columns: tuple[str, ...], fields: dict[str, Field]) -> None:
        *per, last = columns
        if columns == self.key:
            return
        known = [fields.get(name) for name in columns]
        if any(field is None or field.type.kind in (Kind.JSON, Kind.LIST) for field in known):
            self.tell(f"unique ({', '.join(columns)}) cannot be said")
        elif fields[last].unique:
            self.tell(f"unique ({', '.join(columns)}) is a second one on {fields[last].name}")
        elif any(fields[name].nullable for name in per):
            self.tell(f"unique ({', '.join(columns)}) is per columns that may be empty")
        else:
            names = tuple(fields[name].name for name in per)
            fields[last] = replace(fields[last], unique=True, unique_per=names)

    def read_indexes(self, fields: dict[str, Field]) -> None:
        usual = {*self.key, "created_at"}
        for index in sorted(self.table.indexes, key=lambda index: str(index.name)):
            if index.unique:
                continue
            columns = [str(column.name) for column in index.columns] if _plain(index) else []
            if len(columns) > 1 and self.tenant and self._refers(fields.get(columns[0])):
                columns = columns[1:]
            spoken = [name for name in columns if name not in usual]
            first = fields.get(spoken[0]) if spoken else None
            if columns and not spoken:
                continue
            if len(spoken) != 1 or columns[0] != spoken[0] or first is None:
                self.tell(
                    f"the index {index.name} on ({', '.join(columns) or 'an expression'}) cannot be said"
                )
            elif first.type.kind is not Kind.REFERENCE and not first.unique:
                fields[spoken[0]] = replace(first, indexed=True)

    def _refers(self, field: Field | None) -> bool:
        return field is not None and field.target == self.tenant


def _plain(index: sa.Index) -> bool:
    """Whether an index is on columns as they are, and on all rows."""
    return (
        len(index.columns) == len(index.expressions)
        and all(isinstance(part, sa.Column) for part in index.expressions)
        and index.dialect_options["postgresql"]["where"] is None
    )


def _of_enum(constraint: sa.CheckConstraint) -> bool:
    return bool(getattr(constraint, "_type_bound", False))


def _sorted(constraints: Iterable[sa.Constraint]) -> list[sa.Constraint]:
    return sorted(
        constraints,
        key=lambda constraint: (str(constraint.name or ""), str(getattr(constraint, "sqltext", ""))),
    )
