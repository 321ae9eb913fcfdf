"""Writes of one row: asked for, done in one statement, and told why when they are refused."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from specwright.api.body import Body
from specwright.api.idempotency import judged
from specwright.api.problems import MOST_ERRORS, FieldError, Problem, validation
from specwright.api.service import Service
from specwright.api.violations import move_problem, reference_problem, rule_problem
from specwright.model.caller import Caller
from specwright.model.field import Field
from specwright.model.grant import LINK, MOVE
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.model.values import read_text
from specwright.sql.linking import How
from specwright.sql.statements import WriteKind
from specwright.sql.writeshape import WriteShape, refused_at_once

#: Makes a refusal that of one row of many.
Naming = Callable[[Problem], Problem]

_DIAGNOSES: dict[WriteKind, WriteKind] = {
    "create": "diagnose_create",
    "update": "diagnose_update",
    "delete": "diagnose_delete",
    "restore": "diagnose_restore",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A write as a request asks for it: its shape, and what fills its parameters."""

    kind: WriteKind
    shape: WriteShape
    values: dict[str, Any]
    body: Body | None = None
    #: What a refusal calls it, where that is not its kind.
    action: str = ""


async def write(service: Service, asked: Asked, caller: Caller, connection: Any = None) -> Any:
    """Run the write; when it is refused, ask once why. With a connection, as a part of its transaction.

    Nothing wrong then means that a race was lost: try again, and give up after the second time.

    Raises:
        Problem: the reason.
    """
    kind, shape, body = asked.kind, asked.shape, asked.body
    for _ in range(2):
        if not refused_at_once(shape) and (body is None or not body.forbidden):
            row = await _attempt(service, asked, caller, connection)
            if row is not None:
                return row
        diagnosis = service.statements.write(shape, _DIAGNOSES[kind])
        verdicts = await service.fetch(diagnosis, caller, asked.values, connection=connection)
        refuse(
            shape.scope.resource,
            asked.action or kind,
            dict(verdicts[0]) if verdicts else {"readable": False},
            body,
        )
    raise Problem("conflict", "The row changed while it was being written; try again.")


async def _attempt(service: Service, asked: Asked, caller: Caller, connection: Any) -> Any:
    """The row as written; None when it was refused."""
    kind, shape, values = asked.kind, asked.shape, asked.values
    resource = shape.scope.resource
    statement = service.statements.write(shape, kind)
    confirmation = service.statements.confirmation(shape, kind)
    # A set of links that somebody else writes meanwhile is seen by a statement that begins after theirs.
    replaces = kind == "update" and any(linking.how is How.SET for linking in shape.links)
    lock = service.statements.write(shape, "lock") if replaces else None

    async def work(connection: Any) -> Any:
        if lock is not None:
            await service.fetch(lock, caller, values, kind, connection)
        rows = await service.fetch(statement, caller, values, kind, connection)
        if shape.keyed:
            rows = judged(rows)
        if confirmation is None or not rows:
            return rows[0] if rows else None
        key = key_of(resource, rows[0]["key"]) if kind == "create" else values["key"]
        (stored,) = await service.fetch(confirmation, caller, {**values, "key": key}, kind, connection)
        answer = {"key", "version", "item"}
        refuse(resource, kind, {name: holds for name, holds in stored.items() if name not in answer}, None)
        return stored

    if (confirmation is None and lock is None) or connection:
        return await work(connection)
    return await service.database.atomically(work)


def refuse(resource: Resource, action: str, verdict: Mapping[str, Any], body: Body | None = None) -> None:
    """Raise the first reason of a diagnosis, in the order of judgement; return when there is none."""
    failed = [name for name, holds in verdict.items() if not holds]
    if "readable" in failed:
        # Of a row that is there, more than that is known.
        raise Problem("not_found", hides="granted" in verdict)
    if "version" in failed:
        raise Problem("precondition_failed")
    if any(name.startswith("granted") for name in failed):
        raise Problem("forbidden", f"You may not {spoken(action)} this {resource.title.lower()}.")
    if "deleted" in failed:
        raise Problem("conflict", f"This {resource.title.lower()} is not deleted.")
    members = [name for name in failed if name.startswith("member:")]
    forbidden = [resource.fields[int(name.partition(":")[2])].wire for name in members]
    if body is not None:
        forbidden += body.forbidden
    if forbidden:
        raise forbidden_fields(dict.fromkeys(forbidden))
    for name in failed:
        what, _, number = name.partition(":")
        match what:
            case "mover":
                wire = resource.fields[int(number)].wire
                raise Problem("forbidden", f"You may not make this move of {wire}.")
            case "same":
                raise _not_the_same(resource.fields[int(number)])
            case "reference":
                raise reference_problem(resource, resource.fields[int(number)].name)
            case "link" if body is None:
                raise Problem("not_found")
            case "link":
                wire = f"{resource.fields[int(number)].wire}.{verdict[f'missing:{number}'] - 1}"
                message = "Refers to nothing that exists for you."
                raise validation([FieldError(wire, "reference_not_found", message)])
            case "begin":
                raise _not_the_first(resource.fields[int(number)])
            case "move":
                field = resource.fields[int(number)]
                raise move_problem(resource, field, verdict.get(f"state:{number}"))
            case "rule":
                raise rule_problem(resource, resource.rules[int(number)].id)


def refuse_each(asked: Asked, verdicts: Iterable[tuple[Naming, Mapping[str, Any]]]) -> None:
    """Raise what is wrong with the first row that is refused, with the same of the others.

    Each verdict comes with what makes a refusal that of its row.

    Raises:
        Problem: one is refused.
    """
    found = []
    for name, verdict in verdicts:
        try:
            refuse(asked.shape.scope.resource, asked.action or asked.kind, verdict, asked.body)
        except Problem as problem:
            found.append(name(problem))
    if not found:
        return
    first = found[0]
    errors = [error for problem in found if problem.code == first.code for error in problem.errors]
    raise Problem(first.code, first.detail, errors=errors[:MOST_ERRORS], status=first.status)


def spoken(action: str) -> str:
    """An action as a sentence has it before the row: a move or a link is one of the row."""
    return f"{action} of" if action.startswith((MOVE, LINK)) else action


@contextmanager
def named(name: Naming) -> Iterator[None]:
    """What is done for one row of many; a refusal is told as that of this row.

    Raises:
        Problem: the row's own.
    """
    try:
        yield
    except Problem as problem:
        raise name(problem) from problem


def key_of(resource: Resource, text: str) -> Any:
    """The key that a path segment spells.

    Raises:
        Problem: no row can have it, so it is not found.
    """
    if resource.key_field.type.kind is not Kind.UUID:
        if "\x00" in text:
            raise Problem("not_found")
        return text
    try:
        return read_text(text, Kind.UUID)
    except ValueError:
        raise Problem("not_found") from None


def _not_the_same(field: Field) -> Problem:
    code = "immutable" if field.immutable else "read_only"
    message = "Cannot be changed: leave it out, or send what it is."
    return validation([FieldError(field.wire, code, message)])


def _not_the_first(field: Field) -> Problem:
    assert field.default is not None
    message = f"Begins as {field.default.value}: leave it out."
    return validation([FieldError(field.wire, "not_a_choice", message)])


def forbidden_fields(wires: Collection[str]) -> Problem:
    """The 403 that names the members which are not the caller's to set."""
    names = ", ".join(wires)
    errors = [FieldError(wire, "forbidden", f"You may not set {wire}.") for wire in wires]
    return Problem("forbidden", f"You may not set {names}.", errors=errors)
