"""Settings: which source wins, what is shown, and what a wrong value says."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.settings import Settings, Source, describe, ensure_development_secrets

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
JWKS = "https://issuer.example/jwks"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the machine that runs the tests."""
    for name in os.environ:
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    yield


def write_dotenv(root: Path, *lines: str) -> None:
    (root / ".env").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_the_strongest_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Override before environment before .env before default, each told apart."""
    write_dotenv(tmp_path, "DATABASE_POOL_SIZE=3", "MAX_BODY_BYTES=300", "LOG_LEVEL=error")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "2")
    monkeypatch.setenv("MAX_BODY_BYTES", "200")
    settings = Settings.load(tmp_path, database_pool_size=1, log_level=None)
    assert (settings.database_pool_size, settings.max_body_bytes, settings.log_level) == (1, 200, "error")
    assert settings.database_statement_timeout == 10
    sources = {line.name: line.source for line in describe(settings)}
    assert sources["DATABASE_POOL_SIZE"] is Source.OVERRIDE
    assert sources["MAX_BODY_BYTES"] is Source.ENVIRONMENT
    assert sources["LOG_LEVEL"] is Source.DOTENV
    assert sources["DATABASE_STATEMENT_TIMEOUT"] is Source.DEFAULT


def test_an_empty_value_is_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NAME= in the environment leaves the word to .env."""
    monkeypatch.setenv("AUTH_ISSUER", "")
    write_dotenv(tmp_path, "AUTH_ISSUER=https://issuer.example")
    assert Settings.load(tmp_path).auth_issuer == "https://issuer.example"


def test_production_is_the_default(tmp_path: Path) -> None:
    """Nobody gets development's leniency by forgetting a setting."""
    assert Settings.load(tmp_path).environment == "production"


def test_dotenv_as_windows_writes_it(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, export and names of other programs do no harm."""
    text = '\ufeffLOG_LEVEL=DEBUG\r\nexport AUTH_ISSUER="a b"\r\nNEXT_PUBLIC_URL=x\r\n'
    (tmp_path / ".env").write_bytes(text.encode())
    settings = Settings.load(tmp_path)
    assert (settings.log_level, settings.auth_issuer) == ("debug", "a b")


def test_dotenv_that_is_no_text(tmp_path: Path) -> None:
    """A .env in another encoding is one sentence with its name."""
    (tmp_path / ".env").write_bytes(b"AUTH_SECRET=\xff\xfe")
    with pytest.raises(ConfigError, match=r"\.env cannot be read \(it is not UTF-8 text\)"):
        Settings.load(tmp_path)


def test_development_secrets_only_in_development(tmp_path: Path) -> None:
    """The secrets that `up` made are not even read in production."""
    ensure_development_secrets(tmp_path)
    settings = Settings.load(tmp_path, environment="development")
    assert settings.source_of("auth_secret") is Source.DEVELOPMENT
    assert settings.source_of("app_secret") is Source.DEVELOPMENT
    production = Settings.load(tmp_path)
    assert production.auth_secret is None
    assert production.app_secret is None


@pytest.mark.parametrize(
    "line", ["BETTER_AUTH_SECRET=" + "b7" * 16, "AUTH_JWKS_URL=" + JWKS, "AUTH_SECRET=" + "b7" * 16]
)
def test_development_secret_yields_to_a_chosen_way_to_sign_in(tmp_path: Path, line: str) -> None:
    """Whoever sets one way to sign in gets that way, and still the made APP_SECRET."""
    ensure_development_secrets(tmp_path)
    write_dotenv(tmp_path, "ENVIRONMENT=development", line)
    settings = Settings.load(tmp_path)
    assert settings.source_of("auth_secret") is not Source.DEVELOPMENT
    assert settings.source_of("app_secret") is Source.DEVELOPMENT
    assert (settings.auth_jwks_url is None) is (settings.shared_secret is not None)


def test_auth_secret_wins_over_better_auth_secret() -> None:
    """Of two shared secrets the one named for us counts."""
    settings = Settings(auth_secret="a" * 32, better_auth_secret="b" * 32)
    assert settings.shared_secret is not None
    assert settings.shared_secret[0] == "AUTH_SECRET"


def test_better_auth_secret_is_not_ours_beside_public_keys() -> None:
    """With a JWKS the secret of a Better Auth in the same .env signs nothing for us."""
    assert Settings(better_auth_secret="b" * 32, auth_jwks_url=JWKS).shared_secret is None


def test_development_secrets_are_made_once(tmp_path: Path) -> None:
    """A second call changes nothing; only the owner may read; version control does not see it."""
    path = ensure_development_secrets(tmp_path)
    before = path.read_bytes()
    assert ensure_development_secrets(tmp_path) == path
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert sorted(file.name for file in path.parent.iterdir()) == [".gitignore", "development.env"]


def test_development_secrets_made_by_many_at_once(tmp_path: Path) -> None:
    """Concurrent makers all end up with the same secrets."""

    def read(_: int) -> str | None:
        ensure_development_secrets(tmp_path)
        secret = Settings.load(tmp_path, environment="development").auth_secret
        return secret and secret.get_secret_value()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read, range(16)))) == 1
    assert len(list((tmp_path / ".specwright").iterdir())) == 2


def test_damaged_development_secrets(tmp_path: Path) -> None:
    """A file without its secrets says what to do and is not overwritten."""
    path = ensure_development_secrets(tmp_path)
    path.write_text("AUTH_SECRET=x\n")
    with pytest.raises(ConfigError, match="has no APP_SECRET: delete it"):
        ensure_development_secrets(tmp_path)
    assert path.read_text() == "AUTH_SECRET=x\n"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_POOL_SIZE", "zero-hush", "must be a whole number from 1 to 1000"),
        ("DATABASE_POOL_SIZE", "0", "must be a whole number from 1 to 1000"),
        ("DATABASE_ACQUIRE_TIMEOUT", "nan", "must be a number of seconds above 0"),
        ("DATABASE_STATEMENT_TIMEOUT", "-1", "must be a number of seconds above 0"),
        ("MAX_BODY_BYTES", "1MB-hush", "must be a whole number of bytes"),
        ("ENVIRONMENT", "hush", "must be development or production"),
        ("LOG_LEVEL", "hush", "must be debug, info, warning or error"),
        ("DATABASE_URL", "mysql://u:hush@host/db", "must be a PostgreSQL URL"),
        ("MIGRATION_DATABASE_URL", "hush", "must be a PostgreSQL URL"),
        ("AUTH_JWKS_URL", "ftp://hush", "must be an https:// address"),
        ("AUTH_JWKS_URL", "https://u:hush@issuer.example/jwks", "must be an https:// address"),
        ("AUTH_JWKS_URL", "https://[hush/jwks", "must be an https:// address"),
        ("AUTH_JWKS_URL", "https://issuer.example:99999/hush", "must be an https:// address"),
        ("AUTH_ROLES_CLAIM", "hush..roles", "must be a claim name"),
    ],
)
def test_a_wrong_value_is_one_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    """Name, what it must be and where to mend it; never the value, which may be a secret."""
    write_dotenv(tmp_path, f"{name}={value}")
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{name} {sentence}")
    assert message.endswith(": correct it in .env.")
    assert "hush" not in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_all_wrong_values_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes are two sentences, each with its own place."""
    write_dotenv(tmp_path, "LOG_LEVEL=loud")
    monkeypatch.setenv("MAX_BODY_BYTES", "many")
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path, colour="red")
    lines = sorted(str(caught.value).splitlines())
    assert [line.split()[0] for line in lines] == ["COLOUR", "LOG_LEVEL", "MAX_BODY_BYTES"]
    assert lines[2].endswith("in the environment.")


