"""`specwright serve`: production, and what it refuses."""

import json
from pathlib import Path

import pytest

from commands import eventually, running, specwright
from specwright.db import postmaster

SECRETS = {
    "AUTH_SECRET": "b7Xq-2vN_8sKzT4mWfYp0RcLdHgJ6eUa",
    "APP_SECRET": "9Zr_1kQwE5tYuI-oP3aSdF7gHjK2lMxC",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project with its first revision committed."""
    root = tmp_path / "api"
    specwright("init", "api", cwd=tmp_path)
    made = specwright("migrate", "commit", "first tables", cwd=root)
    assert made.returncode == 0, made.stderr
    return root


def test_unsafe_settings_are_refused_one_by_one(project: Path) -> None:
    """A sentence for each, and a usage error, before anything is started."""
    refused = specwright("serve", cwd=project)
    assert refused.returncode == 2
    sentences = refused.stderr.splitlines()
    assert len(sentences) == 3
    assert sum(sentence.startswith("DATABASE_URL is not set") for sentence in sentences) == 1
    assert sum(sentence.startswith("APP_SECRET is not set") for sentence in sentences) == 1
    weak = specwright("serve", "--embedded", cwd=project, AUTH_SECRET="changeme", APP_SECRET="x" * 40)
    assert weak.returncode == 2
    assert len(weak.stderr.splitlines()) == 2
    assert not (project / ".specwright" / "postgres-18").exists()


def test_a_database_behind_the_specs_is_refused(project: Path, database_url: str) -> None:
    """It names what is lacking and the command that mends it; then it serves."""
    refused = specwright("serve", "--port", "0", "--database", database_url, cwd=project, **SECRETS)
    assert refused.returncode == 2
    assert "run specwright migrate apply first" in refused.stderr
    assert "Traceback" not in refused.stderr
    applied = specwright("migrate", "apply", cwd=project, DATABASE_URL=database_url)
    assert applied.returncode == 0, applied.stderr
    with running("serve", "--workers", "2", cwd=project, DATABASE_URL=database_url, **SECRETS) as backend:
        assert backend.get("/health/ready").status_code == 200
        assert backend.get("/api/v1/notes").status_code == 401
        eventually(lambda: '"status": 401' in backend.output, "a log line")
        lines = [line for line in backend.output.splitlines() if line.startswith("{")]
        assert any(json.loads(line).get("status") == 401 for line in lines)


def test_the_embedded_database_serves_when_asked(project: Path) -> None:
    """With --embedded nothing else is needed, and it stops with the server."""
    applied = specwright("migrate", "apply", cwd=project)
    assert applied.returncode == 0, applied.stderr
    with running("serve", "--embedded", cwd=project, **SECRETS) as backend:
        assert backend.get("/health/ready").status_code == 200
        assert backend.stop() == 0
    assert postmaster.find(project / ".specwright" / "postgres-18") is None
