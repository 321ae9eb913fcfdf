"""Mistakes a person made in a spec, a setting or a command, told so that they can be mended."""

from collections.abc import Iterable
from dataclasses import dataclass


class SpecwrightError(Exception):
    """Base of every error whose message is meant for the person at the terminal."""


class ConfigError(SpecwrightError):
    """A setting, file or surrounding that cannot work; the message says what to do."""


class UnansweredError(ConfigError):
    """A step that may cost rows, and nobody said yes to it; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node was declared: a file relative to the project, a line and a column, both from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


NO_ORIGIN = Origin("", 0)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing in a spec that is not understood, with its place and a way out."""

    origin: Origin
    message: str

    def __str__(self) -> str:
        return f"{self.origin.file}:{self.origin.line}:{self.origin.column}: {self.message}"


class SpecError(SpecwrightError):
    """All mistakes of all files at once, in reading order."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(
            sorted(set(mistakes), key=lambda m: (m.origin.file, m.origin.line, m.origin.column))
        )
        super().__init__("\n".join(map(str, self.mistakes)))
