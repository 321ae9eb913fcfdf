"""Where values come from, and which of two values of one setting counts."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

from specwright.model.errors import ConfigError
from specwright.settings.development import DEVELOPMENT_FILE

#: Any of these, set by a person, says how callers sign in; the secret made for development then yields.
SIGN_IN_SETTINGS = frozenset({"auth_secret", "better_auth_secret", "auth_jwks_url"})


class Source(StrEnum):
    """Where a value came from, the strongest first."""

    OVERRIDE = "override"
    ENVIRONMENT = "environment"
    DOTENV = ".env"
    DEVELOPMENT = "development secret"
    DEFAULT = "default"


def gather(
    settings: type[BaseSettings], root: Path, overrides: dict[str, Any]
) -> dict[str, tuple[Source, Any]]:
    """The strongest value of each setting that has one, with its source. An empty value is no value.

    Raises:
        ConfigError: `.env` cannot be read.
    """
    chosen: dict[str, tuple[Source, Any]] = {}

    def add(source: Source, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if value is not None:
                chosen.setdefault(name, (source, value))

    add(Source.OVERRIDE, overrides)
    add(Source.ENVIRONMENT, EnvSettingsSource(settings)())
    add(Source.DOTENV, _file(settings, root / ".env"))
    if str(chosen.get("environment", (None, ""))[1]).lower() == "development":
        made = _file(settings, root / DEVELOPMENT_FILE)
        if SIGN_IN_SETTINGS & chosen.keys():
            made.pop("auth_secret", None)
        add(Source.DEVELOPMENT, made)
    return chosen


def _file(settings: type[BaseSettings], path: Path) -> dict[str, Any]:
    """The settings in a `.env` file; other names belong to other programs. A missing file is empty."""
    try:
        # utf-8-sig: editors on Windows begin the file with a byte order mark.
        source = DotEnvSettingsSource(
            settings, env_file=path, env_file_encoding="utf-8-sig", dotenv_filtering="only_existing"
        )
        return dict(source())
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ConfigError(f"{path} cannot be read ({reason}): mend or remove it.") from None
