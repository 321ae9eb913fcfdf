"""A project's app running for a proof: on a throw-away database, with sign-in keys made for it alone."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, asynccontextmanager
from pathlib import Path

from specwright.cli.staging import project
from specwright.db import embedded
from specwright.db.url import normalise
from specwright.loopback import serving
from specwright.model.errors import ConfigError, SpecwrightError
from specwright.model.manifest import Manifest
from specwright.model.requirement import Requirement
from specwright.verify.requirements.databases import Databases
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.examples import Credentials
from specwright.verify.requirements.requirements import Serve, prove


async def proofs(
    root: Path, manifest: Manifest, requirements: Sequence[Requirement]
) -> AsyncGenerator[Evidence]:
    """Evidence for each of these requirements of a project, as it is found."""
    async with (
        running(root, manifest) as (serve, credentials),
        aclosing(prove(manifest, requirements, serve, credentials)) as proving,
    ):
        async for evidence in proving:
            yield evidence


@asynccontextmanager
async def running(root: Path, manifest: Manifest) -> AsyncIterator[tuple[Serve, Credentials]]:
    """The project's app, on a database server and with sign-in keys made for this run."""
    with ExitStack() as stack:
        with ThreadPoolExecutor(1) as aside:
            starting = aside.submit(stack.enter_context, embedded.scratch())
            # Both take their time: what serves is imported while PostgreSQL makes its files.
            from specwright.cli.server import load
            from specwright.migrate.draft import build
        server = starting.result()
        proved = stack.enter_context(project(root, manifest))
        databases = Databases(normalise(server.url))
        address = databases.address.sqlalchemy_url
        async with databases.built(lambda dsn: build(manifest, dsn.sqlalchemy_url)):
            os.environ.update(
                {name: said.replace("{database}", address) for name, said in proved.environment.items()}
            )
            try:
                app = load(root)
            except SpecwrightError:
                raise
            except Exception as error:
                # The project's own code: whatever it raises, the person needs its words.
                raise ConfigError(f"app/main.py cannot be loaded: {error}.") from error

            @asynccontextmanager
            async def serve() -> AsyncIterator[str]:
                async with databases.fresh():
                    with serving(app) as base:
                        yield base

            yield serve, proved.credentials
