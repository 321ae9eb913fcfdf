"""Why a caller may, or may not, do something: each grant judged, on the row itself where there is one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from specwright.model.caller import Caller
from specwright.model.expression import FALSE
from specwright.model.grant import Grant
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.sql.expression import Compiler
from specwright.sql.reads import is_key
from specwright.sql.row import Row
from specwright.sql.scope import Reason, within
from specwright.sql.statement import Statement, compile_statement
from specwright.sql.statements import Statements


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a grant: whether its subject is the caller, and whether its When holds."""

    grant: Grant
    who: bool
    when: bool

    def lacks(self, caller: Caller) -> str:
        """What it lacks to apply; nothing where it does."""
        if not self.who:
            return f"{name_of(caller)} is not {self.grant.who}"
        if not self.when and self.grant.when is not None:
            return f"{print_expression(self.grant.when)} does not hold"
        return ""


def explain_row(
    statements: Statements, resource: Resource, action: str, caller: Caller
) -> tuple[tuple[Reason, ...], Statement]:
    """The grants of an action, and the statement that judges them on the row `:key`.

    Its columns are `within` (the tenant), `readable`, `allowed`, and `who0`, `when0`, `who1` … for the grants
    in order.
    """
    compiler = Compiler(statements.tables)
    table = statements.tables.of(resource).alias("t")
    row = Row.of(resource, table)
    reasons = statements.reasons(resource, action, caller)
    read = statements.scope(resource, "read", caller)
    scope = statements.scope(resource, action, caller)
    asked = {"within": within(resource), "readable": read.before, "allowed": scope.before}
    for position, reason in enumerate(reasons):
        asked |= {f"who{position}": reason.who, f"when{position}": reason.when}
    columns: list[ColumnElement[Any]] = [
        compiler.condition(condition, row).is_(True).label(name) for name, condition in asked.items()
    ]
    query: Select[Any] = select(*columns).select_from(table).where(is_key(compiler, row))
    return reasons, compile_statement(compiler, query)


def judged(reasons: Iterable[Reason], found: Mapping[str, Any] | None = None) -> tuple[Verdict, ...]:
    """What became of each grant, by the row of `explain_row`; without a row, by the caller alone."""
    return tuple(
        Verdict(
            reason.grant,
            reason.who != FALSE if found is None else bool(found[f"who{position}"]),
            reason.when != FALSE if found is None else bool(found[f"when{position}"]),
        )
        for position, reason in enumerate(reasons)
    )


def explain(resource: Resource, action: str, caller: Caller, verdicts: Iterable[Verdict]) -> str:
    """In one sentence why the caller may not do this."""
    verdicts = tuple(verdicts)
    if not verdicts:
        return f"no grant of {resource.path} names {action}"
    lacking = [f"{named(verdict.grant)}: {lacks}" for verdict in verdicts if (lacks := verdict.lacks(caller))]
    if len(lacking) < len(verdicts):
        beyond = "" if resource.tenant is None else ", or they are no member of the tenant"
        return f"no grant of {action} for {resource.path} applies to what the row would become{beyond}"
    return f"no grant of {action} for {resource.path} applies: {'; '.join(lacking)}"


def named(grant: Grant) -> str:
    """The grant as the spec has it, and where: `owner may everything (specs/tasks/spec.md:41)`."""
    return f"{grant.who} may {grant.may} ({grant.origin})"


def name_of(caller: Caller) -> str:
    """Who it is, for a person."""
    if caller.anonymous:
        return "an anonymous caller"
    return f"{caller.id}" + (f" ({', '.join(sorted(caller.roles))})" if caller.roles else "")
