"""Secrets that are no secrets."""

import subprocess
from pathlib import Path

import pytest

from specwright.verify.people.known_secrets import common_secret, common_secrets, written_secret
from specwright.verify.people.tokens import Key, Token

pytestmark = pytest.mark.anyio


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder that git keeps."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def _token(secret: str) -> Token:
    token = Token.read(Key(secret, "HS256").sign({"sub": "ada"}, {}))
    assert token is not None
    return token


@pytest.mark.parametrize("secret", ["", "secret", "changethis", "CHANGEME", "Secret123", "your-secret-key"])
def test_a_common_secret_is_guessed(secret: str) -> None:
    """As it stands in documentation, and as people vary it."""
    assert common_secret(_token(secret)) == secret


def test_a_random_secret_is_not_guessed() -> None:
    """And each secret is tried once."""
    assert common_secret(_token("Hj3kQ9wLx7Zv2Tn8Rb5Yc4Fp6Gs1Md0A")) is None
    assert len(common_secrets()) == len(set(common_secrets()))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("app/config.py", 'SECRET_KEY = "q7Zr2w"\n'),
        ("config.yml", "jwt:\n  secret: q7Zr2w\n"),
        (".env.example", "SECRET_KEY=q7Zr2w\n"),
        ("compose.toml", "key = 'q7Zr2w'\n"),
    ],
)
async def test_a_secret_in_a_file_that_git_keeps_is_found(repository: Path, file: str, content: str) -> None:
    """In code, settings and examples, with its line."""
    (repository / file).parent.mkdir(exist_ok=True)
    (repository / file).write_text("# one\n" + content)
    found = await written_secret(_token("q7Zr2w"), repository)
    assert found is not None
    assert found[0] == "q7Zr2w"
    assert (found[1].file, found[1].line) == (file, content.count("\n") + 1)


async def test_what_git_ignores_is_not_in_the_project(repository: Path) -> None:
    """Nor is the people.toml that the verifier is given."""
    (repository / ".gitignore").write_text(".env\n")
    for name in (".env", "people.toml"):
        (repository / name).write_text("SECRET=q7Zr2w\n")
    assert await written_secret(_token("q7Zr2w"), repository) is None


async def test_files_are_searched_without_git_too(tmp_path: Path) -> None:
    """All but those that are most often not kept."""
    (tmp_path / ".env").write_text("SECRET=q7Zr2w\n")
    assert await written_secret(_token("q7Zr2w"), tmp_path) is None
    (tmp_path / "main.py").write_text("KEY = 'q7Zr2w'\n")
    assert await written_secret(_token("q7Zr2w"), tmp_path) is not None
