"""For your own tests: a backend on a fresh database for each, and clients that speak for people.

In `conftest.py`: `pytest_plugins = ["specwright.testing"]`. Then a test takes `backend`, or `person`:

    def test_a_task_is_its_owners(person):
        made = person("ada").post("/tasks", json={"title": "Milk"}).json()
        assert person("bob").get(f"/tasks/{made['id']}").status_code == 404

The schema is made once, in a template, and each test gets a copy. The server is an embedded one, or that of
SPECWRIGHT_TEST_DATABASE_URL, whose login must be able to create databases.

A conftest may import from here, too, and pytest has nothing to warn of: PYTEST_DONT_REWRITE.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from specwright.cli.server import load
from specwright.cli.staging import project
from specwright.db import embedded
from specwright.db.url import normalise
from specwright.loopback import serving
from specwright.migrate.draft import build
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project
from specwright.verify.requirements.examples import Credentials

#: Names a PostgreSQL server for tests instead of the embedded one.
SERVER = "SPECWRIGHT_TEST_DATABASE_URL"

_ROLES = """DO $$ DECLARE made name; BEGIN
  FOR made IN SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{template}_') LOOP
    EXECUTE format('DROP ROLE %I', made);
  END LOOP;
END $$"""

Person = Callable[..., httpx2.Client]


@dataclass(slots=True)
class Project:
    """The project under test: its application, loaded once, and the template of its databases."""

    root: Path
    manifest: Manifest
    server: str
    template: str
    database: str
    credentials: Credentials
    app: FastAPI


@dataclass(slots=True)
class Running:
    """The backend of one test, served on a loopback socket from a database of its own."""

    project: Project
    url: str
    _clients: ExitStack = field(default_factory=ExitStack)

    @property
    def app(self) -> FastAPI:
        """The application, as for `dependency_overrides`."""
        return self.project.app

    @property
    def database_url(self) -> str:
        """Where the data are, for a look behind the API's back."""
        return _url(self.project.server, self.project.database)

    @property
    def anonymous(self) -> httpx2.Client:
        """A client without a token."""
        return self._client({})

    def person(self, name: str, *roles: str, **claims: Any) -> httpx2.Client:
        """A client that speaks for somebody; paths are relative to the API's prefix.

        Args:
            roles: their roles; those that the spec's examples give them, if none is named.
            claims: what else their token says.
        """
        held = roles or self.project.manifest.people.get(name, ())
        return self._client(self.project.credentials(name, tuple(held), claims))

    def _client(self, headers: Mapping[str, str]) -> httpx2.Client:
        base = self.url + self.project.manifest.contracts[0].prefix
        # Plain HTTP on this machine: no proxy is asked, and no certificates are loaded for every person.
        client = httpx2.Client(base_url=base, headers=headers, timeout=30, trust_env=False, verify=False)
        return self._clients.enter_context(client)


def pytest_configure(config: pytest.Config) -> None:
    """Tests import from the project as its own code does, whichever way pytest was called."""
    sys.path.insert(0, str(config.rootpath))


@pytest.fixture(scope="session")
def specwright_root(pytestconfig: pytest.Config) -> Path:
    """The project: the folder with `specs/`. Override it where that is not the one of pytest's settings."""
    root = pytestconfig.rootpath
    if not (root / "specs").is_dir():
        raise ConfigError(f"{root} has no specs/: override the fixture specwright_root to name your project.")
    return root


@pytest.fixture(scope="session")
def specwright_project(specwright_root: Path) -> Iterator[Project]:
    """The project, loaded once for all tests."""
    with ExitStack() as stack:
        server = os.environ.get(SERVER) or stack.enter_context(embedded.scratch()).url
        mark = secrets.token_hex(6)
        template, database = f"template_{mark}", f"test_{mark}"
        manifest = read_project(specwright_root)
        _execute(server, f"CREATE DATABASE {template} TEMPLATE template0 ENCODING 'UTF8'")
        stack.callback(_execute, server, _ROLES.format(template=template))
        stack.callback(_execute, server, f"DROP DATABASE {template} WITH (FORCE)")
        asyncio.run(build(manifest, _url(server, template)))
        proved = stack.enter_context(project(specwright_root, manifest))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for setting, value in proved.environment.items():
            environment.setenv(setting, value.replace("{database}", _url(server, database)))
        environment.chdir(specwright_root)
        environment.syspath_prepend(str(specwright_root))
        app = load(specwright_root)
        assert isinstance(app, FastAPI), "app/main.py has an `app` that is not FastAPI's"
        yield Project(specwright_root, manifest, server, template, database, proved.credentials, app)


@pytest.fixture
def backend(specwright_project: Project) -> Iterator[Running]:
    """The backend, on an empty database that nobody else uses."""
    project = specwright_project
    _execute(project.server, f"CREATE DATABASE {project.database} TEMPLATE {project.template}")
    try:
        with serving(project.app) as url:
            running = Running(project, url)
            with running._clients:
                yield running
    finally:
        project.app.dependency_overrides.clear()
        _execute(project.server, f"DROP DATABASE {project.database} WITH (FORCE)")


@pytest.fixture
def person(backend: Running) -> Person:
    """A client that speaks for somebody: `person("ada")`, or with other roles `person("eve", "admin")`."""
    return backend.person


def _url(server: str, database: str) -> str:
    address, _, query = server.partition("?")
    return f"{address.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")


def _execute(server: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(**normalise(server).arguments)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
