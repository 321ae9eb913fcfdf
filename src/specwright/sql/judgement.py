"""Judgement: everything that must hold for a write is a named check.

The write takes their conjunction as its WHERE; the diagnosis selects each of them by name. Both are made from
the same list, so they cannot disagree.

A check of the row after that reads, over a relation, the very table that is written would see that table as
it was: no part of a statement sees what another part writes. Such a check is late: a second statement of the
same transaction, the confirmation, judges it on what is stored.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    all_,
    and_,
    any_,
    bindparam,
    exists,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from specwright.model.calculated import entities
from specwright.model.expression import Expr
from specwright.model.field import Field
from specwright.model.grant import RESTORE
from specwright.model.resource import Resource, Rule
from specwright.sql.constraints import is_row_check
from specwright.sql.deletion import going_along
from specwright.sql.expression import Compiler
from specwright.sql.linking import links_of
from specwright.sql.members import is_unsure
from specwright.sql.moves import is_kept, is_move
from specwright.sql.reads import bind_of
from specwright.sql.row import Predicate, Row
from specwright.sql.tables import Tables
from specwright.sql.writeshape import WriteShape

#: Refused rows of which a diagnosis of many tells.
MOST_REFUSED = 50


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold for a write; `name` says what is wrong when it does not.

    Fields and rules go by their number in the resource: a name in PostgreSQL is cut after 63 bytes.
    """

    name: str
    predicate: Predicate
    late: bool = False


