"""Projects to be measured: specs in a folder, a filled database of their own, settings and tokens."""

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

import asyncpg
import jwt

from benchmarks.dataset import Size, fill
from specwright.db.embedded import Embedded

_SPEC = Path(__file__).parent.parent / "examples" / "tasks" / "specs" / "tasks" / "spec.md"
#: What the example does in Python, and what the clock calculates: no two answers could be compared.
_LEFT_OUT = re.compile(r"\| overdue .*\n|\n\| Action .*\n\|[-|]+\n\| snooze .*\n|, snooze")
_THING = """
## Thing {number}

| Field | Type | Rules            |
|-------|------|------------------|
| title | text | required, 1..200 |
| owner | User | the caller       |

| Who   | May        |
|-------|------------|
| owner | everything |
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where projects are made: a folder, and a server for their databases."""

    folder: Path
    server: Embedded

    def make(self, name: str, size: Size, resources: int = 4) -> "Project":
        """The example of tasks, with as many more entities as it takes, on a database of this name."""
        execute(self.server.url, f"CREATE DATABASE {name}")
        project = Project(self, name, self.folder / name, secrets.token_urlsafe(48))
        (project.root / "specs" / "tasks").mkdir(parents=True)
        things = "".join(_THING.format(number=number) for number in range(resources - 4))
        head, mark, tail = _LEFT_OUT.sub("", _SPEC.read_text()).partition("\n## Requirements")
        (project.root / "specs" / "tasks" / "spec.md").write_text(head + things + mark + tail)
        asyncio.run(fill(project.root, project.url, size))
        return project


@dataclass(frozen=True, slots=True)
class Project:
    """A project that can be served."""

    place: Place
    database: str
    root: Path
    secret: str
    #: Who serves it; the owner of everything, unless another login is named.
    login: str = ""

    @property
    def url(self) -> str:
        """The address of its database."""
        address, _, query = self.place.server.url.partition("?")
        head = address.rpartition("/")[0]
        if self.login:
            head = f"postgresql://{self.login}@"
        return f"{head}/{self.database}?{query}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings to serve it with."""
        return {
            "DATABASE_URL": self.url,
            "AUTH_SECRET": self.secret,
            "APP_SECRET": self.secret[::-1],
            "ENVIRONMENT": "production",
        }

    def token(self, owner: str) -> str:
        """A token that outlives every run."""
        return jwt.encode({"sub": owner, "exp": int(time()) + 36_000}, self.secret, "HS256")


def execute(url: str, *statements: str) -> Sequence[Any]:
    """Run statements; the rows of the last."""

    async def run() -> Sequence[Any]:
        connection = await asyncpg.connect(url)
        rows: Sequence[Any] = ()
        try:
            for statement in statements:
                rows = await connection.fetch(statement)
        finally:
            await connection.close()
        return rows

    return asyncio.run(run())
