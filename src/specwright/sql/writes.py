"""Writes: one statement when it succeeds, and one that tells why when it is refused."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.expression import ClauseElement

from specwright.model.calculated import entities_of
from specwright.model.field import Field, Filled
from specwright.model.grant import HAND_OVER
from specwright.model.types import USER
from specwright.sql.audit import is_recorded, telling
from specwright.sql.columns import default_sql
from specwright.sql.idempotency import attempt, attempted, kept
from specwright.sql.includes import included, read_by
from specwright.sql.items import item, named_fields, parts
from specwright.sql.judgement import Check, Judgement, verdicts_of
from specwright.sql.moments import NOW
from specwright.sql.reads import is_key
from specwright.sql.row import Predicate, Row
from specwright.sql.sight import Sight

_ONE: ColumnElement[Any] = literal_column("1")


class Writes(Judgement):
    """The statements of one write shape."""

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
        verdicts = verdicts_of(self._restore_checks(row)).select_from(self.table)
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
        return verdicts_of(self._create_checks(new)).add_columns(*self._missing()).select_from(new)

    def diagnose_update(self) -> Select[Any]:
        """Each check of an update by name; no row when there is none of this key."""
        row = Row.of(self.resource, self.table)
        verdicts = verdicts_of(self._update_checks(row, self._changed(row)))
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
        return verdicts_of(self._row_checks(row)).select_from(self.table).where(is_key(self.compiler, row))

    def lock(self) -> Select[Any]:
        """What must hold of the row `:key` before anything is done to it, by name. It is locked."""
        return self.diagnose_delete().with_for_update(of=self.table)

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

    def _is_shown_late(self, name: str) -> bool:
        """Whether the value of a field is worked out from rows that this statement writes."""
        read = entities_of(self.tables.manifest, self.resource, self._field(name))
        return not self._unseen.isdisjoint(read)

    @property
    def _unseen(self) -> set[str]:
        """The entities of which other parts of this statement write rows, the caller's own one included."""
        return self._written | ({"User"} if self.shape.caller_row else set())

    def _item(self, row: Row, source: FromClause) -> tuple[FromClause, ColumnElement[Any]]:
        """The row as the answer shows it."""
        fields = named_fields(self.resource, self.shape.shown)
        held = parts(self.compiler, row, fields, self.shape.members)
        return item(self.compiler, row, source, fields, held, included(self._sight, row, self.shape.include))

    def _confirmation(self, checks: Iterable[Check], row: Row, late: bool) -> Select[Any] | None:
        judged = [check for check in checks if check.late]
        if not (judged or late or self._is_answered_late):
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

    @property
    def _is_answered_late(self) -> bool:
        """Whether what the answer shows depends on rows that this statement writes."""
        members = self.shape.members
        seen = [] if members is None else [members.sees(name) for name in self.shape.shown]
        included = read_by(self._sight, self.shape.include)
        return (
            any(map(self._is_shown_late, self.shape.shown))
            or any(map(self._is_late, seen))
            or not self._unseen.isdisjoint(included)
        )

    @property
    def _sight(self) -> Sight:
        return Sight(self.compiler, dict(self.shape.reads))

    def _new_row(self) -> FromClause:
        """The row to insert."""
        return select(*self._new_columns()).cte("new")

    def _new_columns(self) -> list[ColumnElement[Any]]:
        """The columns of a new row: what the body says, and what we fill."""
        columns: list[ColumnElement[Any]] = []
        for field in self._stored:
            if field.name not in self.shape.fields:
                value = self._filling(field)
            elif field.filled is None:
                value = self._sent(field)
            else:
                value = func.coalesce(self._sent(field), self._filling(field))
            columns.append(value.label(field.column))
        return columns

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

    def _touched(self, row: Row) -> dict[str, ColumnElement[Any]]:
        """What every change writes besides."""
        return {"updated_at": NOW, "version": row.columns["version"] + _ONE}

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
