"""Lists: a page is one statement, whatever it is filtered, searched and sorted by."""

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
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from specwright.model.calculated import needs
from specwright.model.expression import TRUE, Call, Compare, Expr, In, IsNone, Literal, Parameter, Path
from specwright.model.field import Field
from specwright.model.paths import resolve
from specwright.model.relation import Relation
from specwright.model.types import NUMBER, Kind
from specwright.sql.comparison import Comparison
from specwright.sql.expression import Compiler
from specwright.sql.includes import Include, included, needed
from specwright.sql.items import item, named_fields, parts
from specwright.sql.members import Members
from specwright.sql.reads import bind_of, is_key
from specwright.sql.row import Predicate, Row
from specwright.sql.scope import Scope
from specwright.sql.sight import Sight
from specwright.sql.tables import SEARCH, Tables, regconfig

_COMPARISONS = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class Beneath:
    """The row `:key`, of which a list holds the related rows; nothing is answered if it is not readable."""

    relation: Relation
    read: Scope


@dataclass(frozen=True, slots=True)
class ListShape:
    """What makes one list statement differ from another; values are not part of it.

    Paths are dotted: `project.name`.
    """

    scope: Scope
    fields: tuple[str, ...]
    #: Path of each sort key, whether it descends, and whether rows without a value come first.
    sort: tuple[tuple[str, bool, bool], ...]
    #: Path and operator of each filter.
    filters: tuple[tuple[str, str], ...] = ()
    #: For a page after a cursor: whether each of its values is None.
    after: tuple[bool, ...] | None = None
    offset: bool = False
    count: bool = False
    #: What `filter=` asks, its literals as parameters.
    condition: Expr = TRUE
    search: bool = False
    include: tuple[Include, ...] = ()
    #: For those rows alone that a row has.
    beneath: Beneath | None = None
    #: What the caller may read of the entities that filters, sort keys and includes lead to, by name.
    reads: tuple[tuple[str, Scope], ...] = ()
    #: What the caller sees, where the row decides that of some field.
    members: Members | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    """A sort key: its value in the inner SELECT, and what that is called on the page."""

    field: Field
    value: ColumnElement[Any]
    name: str
    nullable: bool
    descends: bool
    nulls_first: bool

    @property
    def selected(self) -> ColumnElement[Any]:
        """The value under its name."""
        return self.value if getattr(self.value, "name", None) == self.name else self.value.label(self.name)

    def order(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """The value in its direction: an index has nulls last where it ascends, first where it descends."""
        ordered = value.desc() if self.descends else value.asc()
        if self.nulls_first == self.descends or not self.nullable:
            return ordered
        return ordered.nulls_first() if self.nulls_first else ordered.nulls_last()


def list_rows(tables: Tables, compiler: Compiler, shape: ListShape) -> Select[Any]:
    """One page as one row: its `items` as one text, whether there are `more`, and with count the `total`.

    `k0`, `k1`, … are the sort values of the last item, which a cursor needs. Parameters are `limit`, one more
    than the page holds, `offset`, `filter0` …, `literal0` …, `search`, `after0` ….
    """
    scope = shape.scope
    table = tables.of(scope.resource).alias("t")
    row = Row.of(scope.resource, table)
    sight = Sight(compiler, dict(shape.reads))
    source, keys = _sorted(sight, table, row, shape.sort)
    matching = is_listed(sight, shape, table)
    fields = named_fields(scope.resource, shape.fields)
    apart = shape.members is not None and shape.members.unsure(shape.fields)
    asked = {name for field in fields for name in needs(compiler.manifest, scope.resource, field)}
    asked |= set(needed(scope.resource, shape.include))
    # Conditions on the rows of the page may ask for any of their columns.
    wanted = [known for known in scope.resource.fields if known.stored and (apart or known.name in asked)]
    taken = {name.column: table.c[name.column] for name in wanted} | {key.name: key.selected for key in keys}
    inner = select(*taken.values()).select_from(source).where(matching)
    inner = inner.order_by(*(key.order(key.value) for key in keys))
    if shape.after is not None:
        inner = inner.where(_after(compiler, keys, shape.after))
    if shape.offset:
        inner = inner.offset(bindparam("offset", type_=BigInteger(), required=True))
    limit = bindparam("limit", type_=BigInteger(), required=True)
    page = inner.limit(limit).subquery("page")
    shown = Row(scope.resource, {field.name: page.c[field.column] for field in wanted})
    held = parts(compiler, shown, fields, shape.members) if apart else ()
    lateral, text = item(compiler, shown, page, fields, held, included(sight, shown, shape.include))
    sorted_by = [page.c[key.name].label(f"k{n}") for n, key in enumerate(keys)]
    rows = select(text.label("item"), *sorted_by).select_from(page, lateral).subquery("listed")
    order = [key.order(rows.c[f"k{n}"]) for n, key in enumerate(keys)]
    # The rows come in this order, which the planner knows: nothing is sorted again.
    items = func.array_agg(aggregate_order_by(rows.c.item, *order), type_=ARRAY(Text()))
    full = limit - literal_column("1")
    last = [
        func.array_agg(
            aggregate_order_by(rows.c[f"k{n}"], *order), type_=ARRAY(bind_of(compiler, key.field))
        )[full].label(f"k{n}")
        for n, key in enumerate(keys)
    ]
    answer = select(
        func.array_to_string(items[literal_column("1") : full], literal_column("','")).label("items"),
        (func.count() == limit).label("more"),
        *last,
    ).select_from(rows)
    if shape.beneath is not None:
        answer = answer.having(_is_readable(compiler, shape.beneath.read))
    if shape.count:
        total = select(func.count()).select_from(table).where(matching).scalar_subquery()
        answer = answer.add_columns(total.label("total"))
    return answer


def is_listed(sight: Sight, shape: ListShape, table: FromClause) -> Predicate:
    """Whether a row of the table is among those that the list is of, on whatever page."""
    scope, row = shape.scope, Row.of(shape.scope.resource, table)
    return and_(
        true(),
        sight.definer.condition(scope.before, row),
        *(
            sight.condition(_filter_condition(sight, row, *asked, f"filter{n}"), row)
            for n, asked in enumerate(shape.filters)
        ),
        sight.condition(shape.condition, row),
        _found(scope, table) if shape.search else true(),
        _is_beneath(sight.definer, shape.beneath, row) if shape.beneath is not None else true(),
    )


def _is_beneath(compiler: Compiler, beneath: Beneath, row: Row) -> Predicate:
    """Whether the relation leads from the row `:key` to this one."""
    relation, read = beneath.relation, beneath.read
    key = bindparam("key", type_=compiler.bind_type(read.resource.key_field.type), required=True)
    if relation.through is None:
        return row.columns[relation.field] == key
    links = compiler.manifest.resource(relation.through.link)
    source = compiler.tables.of(links).alias()
    link = Row.of(links, source)
    found: Select[Any] = select(literal_column("1")).select_from(source)
    linked = found.where(
        link.columns[relation.through.near] == key,
        link.columns[relation.through.far] == row.columns[row.resource.key],
    )
    return exists(linked.correlate_except(source))


def _is_readable(compiler: Compiler, read: Scope) -> Predicate:
    """Whether the scope lets the row `:key` be read."""
    source = compiler.tables.of(read.resource).alias()
    row = Row.of(read.resource, source)
    found: Select[Any] = select(literal_column("1")).select_from(source)
    return exists(found.where(is_key(compiler, row), compiler.condition(read.before, row)).correlate(None))


def _filter_condition(sight: Sight, row: Row, path: str, operator: str, parameter: str) -> Expr:
    """The condition of `path__operator=:parameter`; `isnull` and `notnull` take no parameter."""
    asked = Path(tuple(path.split(".")))
    field = resolve(sight.manifest, row.resource, asked).field
    # What is worked out may be a whole number of any size.
    sent = Parameter(
        parameter, NUMBER if field.calculated and field.type.kind is Kind.INTEGER else field.type
    )
    match operator:
        case "in":
            return In(asked, sent)
        case "contains" if field.type.item is not None:
            return In(Parameter(parameter, field.type.item), asked)
        case "contains" | "startswith":
            return Call(operator, (asked, sent))
        case "isnull":
            return IsNone(asked)
        case "notnull":
            return Compare("!=", asked, Literal(None))
        case _:
            return Compare(_COMPARISONS[operator], asked, sent)


def _found(scope: Scope, table: FromClause) -> Predicate:
    """Whether the row has the words of `:search`, as PostgreSQL reads what people type into search boxes."""
    language: ColumnElement[Any] = literal_column(regconfig(scope.resource))
    words = func.websearch_to_tsquery(language, bindparam("search", type_=Text(), required=True))
    return table.c[SEARCH].bool_op("@@")(words)


def _sorted(
    sight: Sight, table: FromClause, row: Row, sort: Sequence[tuple[str, bool, bool]]
) -> tuple[FromClause, list[_Key]]:
    """What to select from, and the sort keys in it. A row that the caller cannot read has no value."""
    comparison = Comparison(sight, row)
    source, keys = table, []
    for n, (path, descends, nulls_first) in enumerate(sort):
        asked = Path(tuple(path.split(".")))
        found = resolve(sight.manifest, row.resource, asked)
        for length in range(1, len(found.hops) + 1):
            prefix = asked.names[:length]
            if prefix not in comparison.rows:
                joined, link = comparison.join(prefix)
                source = source.outerjoin(joined, link)
        # No column of a spec begins with an underscore.
        name = f"_k{n}" if found.hops or found.field.calculated else found.field.column
        value = comparison.path(asked)
        if found.hops and found.field.calculated:
            # A sum has a value even of no row.
            there = comparison.rows[asked.names[: len(found.hops)]]
            value = case((there.columns[there.resource.key].is_not(None), value))
        nullable = sight.nullable(asked, row.resource)
        keys.append(_Key(found.field, value, name, nullable, descends, nulls_first))
    return source, keys


def _after(compiler: Compiler, keys: Sequence[_Key], nulls: tuple[bool, ...]) -> Predicate:
    """Whether the row comes after the one whose sort values are `after0`, `after1`, …"""
    columns = [key.value for key in keys]
    values = [
        bindparam(f"after{n}", type_=bind_of(compiler, key.field), required=True)
        for n, key in enumerate(keys)
    ]
    directions = {key.descends for key in keys}
    if len(directions) == 1 and not any(key.nullable for key in keys):
        left, right = func.row(*columns), func.row(*values)
        return left < right if directions == {True} else left > right
    reached: Predicate = false()
    for key, column, value, null in reversed(list(zip(keys, columns, values, nulls, strict=True))):
        if null:
            beyond = column.is_not(None) if key.nulls_first else false()
            same = column.is_(None)
        else:
            beyond = column < value if key.descends else column > value
            if key.nullable and not key.nulls_first:
                beyond = or_(beyond, column.is_(None))
            same = column == value
        reached = or_(beyond, and_(same, reached))
    return reached
