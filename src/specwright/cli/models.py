"""`specwright models`: typed SQLModel classes of the specs, for code that people write."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from specwright.cli import console
from specwright.cli.project import find_project
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.read import read_project

#: Where the classes are written, below the project.
FILE = "app/models.py"
_MOST_LINES = 40


def models(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="The project's folder; by default the one you are in."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when the file is not current.")
    ] = False,
) -> None:
    """Write app/models.py: a SQLModel class for each entity of the specs."""
    root = find_project(directory)
    manifest = read_project(root)
    if not check:
        changed = fresh_models(root, manifest)
        console.done("written" if changed else "current already", FILE)
        return
    difference = _difference(_written(root), _text(manifest))
    if difference:
        typer.echo("\n".join(difference))
        raise typer.Exit(1)
    console.done("current", FILE)


def fresh_models(root: Path, manifest: Manifest) -> bool:
    """Bring the project's `app/models.py` to the manifest; whether it had to be written.

    Raises:
        ConfigError: a person wrote the file that is there, or it cannot be written.
    """
    text = _text(manifest)
    if _written(root) == text:
        return False
    file = root / FILE
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{FILE} cannot be written: {error.strerror}.") from None
    return True


def has_models(root: Path) -> bool:
    """Whether the project has an `app/models.py` that `specwright models` wrote."""
    from specwright.write.models import MARK

    try:
        return MARK in (root / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _text(manifest: Manifest) -> str:
    # Both need SQLAlchemy, which takes its time: not for a command line that only shows its help.
    from specwright.sql.constraints import constrained
    from specwright.write.models import models

    return models(manifest, constrained(manifest).metadata)


def _written(root: Path) -> str:
    if not (root / FILE).exists():
        return ""
    if not has_models(root):
        raise ConfigError(f"{FILE} was not written by specwright models. Move it away, or keep it as it is.")
    return (root / FILE).read_text(encoding="utf-8")


def _difference(before: str, after: str) -> list[str]:
    lines = list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), FILE, f"{FILE} (current)", lineterm="", n=1
        )
    )
    if not lines:
        return []
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    more = [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return [
        *lines[:_MOST_LINES],
        *more,
        "",
        f"{FILE} is not current: {added} lines to add, {removed} to remove. Run specwright models.",
    ]
