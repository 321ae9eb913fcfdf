"""What is set from outside: read from the environment and `.env`, told apart by source, judged for safety."""

from specwright.settings.development import ensure_development_secrets
from specwright.settings.listing import SettingLine, describe
from specwright.settings.safety import unsafe
from specwright.settings.settings import Environment, LogLevel, Settings
from specwright.settings.sources import Source

__all__ = [
    "Environment",
    "LogLevel",
    "SettingLine",
    "Settings",
    "Source",
    "describe",
    "ensure_development_secrets",
    "unsafe",
]
