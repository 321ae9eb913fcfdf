"""What a request says is followed to where it would be run, and to nothing else."""

import ast
from textwrap import dedent

import pytest

from specwright.verify.code.flow import Module
from specwright.verify.code.types import Types

_HEAD = """
import asyncio, json, os, pickle, re, shlex, subprocess as sp, yaml
from enum import Enum
from typing import Annotated, Literal
from fastapi import Depends, FastAPI, Query, Request
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import select, text

class Order(Enum):
    up = "asc"

class Body(BaseModel):
    name: str
    count: int
    code: str = Field(pattern="^[a-z]+$")
    kind: Literal["a", "b"]
    checked: str

    @field_validator("checked")
    def check(cls, value): ...

class Inner(BaseModel):
    body: Body

class Rows:
    def sorted(self, column):
        return db.fetch(f"SELECT * FROM row ORDER BY {column}")

rows = Rows()
Name = Annotated[str, Query(max_length=80)]
COLUMNS = {"name": "name"}

def where(condition, *values):
    return db.execute(f"SELECT * FROM row WHERE {condition}", values)

def loud(word):
    return word.upper()

def user(token: str) -> str: ...
"""
_SUSPECTED = {
    "a shell": 'async def f(name: str): sp.run(f"ls {name}", shell=True)',
    "a shell, as it is": "def f(name: str): os.system(name)",
    "a shell of asyncio": 'async def f(name: Name): await asyncio.create_subprocess_shell("ls " + name)',
    "eval of a header": 'def f(request: Request): return eval(request.headers["x-formula"])',
    "pickle of a body": "async def f(request: Request): return pickle.loads(await request.body())",
    "yaml": "def f(body: Body): return yaml.load(body.name)",
    "yaml with a loader of everything": "def f(body: Body): return yaml.load(body.name, Loader=yaml.Loader)",
    "an f-string": """def f(name: str): db.execute(f"SELECT * FROM row WHERE name = '{name}'")""",
    "format": """def f(name: str): db.execute("SELECT * FROM row WHERE name = '{}'".format(name))""",
    "per cent": """def f(name: str): db.execute("DELETE FROM row WHERE name = '%s'" % name)""",
    "text()": 'def f(sort: str): session.execute(text("SELECT * FROM row ORDER BY " + sort))',
    "no annotation": 'def f(sort="id"): db.fetch(f"SELECT * FROM row ORDER BY {sort}")',
    "a member of a member": 'def f(it: Inner): db.fetch(f"SELECT * FROM row ORDER BY {it.body.name}")',
    "all members": 'def f(b: Body): db.fetch(f"SELECT * FROM row ORDER BY {b.model_dump()["name"]}")'.replace(
        '["name"]', "['name']"
    ),
    "a list of conditions": """
        def f(name: str | None = None):
            conditions = ["1 = 1"]
            if name:
                conditions.append(f"name = '{name}'")
            db.execute("SELECT * FROM row WHERE " + " AND ".join(conditions))
    """,
    "a statement that grows": """
        def f(name: str = ""):
            sql = "SELECT * FROM row"
            if name:
                sql += f" WHERE name = '{name}'"
            return db.execute(sql)
    """,
    "a function below": """def f(name: str): return where(f"name = '{name}'")""",
    "a method below": "def f(sort: str): return rows.sorted(loud(sort))",
    "a pattern that lets all through": """
        def f(name: Annotated[str, Query(pattern="^.*$")]): os.system("ls " + name)
    """,
}
_HARMLESS = {
    "a list of arguments": 'def f(name: str): sp.run(["ls", name])',
    "a quoted word": 'def f(name: str): sp.run(f"ls {shlex.quote(name)}", shell=True)',
    "a command of ours": 'def f(name: str): sp.run("ls", shell=True)',
    "a value beside the statement": 'def f(name: str): where("name = ?", name)',
    "a bound parameter": 'def f(n: str): session.execute(text("SELECT 1 FROM row WHERE a = :a"), {"a": n})',
    "an expression of SQLAlchemy": "def f(name: str): session.execute(select(Row).where(Row.name == name))",
    "a number": 'def f(limit: int): db.execute(f"SELECT * FROM row LIMIT {limit}")',
    "a member that is a number": 'def f(b: Body): db.execute(f"SELECT * FROM row LIMIT {b.count}")',
    "a literal": 'def f(b: Body): db.execute(f"SELECT * FROM row ORDER BY {b.kind}")',
    "an enumeration": 'def f(o: Order): db.execute(f"SELECT * FROM row ORDER BY id {o.value}")',
    "a pattern": 'def f(b: Body): db.execute(f"SELECT * FROM row ORDER BY {b.code}")',
    "a validator": 'def f(b: Body): db.execute(f"SELECT * FROM row ORDER BY {b.checked}")',
    "a look-up": 'def f(sort: str): db.execute(f"SELECT * FROM row ORDER BY {COLUMNS[sort]}")',
    "a look-up with a default": """
        def f(sort: str): db.execute(f"SELECT * FROM row ORDER BY {COLUMNS.get(sort, 'id')}")
    """,
    "one of two": """
        def f(sort: str): db.execute(f"SELECT * FROM row ORDER BY id {'ASC' if sort == 'up' else 'DESC'}")
    """,
    "a list of names": """
        def f(sort: str):
            if sort not in COLUMNS:
                raise ValueError
            db.execute(f"SELECT * FROM row ORDER BY {sort}")
    """,
    "what was looked at": """
        def f(sort: str):
            if not re.fullmatch("[a-z]+", sort):
                raise ValueError
            db.execute(f"SELECT * FROM row ORDER BY {sort}")
    """,
    "int()": """
        def f(count: str):
            count = int(count)
            db.execute(f"SELECT * FROM row LIMIT {count}")
    """,
    "a dependency": 'def f(me: Annotated[str, Depends(user)]): db.execute(f"SET role {me}")',
    "the session": 'def f(request: Request): db.execute(f"SET role {request.state.user} ")',
    "an address": 'def f(name: str): client.fetch(f"https://example.com/from/{name}")',
    "a log line": 'def f(name: str): print(f"select {name} from a list")',
    "safe yaml": "def f(body: Body): return yaml.load(body.name, Loader=yaml.SafeLoader)",
    "json": "async def f(request: Request): return json.loads(await request.body())",
}


@pytest.mark.parametrize("code", _SUSPECTED.values(), ids=_SUSPECTED)
def test_what_would_be_run_is_suspected(code: str) -> None:
    """Once, at its line."""
    assert len(_suspicions(code)) == 1


@pytest.mark.parametrize("code", _HARMLESS.values(), ids=_HARMLESS)
def test_what_is_harmless_is_not(code: str) -> None:
    """Values beside a statement, numbers, look-ups and what was looked at first."""
    assert _suspicions(code) == []


def test_a_function_that_answers_nothing_is_not_followed() -> None:
    """Only requests bring what anybody may send."""
    assert _suspicions("def f(name: str): os.system(name)", route="") == []


def test_a_function_that_is_known_to_answer_is_followed() -> None:
    """Whichever way it was made a route."""
    tree = ast.parse("import os\n\ndef f(name: str):\n    os.system(name)\n")
    module = Module(tree, Types(tree, {}), {3})
    assert [(each.line, each.says) for each in module.suspicions()] == [
        (4, "a shell runs what a request says")
    ]


def _suspicions(code: str, route: str = '@app.get("/f")') -> list[str]:
    tree = ast.parse(f"{_HEAD}\n{route}\n{dedent(code).strip()}\n")
    return [each.says for each in Module(tree, Types(tree, {})).suspicions()]
