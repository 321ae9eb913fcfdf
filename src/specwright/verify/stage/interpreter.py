"""Which Python an app runs with: the one that it is installed for."""

import asyncio
import os
import sys
from pathlib import Path

import uvicorn

from specwright.model.errors import ConfigError
from specwright.verify.stage import bootstrap

#: Where a virtual environment is, in the folder of an app.
_PLACES = (".venv", "venv")


def environment_of(folder: Path) -> Path | None:
    """The Python of the virtual environment in an app's folder; None where there is none, or it is ours."""
    for name in _PLACES:
        found = folder / name / "bin" / "python"
        if os.access(found, os.X_OK):
            return found if (folder / name).resolve() != Path(sys.prefix).resolve() else None
    return None


def runnable(python: Path) -> Path:
    """The Python that was named, from wherever it is started.

    Raises:
        ConfigError: there is nothing that can be run.
    """
    if not python.is_file() or not os.access(python, os.X_OK):
        raise ConfigError(f"{python} is no Python that can be run: name the file, like .venv/bin/python.")
    return python.absolute()


def command(python: Path, descriptor: int) -> list[str]:
    """What starts the host with a Python; the app's may have any libraries, or none."""
    libraries = Path(uvicorn.__file__).parents[1]
    return [str(python), bootstrap.__file__, str(libraries), str(descriptor)]


async def has(python: Path, module: str) -> bool:
    """Whether a module is installed for a Python."""
    looking = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is None)"
    process = await asyncio.create_subprocess_exec(
        str(python), "-P", "-c", looking, module, stdin=asyncio.subprocess.DEVNULL
    )
    return await process.wait() == 0
