"""Development tokens: made only with the secret that was made for them, and accepted by the backend."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from specwright.auth import Authentication, Unauthenticated, issue_development_token
from specwright.model.errors import ConfigError
from specwright.settings import Settings, ensure_development_secrets

pytestmark = pytest.mark.anyio


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which `up` has run, with no settings of the machine."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    ensure_development_secrets(tmp_path)
    return tmp_path


def load(project: Path, **overrides: Any) -> Settings:
    return Settings.load(project, environment="development", **overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"auth_roles_claim": "realm_access.roles"},
        {"auth_roles_claim": "https://example.com/roles"},
        {"auth_issuer": "https://issuer.example", "auth_audience": "api"},
    ],
)
async def test_the_backend_takes_it(project: Path, overrides: dict[str, Any]) -> None:
    """A development token fits whatever the settings ask of tokens."""
    settings = load(project, **overrides)
    token = issue_development_token(settings, "ada", ("admin", "front desk"))
    caller = await Authentication(settings).caller(f"Bearer {token}")
    assert (caller.id, caller.roles) == ("ada", {"admin", "front desk"})


async def test_another_projects_token(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each project has a secret of its own."""
    other = tmp_path_factory.mktemp("other")
    ensure_development_secrets(other)
    token = issue_development_token(load(other), "ada")
    with pytest.raises(Unauthenticated, match="signature"):
        await Authentication(load(project)).caller(f"Bearer {token}")


async def test_its_lifetime(project: Path) -> None:
    """A token ends when it was told to."""
    token = issue_development_token(load(project), "ada", lifetime=timedelta(hours=-1))
    with pytest.raises(Unauthenticated, match="expired"):
        await Authentication(load(project)).caller(f"Bearer {token}")


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"auth_jwks_url": "https://issuer.example/jwks"}, "AUTH_JWKS_URL"),
        ({"auth_secret": "9_uKc2m-Wq7ZxT4vLb8RsYd3Fh6Gj1Ca"}, "AUTH_SECRET is set"),
        ({"better_auth_secret": "9_uKc2m-Wq7ZxT4vLb8RsYd3Fh6Gj1Ca"}, "BETTER_AUTH_SECRET is set"),
    ],
)
async def test_no_token_with_anyone_elses_secret(
    project: Path, overrides: dict[str, Any], sentence: str
) -> None:
    """We sign for nobody but our own development server."""
    with pytest.raises(ConfigError, match=sentence):
        issue_development_token(load(project, **overrides), "ada")


async def test_no_token_before_the_first_up(tmp_path: Path, project: Path) -> None:
    """Without a development secret the way out is told, and none in production."""
    with pytest.raises(ConfigError, match="run `specwright up` first"):
        issue_development_token(load(tmp_path / "elsewhere"), "ada")
    with pytest.raises(ConfigError, match="run `specwright up` first"):
        issue_development_token(Settings.load(project), "ada")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 256])
async def test_names_that_nobody_has(project: Path, name: str) -> None:
    """A name that could be no subject makes no token."""
    with pytest.raises(ConfigError, match="The name"):
        issue_development_token(load(project), name)
