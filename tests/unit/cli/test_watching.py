"""Which changes reload, and which of them are told."""

from pathlib import Path

import anyio
import pytest

from specwright.cli.watching import Changes, lasting, watching

pytestmark = pytest.mark.anyio


async def test_only_what_is_read_counts(tmp_path: Path) -> None:
    """An editor's temporaries beside a spec are no change; the spec and new folders are."""
    folder = tmp_path / "specs" / "notes"
    folder.mkdir(parents=True)
    async with watching(tmp_path) as changes:
        await _changed(folder, changes)
        (folder / "plan.md").write_text("no spec")
        (folder / "sedKx81").write_text("# Notes")
        (folder / "sedKx81").replace(folder / "data-model.md")
        names = await changes.take()
    assert "specs/notes/plan.md" not in names
    assert "specs/notes/data-model.md" in names
    assert not [name for name in lasting(tmp_path, names) if "sed" in name]


async def _changed(folder: Path, changes: Changes) -> None:
    """Write a spec until the watch has begun to see it."""
    while True:
        (folder / "spec.md").write_text("# Notes")
        with anyio.move_on_after(0.5):
            assert "specs/notes/spec.md" in await changes.take()
            return


def test_what_is_gone_is_told_when_nothing_else_is(tmp_path: Path) -> None:
    """A spec that was removed is a reason to reload like any other."""
    assert lasting(tmp_path, ["specs/notes/spec.md"]) == ["specs/notes/spec.md"]
