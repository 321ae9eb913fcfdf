"""Policies: the grants once more, as row-level security of PostgreSQL for sessions of hand-written code.

Each grant is a policy per command: `USING (who AND when) WITH CHECK (who AND then)`. PostgreSQL ORs them, as
we OR grants. A policy is TO the database roles that it can apply to, so that what depends on the role alone
costs no query anything: a database role for each role of the spec, and one for callers who have several.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, literal_column, or_, select, true
from sqlalchemy.sql.expression import ClauseElement

from specwright.model.caller import ANONYMOUS
from specwright.model.expression import (
    FALSE,
    TRUE,
    And,
    CallerPath,
    Expr,
    In,
    Literal,
    Not,
    Or,
    all_of,
    any_of,
    negate,
)
from specwright.model.field import Field
from specwright.model.grant import HAND_OVER, LINK, Grant, Who, WhoKind
from specwright.model.resource import Resource
from specwright.model.roles import expanded
from specwright.sql.claims import PolicyCompiler
from specwright.sql.handover import handed_over, was
from specwright.sql.moves import Pairs
from specwright.sql.moving import begun, made_by_whose
from specwright.sql.roles import DERIVED, NOBODY, SEVERAL, SIGNED_IN, role_suffix
from specwright.sql.row import Predicate, Row
from specwright.sql.scope import Scopes, living, who_condition, within
from specwright.sql.tables import DIALECT, quote

#: A hand-written SELECT sees what may be read; `list` has no twin.
COMMANDS = {"SELECT": "read", "INSERT": "create", "UPDATE": "update", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Policy:
    """A row of pg_policies; `roles` are suffixes of database roles."""

    table: str
    name: str
    command: str
    roles: tuple[str, ...]
    using: str | None
    check: str | None
    permissive: bool = True


@dataclass(frozen=True, slots=True)
class _Twin:
    """What a grant asks of the rows before and after a command, for one database role."""

    before: Expr
    after: Expr


class Twins:
    """The policies of one resource."""

    def __init__(self, compiler: PolicyCompiler, resource: Resource) -> None:
        self.compiler = compiler
        self.manifest = compiler.manifest
        self.resource = resource
        # As text: a policy is part of no SELECT that its columns could be correlated with.
        columns = compiler.tables.of(resource).columns
        place = quote(resource.table)
        self.row = Row(
            resource,
            {
                field.name: literal_column(f"{place}.{quote(field.column)}", columns[field.column].type)
                for field in resource.fields
                if field.stored
            },
        )
        self.declared = frozenset(role.name for role in self.manifest.roles)
        #: The roles of the spec that everyone has who runs as a database role; None where it depends.
        self.held: dict[str, frozenset[str] | None] = {
            SIGNED_IN: frozenset(),
            **{role_suffix(name): expanded(self.manifest, {name}) for name in sorted(self.declared)},
            SEVERAL: None,
        }
        self.anonymous = Scopes(self.manifest)

    def policies(self) -> Iterator[Policy]:
        """All of them, in the order of the grants."""
        table = self.resource.table
        yield Policy(table, "specwright_derived", "ALL", (DERIVED,), "true", "true")
        if (asked := within(self.resource)) != TRUE:
            sql, roles = self._sql(asked), (NOBODY, *self.held)
            yield Policy(table, "specwright_tenant", "ALL", roles, sql, sql, permissive=False)
        if (lives := living(self.resource)) != TRUE:
            sql, roles = self._sql(lives), (NOBODY, *self.held)
            yield Policy(table, "specwright_living", "ALL", roles, sql, sql, permissive=False)
        for command, action in COMMANDS.items():
            for number, grant in enumerate(self.resource.grants, start=1):
                if action not in grant.actions:
                    continue
                for place, (twin, roles) in enumerate(self._grouped(grant, action).items()):
                    name = f"specwright_{number}_{command.lower()}" + (f"_{place}" if place else "")
                    yield self._policy(name, command, roles, twin)
        yield from self._handing()
        yield from self._whose_moves()
        for command in ("UPDATE", "DELETE"):
            yield from self._readable(command)

    def _grouped(self, grant: Grant, action: str) -> Mapping[_Twin, tuple[str, ...]]:
        """The database roles by what the grant asks of them, without those it never applies to."""
        groups: dict[_Twin, tuple[str, ...]] = {}
        for role in (NOBODY, *self.held):
            twin = self._twin(grant, action, role)
            if twin.before != FALSE or twin.after != FALSE:
                groups[twin] = (*groups.get(twin, ()), role)
        return groups

    def _twin(self, grant: Grant, action: str, role: str) -> _Twin:
        if role == NOBODY:
            reasons = self.anonymous.reasons(self.resource, action, ANONYMOUS)
            reason = next(reason for reason in reasons if reason.grant is grant)
            who, when, then = reason.who, reason.when, reason.then
        else:
            asked = (who_condition(self.manifest, self.resource, grant.who), grant.when, grant.then)
            who, when, then = (
                _decided(condition or TRUE, self.held[role], self.declared) for condition in asked
            )
        match action:
            case "create":
                return _Twin(FALSE, all_of(who, when, then, begun(self.resource)))
            case "update":
                return _Twin(all_of(who, when), all_of(who, then))
            case action if action == HAND_OVER:
                return _Twin(all_of(who, when), then)
            case _:
                return _Twin(all_of(who, when), FALSE)

    def _policy(
        self, name: str, command: str, roles: tuple[str, ...], twin: _Twin, permissive: bool = True
    ) -> Policy:
        using = None if command == "INSERT" else self._sql(twin.before)
        check = self._sql(twin.after) if command in ("INSERT", "UPDATE") else None
        return Policy(self.resource.table, name, command, roles, using, check, permissive)

    def _handing(self) -> Iterator[Policy]:
        """Handing over, and what keeps it apart from other updates, which PostgreSQL would join it with."""
        groups: dict[tuple[tuple[_Twin, ...], Expr, Expr], tuple[str, ...]] = {}
        for role in (NOBODY, *self.held):
            hands = self._of(HAND_OVER, role)
            if hands:
                read = any_of(*(twin.before for twin in self._of("read", role)))
                updates = any_of(*(twin.before for twin in self._of("update", role)))
                groups[hands, read, updates] = (*groups.get((hands, read, updates), ()), role)
        for place, ((hands, read, updates), roles) in enumerate(groups.items()):
            suffix = f"_{place}" if place else ""
            using = self._sql(any_of(*(twin.before for twin in hands)))
            handed = or_(
                *(
                    handed_over(self.compiler, self.row, twin.before, all_of(read, twin.after))
                    for twin in hands
                )
            )
            name = f"specwright_hand_over{suffix}"
            yield Policy(self.resource.table, name, "UPDATE", roles, using, _text(handed))
            if updates not in (TRUE, FALSE):
                check = _text(or_(was(self.compiler, self.row, updates), handed))
                name = f"specwright_hand_over_only{suffix}"
                yield Policy(self.resource.table, name, "UPDATE", roles, "true", check, permissive=False)

    def _whose_moves(self) -> Iterator[Policy]:
        """That a move is made by those whose it is."""
        groups: dict[Any, tuple[str, ...]] = {}
        for role in (NOBODY, *self.held):
            whose = tuple((name, self._whose(name, role)) for name in self.resource.moved_alone)
            if self._of("update", role) and any(each != TRUE for _, made in whose for _, each in made):
                groups[whose] = (*groups.get(whose, ()), role)
        for place, (whose, roles) in enumerate(groups.items()):
            found = tuple((field, made) for name, made in whose if (field := self.resource.field(name)))
            check = _text(made_by_whose(self.compiler, self.row, found))
            name = "specwright_moves" + (f"_{place}" if place else "")
            yield Policy(self.resource.table, name, "UPDATE", roles, "true", check, permissive=False)

    def _whose(self, name: str, role: str) -> tuple[tuple[Pairs, Expr], ...]:
        """The moves of a field, and on which condition on the row before they are the caller's."""
        everything = [twin.before for twin in self._of("moves", role)]
        ways: dict[tuple[str, str], list[Expr]] = {}
        for move in self.resource.moves_of(name):
            who = [self._is(each, role) for each in move.who] if move.who else [TRUE]
            ways.setdefault((move.before, move.after), [*everything]).extend(who)
        return tuple(((pair,), any_of(*granted)) for pair, granted in ways.items())

    def _is(self, who: Who, role: str) -> Expr:
        if role == NOBODY:
            return Literal(who.kind is WhoKind.ANYONE)
        return _decided(who_condition(self.manifest, self.resource, who), self.held[role], self.declared)

    def _of(self, action: str, role: str) -> tuple[_Twin, ...]:
        """What the grants of an action ask of a database role, without those that never apply to it."""
        twins = (self._twin(grant, action, role) for grant in self._granting(action))
        return tuple(twin for twin in twins if twin.before != FALSE)

    def _readable(self, command: str) -> Iterator[Policy]:
        """Writing needs reading. PostgreSQL sees to it where the statement reads; a bare DELETE does not."""
        action = COMMANDS[command]
        needed: dict[_Twin, tuple[str, ...]] = {}
        for role in (NOBODY, *self.held):
            reads = [self._twin(grant, "read", role).before for grant in self._granting("read")]
            writes = [self._twin(grant, action, role) for grant in self._granting(action)]
            asked = [side for twin in writes for side in (twin.before, twin.after) if side != FALSE]
            if action == "update":
                asked += [twin.before for twin in self._of(HAND_OVER, role)]
            if all(any(_implies(side, read) for read in reads) for side in asked):
                continue
            read = any_of(*reads)
            twin = _Twin(read, read if command == "UPDATE" else FALSE)
            needed[twin] = (*needed.get(twin, ()), role)
        for place, (twin, roles) in enumerate(needed.items()):
            name = f"specwright_readable_{command.lower()}" + (f"_{place}" if place else "")
            yield self._policy(name, command, roles, twin, permissive=False)

    def _granting(self, action: str) -> list[Grant]:
        return [grant for grant in self.resource.grants if action in grant.actions]

    def _sql(self, condition: Expr) -> str:
        return _text(self.compiler.condition(condition, self.row))