class Judgement:
    """The checks of the writes of one shape."""

    def __init__(self, tables: Tables, shape: WriteShape) -> None:
        self.tables = tables
        self.shape = shape
        self.resource: Resource = shape.scope.resource
        self.table = tables.of(self.resource)
        self.compiler = Compiler(tables)
        self.links = links_of(self.compiler, self.resource, shape.links)

    def _create_checks(self, new: FromClause) -> list[Check]:
        row = Row.of(self.resource, new)
        return [
            self._after("granted", self.shape.scope.after, row),
            *self._settable(row, new=True),
            *self._references(row, None),
            *self._linked(),
            *self._begun(row),
            *self._rules(row),
        ]

    def _update_checks(self, old: Row, changed: Row) -> list[Check]:
        unchanged = [
            Check(
                f"same:{self._position(name)}",
                self.compiler.column(old, self._field(name)).is_not_distinct_from(
                    bindparam(f"same_{name}", type_=self._same_type(name), required=True)
                ),
            )
            for name in self.shape.same
        ]
        return [
            *self._row_checks(old),
            self._after("granted after", self.shape.scope.after, changed),
            *self._paired(old, changed),
            *self._settable(old, new=False),
            *self._made(old, changed),
            *unchanged,
            *self._references(changed, old),
            *self._linked(),
            *self._moved(old, changed),
            *self._rules(changed),
        ]

    def _row_checks(self, row: Row) -> list[Check]:
        checks = [Check("readable", self._condition(self.shape.read.before, row))]
        if self.shape.conditions:
            checks.append(Check("version", and_(*self._conditions(row.columns["version"]))))
        checks.append(Check("granted", self._condition(self.shape.scope.before, row)))
        return checks

    def _restore_checks(self, row: Row) -> list[Check]:
        assert self.resource.deleted is not None, "what is restored was deleted"
        deleted = row.columns[self.resource.deleted.name].is_not(None)
        # Of a deleted row nobody learns who may not bring it back.
        known = or_(not_(deleted), self._condition(self.shape.scope.before, row))
        readable, *others = self._row_checks(row)
        return [
            replace(readable, predicate=and_(readable.predicate, known)),
            *others,
            Check("deleted", deleted),
        ]

    def _conditions(self, version: ColumnElement[Any]) -> Iterator[Predicate]:
        for name in self.shape.conditions:
            asked = bindparam(name, type_=ARRAY(BigInteger()), required=True)
            yield version == any_(asked) if name == "versions" else version != all_(asked)

    def _paired(self, old: Row, changed: Row) -> Iterable[Check]:
        """That one grant to hand over holds, before and after."""
        pairs = self.shape.scope.pairs
        if len({then for _, then in pairs}) > 1:
            held = (
                and_(self._condition(before, old), self._condition(then, changed)) for before, then in pairs
            )
            yield Check("granted by one", or_(*held))

    def _begun(self, row: Row) -> Iterable[Check]:
        """What moves begins in its default state."""
        for field in self._moving:
            assert field.default is not None, "what moves has a default"
            first = self.compiler.constant(field.default.value, field.type)
            yield Check(f"begin:{self._position(field.name)}", row.columns[field.name] == first)

    def _made(self, old: Row, changed: Row) -> Iterable[Check]:
        """The moves that there are, are made by those whose they are."""
        for field in self._moving:
            made = () if self.shape.moves is None else self.shape.moves.made.get(field.name, ())
            if made:
                whose = (
                    and_(is_move(self.compiler, field, old, changed, pairs), self._condition(condition, old))
                    for pairs, condition in made
                )
                yield Check(
                    f"mover:{self._position(field.name)}",
                    or_(is_kept(field, old, changed), not_(self._is_move(field, old, changed)), *whose),
                )

    def _moved(self, old: Row, changed: Row) -> Iterable[Check]:
        """What moves goes where it can go from where it was."""
        for field in self._moving:
            moved = or_(is_kept(field, old, changed), self._is_move(field, old, changed))
            yield Check(f"move:{self._position(field.name)}", moved)

    def _is_move(self, field: Field, old: Row, changed: Row) -> Predicate:
        pairs = ((move.before, move.after) for move in self.resource.moves_of(field.name))
        return is_move(self.compiler, field, old, changed, pairs)

    @property
    def _moving(self) -> list[Field]:
        return [field for field in self.resource.moving if field.name in self.shape.fields]

    def _settable(self, row: Row, *, new: bool) -> Iterable[Check]:
        """What the body has of the fields that the row decides about: of the row before, or the one made."""
        members = self.shape.members
        if members is None:
            return
        for name in self.shape.unsure:
            condition = members.sets(name)
            predicate = or_(not_(self._is_sent(name)), self._condition(condition, row))
            yield Check(f"member:{self._position(name)}", predicate, new and self._is_late(condition))
        for name in self.shape.same:
            # Whether it is the same would tell what it is.
            if is_unsure(condition := members.sees(name)):
                yield Check(f"member:{self._position(name)}", self._condition(condition, row))

    def _references(self, row: Row, old: Row | None) -> Iterable[Check]:
        """Each reference that the body sets points to a row that the caller may read."""
        targets = dict(self.shape.targets)
        for name in self.shape.fields:
            field = self._field(name)
            if field.target not in targets:
                continue
            read = targets[field.target]
            value = row.columns[name]
            source = self.tables.of(read.resource).alias()
            target = Row.of(read.resource, source)
            found: Select[Any] = select(literal_column("1")).select_from(source)
            readable = exists(
                found.where(
                    target.columns[read.resource.key] == value, self._condition(read.before, target)
                ).correlate_except(source)
            )
            # What nobody sent, we filled: no question of what the caller may refer to.
            allowed = [self._is_unsent(field) if old is None else value.is_(None), readable]
            if old is not None:
                asked = bindparam(f"set_{name}", type_=Boolean(), required=True)
                allowed = [not_(asked), value.is_not_distinct_from(old.columns[name]), *allowed]
            yield Check(f"reference:{self._position(name)}", or_(*allowed))

    def _linked(self) -> Iterable[Check]:
        """Everything that is linked, or no longer, is for the caller to read."""
        for links in self.links:
            yield Check(f"link:{self._position(links.linking.field.name)}", links.allowed())

    def _rules(self, row: Row) -> Iterable[Check]:
        for position, rule in enumerate(self.resource.rules):
            if self._is_judged(rule):
                yield self._after(f"rule:{position}", rule.condition, row)

    def _is_judged(self, rule: Rule) -> bool:
        """Whether no CHECK can hold a rule: it asks for the time or for related rows."""
        return not is_row_check(self.resource, rule.condition)

    def _missing(self) -> Iterator[ColumnElement[Any]]:
        """Where, among what is linked, the first is that the caller cannot read."""
        for links in self.links:
            yield links.missing().label(f"missing:{self._position(links.linking.field.name)}")

    def _after(self, name: str, condition: Expr, row: Row) -> Check:
        return Check(name, self._condition(condition, row), self._is_late(condition))

    def _condition(self, expr: Expr, row: Row) -> Predicate:
        return self.compiler.condition(expr, row)

    def _is_late(self, condition: Expr) -> bool:
        return not self._written.isdisjoint(entities(self.tables.manifest, self.resource, condition))

    @property
    def _written(self) -> set[str]:
        """The entities of which this statement writes rows."""
        tenant = self.tables.manifest.tenant
        written = {self.resource.name, *(links.link.name for links in self.links)}
        if self.shape.scope.action == RESTORE:
            written |= going_along(self.tables.manifest, self.resource)
        return written | {tenant.through} if tenant is not None and self.shape.founds else written

    def _sent(self, field: Field) -> ColumnElement[Any]:
        bind = bindparam(f"new_{field.name}", type_=self.compiler.bind_type(field.type), required=True)
        return bind

    def _is_sent(self, name: str) -> ColumnElement[Any]:
        """Whether the body has the field, one that may be set on some rows only."""
        return bindparam(f"sent_{name}", type_=Boolean(), required=True)

    def _is_unsent(self, field: Field) -> Predicate:
        """Whether nobody sent a value of a new row."""
        return self._sent(field).is_(None)

    def _same_type(self, name: str) -> Any:
        return bind_of(self.compiler, self._field(name))

    @property
    def _stored(self) -> list[Field]:
        return [field for field in self.resource.fields if field.stored]

    def _field(self, name: str) -> Field:
        field = self.resource.field(name)
        assert field is not None
        return field

    def _position(self, name: str) -> int:
        return self.resource.fields.index(self._field(name))

    @property
    def _key_type(self) -> Any:
        return self.compiler.bind_type(self.resource.key_field.type)


def refused(checks: Iterable[Check]) -> Predicate:
    """That one of the checks does not hold."""
    return and_(true(), *(check.predicate for check in checks)).is_not(true())


def verdicts_of(checks: Sequence[Check]) -> Select[Any]:
    """Each check that can be judged yet, by name."""
    verdicts: list[ColumnElement[Any]] = [
        check.predicate.is_(true()).label(check.name) for check in checks if not check.late
    ]
    # Of a create, everything may be late.
    return select(*(verdicts or [true().label("nothing")]))
