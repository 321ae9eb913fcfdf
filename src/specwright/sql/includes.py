"""Included rows: the rows that relations lead to, as JSON within the JSON of a row, in the same statement.

Each of them carries the read predicate of its own resource: what the caller cannot read is not there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by

from specwright.model.manifest import Relation, Resource
from specwright.model.types import TEXT_KINDS
from specwright.sql.columns import quoted
from specwright.sql.expression import Comparison, Predicate, Row
from specwright.sql.items import item, named_fields, parts
from specwright.sql.members import Members
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


def _related(sight: Sight, row: Row, include: Include) -> ColumnElement[Any]:
    source, related, link = Comparison(sight, row).follow(row, include.relation.name)
    if include.relation.many:
        return _first(sight, row, include, source, related, link)
    lateral, text = _item(sight, related, source, include)
    found = select(cast(text, JSON())).select_from(source, lateral).where(link)
    return found.correlate_except(source, lateral).scalar_subquery()


def _first(
    sight: Sight, row: Row, include: Include, source: FromClause, related: Row, link: Predicate
) -> ColumnElement[Any]:
    """The first rows, newest first as in a list, whether there are more, and where they all are."""
    resource = related.resource
    order = [related.columns[name].desc() for name in ("created_at", resource.key) if name in related.columns]
    numbered = func.row_number().over(order_by=order).label("n")
    columns = [related.columns[field.name] for field in resource.fields if field.stored]
    first: Select[Any] = select(*columns, numbered).select_from(source).where(link)
    page = first.order_by(*order).limit(literal_column(str(MOST + 1))).correlate_except(source).subquery()
    lateral, text = _item(sight, Row.of(resource, page), page, include)
    shown = page.c.n <= literal_column(str(MOST))
    items = func.string_agg(text, aggregate_order_by(literal_column("','"), page.c.n)).filter(shown)
    more = func.count() > literal_column(str(MOST))
    whole = func.concat(
        literal_column("""'{"items":['"""),
        items,
        literal_column("""'],"more":'"""),
        case((more, literal_column("'true'")), else_=literal_column("'false'")),
        literal_column("""',"href":'"""),
        func.to_json(_place(row, include)),
        literal_column("'}'"),
    )
    found = select(cast(whole, JSON())).select_from(page, lateral)
    return found.correlate_except(page, lateral).scalar_subquery()


def _item(
    sight: Sight, related: Row, source: FromClause, include: Include
) -> tuple[FromClause, ColumnElement[Any]]:
    fields = named_fields(related.resource, include.fields)
    held = parts(sight.definer, related, fields, include.members)
    return item(sight.definer, related, source, fields, held, included(sight, related, include.include))


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
