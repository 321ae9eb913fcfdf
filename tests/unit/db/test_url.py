"""Database addresses as people paste them."""

import ssl

import pytest
from sqlalchemy.engine import make_url

from specwright.db.url import normalise
from specwright.model.errors import ConfigError

NEON = (
    "postgresql://app:s3cret@ep-cool-sun-123456-pooler.eu-central-1.aws.neon.tech/neondb"
    "?sslmode=require&channel_binding=require"
)


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_every_usual_scheme_is_read(scheme: str) -> None:
    """The scheme says which library wrote the address, not where the database is."""
    dsn = normalise(f"{scheme}://ada:pw@db.example:5433/shop")
    assert dsn.arguments == {
        "host": "db.example",
        "port": 5433,
        "user": "ada",
        "password": "pw",
        "database": "shop",
    }
    assert dsn.sqlalchemy_url == "postgresql+asyncpg://ada:pw@db.example:5433/shop"


@pytest.mark.parametrize("pasted", [NEON, f"psql '{NEON}'", f" {NEON}\n"])
def test_neons_address_works_as_pasted(pasted: str) -> None:
    """TLS is kept, the channel binding that asyncpg does not know is dropped."""
    dsn = normalise(pasted)
    assert dsn.arguments["ssl"] == "require"
    assert dsn.arguments["database"] == "neondb"
    assert "channel_binding" not in dsn.sqlalchemy_url
    assert dsn.pooled


def test_migrations_go_past_neons_pooler() -> None:
    """Only Neon's own pooler has a twin without `-pooler`; another host of that name keeps it."""
    direct = normalise(NEON).direct()
    assert direct.host == "ep-cool-sun-123456.eu-central-1.aws.neon.tech"
    assert not direct.pooled
    other = normalise("postgresql://app@main-pooler.example.com/app")
    assert other.direct() is other


def test_a_password_with_special_characters_survives() -> None:
    """Escapes are undone for the driver and done again for SQLAlchemy."""
    dsn = normalise("postgresql://a%40b:p%40ss%2Fw%23%3A%25@localhost/db")
    assert dsn.arguments["user"] == "a@b"
    assert dsn.arguments["password"] == "p@ss/w#:%"
    assert make_url(dsn.sqlalchemy_url).password == "p@ss/w#:%"


def test_a_socket_directory_may_stand_in_the_query() -> None:
    """Blanks and non-ASCII letters in its path reach the driver unharmed."""
    dsn = normalise("postgresql://postgres@/app?host=/tmp/a%20b/%C3%A9&port=5432")
    assert dsn.arguments["host"] == "/tmp/a b/é"
    url = make_url(dsn.sqlalchemy_url)
    assert url.query == {"host": "/tmp/a b/é", "port": "5432"}
    assert url.username == "postgres"


def test_an_ipv6_host_keeps_its_brackets() -> None:
    """The driver wants the bare address, a URL the brackets."""
    dsn = normalise("postgresql://u@[::1]:5433/d")
    assert dsn.arguments["host"] == "::1"
    assert make_url(dsn.sqlalchemy_url).host == "::1"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_mode_that_checks_no_certificate_is_the_drivers_own(mode: str) -> None:
    """asyncpg knows libpq's names."""
    assert normalise(f"postgresql://u@h/d?sslmode={mode}").ssl == mode


@pytest.mark.parametrize(("mode", "hostname"), [("verify-ca", False), ("verify-full", True)])
def test_a_checked_certificate_is_checked_against_the_system(mode: str, hostname: bool) -> None:
    """No file in the home directory is needed, and only verify-full compares the host's name."""
    context = normalise(f"postgresql://u@h/d?sslmode={mode}").ssl
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is hostname


def test_a_missing_certificate_is_named() -> None:
    """The driver's own error would not say which file."""
    with pytest.raises(ConfigError, match=r"no-such\.crt"):
        _ = normalise("postgresql://u@h/d?sslmode=verify-full&sslrootcert=no-such.crt").ssl


def test_session_settings_are_passed_on() -> None:
    """`options` and `application_name` belong to the server."""
    dsn = normalise("postgresql://u@h/d?application_name=shop&options=-c%20search_path%3Dx")
    assert dsn.arguments["server_settings"] == {"application_name": "shop", "options": "-c search_path=x"}


def test_an_unknown_argument_is_named() -> None:
    """asyncpg would send it to the server as a setting, whose complaint nobody understands."""
    with pytest.raises(ConfigError, match="connection_limit, pgbouncer"):
        normalise("postgresql://u:pw@h/d?pgbouncer=true&connection_limit=1")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "localhost:5432/db",
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2#x@h/d",
        "postgresql://u:hunter2@h:port/d",
        "postgresql://u:hunter2@[h/d",
        "postgresql://u:hunter2@h1,h2/d",
        "postgresql://u:hunter2@h/d?sslmode",
        "postgresql://u:hunter2@h/d?port=x",
        "postgresql://u:hunter2@h/d?sslmode=maybe",
    ],
)
def test_an_unreadable_address_is_refused_without_its_password(wrong: str) -> None:
    """The sentence says what is expected and repeats nothing secret."""
    with pytest.raises(ConfigError) as caught:
        normalise(wrong)
    assert "hunter2" not in str(caught.value)


def test_no_text_of_an_address_holds_the_password() -> None:
    """Logs and tracebacks print addresses."""
    dsn = normalise("postgresql://ada:hunter2@h/d?sslmode=require")
    assert "hunter2" not in str(dsn)
    assert "hunter2" not in repr(dsn)
    assert str(dsn) == "postgresql://ada:***@h/d"
