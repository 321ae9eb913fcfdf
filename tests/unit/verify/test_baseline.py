"""Findings that people live with for a while."""

from datetime import date
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.baseline import Accepted, read_baseline

TODAY = date(2026, 12, 1)


def test_an_entry_counts_until_its_day(tmp_path: Path) -> None:
    """On its last day a finding is accepted still; the day after it counts again."""
    file = tmp_path / "baseline.toml"
    file.write_text('[[accepted]]\nfinding = "AZ09-1a2b"\nreason = "old clients"\nuntil = 2026-12-01\n')
    entry = Accepted("AZ09-1a2b", "old clients", TODAY)
    assert read_baseline(file, TODAY) == {"AZ09-1a2b": entry}
    assert read_baseline(file, date(2026, 12, 2)) == {}


@pytest.mark.parametrize(
    "text",
    [
        '[[accepted]]\nfinding = "A"\nuntil = 2027-01-01',
        '[[accepted]]\nfinding = "A"\nreason = " "\nuntil = 2027-01-01',
        '[[accepted]]\nfinding = "A"\nreason = "b"',
        '[[accepted]]\nfinding = "A"\nreason = "b"\nuntil = "soon"',
        '[[accepted]]\nfinding = "A"\nreason = "b"\nuntil = 2027-01-01\nfor = "ever"',
    ],
)
def test_an_entry_without_reason_or_day_is_a_mistake(tmp_path: Path, text: str) -> None:
    """Nobody switches a finding off for good, or without saying why."""
    file = tmp_path / "baseline.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="entry 1 needs finding"):
        read_baseline(file, TODAY)


@pytest.mark.parametrize("content", [b"accepted = 3", b"[x]", b"[[", b"\xff"])
def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    """What is not such a file is told, with its path."""
    file = tmp_path / "baseline.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"baseline\.toml"):
        read_baseline(file, TODAY)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_baseline(tmp_path / "none.toml", TODAY)
