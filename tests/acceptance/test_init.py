"""`specwright init`: a new project that works as it is."""

from pathlib import Path

from commands import running, specwright


def test_a_new_project_is_served(tmp_path: Path) -> None:
    """It has the promised files, no mistakes, its own app, and serves at once."""
    made = specwright("init", "my-api", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    root = tmp_path / "my-api"
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == {
        ".dockerignore",
        ".env.example",
        ".gitignore",
        "Dockerfile",
        "README.md",
        "app/main.py",
        "specs/notes/spec.md",
    }
    assert (root / "README.md").read_text().startswith("# my-api\n")
    checked = specwright("check", cwd=root)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with running("up", "--no-reload", cwd=root) as backend:
        token = specwright("token", "ada", cwd=root).stdout.strip()
        assert backend.post("/api/v1/notes", {"title": "Buy milk"}, token).status_code == 201


def test_its_requirements_are_proved(tmp_path: Path) -> None:
    """What the first spec promises holds."""
    specwright("init", "my-api", cwd=tmp_path)
    proved = specwright("verify", "--requirements", cwd=tmp_path / "my-api")
    assert proved.returncode == 0, proved.stdout + proved.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder that holds anything is refused; an empty one is used."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "README.md").write_text("mine")
    refused = specwright("init", "full", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == "full is not empty: choose a new name, so that nothing is overwritten.\n"
    assert (tmp_path / "full" / "README.md").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert specwright("init", ".", cwd=tmp_path / "empty").returncode == 0
