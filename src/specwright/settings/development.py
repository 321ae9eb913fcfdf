"""The secrets that `specwright up` makes, so that a first run needs no settings."""

import contextlib
import os
import secrets
from pathlib import Path

from dotenv import dotenv_values

from specwright.model.errors import ConfigError

DEVELOPMENT_FILE = Path(".specwright", "development.env")

#: What every secret made here begins with: production refuses it by this mark, wherever it was copied to.
DEVELOPMENT_MARK = "development-only-"

_NAMES = ("AUTH_SECRET", "APP_SECRET")


def ensure_development_secrets(root: Path) -> Path:
    """The file of the project's development secrets, made on the first call and never changed after.

    Only its owner may read it; of two processes that make it at once, one wins and both read the same file.

    Raises:
        ConfigError: the folder cannot be written, or the file was damaged.
    """
    path = root / DEVELOPMENT_FILE
    try:
        if not path.exists():
            _create(path)
        made = dotenv_values(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be made or read ({error}): give the current user the right to write there."
        ) from None
    missing = [name for name in _NAMES if not made.get(name)]
    if missing:
        raise ConfigError(f"{path} has no {' and no '.join(missing)}: delete it, and a new one is made.")
    return path


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The folder holds secrets and a database: out of version control even where nobody thought of it.
    with contextlib.suppress(FileExistsError), (path.parent / ".gitignore").open("x") as ignore:
        ignore.write("*\n")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    lines = ["# Made for development on this machine. Never use these secrets anywhere else."]
    lines += [f"{name}={DEVELOPMENT_MARK}{secrets.token_urlsafe(32)}" for name in _NAMES]
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write("\n".join(lines) + "\n")
    try:
        # A link, unlike a rename, fails when another process was first.
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
