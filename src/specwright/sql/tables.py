"""Tables: what a manifest's stored resources look like in PostgreSQL, as SQLAlchemy Core."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Constraint,
    Dialect,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql.asyncpg import dialect as _Asyncpg

from specwright.model.field import Field, OnDelete
from specwright.model.manifest import Manifest
from specwright.model.names import MAX_IDENTIFIER
from specwright.model.resource import Resource
from specwright.model.types import TEXT_KINDS, Kind
from specwright.sql.checks import Violation, field_checks
from specwright.sql.columns import column, quoted
from specwright.sql.naming import Names

#: The column of what `q` looks into; no name of a spec begins with an underscore.
SEARCH = "_search"
#: Characters of a row's texts that are searched: a tsvector holds 1 MiB at most, and refuses a row with more.
SEARCHED = 50_000

#: How every statement and definition is spelled.
DIALECT: Dialect = _Asyncpg()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
# It cuts a label six characters before the limit, to have room for a number. Our names are within the limit.
DIALECT.max_identifier_length = MAX_IDENTIFIER + 6

# `refuse` is NO ACTION, not RESTRICT: it judges what is left when the statement is done, so that a cascade
# may take a row and the row that refuses together, whichever it meets first; and it is SQLSTATE 23503 on
# every version, where RESTRICT became 23001 in PostgreSQL 18.
_ON_DELETE = {OnDelete.CASCADE: "CASCADE", OnDelete.CLEAR: "SET NULL", OnDelete.REFUSE: None, None: None}


@dataclass(frozen=True, slots=True)
class Violated:
    """What it means that a constraint was violated: which spec fields of which resource, and how."""

    kind: Violation
    resource: str
    fields: tuple[str, ...]
    #: The id of the rule, for a rule.
    rule: str | None = None


class Tables:
    """The tables of a manifest, with every constraint that follows from fields alone.

    `specwright.sql.constraints.constrained` adds those that follow from rules.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.metadata = MetaData()
        self.names = Names()
        self._tables: dict[str, Table] = {}
        self._named: dict[str, list[Constraint | Index]] = {}
        self._meanings: dict[str, Violated] = {}
        self._moves: dict[tuple[str, str], str] = {}
        resources = tuple(manifest.stored)
        for resource in resources:
            self._tables[resource.name] = Table(
                resource.table,
                self.metadata,
                *(column(manifest, field) for field in resource.fields if field.stored),
                *_search_column(resource),
                schema=None if resource.schema == "public" else resource.schema,
            )
            self._named[resource.name] = []
        for resource in resources:
            self._constrain(resource)

    def of(self, resource: Resource | str) -> Table:
        """The table of a stored resource, or of the entity of this name.

        Raises:
            KeyError: the resource is external, or not of this manifest.
        """
        return self._tables[resource if isinstance(resource, str) else resource.name]

    def column(self, resource: Resource | str, field: Field | str) -> Column[Any]:
        """The column of a stored field, or of the field of this spec name."""
        if isinstance(field, str):
            name = resource if isinstance(resource, str) else resource.name
            found = self.manifest.resource(name).field(field)
            if found is None:
                raise KeyError(field)
            field = found
        return self.of(resource).c[field.column]

    def named(self, resource: Resource | str) -> Sequence[Constraint | Index]:
        """The constraints and indexes of a table, in the order of the spec."""
        return self._named[resource if isinstance(resource, str) else resource.name]

    def move_name(self, resource: Resource, field: Field) -> str:
        """The name of the trigger that refuses what is no move of a field."""
        return self._moves[resource.name, field.name]

    @property
    def meanings(self) -> Mapping[str, Violated]:
        """What each constraint and unique index stands for, by its name in the database."""
        return self._meanings

    def check(self, resource: Resource, violated: Violated, sql: str, *parts: str) -> None:
        """Add a CHECK that is named after parts and means violated."""
        name = self._name("ck", resource, violated, *parts)
        self._add(resource, CheckConstraint(literal_column(sql), name=name))

    def _add(self, resource: Resource, constraint: Constraint) -> None:
        self.of(resource).append_constraint(constraint)
        self._named[resource.name].append(constraint)

    def _name(self, prefix: str, resource: Resource, violated: Violated, *parts: str) -> str:
        name = self.names.make(prefix, resource.table, *parts)
        self._meanings[name] = violated
        return name

    def _constrain(self, resource: Resource) -> None:
        table = self.of(resource)
        key = resource.key_field
        violated = Violated(Violation.KEY, resource.name, (key.name,))
        columns = [field.column for field in resource.fields] if resource.link else [key.column]
        self._add(resource, PrimaryKeyConstraint(*columns, name=self._name("pk", resource, violated)))
        stored = [field for field in resource.fields if field.stored]
        for field in stored:
            self._refer(resource, field)
            for check in field_checks(
                self.manifest, field, quote(field.column), _index_share(resource, field)
            ):
                violated = Violated(check.kind, resource.name, (field.name,))
                self.check(resource, violated, check.sql, field.column, check.kind.value)
            if field.unique:
                fields = _unique_fields(resource, field)
                columns = [part.column for part in fields]
                violated = Violated(Violation.UNIQUE, resource.name, tuple(part.name for part in fields))
                name = self._name("uq", resource, violated, *columns)
                if resource.deleted is None:
                    self._add(resource, UniqueConstraint(*columns, name=name))
                else:
                    # What is deleted keeps its value, and takes it from nobody.
                    alive = text(f"{quote(resource.deleted.column)} IS NULL")
                    parts = (table.c[part] for part in columns)
                    self._named[resource.name].append(
                        Index(name, *parts, unique=True, postgresql_where=alive)
                    )
        for field in resource.moving:
            violated = Violated(Violation.MOVE, resource.name, (field.name,))
            self._moves[resource.name, field.name] = self._name("mv", resource, violated, field.column)
        users_are_stored = "User" in self._tables
        for wanted, method in _indexes(resource, users_are_stored):
            name = self.names.make("ix", resource.table, *wanted)
            known = table.c[wanted[0]]
            # The smallest and fastest for `@>`, which is all that json is asked.
            ops = {known.name: "jsonb_path_ops"} if method == "gin" and isinstance(known.type, JSONB) else {}
            index = Index(
                name, *(table.c[column] for column in wanted), postgresql_using=method, postgresql_ops=ops
            )
            self._named[resource.name].append(index)
        if resource.deleted is not None:
            column = resource.deleted.column
            name = self.names.make("ix", resource.table, column)
            gone = text(f"{quote(column)} IS NOT NULL")
            self._named[resource.name].append(Index(name, table.c[column], postgresql_where=gone))
        if SEARCH in table.c:
            name = self.names.make("ix", resource.table, SEARCH)
            self._named[resource.name].append(Index(name, table.c[SEARCH], postgresql_using="gin"))

    def _refer(self, resource: Resource, field: Field) -> None:
        target = self.manifest.resource(field.target) if field.target else None
        if target is None or target.external:
            return
        violated = Violated(Violation.REFERENCE, resource.name, (field.name,))
        self._add(
            resource,
            ForeignKeyConstraint(
                [field.column],
                [self.of(target).c[target.key_field.column]],
                name=self._name("fk", resource, violated, field.column),
                ondelete=_ON_DELETE[field.on_delete],
            ),
        )


