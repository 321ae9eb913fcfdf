"""`specwright token`: prints a token that the project's backend accepts, and nothing else."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from specwright.auth import Authentication
from specwright.cli import app
from specwright.model.caller import Caller
from specwright.model.errors import ConfigError
from specwright.settings import Settings, ensure_development_secrets

pytestmark = pytest.mark.anyio

SPEC = """# Notes

## Roles

| Role  | Means    |
|-------|----------|
| admin | looks on |

## Note

| Field | Type | Rules           |
|-------|------|-----------------|
| text  | text | required, 1..80 |
| owner | User | the caller      |

| Who   | May        |
|-------|------------|
| owner | everything |
| admin | list, read |

### Requirements

- **FR-001** An admin sees notes.

  ```http
  GET /notes
  As: root [admin]
  ```
  ```http
  200
  ```
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which `up` has run."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    specs = tmp_path / "specs" / "notes"
    specs.mkdir(parents=True)
    (specs / "spec.md").write_text(SPEC, encoding="utf-8")
    ensure_development_secrets(tmp_path)
    return tmp_path


async def caller(project: Path, *arguments: str) -> Caller:
    """Who the backend takes the printed token for."""
    result = CliRunner().invoke(app, ["token", *arguments, "--project", str(project)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output == result.stdout.strip() + "\n"
    settings = Settings.load(project, environment="development")
    return await Authentication(settings).caller(f"Bearer {result.stdout.strip()}")


async def test_roles_of_the_examples(project: Path) -> None:
    """A person of the examples gets the roles they have there; a stranger gets none."""
    root = await caller(project, "root")
    assert (root.id, root.roles) == ("root", {"admin"})
    carol = await caller(project, "carol")
    assert (carol.id, carol.roles) == ("carol", frozenset())


async def test_roles_by_hand(project: Path) -> None:
    """Roles that are named replace those of the examples, and need no readable spec."""
    (project / "specs" / "notes" / "spec.md").write_text("| Field |\n|---|\n| x |\n")
    assert (await caller(project, "root", "--role", "a", "--role", "b")).roles == {"a", "b"}


async def test_not_with_a_secret_of_ones_own(project: Path) -> None:
    """With the project's own secret the refusal says why."""
    (project / ".env").write_text("AUTH_SECRET=9_uKc2m-Wq7ZxT4vLb8RsYd3Fh6Gj1Ca\n")
    with pytest.raises(ConfigError, match="AUTH_SECRET is set"):
        CliRunner().invoke(app, ["token", "ada", "--project", str(project)], catch_exceptions=False)
