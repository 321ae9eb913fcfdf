"""Reads: one statement each, and PostgreSQL builds the JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from specwright.model.expression import Call, Compare, Expr, In, IsNone, Not, Parameter, Path
from specwright.model.manifest import Field
from specwright.model.types import Kind, Type
from specwright.sql.expression import UTC, Compiler, Predicate, Row
from specwright.sql.scope import Scope
from specwright.sql.tables import Tables

#: RFC 3339 in UTC with microseconds, always of one length.
_RFC_3339: ColumnElement[Any] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")

_COMPARISONS = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class ListShape:
    """What makes one list statement differ from another; values are not part of it."""

    scope: Scope
    fields: tuple[str, ...]
    #: Names of the sort keys and whether each descends.
    sort: tuple[tuple[str, bool], ...]
    #: Name and operator of each filter.
    filters: tuple[tuple[str, str], ...] = ()
    #: For a page after a cursor: whether each of its values is None.
    after: tuple[bool, ...] | None = None
    offset: bool = False
    count: bool = False


def wire_value(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as it stands in JSON: a number is a string, a timestamp RFC 3339, in a list as well."""
    match field.type:
        case Type(Kind.NUMBER):
            return cast(column, Text())
        case Type(Kind.TIMESTAMP):
            return _moment(column)
        case Type(Kind.LIST, item=Type(Kind.NUMBER)):
            return cast(column, ARRAY(Text()))
        case Type(Kind.LIST, item=Type(Kind.TIMESTAMP)):
            moments = func.unnest(column).column_valued("moment")
            return case((column.is_not(None), func.array(select(_moment(moments)).scalar_subquery())))
        case _:
            return column


