"""The statements of the main shapes, held word for word in statements.sql beside this file."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from builders import ANYONE, OWNER, backend, entity, field, grant, named, owner, role, to
from specwright.api.rights import Rights
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.expression import Literal
from specwright.model.field import Aggregate
from specwright.model.manifest import Manifest
from specwright.model.resource import Move
from specwright.model.syntax import parse
from specwright.model.types import BOOLEAN, INTEGER, TEXT, TIMESTAMP, Kind, Type
from specwright.sql.lists import ListShape
from specwright.sql.reads import ReadShape
from specwright.sql.statement import Statement
from specwright.sql.statements import Statements

HELD = Path(__file__).with_name("statements.sql")

ADA = Caller("ada")
ADMIN = Caller("root", frozenset({"admin"}))


def _manifest() -> Manifest:
    project = entity(
        "Project",
        field("name", TEXT, required=True),
        owner(),
        grants=(grant(OWNER, "everything"), grant(named("member"), "list, read")),
    )
    task = entity(
        "Task",
        field("title", TEXT, required=True),
        field("priority", INTEGER),
        field("due", TIMESTAMP),
        field("project", to("Project")),
        owner(),
        grants=(
            grant(OWNER, "list, read, create, delete"),
            grant(OWNER, "update", "priority < 3", "project.owner == caller"),
            grant(named("mate"), "list, read, update", None, "priority is not None"),
            grant(role("admin"), "everything"),
            grant(ANYONE, "list", "owner == 'everyone'"),
        ),
        rules=("due is None or due > now()",),
    )
    names = {"member": "tasks.owner == caller", "mate": "project.tasks.owner == caller"}
    return backend(project, task, names=names, roles=("admin",))


def _all() -> dict[str, Statement]:
    manifest = _manifest()
    statements = Statements(manifest)
    task = manifest.resource("Task")
    fields = ("id", "title", "due")
    public = statements.scope(task, "list", ANONYMOUS)
    newest = (("created_at", True, True), ("id", True, True))
    nullable = (("due", True, True), ("id", True, True))
    ada, admin = Rights(statements, task, ADA), Rights(statements, task, ADMIN)
    many = ListShape(public, (), (), filters=(("priority", "gte"),))
    return {
        "read, by a member of the project": statements.read(
            ReadShape(statements.scope(task, "read", ADA), fields)
        ),
        "read, by an admin": statements.read(ReadShape(statements.scope(task, "read", ADMIN), fields)),
        "list, by anyone": statements.list(ListShape(public, fields, newest)),
        "list, by an admin, after a cursor": statements.list(
            ListShape(admin.scope("list"), fields, newest, after=(False, False))
        ),
        "list, filtered, counted, from an offset": statements.list(
            ListShape(
                public,
                fields,
                newest,
                filters=(("priority", "gte"), ("title", "contains"), ("due", "isnull"), ("title", "ne")),
                offset=True,
                count=True,
            )
        ),
        "list, by a nullable field, after a null": statements.list(
            ListShape(admin.scope("list"), fields, nullable, after=(True, False))
        ),
        "list, by a nullable field, after a value": statements.list(
            ListShape(admin.scope("list"), fields, nullable, after=(False, False))
        ),
        "create, by an admin": statements.write(admin.shape("create"), "create"),
        "update, by an admin": statements.write(admin.shape("update"), "update"),
        "delete, by the owner": statements.write(ada.shape("delete"), "delete"),
        "why not, of an update by an admin": statements.write(admin.shape("update"), "diagnose_update"),
        "update, by the owner or a mate": statements.write(ada.shape("update"), "update"),
        "its confirmation": _present(statements.confirmation(ada.shape("update"), "update")),
        "create of many, by an admin": _present(statements.creation(admin.shape("create"), "create")),
        "why not, of that": _present(statements.creation(admin.shape("create"), "diagnose")),
        "which of many is taken": statements.taken(admin.shape("create"), ("title", "project")),
        "create of many, by the owner": _present(statements.creation(ada.shape("create"), "create")),
        "the confirmation of many": _present(statements.creation(ada.shape("create"), "confirm")),
        "update of many, by an admin": _present(statements.change(admin.shape("update"), many, "update")),
        "why not, of that update": _present(statements.change(admin.shape("update"), many, "diagnose")),
        "delete of many, by the owner": _present(statements.change(ada.shape("delete"), many, "delete")),
        "the rows of that, locked": _present(statements.change(ada.shape("delete"), many, "lock")),
        **_calculating(),
    }


def _calculating() -> dict[str, Statement]:
    """Those of a resource that calculates and moves."""
    states = Type(Kind.ENUM, literals=("new", "seen", "shut"))
    note = replace(
        entity(
            "Note",
            field("state", states, default=Literal("new")),
            field("late", BOOLEAN, computed=parse("due < now()")),
            field("said", INTEGER, aggregate=Aggregate("count", "remarks", where=parse("text != 'x'"))),
            field("due", TIMESTAMP),
            owner(),
            grants=(grant(OWNER, "list, read, create"), grant(role("admin"), "read, update")),
        ),
        moves=(
            Move("m1", "state", "new", "seen", (OWNER,)),
            Move("m2", "state", "seen", "new", (OWNER,)),
            Move("m3", "state", "seen", "shut"),
        ),
    )
    remark = entity("Remark", field("text", TEXT, required=True), field("note", to("Note")))
    manifest = backend(note, remark, roles=("admin",))
    statements = Statements(manifest)
    note = manifest.resource("Note")
    ada, admin = Rights(statements, note, ADA), Rights(statements, note, ADMIN)
    fields = ("id", "late", "said")
    sort = (("said", True, True), ("id", True, True))
    return {
        "list, by a count, after a cursor": statements.list(
            ListShape(ada.scope("list"), fields, sort, (("late", "eq"),), after=(False, False))
        ),
        "create, of what begins somewhere": statements.write(ada.shape("create"), "create"),
        "a move, by the owner": statements.write(ada.shape("move state"), "update"),
        "why not, of that move": statements.write(ada.shape("move state"), "diagnose_update"),
        "an update that may be a move, by an admin": statements.write(admin.shape("update"), "update"),
    }


def _present(statement: Statement | None) -> Statement:
    assert statement is not None
    return statement


def _text(found: dict[str, Statement]) -> str:
    blocks = []
    for name, statement in found.items():
        parameters = ", ".join(f"${n} {what}" for n, what in enumerate(statement.parameters, start=1))
        lines = "\n".join(line.strip() for line in statement.text.splitlines())
        blocks.append(f"-- {name}\n-- {parameters}\n{lines};\n")
    return "\n".join(blocks)


def test_the_statements_are_as_they_were() -> None:
    """A change of one word shows; UPDATE_SNAPSHOTS=1 writes the file anew, to be read in the diff."""
    text = _text(_all())
    if os.environ.get("UPDATE_SNAPSHOTS"):
        HELD.write_text(text)
    assert text.splitlines() == HELD.read_text().splitlines()


def test_a_shape_is_compiled_once() -> None:
    """Callers of one kind share their statements, whoever they are."""
    manifest = _manifest()
    statements = Statements(manifest)
    task = manifest.resource("Task")
    first, second = (statements.scope(task, "read", Caller(name)) for name in ("ada", "bob"))
    assert first is second
    assert statements.read(ReadShape(first, ("id",))) is statements.read(ReadShape(second, ("id",)))
    one, other = (Rights(statements, task, Caller(name)).shape("update") for name in ("ada", "bob"))
    assert statements.write(one, "update") is statements.write(other, "update")


def test_no_value_is_part_of_a_statement() -> None:
    """What a request or a caller says is a parameter, always."""
    for name, statement in _all().items():
        assert not re.search(r"'[^']*(ada|root)[^']*'", statement.text), name


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_only_what_reads_its_own_table_is_confirmed(action: str) -> None:
    """Other writes stay one statement."""
    manifest = _manifest()
    statements = Statements(manifest)
    admin = Rights(statements, manifest.resource("Task"), ADMIN).shape(action)
    ada = Rights(statements, manifest.resource("Task"), ADA).shape(action)
    project = Rights(statements, manifest.resource("Project"), ADA).shape(action)
    assert statements.confirmation(admin, action) is None  # type: ignore[arg-type]
    assert (statements.confirmation(ada, action) is None) is (action == "delete")  # type: ignore[arg-type]
    assert statements.confirmation(project, action) is None  # type: ignore[arg-type]
