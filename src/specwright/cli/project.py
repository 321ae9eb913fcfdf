"""Which project a command works on."""

import tomllib
from pathlib import Path

from specwright.model.errors import ConfigError

SPECS = "specs"


def find_project(directory: Path | None = None) -> Path:
    """The root of the project: the folder that holds `specs/`.

    It is the given directory; else the current one or the nearest above it that has `specs/`; else what
    `[tool.specwright] project` names in the nearest `pyproject.toml` that has such a table.

    Raises:
        ConfigError: there is none.
    """
    if directory is not None:
        if not (directory / SPECS).is_dir():
            missing = (
                f"{directory} has no specs/ folder" if directory.is_dir() else f"{directory} is no folder"
            )
            raise ConfigError(
                f"{missing}: name the folder that holds specs/, or make one with specwright init."
            )
        return directory.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / SPECS).is_dir():
            return folder
    for folder in (here, *here.parents):
        named = _named_in(folder / "pyproject.toml")
        if named is not None:
            return find_project(folder / named)
    raise ConfigError(
        f"No specs/ folder in {here} or above: go to your project, or make one with specwright init NAME."
    )


def _named_in(file: Path) -> str | None:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
        named = settings.get("tool", {}).get("specwright", {}).get("project")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from None
    if named is not None and not isinstance(named, str):
        raise ConfigError(f"{file}: [tool.specwright] project must be a folder in quotes.")
    return named
