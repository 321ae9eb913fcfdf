"""`specwright token`: a development token on standard output, and nothing else there."""

from pathlib import Path
from typing import Annotated

import typer

from specwright.auth import issue_development_token
from specwright.cli.project import find_project
from specwright.model.errors import ConfigError
from specwright.read.project import read_project
from specwright.settings import Settings


def token(
    name: Annotated[str, typer.Argument(help="Who the token is for: the caller's id, as in the examples.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="A role to carry, once for each. Without it, those that the spec's examples give NAME."
        ),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="A claim to carry besides, once for each, as team=red."),
    ] = None,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; by default the one you are in.")
    ] = None,
) -> None:
    """Print a bearer token for a person, for use with `specwright up`.

    Works only with the secret that `specwright up` made in this project. Use it as
    curl -H "Authorization: Bearer $(specwright token ada)" …
    """
    root = find_project(project)
    settings = Settings.load(root, environment="development")
    roles = tuple(role) if role else read_project(root).people.get(name, ())
    claims = {}
    for each in claim or ():
        key, equals, value = each.partition("=")
        if not key or not equals:
            raise ConfigError(f'"{each}" is no claim: --claim team=red.')
        claims[key] = value
    typer.echo(issue_development_token(settings, name, roles, more=claims))
