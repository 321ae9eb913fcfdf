"""Tenants from the command line: requirements proved, a decision explained, the statement of a request."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

KEY = "01a1fb4a-9299-714f-9210-30d2911da5bb"

SPEC = """# Offices

## Rules

- tenant Organization through Membership by {by}, founder role owner

## Organization

| Field | Type | Rules           |
|-------|------|-----------------|
| name  | text | required, 1..80 |

| Who       | May    | When                         |
|-----------|--------|------------------------------|
| signed in | create |                              |
| signed in | read   | `memberships.user == caller` |

## Membership

| Field        | Type              | Rules                             |
|--------------|-------------------|-----------------------------------|
| organization | Organization      | required                          |
| user         | User              | required, unique per organization |
| role         | `owner`, `member` | default `member`                  |

| Who       | May                |
|-----------|--------------------|
| signed in | list, read, create |

## Deal

| Field | Type | Rules           |
|-------|------|-----------------|
| title | text | required, 1..80 |

| Who       | May        | When                               |
|-----------|------------|------------------------------------|
| signed in | list, read |                                    |
| signed in | create     | `caller.membership.role == "owner"` |

### Requirements

- **FR-001** Deals stay within their organization.

  ```http
  POST /organizations
  As: ada

  {{"name": "Acme"}}
  ```
  ```http
  201
  ```

  ```http
  POST {place}/deals
  As: ada{header}

  {{"title": "Anvils"}}
  ```
  ```http
  201
  Location: /api/v1{place}/deals/{{deal.id}}

  {{"title": "Anvils", "organization_id": "{{organization.id}}"}}
  ```

  ```http
  GET {place}/deals/{{deal.id}}
  As: bob{header}
  ```
  ```http
  404
  ```

  ```http
  GET {place}/deals
  As: ada{header}
  ```
  ```http
  200

  {{"items": [{{"title": "Anvils"}}]}}
  ```
"""
BY_HEADER = SPEC.format(by="header X-Organization", place="", header="\n  X-Organization: {organization.id}")
BY_CLAIM = SPEC.format(
    by="claim organization_id", place="", header='\n  Claims: {"organization_id": "{organization.id}"}'
)
BY_PATH = SPEC.format(by="path", place="/organizations/{organization.id}", header="")


@pytest.fixture
def project() -> Iterator[Path]:
    """A project that has never been up, its tenant in a header."""
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        (Path(folder) / "specs" / "offices").mkdir(parents=True)
        _write(Path(folder), BY_HEADER)
        yield Path(folder)


def _write(project: Path, text: str) -> None:
    (project / "specs" / "offices" / "spec.md").write_text(text)


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specwright", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("text", [BY_HEADER, BY_CLAIM, BY_PATH], ids=["header", "claim", "path"])
def test_the_examples_are_proved(project: Path, text: str) -> None:
    """An example names its tenant by header, claim or path; what it makes is remembered by its entity."""
    _write(project, text)
    answer = _run(project, "verify", "--requirements")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "PROVED   FR-001" in answer.stdout


def test_a_decision_is_in_a_tenant(project: Path) -> None:
    """Without the tenant there is no decision; with it, the conditions are told."""
    answer = _run(project, "access", "ada", "deals", "create", "--tenant", KEY)
    assert answer.returncode == 0, answer.stderr
    assert "caller.membership.id is not None" in answer.stdout
    assert "organization == caller.tenant" in answer.stdout
    for arguments, told in (
        (("ada", "deals", "create"), "Deal is within a tenant: say which with --tenant KEY"),
        (("ada", "deals", "create", "--tenant", "acme"), '"acme" is no id of Organization'),
    ):
        refused = _run(project, "access", *arguments)
        assert refused.returncode != 0
        assert told in refused.stderr + refused.stdout
    matrix = _run(project, "access").stdout
    assert "All within the Organization that a request names by header X-Organization" in matrix


def test_the_statement_of_a_request_is_in_a_tenant(project: Path) -> None:
    """The tenant is a value of the statement, given as an option or, by path, in the path."""
    answer = _run(project, "sql", "GET /deals", "--as", "ada", "--tenant", KEY)
    assert answer.returncode == 0, answer.stderr
    assert f"UUID('{KEY}')" in answer.stdout
    refused = _run(project, "sql", "GET /deals", "--as", "ada")
    assert refused.returncode != 0
    assert "Say the tenant with --tenant KEY." in refused.stderr + refused.stdout
    _write(project, BY_PATH)
    answer = _run(project, "sql", f"GET /organizations/{KEY}/deals", "--as", "ada")
    assert answer.returncode == 0, answer.stderr
    assert f"UUID('{KEY}')" in answer.stdout
