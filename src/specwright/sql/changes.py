"""Changes and deletions of many rows: all of them or none, in one statement when it succeeds.

They are made of the checks of a write of one row. Where a single row is written if its checks hold, many are
written if there is none among them whose checks do not.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from specwright.model.resource import Resource, Rule
from specwright.sql.judgement import MOST_REFUSED, Check, refused, verdicts_of
from specwright.sql.lists import ListShape, is_listed
from specwright.sql.moments import NOW
from specwright.sql.row import Predicate, Row
from specwright.sql.sight import Sight
from specwright.sql.tables import Tables
from specwright.sql.writes import Writes
from specwright.sql.writeshape import WriteShape


class Changes(Writes):
    """A change or a deletion of the rows that a list is of, if they are fewer than `:most`.

    They are locked in the order of their keys, so that two who do so wait for each other and never both.
    Each answers how many rows `matched`, and how many are `affected`: all of them, or none.
    """

    def __init__(self, tables: Tables, shape: WriteShape, listed: ListShape) -> None:
        super().__init__(tables, shape)
        self._listed = listed

    def update(self) -> Select[Any]:
        """Change the rows to `new_*` where `set_*`."""
        matched = self._matched()
        old, stored = Row.of(self.resource, matched), Row.of(self.resource, self.table)
        checks = self._checks(old)
        changed = self._changed(stored)
        written = (
            update(self.table)
            .values({self._field(name).column: changed.columns[name] for name in self.shape.fields})
            .values(self._touched(stored))
            .where(*self._fits(matched, checks))
            .returning(*self.table.c)
            .cte("written")
        )
        answer = self._answer(matched, written)
        if self.confirm() is not None:
            key = written.c[self.resource.key_field.column]
            answer = answer.add_columns(select(func.array_agg(key)).scalar_subquery().label("keys"))
        return self._with_caller_row(self._with_links(answer, written, new=False))

    def delete(self) -> Select[Any]:
        """Delete the rows. Where deleted rows stay, they are marked as such."""
        matched = self._matched()
        fits = self._fits(matched, self._checks(Row.of(self.resource, matched)))
        if self.resource.deleted is None:
            gone = delete(self.table).where(*fits).returning(literal_column("1").label("one")).cte("written")
            return self._answer(matched, gone)
        row = Row.of(self.resource, self.table)
        marked = update(self.table).values({self.resource.deleted.column: NOW, **self._touched(row)})
        return self._answer(
            matched, marked.where(*fits).returning(literal_column("1").label("one")).cte("written")
        )

    def confirm(self) -> Select[Any] | None:
        """Of each of the rows `:keys` that a late check of an update does not hold for, the same.

        None where no check is late.
        """
        row = Row.of(self.resource, self.table)
        late = [check for check in self._update_checks(row, row) if check.late]
        if not late:
            return None
        keys = bindparam("keys", type_=ARRAY(self._key_type), required=True)
        verdicts: list[ColumnElement[Any]] = [check.predicate.is_(true()).label(check.name) for check in late]
        return self._named(
            select(*verdicts).where(row.columns[self.resource.key] == func.any(keys)), late, row
        )

    def diagnose(self) -> Select[Any]:
        """The `id` of each refused row and its checks by name; of the first of them, if there are many."""
        matched = self._matched(lock=False)
        old = Row.of(self.resource, matched)
        checks = [check for check in self._checks(old) if self._is_asked(check)]
        moving = self._moving if self._is_update else ()
        states = (old.columns[field.name].label(f"state:{self._position(field.name)}") for field in moving)
        verdicts = verdicts_of(checks).add_columns(*states, *self._missing()).select_from(matched)
        return self._named(verdicts, checks, old)

    def find_taken(self, names: Sequence[str]) -> Select[Any]:
        """The `id` of the first row that is to have what another has in these fields, or one before it."""
        matched = self._matched(lock=False)
        each, earlier = matched.alias("each"), matched.alias("earlier")
        row, before = Row.of(self.resource, each), Row.of(self.resource, earlier)
        there = Row.of(self.resource, self.table)
        key = self.resource.key
        wanted, first = self._changed(row).columns, self._changed(before).columns
        stays = there.columns[key].not_in(select(matched.c[self.resource.key_field.column]))
        stored = exists(
            select(literal_column("1"))
            .select_from(self.table)
            .where(*(there.columns[name] == wanted[name] for name in names), stays)
            .where(*self.compiler.living(there))
        )
        sent = exists(
            select(literal_column("1"))
            .select_from(earlier)
            .where(*(first[name] == wanted[name] for name in names), before.columns[key] < row.columns[key])
        )
        return self._first(select().select_from(each).where(or_(stored, sent)), row)

    def find_used(self, source: Resource, name: str) -> Select[Any]:
        """The `id` of the first row that a row of the source, which stays, refers to by the field."""
        matched = self._matched(lock=False)
        row = Row.of(self.resource, matched)
        referring = self.tables.of(source).alias("referring")
        other = Row.of(source, referring)
        uses = [other.columns[name] == row.columns[self.resource.key]]
        if self.resource.soft_delete:
            # To a row that is gone for good, deleted rows refer as well.
            uses += self.compiler.living(other)
        if source is self.resource:
            going = matched.alias("going")
            uses.append(other.columns[source.key].not_in(select(going.c[source.key_field.column])))
        used = exists(select(literal_column("1")).select_from(referring).where(*uses).correlate(matched))
        return self._first(select().select_from(matched).where(used), row)

    def lock(self) -> Select[Any]:
        """The `key` of each row in order, locked; one more than may be affected, if there are more."""
        matched = self._matched()
        key = matched.c[self.resource.key_field.column]
        return select(key.label("key")).order_by(key)

    def _matched(self, *, lock: bool = True) -> CTE:
        table = self.table.alias("t")
        sight = Sight(self.compiler, dict(self._listed.reads))
        found: Select[Any] = (
            select(*(table.c[field.column] for field in self._stored))
            .where(is_listed(sight, self._listed, table))
            .order_by(table.c[self.resource.key_field.column])
            .limit(bindparam("most", type_=BigInteger(), required=True))
        )
        return (found.with_for_update(of=table) if lock else found).cte("matched")

    def _fits(self, matched: CTE, checks: Iterable[Check]) -> list[Predicate]:
        """What must hold for a stored row to be written: it matches, and so much holds for all that do."""
        key = self.resource.key_field.column
        asked = (check for check in checks if self._is_asked(check))
        others: Select[Any] = select(literal_column("1")).select_from(matched).where(refused(asked))
        most = bindparam("most", type_=BigInteger(), required=True)
        return [
            self.table.c[key] == matched.c[key],
            *self._told(self._written, self.shape.scope.action),
            _count(matched) < most,
            not_(exists(others.correlate(None))),
        ]

    @property
    def _is_update(self) -> bool:
        return self.shape.scope.action != "delete"

    def _checks(self, old: Row) -> list[Check]:
        return self._update_checks(old, self._changed(old)) if self._is_update else self._row_checks(old)

    def _is_judged(self, rule: Rule) -> bool:
        """All are judged: a constraint would refuse the statement without a word about which row."""
        return True

    def _is_asked(self, check: Check) -> bool:
        return check.name != "readable" and not check.late

    def _answer(self, matched: CTE, written: CTE) -> Select[Any]:
        return select(_count(matched).label("matched"), _count(written).label("affected"))

    def _named(self, verdicts: Select[Any], checks: Iterable[Check], row: Row) -> Select[Any]:
        """The verdicts on the rows that are refused, with the `id` of each."""
        key = row.columns[self.resource.key]
        told = verdicts.add_columns(cast(key, Text()).label("id")).where(refused(checks))
        return told.order_by(key).limit(literal_column(str(MOST_REFUSED)))

    def _first(self, found: Select[Any], row: Row) -> Select[Any]:
        key = row.columns[self.resource.key]
        return found.add_columns(cast(key, Text()).label("id")).order_by(key).limit(literal_column("1"))


def _count(rows: FromClause) -> ColumnElement[Any]:
    counted: Select[Any] = select(func.count()).select_from(rows)
    return counted.correlate(None).scalar_subquery()
