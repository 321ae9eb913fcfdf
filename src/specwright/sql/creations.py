"""Creates of many rows: all of them or none, in one statement when it succeeds.

They are made of the checks of a create of one row. Where a single row is written if its checks hold, many are
written if there is none among them whose checks do not.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    case,
    cast,
    column,
    exists,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from specwright.model.field import Field
from specwright.model.resource import Rule
from specwright.model.types import Kind
from specwright.sql.judgement import MOST_REFUSED, refused, verdicts_of
from specwright.sql.linking import Links
from specwright.sql.row import Predicate, Row
from specwright.sql.tables import Tables
from specwright.sql.writes import Writes
from specwright.sql.writeshape import WriteShape

#: What is known of a new row besides its columns; no column of a spec begins with an underscore.
PLACE = "_place"

_NO_ITEM: ColumnElement[Any] = literal_column("'{}'", Text())


class Creations(Writes):
    """A create of many rows. `:rows` is a JSON array of objects: what is sent, by column, and its `_place`.

    Of field number 3, `_sent_3` says whether the body has it, and `_link_3` lists what it links.
    """

    def __init__(self, tables: Tables, shape: WriteShape) -> None:
        super().__init__(tables, shape)
        self._rows = self._recordset()
        self._new = select(*self._new_columns(), *self._besides()).select_from(self._rows).cte("new")
        self._look_at(self._new.alias("each"))

    def create(self) -> Select[Any]:
        """Insert the rows; answers their `items` in order as one text, None when they were refused.

        Where a confirmation follows, it answers their `keys` instead.
        """
        columns = [field.column for field in self._stored]
        told = self._told(self._written, self.shape.scope.action)
        source = (
            select(*(self._new.c[name] for name in columns))
            .where(*told, not_(exists(self._refused(select(literal_column("1"))))))
            .order_by(self._new.c[PLACE])
        )
        written = insert(self.table).from_select(columns, source).returning(*self.table.c).cte("written")
        made = self._made_of(written)
        if self.confirm() is None:
            row = Row.of(self.resource, made)
            lateral, text = self._item(row, made)
            shown = case((self.compiler.condition(self.shape.read.before, row), text), else_=_NO_ITEM)
            ordered: ColumnElement[Any] = aggregate_order_by(literal_column("','"), made.c[PLACE])
            answer = select(func.string_agg(shown, ordered).label("items")).select_from(made, lateral)
        else:
            key = made.c[self.resource.key_field.column]
            keys = func.array_agg(aggregate_order_by(key, made.c[PLACE]))
            answer = select(keys.label("keys")).select_from(made)
        linked = (change for links in self._links(made) for change in links.changes(made, new=True))
        return self._with_caller_row(self._with_founder(answer.add_cte(*linked), written))

    def confirm(self) -> Select[Any] | None:
        """Of each of the rows `:keys` just made, its `place`, each late check by name, and its `item`."""
        self._look_at(self._rows)
        checks = [check for check in self._create_checks(self.table) if check.late]
        late = bool(checks) or self._is_late(self.shape.read.before) or self._is_answered_late
        row = Row.of(self.resource, self.table)
        key = row.columns[self.resource.key]
        keys = bindparam("keys", type_=ARRAY(self._key_type), required=True)
        made = func.unnest(keys).table_valued("key", with_ordinality="place").render_derived(name="made")
        lateral, text = self._item(row, self.table)
        shown = case((self.compiler.condition(self.shape.read.before, row), text), else_=_NO_ITEM)
        source = made.join(self.table, key == made.c.key).join(
            self._rows, self._rows.c[PLACE] == made.c.place
        )
        judged = (check.predicate.is_(true()).label(check.name) for check in checks)
        found = (
            select(made.c.place.label("place"), *judged, shown.label("item"))
            .select_from(source, lateral)
            .order_by(made.c.place)
        )
        self._look_at(self._new.alias("each"))
        return found if late else None

    def diagnose(self) -> Select[Any]:
        """The `place` of each refused row and its checks by name; of the first of them, if there are many."""
        verdicts = verdicts_of(self._create_checks(self._each)).add_columns(*self._missing())
        told = self._refused(verdicts.add_columns(self._each.c[PLACE].label("place")))
        return told.order_by(self._each.c[PLACE]).limit(literal_column(str(MOST_REFUSED)))

    def find_taken(self, names: Sequence[str]) -> Select[Any]:
        """The `place` of the first row whose values of these fields another row has, there or before it."""
        each, earlier = self._each, self._new.alias("earlier")
        there = Row.of(self.resource, self.table)
        columns = [self._field(name).column for name in names]
        stored = exists(
            select(literal_column("1"))
            .select_from(self.table)
            .where(*(self.table.c[name] == each.c[name] for name in columns), *self.compiler.living(there))
        )
        sent = exists(
            select(literal_column("1"))
            .select_from(earlier)
            .where(*(earlier.c[name] == each.c[name] for name in columns), earlier.c[PLACE] < each.c[PLACE])
        )
        return select(func.min(each.c[PLACE]).label("place")).select_from(each).where(or_(stored, sent))

    def _recordset(self) -> FromClause:
        """What is sent, row by row."""
        fields = [self._field(name) for name in self.shape.fields]
        columns: list[ColumnElement[Any]] = [
            # The text of a json value, as it is for one row.
            column(
                field.column,
                Text() if field.type.kind is Kind.JSON else self.compiler.bind_type(field.type),
            )
            for field in fields
        ]
        columns += [column(self._sent_name(name), Boolean()) for name in self.shape.unsure]
        columns += [column(_link_name(links), links.wanted.type) for links in self.links]
        rows = bindparam("rows", type_=JSONB(), required=True)
        recordset = func.jsonb_to_recordset(rows).table_valued(column(PLACE, BigInteger()), *columns)
        return recordset.render_derived(name="sent", with_types=True)

    def _besides(self) -> list[ColumnElement[Any]]:
        """What the checks ask of a new row besides its own columns."""
        filled = [self._field(name) for name in self.shape.fields]
        return [
            self._rows.c[PLACE],
            *(self._rows.c[self._sent_name(name)] for name in self.shape.unsure),
            *(self._rows.c[_link_name(links)] for links in self.links),
            *(
                self._rows.c[field.column].label(self._asked_name(field))
                for field in filled
                if field.filled is not None
            ),
        ]

    def _look_at(self, each: FromClause) -> None:
        """Let the checks be about the rows of this."""
        self._each = each
        self.links = self._links(each)

    def _links(self, source: FromClause) -> list[Links]:
        """The links that each row of the source asks for."""
        return [
            Links(self.compiler, self.resource, links.linking, source.c[_link_name(links)])
            for links in self.links
        ]

    def _refused(self, told: Select[Any]) -> Select[Any]:
        """What is told of the rows that some check does not hold for."""
        checks = (check for check in self._create_checks(self._each) if not check.late)
        return told.select_from(self._each).where(refused(checks))

    def _made_of(self, written: FromClause) -> CTE:
        """The rows as they were written, each with its place and its links."""
        key = self.resource.key_field.column
        links = (self._new.c[_link_name(links)] for links in self.links)
        source = written.join(self._new, self._new.c[key] == written.c[key])
        return select(*written.c, self._new.c[PLACE], *links).select_from(source).cte("made")

    def _sent(self, field: Field) -> ColumnElement[Any]:
        sent = self._rows.c[field.column]
        return cast(sent, JSONB()) if field.type.kind is Kind.JSON else sent

    def _is_sent(self, name: str) -> ColumnElement[Any]:
        return self._each.c[self._sent_name(name)]

    def _is_unsent(self, field: Field) -> Predicate:
        name = field.column if field.filled is None else self._asked_name(field)
        return self._each.c[name].is_(None)

    def _is_judged(self, rule: Rule) -> bool:
        """All are judged: a constraint would refuse the statement without a word about which row."""
        return True

    def _sent_name(self, name: str) -> str:
        return f"_sent_{self._position(name)}"

    def _asked_name(self, field: Field) -> str:
        return f"_asked_{self._position(field.name)}"


def _link_name(links: Links) -> str:
    return f"_link_{links.resource.fields.index(links.linking.field)}"
