"""What PostgreSQL refused, told in the spec's words: by SQLSTATE and constraint, never by message text."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from specwright.api.problems import FieldError, Problem, validation
from specwright.db.session import driver_error
from specwright.model.field import Field
from specwright.model.grant import RESTORE
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.sql.checks import Violation
from specwright.sql.constraints import describe_constraint, fields_of, is_row_check
from specwright.sql.tables import Violated

LOG = logging.getLogger("specwright.sessions")

_CODES = {
    Violation.LENGTH: ("too_long", "The text is too long or too short."),
    Violation.RANGE: ("too_large", "The value is out of range."),
    Violation.LITERALS: ("not_a_choice", "The value is not one of the listed ones."),
    Violation.PATTERN: ("pattern_mismatch", "The text does not match the pattern."),
    Violation.ITEMS: ("too_long", "The list has too many or too few items."),
    Violation.SIZE: ("too_long", "The text is too long to be indexed."),
}


def problem_of(manifest: Manifest, action: str, error: asyncpg.PostgresError) -> Problem | None:
    """The refusal that a database error of this action stands for; None when it is a fault of ours."""
    if not isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return None
    violated = describe_constraint(manifest, getattr(error, "constraint_name", None) or "")
    if violated is None:
        return None
    resource = manifest.resource(violated.resource)
    match violated.kind:
        case Violation.UNIQUE | Violation.KEY:
            wire = _wire(resource, violated.fields[-1:])
            message = f"{wire} is taken."
            if len(violated.fields) > 1:
                message = f"{wire} is taken for this {', '.join(violated.fields[:-1])}."
            return Problem("conflict", message, errors=[FieldError(wire, "unique", message)])
        case Violation.REFERENCE:
            if action == "delete":
                message = f"{resource.title} rows refer to this one."
                return Problem("conflict", message, errors=[FieldError("", "in_use", message)])
            if action == RESTORE:
                field = resource.field(violated.fields[0])
                assert field is not None
                message = f"{field.wire} refers to a deleted row: restore that one first."
                return Problem("conflict", message, errors=[FieldError(field.wire, "deleted", message)])
            # The target was there when it was looked up, and vanished before the row was stored.
            return reference_problem(resource, violated.fields[0])
        case Violation.RULE:
            return _rule(resource, violated)
        case Violation.MOVE:
            field = resource.field(violated.fields[0])
            assert field is not None
            return move_problem(resource, field, error.detail)
        case kind:
            code, message = _CODES[kind]
            wire = _wire(resource, violated.fields)
            return validation([FieldError(wire, code, message)])


@contextmanager
def told(manifest: Manifest) -> Iterator[None]:
    """What PostgreSQL refuses to a session, in the words of the API."""
    try:
        yield
    except DBAPIError as error:
        cause = driver_error(error)
        if isinstance(cause, asyncpg.InsufficientPrivilegeError):
            LOG.warning("refused by the database: %s", cause)
            raise Problem("forbidden") from error
        deleting = (error.statement or "").lstrip()[:6].upper() == "DELETE"
        found = problem_of(manifest, "delete" if deleting else "", cause) if cause is not None else None
        if found is None:
            raise
        raise found from error
    except StaleDataError as error:
        LOG.warning("refused by the database: %s", error)
        message = "A row to be changed has changed meanwhile, or is not yours to change."
        raise Problem("conflict", message) from error


def rule_problem(resource: Resource, rule_id: str) -> Problem:
    """The refusal of a row for which a rule of the spec does not hold.

    It is about a member where the rule speaks of that alone, and of no other row.
    """
    rule = next(rule for rule in resource.rules if rule.id == rule_id)
    message = f"This must hold: {print_expression(rule.condition)}"
    if rule.requirements:
        message += f" ({', '.join(rule.requirements)})"
    fields = fields_of(rule)
    alone = len(fields) == 1 and is_row_check(resource, rule.condition)
    wire = _wire(resource, fields) if alone else ""
    return validation([FieldError(wire, "rule_violated", message)])


def move_problem(resource: Resource, field: Field, state: str | None) -> Problem:
    """The refusal of a move that there is not; `state` is where the row is, if that is known."""
    allowed = resource.states_after(field.name, state)
    message = f"{field.wire} cannot go there."
    if state is not None:
        ways = f"to {' or '.join(allowed)}" if allowed else "nowhere"
        message = f"{field.wire} is {state}, and goes {ways} from there."
    error = FieldError(field.wire, "move_not_allowed", message, allowed=allowed)
    return Problem("move_not_allowed", message, errors=[error])


def reference_problem(resource: Resource, name: str) -> Problem:
    """The refusal of a reference to a row that does not exist for the caller."""
    wire = _wire(resource, (name,))
    return validation([FieldError(wire, "reference_not_found", "Refers to nothing that exists for you.")])


def _rule(resource: Resource, violated: Violated) -> Problem:
    assert violated.rule is not None
    return rule_problem(resource, violated.rule)


def _wire(resource: Resource, names: tuple[str, ...]) -> str:
    field = resource.field(names[-1]) if names else None
    return field.wire if field is not None else ""
