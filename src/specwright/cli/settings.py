"""`specwright settings`: what is set, where it came from, and what production would refuse."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specwright.cli.project import find_project
from specwright.settings import SettingLine, Settings, describe, unsafe


class Format(StrEnum):
    """How the settings are printed."""

    TEXT = "text"
    JSON = "json"


class Surroundings(StrEnum):
    """Which settings are looked at."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def settings(
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; by default the one you are in.")
    ] = None,
    environment: Annotated[
        Surroundings | None,
        typer.Option(help="What `up` (development) or `serve` (production) sees; else as ENVIRONMENT says."),
    ] = None,
    format: Annotated[Format, typer.Option(help="text, or json for programs.")] = Format.TEXT,
) -> None:
    """List every setting with its meaning, source and value; secrets are masked.

    In production the things that `specwright serve` would refuse follow. The sources are, the strongest
    first: the environment, the file .env, in development the secrets that `up` made, and the default.
    """
    loaded = Settings.load(find_project(project), environment=environment)
    lines = describe(loaded)
    refused = unsafe(loaded) if loaded.environment == "production" else ()
    if format is Format.JSON:
        document = {"settings": [asdict(line) for line in lines], "unsafe": refused}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in lines:
        typer.echo(_text(line))
    if refused:
        typer.echo("\n`specwright serve` would refuse to start:")
        for sentence in refused:
            typer.echo(f"  ✗ {sentence}")


def _text(line: SettingLine) -> str:
    shown = "(not set)" if line.value is None else f"{line.value}  ({line.source})"
    return f"{line.name} = {shown}\n    {line.meaning}"
