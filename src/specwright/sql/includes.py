"""Included rows: the rows that relations lead to, as JSON within the JSON of a row, in the same statement.

Each of them carries the read predicate of its own resource: what the caller cannot read is not there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, JSON, aggregate_order_by

from specwright.model.calculated import entities, entities_of, met
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.types import TEXT_KINDS
from specwright.sql.columns import quoted
from specwright.sql.comparison import Comparison
from specwright.sql.items import named_fields, nested, parts
from specwright.sql.members import Members
from specwright.sql.row import Predicate, Row
from specwright.sql.sight import Sight

#: Rows that are shown of a relation to many, within each row.
MOST = 20


@dataclass(frozen=True, slots=True)
class Include:
    """Rows to show within a row: over which relation, and what of them.

    `place` is the path of the row's own collection, with the name of the tenant's parameter in braces where
    there is one; `path` is what the relation is called behind the row's key.
    """

    relation: Relation
    fields: tuple[str, ...]
    members: Members | None = None
    place: str = ""
    path: str = ""
    include: tuple["Include", ...] = ()


def included(sight: Sight, row: Row, includes: Iterable[Include]) -> list[ColumnElement[Any]]:
    """A JSON column for each: one row or null, or the first of many."""
    return [_related(sight, row, include).label(include.relation.name) for include in includes]


def needed(resource: Resource, includes: Iterable[Include]) -> Iterator[str]:
    """The names of the fields of a row by which what it includes is found."""
    for include in includes:
        yield resource.key if include.relation.many else include.relation.field
        if "{" in include.place and resource.tenant is not None:
            yield resource.tenant.name


def read_by(sight: Sight, includes: Iterable[Include]) -> set[str]:
    """The names of the entities whose rows decide what is included, or are it."""
    manifest, found = sight.manifest, set[str]()
    for include in includes:
        target = manifest.resource(include.relation.target)
        members = include.members
        conditions = [sight.readable(target), *(members.sees(name) for name in include.fields if members)]
        found |= met(include.relation) | read_by(sight, include.include)
        for condition in conditions:
            found |= entities(manifest, target, condition)
        for field in named_fields(target, include.fields):
            found |= entities_of(manifest, target, field)
    return found


def _related(sight: Sight, row: Row, include: Include) -> ColumnElement[Any]:
    source, related, link = Comparison(sight, row).follow(row, include.relation.name)
    if include.relation.many:
        return _first(sight, row, include, source, related, link)
    lateral, item = _item(sight, related, source, include)
    found = select(item).select_from(source, lateral).where(link)
    return found.correlate_except(source, lateral).scalar_subquery()


def _first(
    sight: Sight, row: Row, include: Include, source: FromClause, related: Row, link: Predicate
) -> ColumnElement[Any]:
    """The first rows, newest first as in a list, whether there are more, and where they all are."""
    resource = related.resource
    names = [name for name in ("created_at", resource.key) if name in related.columns]
    order = [related.columns[name].desc() for name in names]
    columns = [related.columns[field.name] for field in resource.fields if field.stored]
    first: Select[Any] = select(*columns).select_from(source).where(link)
    page = first.order_by(*order).limit(literal_column(str(MOST + 1))).correlate_except(source).subquery()
    shown = Row.of(resource, page)
    lateral, item = _item(sight, shown, page, include)
    newest = (shown.columns[name].desc() for name in names)
    items = func.array_agg(aggregate_order_by(item, *newest), type_=ARRAY(JSON()))
    whole = (
        select(
            func.coalesce(
                func.array_to_json(items[literal_column("1") : literal_column(str(MOST))]),
                literal_column("'[]'::json"),
            ).label("items"),
            (func.count() > literal_column(str(MOST))).label("more"),
            _place(row, include).label("href"),
        )
        .select_from(page, lateral)
        .correlate_except(page, lateral)
        .subquery("whole")
    )
    return select(func.row_to_json(whole.table_valued(), type_=JSON())).select_from(whole).scalar_subquery()


def _item(
    sight: Sight, related: Row, source: FromClause, include: Include
) -> tuple[FromClause, ColumnElement[Any]]:
    fields = named_fields(related.resource, include.fields)
    held = parts(sight.definer, related, fields, include.members)
    return nested(sight.definer, related, source, fields, held, included(sight, related, include.include))


def _place(row: Row, include: Include) -> ColumnElement[Any]:
    """The path at which all of the rows are."""
    before, _, after = include.place.partition("{")
    pieces: list[ColumnElement[Any]] = [literal_column(quoted(before))]
    if after:
        within = row.resource.tenant
        assert within is not None, "only the paths of what is within a tenant name it"
        pieces += [row.columns[within.name], literal_column(quoted(after.partition("}")[2]))]
    key = row.resource.key_field
    value = row.columns[key.name]
    pieces += [
        literal_column("'/'"),
        _encoded(value) if key.type.kind in TEXT_KINDS else value,
        literal_column(quoted(f"/{include.path}")),
    ]
    return func.concat(*pieces)


def _encoded(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """The text as a segment of a path (RFC 3986 §3.3): every byte of it as %XX."""
    octets = func.convert_to(text, literal_column("'UTF8'"))
    digits = func.upper(func.encode(octets, literal_column("'hex'")))
    return func.regexp_replace(
        digits, literal_column("'(..)'"), literal_column(r"'%\1'"), literal_column("'g'")
    )
