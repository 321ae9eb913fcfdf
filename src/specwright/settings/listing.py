"""The settings as a person may see them: secrets masked."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from specwright.settings.settings import Settings
from specwright.settings.sources import Source

MASK = "********"


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting; `value` is None when it is not set."""

    name: str
    meaning: str
    source: Source
    value: str | None


def describe(settings: Settings) -> tuple[SettingLine, ...]:
    """Every setting with its meaning, source and value, no secret among them."""
    return tuple(
        SettingLine(
            name=name.upper(),
            meaning=field.description or "",
            source=settings.source_of(name),
            value=_shown(name, getattr(settings, name)),
        )
        for name, field in Settings.model_fields.items()
    )


def _shown(name: str, value: object) -> str | None:
    if isinstance(value, SecretStr):
        return _shown_url(value.get_secret_value()) if name.endswith("database_url") else MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value) or None
    return None if value is None else str(value)


def _shown_url(url: str) -> str:
    """The address without its password; the query is left out, for it may hold one too."""
    parts = urlsplit(url)
    if "@" in parts.path + parts.query + parts.fragment:
        # A password with an unescaped "/", "?" or "#" is cut in two: nothing here is what it seems.
        return MASK
    user, at, host = parts.netloc.rpartition("@")
    user, colon, _ = user.partition(":")
    return f"{parts.scheme}://{user}{colon and ':' + MASK}{at}{host}{parts.path}"
