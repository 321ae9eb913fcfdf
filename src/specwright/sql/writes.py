"""Writes: one statement when it succeeds, and one that tells why when it is refused.

Everything that must hold for a write is a named check. The write takes their conjunction as its WHERE; the
diagnosis selects each of them by name. Both are made from the same list, so they cannot disagree.

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
    Text,
    all_,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.expression import ClauseElement

from specwright.model.calculated import entities, entities_of
from specwright.model.expression import FALSE, Expr
from specwright.model.manifest import HAND_OVER, RESTORE, Field, Filled, Resource
from specwright.model.types import USER
from specwright.sql.audit import is_recorded, telling
from specwright.sql.columns import default_sql
from specwright.sql.constraints import is_row_check
from specwright.sql.deletion import coming_back
from specwright.sql.expression import NOW, Compiler, Predicate, Row
from specwright.sql.idempotency import attempt, attempted, kept
from specwright.sql.items import item, named_fields, parts
from specwright.sql.linking import Linking, links_of
from specwright.sql.members import Members, is_unsure
from specwright.sql.moves import Moves, is_kept, is_move
from specwright.sql.reads import bind_of, is_key
from specwright.sql.scope import Scope
from specwright.sql.tables import Tables

_ONE: ColumnElement[Any] = literal_column("1")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold for a write; `name` says what is wrong when it does not.

    Fields and rules go by their number in the resource: a name in PostgreSQL is cut after 63 bytes.
    """

    name: str
    predicate: Predicate
    late: bool = False


@dataclass(frozen=True, slots=True)
class WriteShape:
    """What makes one write differ from another of the same resource."""

    scope: Scope
    #: The read scope of the caller: of the row itself, and by entity name of what it may refer to.
    read: Scope
    targets: tuple[tuple[str, Scope], ...]
    #: Names of the fields that the body may set, and of those it may send unchanged only.
    fields: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    #: Names of the fields that the answer shows.
    shown: tuple[str, ...] = ()
    #: What the caller sees and sets, where the row decides that of some field.
    members: Members | None = None
    #: Names of the fields that may be set on some rows only: the body has one of them where `sent_*`.
    unsure: tuple[str, ...] = ()
    #: What is asked of the row's version: to be one of `versions`, to be none of `other_versions`.
    conditions: tuple[str, ...] = ()
    #: What moves are the caller's, where some are somebody's.
    moves: Moves | None = None
    #: What becomes of the row's links.
    links: tuple[Linking, ...] = ()
    #: Whether the caller's own row in a User table may have to be made.
    caller_row: bool = False
    #: Whether what is made is a tenant, and the caller its first member.
    founds: bool = False
    #: Whether the request has an idempotency key, under which what is made is kept.
    keyed: bool = False


