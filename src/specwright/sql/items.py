"""Items: a row as the JSON that answers hold, made by PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.sql.selectable import LateralFromClause

from specwright.model.expression import Expr
from specwright.model.field import Field
from specwright.model.resource import Resource
from specwright.model.types import Kind, Type
from specwright.sql.expression import Compiler
from specwright.sql.members import Members, is_unsure
from specwright.sql.moments import UTC
from specwright.sql.row import Predicate, Row

#: RFC 3339 in UTC with microseconds, always of one length.
_RFC_3339: ColumnElement[Any] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")


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


#: Fields that are there only where the predicate holds.
Part = tuple[Predicate, Sequence[Field]]


def item(
    compiler: Compiler,
    row: Row,
    table: FromClause,
    fields: Sequence[Field],
    parts: Sequence[Part] = (),
    included: Sequence[ColumnElement[Any]] = (),
) -> tuple[FromClause, ColumnElement[Any]]:
    """A row of table as one JSON text: the lateral subquery to select from, and the text.

    What is included follows the fields, and those fields that are in a part follow the others, or are absent.
    """
    if parts:
        return _joined(compiler, row, table, fields, parts, included)
    source, whole = nested(compiler, row, table, fields, parts, included)
    return source, cast(whole, Text())


def nested(
    compiler: Compiler,
    row: Row,
    table: FromClause,
    fields: Sequence[Field],
    parts: Sequence[Part] = (),
    included: Sequence[ColumnElement[Any]] = (),
) -> tuple[FromClause, ColumnElement[Any]]:
    """The same to stand within other JSON. A text would be parsed for it, which parts alone need."""
    if parts:
        source, text = _joined(compiler, row, table, fields, parts, included)
        return source, cast(text, JSON())
    whole = _values(compiler, row, table, fields, "item", included)
    return whole, func.row_to_json(whole.table_valued(), type_=JSON())


def _joined(
    compiler: Compiler,
    row: Row,
    table: FromClause,
    fields: Sequence[Field],
    parts: Sequence[Part],
    included: Sequence[ColumnElement[Any]],
) -> tuple[FromClause, ColumnElement[Any]]:
    apart = [field for _, part in parts for field in part]
    certain = [field for field in fields if field not in apart]
    pieces = [_pieces(compiler, row, table, certain, included)] if certain or included else []
    pieces += [case((predicate, _pieces(compiler, row, table, part))) for predicate, part in parts]
    # What is not there is NULL, which concat_ws leaves out.
    joined = func.concat_ws(literal_column("','"), *pieces)
    text = func.concat(literal_column("'{'"), joined, literal_column("'}'"))
    source = select(text.label("item")).correlate(table).lateral("item")
    return source, source.c.item


def parts(compiler: Compiler, row: Row, fields: Sequence[Field], members: Members | None) -> list[Part]:
    """The fields that the caller sees of some rows only, by condition."""
    found: dict[Expr, list[Field]] = {}
    for field in fields if members is not None else ():
        assert members is not None
        if is_unsure(condition := members.sees(field.name)):
            found.setdefault(condition, []).append(field)
    return [(compiler.condition(condition, row), group) for condition, group in found.items()]


def _values(
    compiler: Compiler,
    row: Row,
    table: FromClause,
    fields: Sequence[Field],
    name: str,
    included: Sequence[ColumnElement[Any]] = (),
) -> LateralFromClause:
    columns = [wire_value(field, compiler.column(row, field)).label(field.wire) for field in fields]
    return select(*columns, *included).correlate(table).lateral(name)


def _pieces(
    compiler: Compiler,
    row: Row,
    table: FromClause,
    fields: Sequence[Field],
    included: Sequence[ColumnElement[Any]] = (),
) -> ColumnElement[Any]:
    """The members of these fields, without braces around them."""
    source = _values(compiler, row, table, fields, "members", included)
    whole = cast(func.row_to_json(source.table_valued()), Text())
    inner = func.left(func.substr(whole, literal_column("2")), literal_column("-1"))
    return select(inner).select_from(source).correlate(table).scalar_subquery()


def named_fields(resource: Resource, names: Sequence[str]) -> list[Field]:
    """The fields of these names, in this order."""
    fields = {field.name: field for field in resource.fields}
    return [fields[name] for name in names]