def quote(identifier: str) -> str:
    """The identifier as SQL, in quotes where it needs them."""
    return DIALECT.identifier_preparer.quote(identifier)


def regconfig(resource: Resource) -> str:
    """The text search configuration of a resource, as SQL."""
    return f"{quoted(f'pg_catalog.{resource.search_language}')}::regconfig"


def _search_column(resource: Resource) -> Iterator[Column[Any]]:
    """The words of the searchable fields, which PostgreSQL keeps up to date."""
    texts = [f"coalesce({quote(field.column)}, '')" for field in resource.searchable]
    if texts:
        words = f"to_tsvector({regconfig(resource)}, left({' || chr(10) || '.join(texts)}, {SEARCHED}))"
        yield Column(SEARCH, TSVECTOR(), Computed(words, persisted=True))


def _unique_fields(resource: Resource, field: Field) -> tuple[Field, ...]:
    """The fields a value is unique per, then the field: equality on the former is what queries have."""
    per = (resource.field(name) for name in field.unique_per)
    return (*(part for part in per if part is not None), field)


def _index_share(resource: Resource, field: Field) -> int:
    widest = 1 if field.indexed else 0
    for unique in resource.fields:
        together = _unique_fields(resource, unique) if unique.unique else ()
        if field in together:
            widest = max(widest, sum(part.type.kind in TEXT_KINDS for part in together))
    return widest


def _indexes(resource: Resource, users_are_stored: bool) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Columns and method of each index that no constraint brings along.

    Within a tenant every query names it, so it comes first.
    """
    key = resource.key_field.column
    created = resource.field("created_at")
    order = (created.column, key) if created is not None else (key,)
    covered = {_unique_fields(resource, field)[0].column for field in resource.fields if field.unique}
    owner, tenant = resource.owner, resource.tenant
    first = () if tenant is None else (tenant.column,)
    covered.update(first)
    if created is not None or first:
        yield (*first, *order), None
    if owner is not None and owner.column != key:
        if not (first and users_are_stored):
            covered.add(owner.column)
        yield (*first, owner.column, *order), None
    for field in resource.fields:
        if not field.stored or field.column in covered or field.column == key:
            continue
        if field.type.kind is Kind.REFERENCE:
            yield (field.column,), None
        elif field.indexed and field.type.kind in {Kind.JSON, Kind.LIST}:
            yield (field.column,), "gin"
        elif field.indexed and field.name != "created_at":
            yield (*first, field.column, key), None
