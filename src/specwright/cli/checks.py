"""`specwright checks`: what `verify` holds against a backend."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from specwright.verify.check import all_checks


class Format(StrEnum):
    """How the list is printed."""

    TEXT = "text"
    JSON = "json"


def checks(
    format: Annotated[Format, typer.Option(help="text, or json for programs.")] = Format.TEXT,
) -> None:
    """Every check of `specwright verify`: what holds when it passes, how grave it is, and the standard."""
    if format is Format.JSON:
        listed = [
            {
                "id": check.id,
                "name": check.name,
                "sentence": check.sentence,
                "severity": check.severity,
                "references": list(check.references),
                "mend": check.remedy,
            }
            for check in all_checks()
        ]
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    for check in all_checks():
        typer.echo(f"{check.id}  {'!' * check.severity:<3}  {check.name:<18} {check.sentence}")
        typer.echo(f"{' ' * 11}{', '.join(check.references)}")
