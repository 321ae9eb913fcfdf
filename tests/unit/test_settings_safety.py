"""What production refuses: each fault is one sentence, and good settings have none."""

import secrets
from typing import Any

import pytest

from specwright.settings import Settings, unsafe

GOOD: dict[str, Any] = {
    "database_url": "postgresql://app:x@db.example/app",
    "auth_jwks_url": "https://issuer.example/jwks",
    "app_secret": "zT4-Qw9_kLm2NpX7vRb8sYd3Fh6Gj1Ca",
}
RANDOM = "9_uKc2m-Wq7ZxT4vLb8RsYd3Fh6Gj1Ca"


def with_secret(**changes: Any) -> Settings:
    """Good settings that share a secret instead of public keys."""
    return Settings(**{**GOOD, "auth_jwks_url": None, **changes})


def only(settings: Settings) -> str:
    """The one sentence there is."""
    (sentence,) = unsafe(settings)
    return sentence


@pytest.mark.parametrize("settings", [Settings(**GOOD), with_secret(auth_secret=RANDOM)])
def test_good_settings_have_no_fault(settings: Settings) -> None:
    """Production starts with public keys, and with a random secret."""
    assert unsafe(settings) == ()


def test_random_secrets_are_never_refused() -> None:
    """No secret made the way we advise looks like a placeholder or a pattern."""
    made = [secrets.token_urlsafe(32) for _ in range(200)] + [secrets.token_hex(16) for _ in range(200)]
    assert all(unsafe(with_secret(auth_secret=secret)) == () for secret in made)


def test_nothing_set_lists_all_that_is_missing() -> None:
    """Bare settings are told at once everything they lack."""
    names = [sentence.split()[0] for sentence in unsafe(Settings())]
    assert names == ["DATABASE_URL", "Nobody", "APP_SECRET"]


@pytest.mark.parametrize(
    ("secret", "word"),
    [
        ("short", "shorter than 32 bytes"),
        ("secret", "shorter than 32 bytes"),
        ("changeme", "placeholder"),
        ("your-secret-key-change-in-production-please", "placeholder"),
        ("CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME!", "placeholder"),
        ("your-256-bit-secret-your-256-bit-secret!", "placeholder"),
        ("a-string-secret-at-least-256-bits-long", "placeholder"),
        ("better-auth-secret-12345678901234567890", "placeholder"),
        ("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "placeholder"),
        ("a" * 64, "repeats itself"),
        ("abcdefghij" * 4, "repeats itself"),
        ("1234567890123456789012345678901234", "repeats itself"),
        ("development-only-" + RANDOM, "made for development"),
    ],
)
@pytest.mark.parametrize("name", ["auth_secret", "better_auth_secret", "app_secret"])
def test_weak_secrets(secret: str, word: str, name: str) -> None:
    """Short, well-known, repeated and development secrets are refused by name, without being shown."""
    settings = Settings(**{**GOOD, name: secret}) if name == "app_secret" else with_secret(**{name: secret})
    sentence = only(settings)
    assert sentence.startswith(name.upper())
    assert word in sentence
    assert secret not in sentence or secret in ("short", "secret")


def test_a_length_is_counted_in_bytes() -> None:
    """16 two-byte letters are 32 bytes."""
    assert unsafe(with_secret(auth_secret="äöüßéèêàáâçñøåæþ")) == ()


def test_two_ways_to_sign_in() -> None:
    """A secret beside public keys leaves open which one counts, and is refused."""
    assert "both set" in only(Settings(**GOOD, auth_secret=RANDOM))


def test_better_auth_secret_beside_public_keys() -> None:
    """Better Auth's own secret in a shared .env is no fault, however weak: it is not used."""
    assert unsafe(Settings(**GOOD, better_auth_secret="short")) == ()


@pytest.mark.parametrize("host", ["issuer.example", "10.0.0.1", "localhost.example", "auth:3000"])
def test_keys_over_plain_http(host: str) -> None:
    """Keys that anyone on the way can replace are refused."""
    assert "http://" in only(Settings(**{**GOOD, "auth_jwks_url": f"http://{host}/jwks"}))


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1", "127.1.2.3:80", "[::1]:3000"])
def test_keys_over_plain_http_from_this_machine(host: str) -> None:
    """An issuer beside us needs no TLS."""
    assert unsafe(Settings(**{**GOOD, "auth_jwks_url": f"http://{host}/jwks"})) == ()


def test_one_secret_for_two_uses() -> None:
    """Cursors are not signed with what the issuer knows."""
    assert "APP_SECRET is the secret" in only(with_secret(auth_secret=RANDOM, app_secret=RANDOM))


def test_development_is_not_for_serving() -> None:
    """`serve` with ENVIRONMENT=development is refused."""
    assert only(Settings(**GOOD, environment="development")).startswith("ENVIRONMENT is development")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cors_origins": "*", "cors_credentials": True}, "CORS_CREDENTIALS is true"),
        ({"cors_origins": "*"}, "CORS_ORIGINS is *, which lets every page"),
        ({"proxy_addresses": "0.0.0.0/0"}, "PROXY_ADDRESSES holds every address"),
        ({"proxy_addresses": "10.0.0.0/8, ::/0"}, "PROXY_ADDRESSES holds every address"),
        ({"session_database_url": "postgresql://s:x@db.example/other"}, "names another database"),
        ({"https_only": True}, "HTTPS_ONLY refuses every request without PROXY_ADDRESSES"),
        ({"request_timeout": 10}, "DATABASE_STATEMENT_TIMEOUT is not below REQUEST_TIMEOUT"),
    ],
)
def test_what_strangers_could_use(changes: dict[str, Any], words: str) -> None:
    """Open doors and settings that contradict each other are refused."""
    assert words in only(Settings(**GOOD, **changes))


def test_named_origins_and_proxies_are_fine() -> None:
    """What is named is meant."""
    named = {"cors_origins": "https://app.example", "cors_credentials": True, "proxy_addresses": "10.0.0.0/8"}
    assert unsafe(Settings(**GOOD, **named, https_only=True)) == ()
