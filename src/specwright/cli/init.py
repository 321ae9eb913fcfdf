"""`specwright init`: a new project, small enough to be read at once."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from specwright.cli import console
from specwright.model.errors import ConfigError

#: Stands for the dot that would make these files count where they are kept.
_DOT = "dot-"


def init(
    directory: Annotated[Path, typer.Argument(metavar="NAME", help="The new folder.")],
) -> None:
    """Make a project: a small spec to edit, app/main.py, .env.example, .gitignore, Dockerfile, README."""
    root = directory.absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise ConfigError(f"{directory} is not empty: choose a new name, so that nothing is overwritten.")
        for name in _write(files("specwright.cli") / "template", root, root.name):
            console.done(name)
    except OSError as error:
        raise ConfigError(f"{directory} cannot be made: {error.strerror}.") from None
    where = "" if root == Path.cwd() else f"cd {quote(str(directory))} && "
    console.note(f"{where}specwright up")


def _write(template: Traversable, folder: Path, name: str, under: str = "") -> list[str]:
    """Write the template's files and name them."""
    written = []
    for source in sorted(template.iterdir(), key=lambda source: (source.is_file(), source.name)):
        if source.name == "__pycache__":
            continue
        plain = source.name.removeprefix(_DOT)
        target = folder / (plain if plain == source.name else f".{plain}")
        shown = under + target.name
        if source.is_dir():
            target.mkdir()
            written += _write(source, target, name, f"{shown}/")
        else:
            target.write_text(source.read_text("utf-8").replace("$name", name), encoding="utf-8")
            written.append(shown)
    return written