class LinkTwins(Twins):
    """The policies of links: for whoever may read both rows, made and taken away as the first one grants.

    What can be read of the rows is up to their own policies, which apply to the subqueries here.
    """

    def policies(self) -> Iterator[Policy]:
        """All of them; a link is never changed, only made or taken away."""
        table, roles = self.resource.table, (NOBODY, *self.held)
        near, far = self.resource.fields
        yield Policy(table, "specwright_derived", "ALL", (DERIVED,), "true", "true")
        seen = _text(and_(self._there(near, TRUE), self._there(far, TRUE)))
        yield Policy(table, "specwright_select", "SELECT", roles, seen, None)
        source = Twins(self.compiler, self.manifest.resource(str(near.target)))
        action = f"{LINK}{self.resource.name.partition('.')[2]}"
        groups: dict[Expr, tuple[str, ...]] = {}
        for role in roles:
            granted = any_of(
                *(source._twin(grant, action, role).before for grant in source.resource.granting(action))
            )
            if granted != FALSE:
                groups[granted] = (*groups.get(granted, ()), role)
        for place, (granted, those) in enumerate(groups.items()):
            linked = _text(and_(self._there(near, granted), self._there(far, TRUE)))
            suffix = f"_{place}" if place else ""
            yield Policy(table, f"specwright_insert{suffix}", "INSERT", those, None, linked)
            yield Policy(table, f"specwright_delete{suffix}", "DELETE", those, linked, None)

    def _there(self, field: Field, condition: Expr) -> Predicate:
        """Whether the session can read the row that a reference leads to, and the condition holds for it."""
        target = self.manifest.resource(str(field.target))
        if target.external:
            return true()
        source = self.compiler.tables.of(target).alias("LINKED")
        row = Row.of(target, source)
        found: Select[Any] = select(literal_column("1")).select_from(source)
        held = self.compiler.condition(condition, row)
        return exists(found.where(row.columns[target.key] == self.row.columns[field.name], held))


def _decided(expr: Expr, held: frozenset[str] | None, declared: frozenset[str]) -> Expr:
    """The condition with its questions for roles answered, where the database role answers them."""
    match expr:
        case In(Literal(str(name)), CallerPath(("roles",))) if held is not None and name in declared:
            return Literal(name in held)
        case And(items):
            return all_of(*(_decided(item, held, declared) for item in items))
        case Or(items):
            return any_of(*(_decided(item, held, declared) for item in items))
        case Not(operand):
            return negate(_decided(operand, held, declared))
        case _:
            return expr


def _implies(condition: Expr, read: Expr) -> bool:
    """Whether a row for which the condition holds can be read for certain: it asks all that reading does."""
    if read == TRUE:
        return True
    parts = condition.items if isinstance(condition, And) else (condition,)
    return all(part in parts for part in (read.items if isinstance(read, And) else (read,)))


def _text(clause: ClauseElement) -> str:
    return str(clause.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
