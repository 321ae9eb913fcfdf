"""A project on the verifier's stage: what runs there, in its process, and what it is started with.

`python -m specwright.cli.staging` brings the database of the settings to the schema of the specs.
"""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from specwright.auth import Signer
from specwright.db.url import normalise
from specwright.loopback import serving
from specwright.model.manifest import Manifest
from specwright.read.project import read_project
from specwright.settings import Settings
from specwright.verify.project import Project


def app() -> Any:
    """The app of the project that we are in."""
    # Imported on the stage alone: the verifier does without what it judges, and starts the sooner.
    from specwright.cli.server import load

    return load(Path.cwd())


@contextmanager
def project(root: Path, manifest: Manifest) -> Iterator[Project]:
    """A project for the stage, with sign-in keys made for this run; public ones are published meanwhile."""
    signer = Signer(Settings.load(root, environment="development"))

    def credentials(person: str, roles: tuple[str, ...], claims: Mapping[str, Any]) -> Mapping[str, str]:
        return {"authorization": f"Bearer {signer.token(person, roles, claims)}"}

    with _issuing(signer) as sign_in:
        yield Project(
            root,
            manifest,
            f"{__name__}:app",
            (f"python -m {__name__}",),
            {
                **sign_in,
                "ENVIRONMENT": "development",
                "DATABASE_URL": "{database}",
                "SESSION_DATABASE_URL": "{database}",
                "APP_SECRET": secrets.token_urlsafe(32),
            },
            credentials,
            signer,
        )


@contextmanager
def _issuing(signer: Signer) -> Iterator[dict[str, str]]:
    """The settings by which the app takes the signer's tokens; its keys are published meanwhile."""
    if signer.jwks is None:
        yield {"AUTH_SECRET": signer.secret}
        return

    async def issuer(request: Request) -> Response:
        return Response(signer.jwks, media_type="application/json")

    with serving(Starlette(routes=[Route("/jwks", issuer)])) as base:
        yield {"AUTH_JWKS_URL": f"{base}/jwks"}


def _prepare() -> None:
    """The schema of the spec, as `specwright up` makes it in an empty database."""
    from specwright.migrate.draft import build

    root = Path.cwd()
    url = Settings.load(root).database_url
    assert url is not None, "the stage names a database"
    asyncio.run(build(read_project(root), normalise(url.get_secret_value()).sqlalchemy_url))


if __name__ == "__main__":
    _prepare()