def _moment(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(func.timezone(UTC, column), _RFC_3339)


def item(table: FromClause, fields: Sequence[Field]) -> tuple[FromClause, ColumnElement[Any]]:
    """A row of table as one JSON text: the lateral subquery to select from, and the text."""
    columns = [wire_value(field, table.c[field.column]).label(field.wire) for field in fields]
    source = select(*columns).correlate(table).lateral("item")
    return source, cast(func.row_to_json(source.table_valued()), Text())


def named_fields(scope: Scope, names: Sequence[str]) -> list[Field]:
    """The fields of these names, in this order."""
    fields = {field.name: field for field in scope.resource.fields}
    return [fields[name] for name in names]


def read_row(tables: Tables, compiler: Compiler, scope: Scope, fields: tuple[str, ...]) -> Select[Any]:
    """The version and the JSON of the row with the key `:key`, if the scope lets it be read."""
    table = tables.of(scope.resource).alias("t")
    row = Row.of(scope.resource, table)
    source, text = item(table, named_fields(scope, fields))
    return (
        select(row.columns["version"].label("version"), text.label("item"))
        .select_from(table, source)
        .where(is_key(compiler, row), compiler.condition(scope.before, row))
    )


def is_key(compiler: Compiler, row: Row) -> Predicate:
    """Whether the row is the one with the key `:key`."""
    key = row.resource.key_field
    return row.columns[key.name] == bindparam("key", type_=compiler.bind_type(key.type), required=True)


def list_rows(tables: Tables, compiler: Compiler, shape: ListShape) -> Select[Any]:
    """One page as one row: its `items` as one text, whether there are `more`, and with count the `total`.

    `k0`, `k1`, … are the sort values of the last item, which a cursor needs. Parameters are `limit`, one more
    than the page holds, `offset`, `filter0` …, `after0` ….
    """
    scope = shape.scope
    resource = scope.resource
    table = tables.of(resource).alias("t")
    row = Row.of(resource, table)
    keys = [(field, descends) for field, (_, descends) in zip(_sort(shape), shape.sort, strict=True)]
    matching = and_(
        true(),
        compiler.condition(scope.before, row),
        *(
            compiler.condition(filter_condition(*asked, f"filter{n}"), row)
            for n, asked in enumerate(shape.filters)
        ),
    )
    fields = named_fields(scope, shape.fields)
    needed = {field.column: table.c[field.column] for field in (*fields, *(field for field, _ in keys))}
    inner = select(*needed.values()).where(matching).order_by(*_order(table, keys))
    if shape.after is not None:
        inner = inner.where(_after(compiler, row, keys, shape.after))
    if shape.offset:
        inner = inner.offset(bindparam("offset", type_=BigInteger(), required=True))
    limit = bindparam("limit", type_=BigInteger(), required=True)
    page = inner.limit(limit).subquery("page")
    source, text = item(page, fields)
    number = func.row_number().over(order_by=_order(page, keys))
    sorted_by = [page.c[field.column].label(f"k{n}") for n, (field, _) in enumerate(keys)]
    listed = select(text.label("item"), number.label("n"), *sorted_by).select_from(page, source)
    rows = listed.subquery("listed")
    items = func.string_agg(rows.c.item, aggregate_order_by(literal_column("','"), rows.c.n))
    last = [
        func.array_agg(rows.c[f"k{n}"], type_=ARRAY(compiler.bind_type(field.type)))
        .filter(rows.c.n == limit - literal_column("1"))[literal_column("1")]
        .label(f"k{n}")
        for n, (field, _) in enumerate(keys)
    ]
    answer = select(
        items.filter(rows.c.n < limit).label("items"), (func.count() == limit).label("more"), *last
    ).select_from(rows)
    if shape.count:
        total = select(func.count()).select_from(table).where(matching).scalar_subquery()
        answer = answer.add_columns(total.label("total"))
    return answer


def filter_condition(name: str, operator: str, parameter: str) -> Expr:
    """The condition of `name__operator=:parameter`; `isnull` and `notnull` take no parameter."""
    path = Path((name,))
    match operator:
        case "in":
            return In(path, Parameter(parameter, path))
        case "contains" | "startswith":
            return Call(operator, (path, Parameter(parameter, path)))
        case "isnull":
            return IsNone(path)
        case "notnull":
            return Not(IsNone(path))
        case _:
            return Compare(_COMPARISONS[operator], path, Parameter(parameter, path))


def _sort(shape: ListShape) -> list[Field]:
    return named_fields(shape.scope, [name for name, _ in shape.sort])


def _order(source: FromClause, keys: Sequence[tuple[Field, bool]]) -> list[ColumnElement[Any]]:
    """Nulls come last where values ascend and first where they descend, as PostgreSQL's indexes have them."""
    order: list[ColumnElement[Any]] = []
    for field, descends in keys:
        column: ColumnElement[Any] = source.c[field.column]
        order.append(column.desc() if descends else column.asc())
    return order


def _after(
    compiler: Compiler, row: Row, keys: Sequence[tuple[Field, bool]], nulls: tuple[bool, ...]
) -> Predicate:
    """Whether the row comes after the one whose sort values are `after0`, `after1`, …"""
    columns = [row.columns[field.name] for field, _ in keys]
    values = [
        bindparam(f"after{n}", type_=compiler.bind_type(field.type), required=True)
        for n, (field, _) in enumerate(keys)
    ]
    directions = {descends for _, descends in keys}
    if len(directions) == 1 and not any(field.nullable for field, _ in keys):
        left, right = func.row(*columns), func.row(*values)
        return left < right if directions == {True} else left > right
    reached: Predicate = false()
    for (field, descends), column, value, null in reversed(
        list(zip(keys, columns, values, nulls, strict=True))
    ):
        if null:
            beyond = column.is_not(None) if descends else false()
            same = column.is_(None)
        else:
            beyond = column < value if descends else column > value
            if field.nullable and not descends:
                beyond = or_(beyond, column.is_(None))
            same = column == value
        reached = or_(beyond, and_(same, reached))
    return reached
