"""`specwright models`, run as a person runs it."""

import shutil
from pathlib import Path

from commands import specwright

SPEC = "# Notes\n\n## Note\n\n| Field | Type | Rules |\n|---|---|---|\n| text | text | required, ..80 |\n"


def project(root: Path) -> Path:
    """A project of one entity."""
    spec = root / "specs/notes/spec.md"
    spec.parent.mkdir(parents=True)
    spec.write_text(SPEC)
    return spec


def test_the_classes_are_written_once_and_kept_current(tmp_path: Path) -> None:
    """Written, current, behind after an edit of the spec, written again."""
    spec = project(tmp_path)
    assert specwright("models", "--check", cwd=tmp_path).returncode == 1
    assert "written" in specwright("models", cwd=tmp_path).stdout
    assert "class Note(" in (tmp_path / "app/models.py").read_text()
    assert specwright("models", "--check", cwd=tmp_path).returncode == 0
    assert "current already" in specwright("models", str(tmp_path), cwd=tmp_path).stdout
    spec.write_text(SPEC + "| done | boolean | default false |\n")
    behind = specwright("models", "--check", cwd=tmp_path)
    assert behind.returncode == 1
    assert "+    done: bool = sqlmodel.Field(" in behind.stdout and "specwright models" in behind.stdout
    assert specwright("models", cwd=tmp_path).returncode == 0
    assert specwright("models", "--check", cwd=tmp_path).returncode == 0


def test_what_a_person_wrote_is_not_overwritten(tmp_path: Path) -> None:
    """A models.py of another origin stays as it is."""
    project(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/models.py").write_text("MINE = 1\n")
    for arguments in ((), ("--check",)):
        ran = specwright("models", *arguments, cwd=tmp_path)
        assert ran.returncode == 2 and "was not written by specwright models" in ran.stderr
    assert (tmp_path / "app/models.py").read_text() == "MINE = 1\n"


def test_the_first_example_has_a_class_for_each_entity(tmp_path: Path) -> None:
    """The commands of the documentation work on examples/tasks."""
    example = Path(__file__).parents[2] / "examples/tasks/specs"
    shutil.copytree(example, tmp_path / "specs")
    assert specwright("models", cwd=tmp_path).returncode == 0
    text = (tmp_path / "app/models.py").read_text()
    assert [name for name in ("Project", "Task", "Comment") if f"class {name}(Row, table=True)" in text] == [
        "Project",
        "Task",
        "Comment",
    ]
