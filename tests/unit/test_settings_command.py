"""`specwright settings`: what a person and a program see of the settings."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from specwright.cli import app
from specwright.settings import Settings, ensure_development_secrets


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with settings of its own and none of the machine's."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "specs").mkdir()
    (tmp_path / ".env").write_text("AUTH_SECRET=hush\nLOG_LEVEL=debug\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["settings", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert "hush" not in result.output
    return result.output


def test_for_people(project: Path) -> None:
    """Name, masked value, source and meaning of each, and what production would refuse."""
    shown = run()
    assert "AUTH_SECRET = ********  (.env)" in shown
    assert "LOG_LEVEL = debug  (.env)" in shown
    assert "DATABASE_URL = (not set)" in shown
    assert "✗ AUTH_SECRET is shorter than 32 bytes" in shown
    assert all(field.description in shown for field in Settings.model_fields.values() if field.description)


def test_for_programs(project: Path) -> None:
    """The same as JSON."""
    document = json.loads(run("--format", "json"))
    lines = {line["name"]: line for line in document["settings"]}
    assert lines["LOG_LEVEL"]["value"] == "debug"
    assert lines["LOG_LEVEL"]["source"] == ".env"
    assert lines["DATABASE_URL"]["value"] is None
    assert any(sentence.startswith("DATABASE_URL") for sentence in document["unsafe"])


def test_as_up_sees_them(project: Path) -> None:
    """In development the made secrets appear, and nothing is refused."""
    (project / ".env").unlink()
    ensure_development_secrets(project)
    shown = run("--environment", "development")
    assert "AUTH_SECRET = ********  (development secret)" in shown
    assert "refuse" not in shown.partition("LOG_LEVEL = ")[2]