def test_secrets_show_nowhere() -> None:
    """Neither repr nor the listing gives a secret or a password away."""
    settings = Settings(
        auth_secret="hush" * 8,
        app_secret="hush" * 9,
        database_url="postgresql://ada:hush@db.example:5432/tasks?password=hush",
    )
    lines = {line.name: line.value for line in describe(settings)}
    assert "hush" not in f"{settings!r} {settings} {lines} {settings.model_dump_json()}"
    assert lines["AUTH_SECRET"] == "********"
    assert lines["BETTER_AUTH_SECRET"] is None
    assert lines["DATABASE_URL"] == "postgresql://ada:********@db.example:5432/tasks"


@pytest.mark.parametrize("password", ["p/hush", "p?hush", "p#hush", "p@hush", "hush:hush"])
def test_passwords_that_break_the_address_are_masked_too(password: str) -> None:
    """An unescaped character in a password does not spill it into the listing."""
    settings = Settings(database_url=f"postgresql://ada:{password}@db/tasks")
    shown = next(line.value for line in describe(settings) if line.name == "DATABASE_URL")
    assert shown is not None
    assert "hush" not in shown


def test_the_class_reads_no_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings(...) is what it is given, wherever it runs."""
    monkeypatch.setenv("LOG_LEVEL", "error")
    assert Settings().log_level == "info"


def test_each_setting_is_documented() -> None:
    """docs/settings.md has one row for each field, with its meaning and default, and no other row."""
    rows = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    expected = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, ()) else f"`{str(field.default).lower()}` "
        expected.append(f"| `{name.upper()}` | {field.description} | {default}|")
    assert rows == expected


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (
            "CORS_ORIGINS",
            "https://App.example:443, http://localhost:3000",
            ("https://app.example", "http://localhost:3000"),
        ),
        ("CORS_ORIGINS", "*", ("*",)),
        (
            "CORS_ORIGINS",
            "capacitor://localhost,https://[::1]:8443,",
            ("capacitor://localhost", "https://[::1]:8443"),
        ),
        ("ALLOWED_HOSTS", "API.example.com,*.example.org", ("api.example.com", "*.example.org")),
        ("PROXY_ADDRESSES", "10.0.0.7/8, ::1", ("10.0.0.0/8", "::1/128")),
        ("HTTPS_ONLY", "true", True),
    ],
)
def test_lists_and_switches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    """Lists are separated by commas, and shown in the one form that is compared."""
    monkeypatch.setenv(name, text)
    assert getattr(Settings.load(tmp_path), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("CORS_ORIGINS", "app.example.com", "origins without a path"),
        ("CORS_ORIGINS", "https://app.example.com/", "origins without a path"),
        ("CORS_ORIGINS", "null", "origins without a path"),
        ("CORS_ORIGINS", "https://*.example.com", "origins without a path"),
        ("ALLOWED_HOSTS", "https://api.example.com", "host names"),
        ("ALLOWED_HOSTS", "api.example.com:8000", "host names"),
        ("PROXY_ADDRESSES", "*", "IP addresses or networks"),
        ("PROXY_ADDRESSES", "nginx", "IP addresses or networks"),
        ("HTTPS_ONLY", "perhaps", "true or false"),
        ("REQUEST_TIMEOUT", "0", "a number of seconds"),
    ],
)
def test_wrong_lists_and_switches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str
) -> None:
    """A value that would match nothing is refused at the start."""
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=f"{name} must be {words}"):
        Settings.load(tmp_path)
