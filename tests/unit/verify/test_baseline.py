"""Findings that people live with for a while."""

from datetime import date
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.baseline import Accepted, Baseline, read_baseline

TODAY = date(2026, 12, 1)


def test_an_entry_counts_until_its_day(tmp_path: Path) -> None:
    """On its last day a finding is accepted still; the day after it counts again."""
    file = tmp_path / "baseline.toml"
    file.write_text('[[accepted]]\nfinding = "AZ09-1a2b"\nreason = "old clients"\nuntil = 2026-12-01\n')
    entry = Accepted("AZ09-1a2b", "old clients", TODAY)
    assert read_baseline(file, TODAY) == Baseline({"AZ09-1a2b": entry})
    over = read_baseline(file, date(2026, 12, 2))
    assert over == Baseline({}, (entry,))
    assert over.notes == ("AZ09-1a2b was accepted until 2026-12-01 (old clients), and counts again.",)


def test_an_entry_of_no_check_is_a_mistake(tmp_path: Path) -> None:
    """It would accept nothing, for ever."""
    file = tmp_path / "baseline.toml"
    file.write_text('[[accepted]]\nfinding = "AZ99-567a"\nreason = "x"\nuntil = 2027-01-31\n')
    with pytest.raises(ConfigError, match=r"baseline\.toml: entry 1: AZ99-567a is of no check"):
        read_baseline(file, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        '[[accepted]]\nfinding = "AZ01-1a2b"\nuntil = 2027-01-01',
        '[[accepted]]\nfinding = "AZ01-1a2b"\nreason = " "\nuntil = 2027-01-01',
        '[[accepted]]\nfinding = "AZ01-1a2b"\nreason = "b"',
        '[[accepted]]\nfinding = "AZ01-1a2b"\nreason = "b"\nuntil = "soon"',
        '[[accepted]]\nfinding = "AZ01-1a2b"\nreason = "b"\nuntil = 2027-01-01\nfor = "ever"',
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
