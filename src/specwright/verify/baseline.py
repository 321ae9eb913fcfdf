"""Findings that people live with for a while: each with a reason, and a day on which it counts again."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from specwright.model.errors import ConfigError
from specwright.verify.check import choose_checks


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that does not count until a day."""

    finding: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is accepted, by finding; and what was, and counts again."""

    accepted: Mapping[str, Accepted] = field(default_factory=dict)
    expired: tuple[Accepted, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What has expired, a sentence each."""
        return tuple(
            f"{each.finding} was accepted until {each.until} ({each.reason}), and counts again."
            for each in self.expired
        )


def read_baseline(path: Path, today: date) -> Baseline:
    """What is accepted today, and what has expired.

    Raises:
        ConfigError: the file is not to be read, or an entry lacks its reason or its day, or names no check.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from None
    entries = found.get("accepted", [])
    if not isinstance(entries, list) or set(found) - {"accepted"}:
        raise ConfigError(f"{path} holds [[accepted]] entries only, each with finding, reason and until.")
    accepted = [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]
    return Baseline(
        {entry.finding: entry for entry in accepted if entry.until >= today},
        tuple(entry for entry in accepted if entry.until < today),
    )


def _entry(path: Path, number: int, entry: Any) -> Accepted:
    match entry:
        case {"finding": str(finding), "reason": str(reason), "until": date() as until, **more} if not more:
            check = finding.partition("-")[0]
            if finding and not choose_checks([check])[0]:
                raise ConfigError(
                    f"{path}: entry {number}: {finding} is of no check: specwright checks lists them."
                )
            if finding and reason.strip():
                return Accepted(finding, reason.strip(), until)
    raise ConfigError(
        f'{path}: entry {number} needs finding = "AZ02-7f3a", reason = "…" (why it may stay) and'
        " until = 2027-01-31 (when it counts again), and nothing else."
    )
