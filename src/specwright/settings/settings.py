"""The settings themselves: names, meanings, defaults, and what a value must be."""

import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from specwright.model.errors import ConfigError
from specwright.settings.sources import Source, gather

Environment = Literal["development", "production"]
LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class MustBe:
    """What a value must be, in words that complete "NAME must be …"."""

    words: str


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _postgres_url(value: SecretStr) -> SecretStr:
    url = urlsplit(value.get_secret_value())
    if url.scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
        raise ValueError
    return value


def _http_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None or url.fragment:
        raise ValueError
    # An odd port raises here rather than at the first fetch.
    _ = url.port
    if any(character.isspace() for character in value):
        raise ValueError
    return value


def _split(value: Any) -> Any:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


_ORIGIN = re.compile(r"([a-z][a-z0-9+.\-]*)://([a-z0-9.\-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


_ORIGIN = re.compile(r"([a-z][a-z0-9+.\-]*)://([a-z0-9.\-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    """As browsers write them in `Origin` (RFC 6454 §6.2): lower case, without path and default port."""
    origins = []
    for value in values:
        found = _ORIGIN.fullmatch(value.lower())
        if found is None and value != "*":
            raise ValueError
        default = {"http": ":80", "https": ":443"}.get(found[1]) if found else None
        origins.append(value.lower().removesuffix(default) if default else value.lower())
    return tuple(origins)


def _hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if re.fullmatch(r"(\*\.)?[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\]", value) is None:
            raise ValueError
    return tuple(value.lower() for value in values)


def _addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(ip_network(value, strict=False)) for value in values)


def _dotted(value: str) -> str:
    if not all(value.split(".")):
        raise ValueError
    return value


DatabaseUrl = Annotated[
    SecretStr,
    AfterValidator(_postgres_url),
    MustBe("a PostgreSQL URL such as postgresql://user:password@host:5432/name"),
]
Secret = Annotated[SecretStr, MustBe("text")]
Seconds = Annotated[
    float, Field(gt=0, le=3600, allow_inf_nan=False), MustBe("a number of seconds above 0, at most 3600")
]


class Settings(BaseSettings):
    """Every setting of a backend. The environment names are the field names in upper case.

    `Settings.load` reads the sources; the class itself takes only what it is given, so that a test or an
    embedding program depends on no surroundings.
    """

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    environment: Annotated[Environment, BeforeValidator(_lower), MustBe("development or production")] = Field(
        default="production",
        description="Which rules hold. Development allows the secrets that `specwright up` makes and"
        " readable logs; production refuses what is unsafe. `specwright up` sets development.",
    )
    database_url: DatabaseUrl | None = Field(
        default=None,
        description="The PostgreSQL database. Without it `specwright up` starts an embedded server.",
    )
    migration_database_url: DatabaseUrl | None = Field(
        default=None,
        description="The same database as a user who may change tables, past any connection pooler."
        " Without it migrations use `DATABASE_URL`.",
    )
    session_database_url: DatabaseUrl | None = Field(
        default=None,
        description="The same database as a login that can do nothing but act as the callers' database roles,"
        " for the sessions of hand-written routes. Without it they use `DATABASE_URL`.",
    )
    auth_secret: Secret | None = Field(
        default=None,
        description="The secret shared with whoever signs the HS256 tokens; 32 bytes or more."
        " Not together with `AUTH_JWKS_URL`.",
    )
    better_auth_secret: Secret | None = Field(
        default=None,
        description="Used as `AUTH_SECRET` when neither that nor `AUTH_JWKS_URL` is set,"
        " for apps that sign HS256 tokens with Better Auth's secret.",
    )
    auth_jwks_url: (
        Annotated[
            str, AfterValidator(_http_url), MustBe("an https:// address without user, password or fragment")
        ]
        | None
    ) = Field(
        default=None,
        description="Where the issuer publishes its public keys (JWKS), for EdDSA, ES256 and RS256 tokens."
        " With Better Auth: its address and `/api/auth/jwks`.",
    )
    auth_issuer: Annotated[str, MustBe("text")] | None = Field(
        default=None,
        description="What the `iss` claim of every token must be, exactly. Not checked when unset.",
    )
    auth_audience: Annotated[str, MustBe("text")] | None = Field(
        default=None,
        description="What the `aud` claim of every token must be or contain. Not checked when unset.",
    )
    auth_roles_claim: Annotated[
        str,
        AfterValidator(_dotted),
        MustBe("a claim name, or names joined by dots such as realm_access.roles"),
    ] = Field(
        default="roles",
        description="The claim that holds the caller's roles; a dotted path reaches into nested claims.",
    )
    app_secret: Secret | None = Field(
        default=None,
        description="Signs the cursors of lists; 32 bytes or more, known to this backend alone"
        " and the same for all its processes.",
    )
    database_pool_size: Annotated[int, Field(ge=1, le=1000), MustBe("a whole number from 1 to 1000")] = Field(
        default=10,
        description="The most database connections each process opens for requests.",
    )
    database_acquire_timeout: Seconds = Field(
        default=2,
        description="Seconds a request waits for a free connection before it is answered 503.",
    )
    database_statement_timeout: Seconds = Field(
        default=10,
        description="Seconds after which PostgreSQL gives up a statement.",
    )
    max_body_bytes: Annotated[
        int, Field(ge=1, le=1 << 30), MustBe("a whole number of bytes from 1 to 1073741824")
    ] = Field(
        default=1_048_576,
        description="The largest request body in bytes; a larger one is answered 413.",
    )
    request_timeout: Seconds = Field(
        default=30,
        description="Seconds within which an answer must begin; else it is 503, or 408 where the body is"
        " still on its way. More than `DATABASE_STATEMENT_TIMEOUT`.",
    )
    keep_alive_timeout: Seconds = Field(
        default=75,
        description="Seconds an idle connection is kept open; more than a load balancer in front keeps it.",
    )
    cors_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_origins),
        MustBe("origins without a path such as https://app.example.com, separated by commas"),
    ] = Field(
        default=(),
        description="The origins whose pages may call the API from a browser, separated by commas."
        " `*` is any, in development only and without `CORS_CREDENTIALS`.",
    )
    cors_credentials: Annotated[bool, MustBe("true or false")] = Field(
        default=False,
        description="Whether those pages may send cookies to hand-written routes. Tokens need it not.",
    )
    allowed_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_hosts),
        MustBe("host names such as api.example.com or *.example.com, without port, separated by commas"),
    ] = Field(
        default=(),
        description="The host names that requests may be for, separated by commas; others are answered 421."
        " Any, when unset.",
    )
    proxy_addresses: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_addresses),
        MustBe("IP addresses or networks such as 10.0.0.0/8, separated by commas"),
    ] = Field(
        default=(),
        description="The addresses or networks of the proxies whose `X-Forwarded-For`, `-Proto` and `-Prefix`"
        " are believed, separated by commas. Nobody's, when unset.",
    )
    https_only: Annotated[bool, MustBe("true or false")] = Field(
        default=False,
        description="Refuse requests that did not come over HTTPS, and tell browsers to use nothing else."
        " Needs `PROXY_ADDRESSES`.",
    )
    log_level: Annotated[LogLevel, BeforeValidator(_lower), MustBe("debug, info, warning or error")] = Field(
        default="info",
        description="The least severe log lines that are written: debug, info, warning or error.",
    )

    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `load` gathers the rest, to know where each value came from."""
        return (init_settings,)

    @classmethod
    def load(cls, root: Path, **overrides: Any) -> Self:
        """The settings of the project in `root`.

        The strongest first: overrides that are not None, the environment, `.env` and, in development, the
        secrets of `ensure_development_secrets`.

        Raises:
            ConfigError: a file cannot be read or values are wrong; one sentence for each, never the value.
        """
        gathered = gather(cls, root, overrides)
        sources = {name: source for name, (source, _) in gathered.items()}
        try:
            settings = cls(**{name: value for name, (_, value) in gathered.items()})
        except ValidationError as error:
            names = dict.fromkeys(str(mistake["loc"][0]) for mistake in error.errors(include_input=False))
            raise ConfigError("\n".join(_complaint(cls, name, sources[name]) for name in names)) from None
        settings._sources.update(sources)
        return settings

    def source_of(self, name: str) -> Source:
        """Where the value of this field came from."""
        given = Source.OVERRIDE if name in self.model_fields_set else Source.DEFAULT
        return self._sources.get(name, given)

    @property
    def shared_secret(self) -> tuple[str, SecretStr] | None:
        """The name and value of the secret that HS256 tokens are signed with, when that is the mode.

        `AUTH_SECRET` wins over `BETTER_AUTH_SECRET`, and the latter is Better Auth's own affair where its
        public keys are used.
        """
        if self.auth_secret is not None:
            return "AUTH_SECRET", self.auth_secret
        if self.better_auth_secret is not None and self.auth_jwks_url is None:
            return "BETTER_AUTH_SECRET", self.better_auth_secret
        return None


def _complaint(settings: type[Settings], name: str, source: Source) -> str:
    field = settings.model_fields.get(name)
    if field is None:
        return f"{name.upper()} is no setting: `specwright settings` lists them all."
    words = next(
        (
            part.words
            for part in (*field.metadata, *_inner_metadata(field.annotation))
            if isinstance(part, MustBe)
        ),
        "text",
    )
    place = {
        Source.ENVIRONMENT: "in the environment",
        Source.DOTENV: "in .env",
        Source.DEVELOPMENT: "by deleting .specwright/development.env",
    }.get(source, "in the command or call that gave it")
    return f"{name.upper()} must be {words}: correct it {place}."


def _inner_metadata(annotation: Any) -> tuple[Any, ...]:
    """What is annotated inside `Annotated[X, …] | None`."""
    return tuple(
        part for arm in getattr(annotation, "__args__", ()) for part in getattr(arm, "__metadata__", ())
    )
