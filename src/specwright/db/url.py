"""The address of a database, as people paste it, and as asyncpg and SQLAlchemy want it."""

import ssl
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from specwright.model.errors import ConfigError

_SCHEMES = {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"}
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: Sent to the server as they are, when a session starts.
_SESSION = {"application_name", "options"}
_SHAPE = "postgresql://user:password@host:5432/database"
#: Ports on which PgBouncer and Supabase's pooler listen by custom.
_POOLER_PORTS = {6432, 6543}


@dataclass(frozen=True, slots=True)
class Dsn:
    """A PostgreSQL address. Printing it shows no password."""

    host: str | None
    port: int | None
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    sslmode: str | None = None
    sslrootcert: str | None = None
    session: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self._url("postgresql", "***" if self.password else None)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `asyncpg.connect` and `asyncpg.create_pool`."""
        chosen: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "ssl": self.ssl,
            "server_settings": dict(self.session) or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    @property
    def ssl(self) -> str | ssl.SSLContext | None:
        """How asyncpg secures the connection.

        Where a certificate is checked and no `sslrootcert` is named, the system's authorities count; libpq
        would ask for a file in the home directory, which no hosted service hands out.
        """
        # libpq: `require` with a root certificate behaves like verify-ca.
        checked = self.sslmode in ("verify-ca", "verify-full") or (
            self.sslmode == "require" and self.sslrootcert is not None
        )
        if not checked:
            return self.sslmode
        file = None if self.sslrootcert in (None, "system") else self.sslrootcert
        try:
            context = ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError):
            raise ConfigError(
                f"sslrootcert={file} in the database URL is not a readable certificate."
            ) from None
        context.check_hostname = self.sslmode == "verify-full" or self.sslrootcert == "system"
        return context

    @property
    def sqlalchemy_url(self) -> str:
        """The URL for SQLAlchemy, password included; pass `sqlalchemy_arguments` along with it."""
        return self._url("postgresql+asyncpg", self.password)

    @property
    def sqlalchemy_arguments(self) -> dict[str, Any]:
        """The `connect_args` of `create_async_engine`: what the URL cannot say."""
        return {name: value for name, value in self.arguments.items() if name in ("ssl", "server_settings")}

    @property
    def pooled(self) -> bool:
        """Whether a transaction pooler is known to answer here; it refuses some session settings."""
        return self._neon_pooler or self.port in _POOLER_PORTS

    @property
    def neon_direct(self) -> bool:
        """Whether this is Neon without its pooler: a proxy answers there, and each session is one's own."""
        endpoint, _, domain = (self.host or "").partition(".")
        return endpoint.startswith("ep-") and "neon" in domain and not self._neon_pooler

    def direct(self) -> "Dsn":
        """The address past Neon's pooler, which migrations need; any other address as it is."""
        if not self._neon_pooler:
            return self
        endpoint, _, domain = (self.host or "").partition(".")
        return replace(self, host=f"{endpoint.removesuffix('-pooler')}.{domain}")

    @property
    def _neon_pooler(self) -> bool:
        endpoint, _, domain = (self.host or "").partition(".")
        return endpoint.startswith("ep-") and endpoint.endswith("-pooler") and "neon" in domain

    def _url(self, scheme: str, password: str | None) -> str:
        user = quote(self.user or "", safe="") + (f":{quote(password, safe='*')}" if password else "")
        host, port, query = self.host or "", str(self.port or ""), ""
        if host.startswith("/"):
            query = "?" + urlencode({"host": host} | ({"port": port} if port else {}), quote_via=quote)
            host = port = ""
        elif ":" in host:
            host = f"[{host}]"
        place = (f"{user}@" if user else "") + host + (f":{port}" if port else "")
        return f"{scheme}://{place}/{quote(self.database or '', safe='')}{query}"


def normalise(url: str) -> Dsn:
    """Read a database address: a URL as it was pasted, also with `psql '…'` around it.

    `channel_binding`, which asyncpg does not know, is dropped: TLS stays as `sslmode` says.

    Raises:
        ConfigError: it is no PostgreSQL URL, or has a query argument that is not understood. The message
            holds no part of the password.
    """
    bare = url.strip().removeprefix("psql ").strip().strip("'\"")
    try:
        parts = urlsplit(bare)
        port = parts.port
        query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise _misshapen() from None
    if parts.scheme not in _SCHEMES or parts.fragment or "," in parts.netloc.rpartition("@")[2]:
        raise _misshapen()
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    query.pop("channel_binding", None)
    try:
        dsn = Dsn(
            host=query.pop("host", None) or _host(parts.netloc),
            port=int(query.pop("port", 0)) or port,
            user=query.pop("user", None) or unquote(user) or None,
            password=query.pop("password", None) or unquote(password) or None,
            database=query.pop("dbname", None) or unquote(parts.path.removeprefix("/")) or None,
            sslmode=query.pop("sslmode", None) or query.pop("ssl", None),
            sslrootcert=query.pop("sslrootcert", None),
            session=tuple((name, query.pop(name)) for name in sorted(_SESSION & query.keys())),
        )
    except ValueError:
        raise _misshapen() from None
    if query:
        raise ConfigError(
            f"The database URL has an argument that is not supported: {', '.join(sorted(query))}. Remove it."
        )
    if dsn.sslmode is not None and dsn.sslmode not in _SSL_MODES:
        raise ConfigError(f"sslmode in the database URL must be one of {', '.join(_SSL_MODES)}.")
    return dsn


def _host(netloc: str) -> str | None:
    place = netloc.rpartition("@")[2]
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return unquote(place.partition(":")[0]) or None


def _misshapen() -> ConfigError:
    return ConfigError(
        f"The database URL cannot be read: it must look like {_SHAPE}, with %-escapes for special"
        " characters in the password (@ is %40, # is %23, / is %2F)."
    )
