"""The manifest of a project whose code declares classes: asked of its application, in a process of its own.

A process of its own, because a module that has been imported does not change when its file does.
Called as `python -m specwright.read.application`, in the project's folder.
"""

import importlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from specwright.model.document import from_document, to_document
from specwright.model.errors import ConfigError, Mistake, Origin, SpecError, SpecwrightError
from specwright.model.manifest import Manifest

_APPLICATION = Path("app", "main.py")
_DECLARES = b".resource("


def declares_classes(root: Path) -> bool:
    """Whether the code below `app/` seems to declare classes."""
    if not (root / _APPLICATION).is_file():
        return False
    return any(_DECLARES in file.read_bytes() for file in sorted((root / "app").rglob("*.py")))


def ask_application(root: Path) -> Manifest:
    """The manifest that the backend in `app/main.py` has.

    Raises:
        SpecError: the mistakes of its specs and classes.
        ConfigError: it cannot be imported, or has no backend.
    """
    command = [sys.executable, "-P", "-m", "specwright.read.application"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(ran.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        told = ran.stderr.strip().splitlines()
        raise ConfigError("\n".join(["app/main.py cannot be imported:", *told[-12:]])) from None
    if "mistakes" in answer:
        raise SpecError(
            Mistake(Origin(file, line, column), message) for file, line, column, message in answer["mistakes"]
        )
    if "error" in answer:
        raise ConfigError(answer["error"])
    return from_document(answer["manifest"])


def _answer(root: Path) -> dict[str, Any]:
    try:
        _set_what_is_missing(root)
        sys.path.insert(0, str(root))
        module = importlib.import_module("app.main")
        for value in vars(module).values():
            manifest = getattr(value, "manifest", None)
            if isinstance(manifest, Manifest):
                return {"manifest": to_document(manifest)}
    except SpecError as error:
        return {
            "mistakes": [
                (known.origin.file, known.origin.line, known.origin.column, known.message)
                for known in error.mistakes
            ]
        }
    except SpecwrightError as error:
        return {"error": str(error)}
    return {"error": "app/main.py has no backend: backend = Backend()."}


def _set_what_is_missing(root: Path) -> None:
    """Nothing is served here: a backend needs its settings all the same."""
    # Not above: whoever only asks whether there is an application would wait for it, too.
    from specwright.settings import Settings

    settings = Settings.load(root)
    if settings.database_url is None:
        os.environ["DATABASE_URL"] = os.environ["SESSION_DATABASE_URL"] = "postgresql://localhost/none"
    if settings.app_secret is None:
        os.environ["APP_SECRET"] = secrets.token_hex()
    if settings.shared_secret is None and settings.auth_jwks_url is None:
        os.environ["AUTH_SECRET"] = secrets.token_hex()


def main() -> None:
    """Print the manifest, or what is wrong, as the last line; whatever the code prints goes elsewhere."""
    output, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(_answer(Path.cwd())), file=output)


if __name__ == "__main__":
    main()
