"""The comparison with the interpreter is sharp: it notices any flipped operator of the SQL compiler."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from types import ModuleType
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
from sqlalchemy import select

from properties import offices
from properties.flips import flipped
from properties.worlds import DAYS, MOMENTS, built_in, make_manifest, store
from specwright.model.caller import Caller
from specwright.model.expression import Compare, Expr, In, Parameter, Path
from specwright.model.interpret import World
from specwright.model.manifest import Manifest
from specwright.model.syntax import parse
from specwright.model.typecheck import check_condition
from specwright.model.types import INTEGER, TEXT
from specwright.sql import comparison, expression, moments
from specwright.sql.constraints import is_row_check
from specwright.sql.statement import compile_statement
from specwright.sql.tables import Tables

# A flip is noticed on any server; it takes minutes.
pytestmark = pytest.mark.any_server

MANIFEST = make_manifest({"name", "priority", "task"})
CLAIMS = {"word": "a", "level": 1, "words": ["a", "b"], "levels": [1, 3], "day": "2026-01-31"}
CALLER = Caller("ada", frozenset({"admin", "a"}), CLAIMS)
PARAMETERS = {"word": "a", "words": ["a", "b"], "levels": [1, 3]}

#: Conditions by entity; together they use every operator of the compiler where it makes a difference.
CONDITIONS = {
    "Task": """
        True
        not True
        False
        not False
        title == "a"
        title != "a"
        not title == "a"
        not title != "a"
        title == title
        title != title
        title < title
        tasks.title == tasks.title
        now() == now()
        title == None
        title != None
        None == title
        None != title
        title is None
        title is not None
        title == parent.title
        title != parent.title
        title == project.name
        title != project.name
        project.name == "a"
        not project.name == "a"
        project.name != "a"
        project.name is None
        project.size == priority
        project.size != priority
        parent.project.name == title
        title == coalesce(parent.title, "a")
        coalesce(parent.title, "a") == "a"
        parent.title == None
        parent.title != None
        contains(title, "a") == done
        contains(title, "a") != done
        priority in scores
        1 in scores
        double in scores
        priority * 9007199254740991 * 9007199254740991 in scores
        100000000000000000000 in scores
        priority in caller.claims.levels
        day == caller.claims.day
        caller.claims.word in notes
        title < "b"
        title <= "a"
        title > "a"
        title >= "b"
        title < "é"
        not title < "b"
        priority < 1
        priority <= 1
        priority > 1
        priority >= 1
        priority == 1
        priority != 1
        priority + 1 == 2
        priority - 1 == 1
        priority * 2 == 4
        priority * 9007199254740991 > 0
        -priority == 1
        abs(priority) == 1
        cost * 10 == 1
        cost + priority == 1.1
        cost > 0.1
        due < now()
        due > now()
        due < now() + days(7)
        due > now() - hours(12)
        due + days(priority) == "2026-02-02T00:30:00Z"
        due - hours(priority) == "2026-01-31T23:30:00Z"
        due + hours(abs(priority)) > due
        due + days(100000000) is None
        due - days(100000000) is None
        created_at + days(100000000) == due
        created_at - days(100000000) != due
        day + days(2912413) is None
        day + days(2912412) is None
        day - days(739646) is None
        day - days(739647) is None
        day + days(priority) == "2026-02-01"
        day - days(1) <= today()
        date(due) == day
        date(due) != day
        day == today()
        day < today()
        due == "2026-02-01T00:30:00+01:00"
        day >= "2026-02-01"
        done
        not done
        done == True
        done != True
        done == False
        done == parent.done
        status == "in progress"
        status in ["todo", "done"]
        status not in ["todo", "done"]
        title in []
        not title in []
        "a" in notes
        "a" not in notes
        coalesce(title, "a") in parent.notes
        title in notes
        len(notes) == 0
        len(notes) == 2
        len(title) == 1
        len(title) == 2
        lower(title) == "a"
        upper(title) == "A"
        contains(title, "b")
        not contains(title, "b")
        contains(title, "%")
        contains(title, "")
        startswith(title, "a")
        endswith(title, "b")
        endswith(title, "ab")
        endswith(title, "é")
        owner == caller
        owner != caller
        owner == "bob"
        owner == project.lead
        title in caller.roles
        not title in caller.roles
        title == caller.claims.word
        title in caller.claims.words
        priority == caller.claims.level
        id == parent
        project == parent.project
        project.id == parent.project
        parent.owner == owner
        tasks.priority > priority
        tasks.priority == priority
        tasks.priority != priority
        tasks.title is None
        not tasks.title is None
        comments.body == title
        comments.author == caller
        not comments.author == caller
        comments.author != caller
        project.tasks.title == "b"
        project.tasks.title != title
        parent.comments.body is None
        comments.task.title == title
        title == "a" and priority == 1
        title == "a" or priority == 1
        not (title == "a" and priority == 1)
        not (title == "a" or priority == 1)
        not not title == "a"
        title == "a" and not (done or not priority > 1)
        coalesce(title, parent.title) == "b"
        coalesce(title, parent.title) is None
        coalesce(title, parent.title) == project.name
        title == lower(parent.title)
        cost == -parent.cost
        cost == parent.cost + 1
        late
        not late
        late == True
        parent.late
        late == parent.late
        double == 9007199254740991000
        double > 0
        double is None
        net == 0.10
        net == 1.11
        net == parent.net
        label == "a"
        label < "b"
        label is None
        label == parent.label
        since < now()
        since == due
        replies == 0
        replies == 2
        replies != 1
        replies == parent.replies
        project.open == 3
    """,
    "Project": """
        name == "a"
        size is None
        tasks.title == name
        tasks.comments.body == name
        tasks.comments.body is None
        tasks.parent.title == "a"
        tasks.parent.title is None
        tasks.parent.title != "a"
        tasks.owner == lead
        tasks.owner == caller
        not tasks.done
        tasks.due < now()
        tasks.priority + size == 3
        open == 0
        open == 3
        open > 1
        load == 0
        load > 1
        points == 0
        points > 9007199254740991000
        heavy
        not heavy
        tasks.late
        tasks.replies > 1
    """,
    "Comment": """
        body == task.title
        body != task.title
        task.project.name == "a"
        task.project.name is None
        task.project.name == body
        task.owner == caller
        task.owner == author
        task.comments.author != author
        not task.owner == caller
        task.late
        task.replies == 2
        task.project.heavy
    """,
}

#: What a request's filters ask; it is not written as text.
FILTERS = [
    Compare("==", Path(("title",)), Parameter("word", TEXT)),
    In(Path(("title",)), Parameter("words", TEXT)),
    In(Path(("priority",)), Parameter("levels", INTEGER)),
]

#: Flips that no row can tell, by the reason.
EQUIVALENT = {
    "A value that is taken for nullable is compared null-safe, which is slower and says the same": (
        "all((self.nullable(argument, resource) for argument in arguments))",
        "compiler.nullable(left, resource) and compiler.nullable(right, resource)",
        "self.nullable(left) and self.nullable(right)",
    ),
    "What is taken for wider than a bigint is compared as a number, which is slower and says the same": (
        "-2 ** 63",
        "-2 ** 63 <= value < 2 ** 63",
    ),
    "The keys that are linked are shown in an order; no condition asks for it": (
        "related.resource.key_field.type.kind in TEXT_KINDS",
        "key.collate('C') if related.resource.key_field.type.kind in TEXT_KINDS else key",
    ),
    "The name of a parameter": ("'list_' if self.many else ''",),
    "SQLAlchemy's idea of a literal's type; PostgreSQL has its own": (
        "Text() if expected is None else self.bind_type(expected)",
        "expected is None",
    ),
    "A search function is true where it equals true": ("name in _SEARCH",),
    "Every text column sorts by code point already": ("shared is not None",),
    "Checked operands have the type that is expected of them": (
        "names == ('roles',) or expected is None",
        "common_type(*(self.typed(argument) for argument in arguments)) or expected",
    ),
}


def world() -> dict[str, list[dict[str, Any]]]:
    """Rows that differ in what the operators tell apart."""
    project, task, comment = (MANIFEST.resource(name) for name in ("Project", "Task", "Comment"))
    projects = [
        {"name": "a", "size": 1, "lead": "ada"},
        {"name": "b", "size": None, "lead": None},
        {"name": "ab", "size": 2, "lead": "bob"},
    ]
    empty = {field.name: None for field in task.fields if field.stored and not field.built_in}
    future = datetime(2999, 1, 1, tzinfo=MOMENTS[0].tzinfo)
    tasks: list[dict[str, Any]] = [
        {"title": "a", "priority": 1, "status": "todo", "cost": Decimal("0.10"), "notes": ["b", "a"]},
        {"title": "b", "priority": 2, "status": "done", "done": True, "notes": [], "cost": Decimal("1.10")},
        {"title": None, "priority": -1, "done": False, "due": MOMENTS[0], "day": DAYS[0], "owner": "ada"},
        {"title": "ab", "priority": 0, "due": MOMENTS[1], "day": DAYS[0], "notes": ["ab"], "owner": "bob"},
        {"title": "A", "priority": 2, "status": "in progress", "due": future, "day": future.date()},
        {"title": "éé", "priority": 1, "cost": Decimal("-0.10"), "done": True, "owner": "ada"},
        {"title": "%", "priority": 3, "owner": None},
        {"title": "ba", "priority": 1, "status": "todo", "owner": "bob", "scores": [1, 2]},
        {"title": None, "priority": 1, "scores": []},
    ]
    stored = {
        "Project": [row | built_in(project, number) for number, row in enumerate(projects)],
        "Task": [empty | row | built_in(task, number) for number, row in enumerate(tasks)],
        "Comment": [],
        "Project.pins": [],
        "User": [],
    }
    keys = [row["id"] for row in stored["Task"]]
    for number, (place, parent) in enumerate(
        [(0, None), (0, 0), (1, 0), (None, 2), (2, 4), (1, 0), (None, None), (None, 7), (None, None)]
    ):
        stored["Task"][number]["project"] = None if place is None else stored["Project"][place]["id"]
        stored["Task"][number]["parent"] = None if parent is None else keys[parent]
    remarks = [
        ("a", 0, "ada"),
        ("b", 0, "bob"),
        (None, 1, None),
        ("ab", 3, "bob"),
        ("a", 2, "eve"),
        (None, 3, "eve"),
    ]
    stored["Comment"] = [
        {"body": body, "task": keys[task_number], "author": author} | built_in(comment, number)
        for number, (body, task_number, author) in enumerate(remarks)
    ]
    return stored


class _Comparison:
    """The conditions, what the interpreter says of them, and what a compiler makes PostgreSQL say."""

    def __init__(
        self,
        manifest: Manifest,
        rows: Mapping[str, list[dict[str, Any]]],
        caller: Caller,
        conditions: Mapping[str, list[Expr]],
        now: datetime,
    ) -> None:
        interpreter = World(manifest, rows, now, PARAMETERS)
        self.manifest, self.caller, self.conditions = manifest, caller, conditions
        self.checks: dict[str, list[Expr]] = {}
        self.wanted: dict[str, dict[Any, list[bool]]] = {}
        for name, known in conditions.items():
            resource = manifest.resource(name)
            self.checks[name] = [each for each in known if is_row_check(resource, each)]
            self.wanted[name] = {
                row["id"]: [
                    interpreter.holds(each, resource, row, caller) for each in (*known, *self.checks[name])
                ]
                for row in rows[name]
            }

    async def agrees(self, connection: asyncpg.Connection, compiler: Any) -> bool:
        """Whether PostgreSQL says what the interpreter says; an error is no agreement."""
        for name in self.conditions:
            try:
                async with connection.transaction():
                    found = await connection.fetch(*self.query(name, compiler))
            except Exception:
                return False
            if {row[0]: row[1:] for row in map(list, found)} != self.wanted[name]:
                return False
        return True

    def query(self, name: str, module: Any) -> list[Any]:
        """The SQL that says of each row which conditions hold, and its arguments."""
        tables = Tables(self.manifest)
        resource = self.manifest.resource(name)
        table = tables.of(resource)
        compiler, row = module.Compiler(tables), module.Row.of(resource, table)
        asked = [compiler.condition(each, row).is_(True) for each in self.conditions[name]]
        asked += [module.check_clause(tables, resource, each) for each in self.checks[name]]
        columns = [each.label(f"c{number}") for number, each in enumerate(asked)]
        statement = compile_statement(compiler, select(table.c.id, *columns))
        return [statement.text, *statement.arguments(self.manifest, self.caller, PARAMETERS)]


def _parsed(manifest: Manifest, conditions: Mapping[str, str]) -> dict[str, list[Expr]]:
    """The conditions of each entity, which are well formed."""
    found = {}
    for name, text in conditions.items():
        found[name] = [parse(line.strip()) for line in text.strip().splitlines()]
        for each in found[name]:
            assert not check_condition(manifest, manifest.resource(name), each), each
    return found


async def _comparisons(connection: asyncpg.Connection) -> list[_Comparison]:
    """The comparisons over each world, whose rows are stored."""
    now = await connection.fetchval("SELECT transaction_timestamp()")
    conditions = _parsed(MANIFEST, CONDITIONS)
    conditions["Task"] += FILTERS
    within = _parsed(offices.MANIFEST, offices.CONDITIONS)
    await store(connection, MANIFEST, world())
    await store(connection, offices.MANIFEST, offices.world())
    return [
        _Comparison(MANIFEST, world(), CALLER, conditions, now),
        _Comparison(offices.MANIFEST, offices.world(), offices.CALLER, within, now),
    ]


async def _agree(comparisons: list[_Comparison], connection: asyncpg.Connection, compiler: Any) -> bool:
    for each in comparisons:
        if not await each.agrees(connection, compiler):
            return False
    return True


def _flips() -> Iterator[tuple[str, ModuleType]]:
    """Each operator of the compiler's modules, and the compiler while that one is flipped."""
    yield from flipped(expression)
    for name, mutant in flipped(comparison):
        with patch.object(expression, "Comparison", mutant.Comparison):
            yield name, expression
    for name, mutant in flipped(moments):
        with patch.object(comparison, "moved", mutant.moved):
            yield name, expression


def test_every_flipped_operator_is_noticed(database_url: str) -> None:
    """With any one operator of the compiler flipped, PostgreSQL and the interpreter disagree."""

    async def survivors() -> list[str]:
        connection = await asyncpg.connect(database_url)
        try:
            async with connection.transaction():
                comparisons = await _comparisons(connection)
                assert await _agree(comparisons, connection, expression)
                return [name for name, mutant in _flips() if await _agree(comparisons, connection, mutant)]
        finally:
            await connection.close()

    known = {flip for flips in EQUIVALENT.values() for flip in flips}
    assert set(asyncio.run(survivors())) == known
