"""A project's app running for a proof: on a throw-away database, with sign-in keys made for it alone."""

import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from specwright.auth import Signer
from specwright.cli.server import load
from specwright.cli.staging import issuing
from specwright.db import embedded
from specwright.db.url import normalise
from specwright.migrate.draft import build
from specwright.model.errors import ConfigError, SpecwrightError
from specwright.model.manifest import Manifest
from specwright.model.requirement import Requirement
from specwright.settings import Settings
from specwright.verify.requirements.databases import Databases
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.examples import Credentials
from specwright.verify.requirements.requirements import Serve, prove
from specwright.verify.requirements.serving import serving


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
    signer = Signer(Settings.load(root, environment="development"))
    with embedded.scratch() as server:
        databases = Databases(normalise(server.url))
        built = databases.built(lambda dsn: build(manifest, dsn.sqlalchemy_url))
        async with built, issuing(signer) as sign_in:
            os.environ.update(
                sign_in,
                ENVIRONMENT="development",
                DATABASE_URL=databases.address.sqlalchemy_url,
                SESSION_DATABASE_URL=databases.address.sqlalchemy_url,
                APP_SECRET=secrets.token_urlsafe(32),
            )
            app = _loaded(root)

            @asynccontextmanager
            async def serve() -> AsyncIterator[str]:
                async with databases.fresh(), serving(app) as base:
                    yield base

            def credentials(
                person: str, roles: tuple[str, ...], claims: Mapping[str, Any]
            ) -> Mapping[str, str]:
                return {"authorization": f"Bearer {signer.token(person, roles, claims)}"}

            yield serve, credentials


def _loaded(root: Path) -> Any:
    try:
        return load(root)
    except SpecwrightError:
        raise
    except Exception as error:
        # The project's own code: whatever it raises, the person needs its words.
        raise ConfigError(f"app/main.py cannot be loaded: {error}.") from error