class Writes:
    """The statements of one write shape."""

    def __init__(self, tables: Tables, shape: WriteShape) -> None:
        self.tables = tables
        self.shape = shape
        self.resource: Resource = shape.scope.resource
        self.table = tables.of(self.resource)
        self.compiler = Compiler(tables)
        self.links = links_of(self.compiler, self.resource, shape.links)

    def create(self) -> Select[Any]:
        """Insert the row of `new_*`; answers `key`, `version` and `item` (None where not readable).

        With an idempotency key it always answers a row, which says besides whether the key was `free`.
        """
        new = self._new_row()
        columns = [field.column for field in self._stored]
        source = select(*(new.c[column] for column in columns)).where(self._holds(self._create_checks(new)))
        free = attempt() if self.shape.keyed else None
        if free is not None:
            source = source.where(free.c.free)
        written = insert(self.table).from_select(columns, source).returning(*self.table.c).cte("written")
        row = Row.of(self.resource, written)
        lateral, text = self._item(row, written)
        readable = self.compiler.condition(self.shape.read.before, row)
        made = select(
            cast(row.columns[self.resource.key], Text()).label("key"),
            row.columns["version"].label("version"),
            case((readable, text)).label("item"),
        ).select_from(written, lateral)
        if free is not None:
            # What is still to be confirmed is kept by the confirmation.
            made = attempted(made if self.confirm_create() is not None else kept(made), free)
        made = self._with_links(made, written, new=True)
        return self._with_caller_row(self._with_founder(made, written))

    def update(self) -> Select[Any]:
        """Change the row `:key` to `new_*` where `set_*`; answers `version` and `item`.

        A row that was handed over may be no more readable, and `item` is None then.
        """
        old = Row.of(self.resource, self.table)
        changed = self._changed(old)
        written = (
            update(self.table)
            .values({self._field(name).column: changed.columns[name] for name in self.shape.fields})
            .values(self._touched(old))
            .where(is_key(self.compiler, old), self._holds(self._update_checks(old, changed)))
            .returning(*self.table.c)
            .cte("written")
        )
        row = Row.of(self.resource, written)
        lateral, text = self._item(row, written)
        if self.shape.scope.action == HAND_OVER:
            text = case((self._condition(self.shape.read.before, row), text))
        answer = select(written.c.version.label("version"), text.label("item")).select_from(written, lateral)
        return self._with_caller_row(self._with_links(answer, written, new=False))

    def delete(self) -> ClauseElement:
        """Delete the row `:key`; answers a row if it did. Where deleted rows stay, it is marked as one."""
        row = Row.of(self.resource, self.table)
        checks = self._holds(self._row_checks(row))
        if self.resource.deleted is not None:
            marked = update(self.table).values({self.resource.deleted.column: NOW, **self._touched(row)})
            return marked.where(is_key(self.compiler, row), checks).returning(literal_column("1"))
        return delete(self.table).where(is_key(self.compiler, row), checks).returning(literal_column("1"))

    def restore(self) -> Select[Any]:
        """Bring the deleted row `:key` back; answers `version` and `item`."""
        assert self.resource.deleted is not None, "what is restored was deleted"
        old = Row.of(self.resource, self.table)
        written = (
            update(self.table)
            .values({self.resource.deleted.column: null(), **self._touched(old)})
            .where(is_key(self.compiler, old), self._holds(self._restore_checks(old)))
            .returning(*self.table.c)
            .cte("written")
        )
        lateral, text = self._item(Row.of(self.resource, written), written)
        return select(written.c.version.label("version"), text.label("item")).select_from(written, lateral)

    def diagnose_restore(self) -> Select[Any]:
        """Each check of a restore by name; no row when there is none of this key."""
        row = Row.of(self.resource, self.table)
        verdicts = _verdicts(self._restore_checks(row)).select_from(self.table)
        return verdicts.where(is_key(self.compiler, row))

    def confirm_restore(self) -> Select[Any] | None:
        """The answer, where what it shows is worked out from rows that have come back as well."""
        return self._confirmation([], Row.of(self.resource, self.table), late=False)

    def confirm_create(self) -> Select[Any] | None:
        """Each late check by name, then the answer, of the row `:key` just made; None where none is late."""
        row = Row.of(self.resource, self.table)
        return self._confirmation(self._create_checks(self.table), row, self._is_late(self.shape.read.before))

    def confirm_update(self) -> Select[Any] | None:
        """The same of an update."""
        row = Row.of(self.resource, self.table)
        hides = self.shape.scope.action == HAND_OVER and self._is_late(self.shape.read.before)
        return self._confirmation(self._update_checks(row, row), row, hides)

    def diagnose_create(self) -> Select[Any]:
        """Each check of a create by name."""
        new = self._new_row()
        return _verdicts(self._create_checks(new)).add_columns(*self._missing()).select_from(new)

    def diagnose_update(self) -> Select[Any]:
        """Each check of an update by name; no row when there is none of this key."""
        row = Row.of(self.resource, self.table)
        verdicts = _verdicts(self._update_checks(row, self._changed(row)))
        states = [
            row.columns[field.name].label(f"state:{self._position(field.name)}") for field in self._moving
        ]
        return (
            verdicts.add_columns(*states, *self._missing())
            .select_from(self.table)
            .where(is_key(self.compiler, row))
        )

    def diagnose_delete(self) -> Select[Any]:
        """Each check of a delete by name; no row when there is none of this key."""
        row = Row.of(self.resource, self.table)
        return _verdicts(self._row_checks(row)).select_from(self.table).where(is_key(self.compiler, row))

    def lock(self) -> Select[Any]:
        """What must hold of the row `:key` before anything is done to it, by name. It is locked."""
        return self.diagnose_delete().with_for_update(of=self.table)

    @property
    def _stored(self) -> list[Field]:
        return [field for field in self.resource.fields if field.stored]

    def _field(self, name: str) -> Field:
        field = self.resource.field(name)
        assert field is not None
        return field

    def _position(self, name: str) -> int:
        return self.resource.fields.index(self._field(name))

    def _holds(self, checks: Iterable[Check]) -> Predicate:
        """All that can be judged yet; "readable" goes without saying, since what is granted is readable."""
        told = self._told(self._written, self.shape.scope.action)
        held = (check.predicate for check in checks if check.name != "readable" and not check.late)
        return and_(true(), *told, *held)

    def _told(self, entities: Iterable[str], action: str) -> list[Predicate]:
        """That the transaction knows whose change it is, where the audit trail asks for it."""
        manifest = self.tables.manifest
        recorded = any(is_recorded(manifest, manifest.resource(name), action) for name in entities)
        return [telling(self.compiler)] if recorded else []

    def _is_late(self, condition: Expr) -> bool:
        return not self._written.isdisjoint(entities(self.tables.manifest, self.resource, condition))

    def _is_shown_late(self, name: str) -> bool:
        """Whether the value of a field is worked out from rows that this statement writes."""
        read = entities_of(self.tables.manifest, self.resource, self._field(name))
        written = self._written | ({"User"} if self.shape.caller_row else set())
        return not written.isdisjoint(read)

    @property
    def _written(self) -> set[str]:
        """The entities of which this statement writes rows."""
        tenant = self.tables.manifest.tenant
        written = {self.resource.name, *(links.link.name for links in self.links)}
        if self.shape.scope.action == RESTORE:
            written = coming_back(self.tables.manifest, self.resource)
        return written | {tenant.through} if tenant is not None and self.shape.founds else written

    def _item(self, row: Row, source: FromClause) -> tuple[FromClause, ColumnElement[Any]]:
        """The row as the answer shows it."""
        fields = named_fields(self.resource, self.shape.shown)
        held = parts(self.compiler, row, fields, self.shape.members)
        return item(self.compiler, row, source, fields, held)

    def _confirmation(self, checks: Iterable[Check], row: Row, late: bool) -> Select[Any] | None:
        judged = [check for check in checks if check.late]
        members = self.shape.members
        seen = [] if members is None else [members.sees(name) for name in self.shape.shown]
        worked_out = any(map(self._is_shown_late, self.shape.shown))
        if not (judged or late or worked_out or any(map(self._is_late, seen))):
            return None
        lateral, text = self._item(row, self.table)
        readable = self.compiler.condition(self.shape.read.before, row)
        columns: list[ColumnElement[Any]] = [
            *(check.predicate.is_(true()).label(check.name) for check in judged),
            cast(row.columns[self.resource.key], Text()).label("key"),
            row.columns["version"].label("version"),
            case((readable, text)).label("item"),
        ]
        found = select(*columns).select_from(self.table, lateral).where(is_key(self.compiler, row))
        return kept(found) if self.shape.keyed else found

    def _sent(self, field: Field) -> ColumnElement[Any]:
        bind = bindparam(f"new_{field.name}", type_=self.compiler.bind_type(field.type), required=True)
        return bind

    def _new_row(self) -> FromClause:
        """The row to insert: what the body says, and what we fill."""
        columns = []
        for field in self._stored:
            if field.name not in self.shape.fields:
                value = self._filling(field)
            elif field.filled is None:
                value = self._sent(field)
            else:
                value = func.coalesce(self._sent(field), self._filling(field))
            columns.append(value.label(field.column))
        return select(*columns).cte("new")

    def _filling(self, field: Field) -> ColumnElement[Any]:
        """What a field holds that nobody sends."""
        if field.filled is Filled.CALLER:
            return self.compiler.caller_value((), USER)
        if field.filled is Filled.TENANT:
            return self.compiler.caller_value(("tenant",), field.type)
        type_ = self.compiler.bind_type(field.type)
        return cast(literal_column(default_sql(field) or "NULL", type_), type_)

    def _changed(self, old: Row) -> Row:
        """The row as the update leaves it."""
        columns = dict(old.columns)
        for name in self.shape.fields:
            asked = bindparam(f"set_{name}", type_=Boolean(), required=True)
            columns[name] = case((asked, self._sent(self._field(name))), else_=old.columns[name])
        columns["updated_at"] = NOW
        columns["version"] = old.columns["version"] + _ONE
        return Row(self.resource, columns)

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

    def _touched(self, row: Row) -> dict[str, ColumnElement[Any]]:
        """What every change writes besides."""
        return {"updated_at": NOW, "version": row.columns["version"] + _ONE}

    def _conditions(self, version: ColumnElement[Any]) -> Iterator[Predicate]:
        for name in self.shape.conditions:
            asked = bindparam(name, type_=ARRAY(BigInteger()), required=True)
            yield version == any_(asked) if name == "versions" else version != all_(asked)

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

    def _paired(self, old: Row, changed: Row) -> Iterable[Check]:
        """That one grant to hand over holds, before and after."""
        pairs = self.shape.scope.pairs
        if len({then for _, then in pairs}) > 1:
            held = (
                and_(self._condition(before, old), self._condition(then, changed)) for before, then in pairs
            )
            yield Check("granted by one", or_(*held))

    @property
    def _moving(self) -> list[Field]:
        return [field for field in self.resource.moving if field.name in self.shape.fields]

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

    def _settable(self, row: Row, *, new: bool) -> Iterable[Check]:
        """What the body has of the fields that the row decides about: of the row before, or the one made."""
        members = self.shape.members
        if members is None:
            return
        for name in self.shape.unsure:
            condition = members.sets(name)
            unsent = not_(bindparam(f"sent_{name}", type_=Boolean(), required=True))
            predicate = or_(unsent, self._condition(condition, row))
            yield Check(f"member:{self._position(name)}", predicate, new and self._is_late(condition))
        for name in self.shape.same:
            # Whether it is the same would tell what it is.
            if is_unsure(condition := members.sees(name)):
                yield Check(f"member:{self._position(name)}", self._condition(condition, row))

    def _same_type(self, name: str) -> Any:
        return bind_of(self.compiler, self._field(name))

    def _condition(self, expr: Expr, row: Row) -> Predicate:
        return self.compiler.condition(expr, row)

    def _after(self, name: str, condition: Expr, row: Row) -> Check:
        return Check(name, self._condition(condition, row), self._is_late(condition))

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
            allowed = [self._sent(field).is_(None) if old is None else value.is_(None), readable]
            if old is not None:
                asked = bindparam(f"set_{name}", type_=Boolean(), required=True)
                allowed = [not_(asked), value.is_not_distinct_from(old.columns[name]), *allowed]
            yield Check(f"reference:{self._position(name)}", or_(*allowed))

    def _rules(self, row: Row) -> Iterable[Check]:
        """The rules that no CHECK can hold: they ask for the time or for related rows."""
        for position, rule in enumerate(self.resource.rules):
            if not is_row_check(self.resource, rule.condition):
                yield self._after(f"rule:{position}", rule.condition, row)

    def _linked(self) -> Iterable[Check]:
        """Everything that is linked, or no longer, is for the caller to read."""
        for links in self.links:
            yield Check(f"link:{self._position(links.linking.field.name)}", links.allowed())

    def _missing(self) -> Iterator[ColumnElement[Any]]:
        """Where, among what is linked, the first is that the caller cannot read."""
        for links in self.links:
            yield links.missing().label(f"missing:{self._position(links.linking.field.name)}")

    def _with_links(self, statement: Select[Any], written: FromClause, *, new: bool) -> Select[Any]:
        """The same, with the links of the row that is written."""
        changes = (change for links in self.links for change in links.changes(written, new=new))
        return statement.add_cte(*changes)

    def _with_founder(self, statement: Select[Any], written: FromClause) -> Select[Any]:
        """The same, after making the caller the first member of the tenant that is written."""
        tenant = self.tables.manifest.tenant
        if not self.shape.founds or tenant is None:
            return statement
        through = self.tables.manifest.resource(tenant.through)
        within = through.tenant
        assert within is not None
        held = {
            within: written.c[self.resource.key_field.column],
            through.field(tenant.member): self.compiler.caller_value((), USER),
        }
        for name, literal in tenant.founder or ():
            field = through.field(name)
            assert field is not None
            held[field] = self.compiler.constant(literal.value, field.type)
        columns = [field.column for field in held if field is not None]
        first = insert(self.tables.of(through)).from_select(columns, select(*held.values()))
        return statement.add_cte(first.cte("founder"))

    def _with_caller_row(self, statement: Select[Any]) -> Select[Any]:
        """The same, after making the caller's own row in the User table if it is not there yet."""
        if not self.shape.caller_row:
            return statement
        users = self.tables.of("User")
        key = self.tables.manifest.resource("User").key_field.column
        caller = self.compiler.caller_value((), USER)
        own = select(caller).where(*self._told(("User",), "create"))
        mine = upsert(users).from_select([key], own).on_conflict_do_nothing().cte("caller_row")
        return statement.add_cte(mine)


def _verdicts(checks: Sequence[Check]) -> Select[Any]:
    verdicts: list[ColumnElement[Any]] = [
        check.predicate.is_(true()).label(check.name) for check in checks if not check.late
    ]
    # Of a create, everything may be late.
    return select(*(verdicts or [true().label("nothing")]))


def refused_at_once(shape: WriteShape) -> bool:
    """Whether no row could ever pass, so that only the diagnosis need run."""
    return FALSE in (shape.scope.before, shape.scope.after)
