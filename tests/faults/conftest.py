"""A project on a real server of its own, served by a process of its own.

`FAULTS=long`, as `make faults` sets it, repeats what can be repeated.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.servers import App, Postgres, serving
from specwright.migrate.apply import commit, upgrade
from specwright.read.project import read_project

SPEC = """
# Faults

## Folder

| Field | Type | Rules                    |
|-------|------|--------------------------|
| name  | text | required, ..80           |
| owner | User | the caller               |

| Who   | May        |
|-------|------------|
| owner | everything |

## Note

| Field  | Type    | Rules           |
|--------|---------|-----------------|
| text   | text    | required, ..4000 |
| code   | text    | ..80, unique    |
| number | integer | default 0       |
| folder | Folder  | on delete clear |
| owner  | User    | the caller      |

| Who   | May        |
|-------|------------|
| owner | everything |
"""

LONG = os.environ.get("FAULTS") == "long"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server; its folder has a short path, as a socket's must be, so that it comes back in its place."""
    with tempfile.TemporaryDirectory(prefix="sw-faults-", dir="/tmp") as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def root(postgres: Postgres) -> Iterator[Path]:
    """The project, its tables made."""
    with tempfile.TemporaryDirectory(prefix="sw-faults-") as folder:
        root = Path(folder)
        (root / "specs" / "faults").mkdir(parents=True)
        (root / "specs" / "faults" / "spec.md").write_text(SPEC)
        commit(root, read_project(root), "first")
        asyncio.run(upgrade(root, postgres.url))
        yield root


@pytest.fixture(scope="session")
def app(root: Path, postgres: Postgres) -> Iterator[App]:
    """The backend, with five connections to its database."""
    with serving(root, postgres, DATABASE_POOL_SIZE="5") as running:
        yield running
