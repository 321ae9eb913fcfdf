"""`specwright verify`: the requirements of the specs, proved on the app over HTTP."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from specwright.auth import Signer
from specwright.cli.project import find_project
from specwright.cli.server import load
from specwright.db import embedded
from specwright.db.url import Dsn, normalise
from specwright.migrate.draft import develop
from specwright.model.errors import ConfigError, SpecwrightError
from specwright.model.manifest import Manifest, Requirement
from specwright.read.project import read_project
from specwright.settings import Settings
from specwright.verify.databases import Databases
from specwright.verify.evidence import Evidence, Standing
from specwright.verify.examples import Credentials
from specwright.verify.report import document, lines, summary
from specwright.verify.requirements import Serve, choose, prove
from specwright.verify.serving import serving


class Format(StrEnum):
    """How the evidence is printed."""

    TEXT = "text"
    JSON = "json"


def verify(
    directory: Annotated[
        Path | None, typer.Argument(help="The project's folder; by default the one you are in.")
    ] = None,
    requirements: Annotated[
        bool,
        typer.Option("--requirements", help="The requirements of the specs, by their examples: the default."),
    ] = False,
    format: Annotated[Format, typer.Option(help="text, or json for programs.")] = Format.TEXT,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FR-001", help="This requirement only; may be repeated.")
    ] = None,
) -> None:
    """Run the examples of each requirement against the API, each requirement on an empty database.

    PROVED, BROKEN (a diff, with the spec's line) or NOT RUN (why) for each. The databases are on a server of
    their own, gone afterwards; yours is not touched. Exit code 1 when a requirement is broken.
    """
    root = find_project(directory)
    manifest = read_project(root)
    chosen = choose(manifest, only or ())
    del requirements  # the one kind of check there is: run with and without the word
    found = asyncio.run(_gather(root, manifest, chosen, format))
    typer.echo(document(found) if format is Format.JSON else f"\n{summary(found)}")
    if any(evidence.standing is Standing.BROKEN for evidence in found):
        raise typer.Exit(1)


async def _gather(
    root: Path, manifest: Manifest, requirements: tuple[Requirement, ...], format: Format
) -> list[Evidence]:
    found = []
    async with _running(root, manifest) as (serve, credentials):
        async for evidence in prove(manifest, requirements, serve, credentials):
            found.append(evidence)
            if format is Format.TEXT:
                for line in lines(evidence, by_id=len(manifest.features) > 1):
                    typer.echo(line)
    return found


@asynccontextmanager
async def _running(root: Path, manifest: Manifest) -> AsyncIterator[tuple[Serve, Credentials]]:
    """The project's app, on a database server and with sign-in keys made for this run."""
    signer = Signer(Settings.load(root, environment="development"))
    with embedded.scratch() as server:
        databases = Databases(normalise(server.url))
        await databases.prepare(lambda dsn: _build(manifest, dsn))
        async with _issuing(signer) as sign_in:
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


@asynccontextmanager
async def _issuing(signer: Signer) -> AsyncIterator[dict[str, str]]:
    """The settings by which the app takes the signer's tokens; its keys are published meanwhile."""
    if signer.jwks is None:
        yield {"AUTH_SECRET": signer.secret}
        return

    async def issuer(request: Request) -> Response:
        return Response(signer.jwks, media_type="application/json")

    async with serving(Starlette(routes=[Route("/jwks", issuer)])) as base:
        yield {"AUTH_JWKS_URL": f"{base}/jwks"}


async def _build(manifest: Manifest, dsn: Dsn) -> None:
    """The schema of the spec, as `specwright up` makes it in an empty database."""
    with TemporaryDirectory(prefix="specwright-") as elsewhere:
        await develop(Path(elsewhere), manifest, dsn.sqlalchemy_url)
