"""What must not go into production."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from specwright.settings.development import DEVELOPMENT_MARK
from specwright.settings.settings import Settings

#: RFC 7518 §3.2: an HS256 key has at least as many bits as the hash.
LEAST_SECRET_BYTES = 32

_MAKE_ONE = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'

#: Found, letters and digits only, in the secrets of tutorials, templates and library defaults.
_WELL_KNOWN = (
    "changeme",
    "changethis",
    "changeit",
    "replaceme",
    "replacethis",
    "replacewith",
    "placeholder",
    "yoursecret",
    "yoursupersecret",
    "yourjwtsecret",
    "yourauthsecret",
    "yourbetterauthsecret",
    "your256bit",
    "256bitslong",
    "supersecret",
    "secretkey",
    "mysecret",
    "notasecret",
    "insecure",
    "donotuse",
    "betterauthsecret",
    "thisisasecret",
    "generateone",
    # The key printed in FastAPI's tutorial, in use wherever it was pasted.
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
)


def unsafe(settings: Settings) -> tuple[str, ...]:
    """One sentence for each thing that production refuses to start with; empty when all is well."""
    return tuple(_faults(settings))


def undecided(settings: Settings) -> str | None:
    """Why the settings do not say how callers sign in, if they do not."""
    if settings.auth_secret is not None and settings.auth_jwks_url is not None:
        return (
            "AUTH_SECRET and AUTH_JWKS_URL are both set: keep AUTH_JWKS_URL if an issuer publishes its keys,"
            " AUTH_SECRET if it shares a secret."
        )
    if settings.shared_secret is None and settings.auth_jwks_url is None:
        return (
            "Nobody can sign in: set AUTH_JWKS_URL to the address of your issuer's public keys,"
            " or AUTH_SECRET to the secret it signs with."
        )
    return None


def contradictions(settings: Settings) -> tuple[str, ...]:
    """One sentence for each two settings that cannot both be meant; no environment starts with them."""
    faults = []
    if "*" in settings.cors_origins and settings.cors_credentials:
        faults.append(
            "CORS_ORIGINS is * and CORS_CREDENTIALS is true, so any page could act with its visitor's"
            " cookies: name the origins, or set CORS_CREDENTIALS to false."
        )
    if settings.database_statement_timeout >= settings.request_timeout:
        faults.append(
            "DATABASE_STATEMENT_TIMEOUT is not below REQUEST_TIMEOUT, so the database would work on for"
            " nobody: lower the one or raise the other."
        )
    own, sessions = settings.database_url, settings.session_database_url
    if own is not None and sessions is not None and _database(own) != _database(sessions):
        faults.append(
            "SESSION_DATABASE_URL names another database than DATABASE_URL: name the same one, with a login"
            " for sessions alone."
        )
    if settings.https_only and not settings.proxy_addresses:
        faults.append(
            "HTTPS_ONLY refuses every request without PROXY_ADDRESSES, for only a proxy can say that one came"
            " over HTTPS: name its address."
        )
    return tuple(faults)


def too_short(name: str, secret: SecretStr) -> str | None:
    """Why the secret is too short, if it is."""
    if len(secret.get_secret_value().encode()) < LEAST_SECRET_BYTES:
        return f"{name} is shorter than {LEAST_SECRET_BYTES} bytes and can be guessed: {_MAKE_ONE}"
    return None


def _faults(settings: Settings) -> Iterator[str]:
    if settings.environment != "production":
        yield "ENVIRONMENT is development: set it to production, or use `specwright up`."
    if settings.database_url is None:
        yield "DATABASE_URL is not set: set it to the address of your PostgreSQL database."
    if (fault := undecided(settings)) is not None:
        yield fault
    if settings.shared_secret is not None:
        yield from _weakness(*settings.shared_secret)
    if settings.auth_jwks_url is not None and not _private_on_the_way(settings.auth_jwks_url):
        yield (
            "AUTH_JWKS_URL begins with http://, so anyone on the way can replace the keys:"
            " use the issuer's https:// address."
        )
    if settings.app_secret is None:
        yield f"APP_SECRET is not set, and cursors cannot be signed without it: {_MAKE_ONE}"
    else:
        yield from _weakness("APP_SECRET", settings.app_secret)
        if settings.app_secret in (settings.auth_secret, settings.better_auth_secret):
            yield (
                f"APP_SECRET is the secret that tokens are signed with, and others know that one: {_MAKE_ONE}"
            )

    yield from contradictions(settings)
    if "*" in settings.cors_origins and not settings.cors_credentials:
        yield "CORS_ORIGINS is *, which lets every page call the API: name the origins of your own pages."
    if any(ip_network(network).prefixlen == 0 for network in settings.proxy_addresses):
        yield "PROXY_ADDRESSES holds every address, so anybody can pose as anybody: name your proxies only."


def _database(url: SecretStr) -> str:
    parts = urlsplit(url.get_secret_value())
    return dict(parse_qsl(parts.query)).get("dbname") or unquote(parts.path).removeprefix("/")


def _weakness(name: str, secret: SecretStr) -> Iterator[str]:
    value = secret.get_secret_value()
    if value.startswith(DEVELOPMENT_MARK):
        yield f"{name} is a secret made for development: {_MAKE_ONE}"
    elif any(known in re.sub(r"[^a-z0-9]", "", value.lower()) for known in _WELL_KNOWN):
        yield f"{name} is a placeholder that everyone knows: {_MAKE_ONE}"
    elif (fault := too_short(name, secret)) is not None:
        yield fault
    elif len(set(value)) < 8 or _repeats(value):
        yield f"{name} repeats itself and can be guessed: {_MAKE_ONE}"


def _repeats(value: str) -> bool:
    """Whether the value is one piece written over and over, the last time perhaps cut short."""
    return any(value[size:] == value[:-size] for size in range(1, len(value) // 2 + 1))


def _private_on_the_way(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
