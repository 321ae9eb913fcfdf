"""The database that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specwright.db import embedded
from specwright.db.url import Dsn, normalise
from specwright.settings import Settings


@contextmanager
def project_database(root: Path, settings: Settings, url: str | None = None) -> Iterator[str]:
    """The URL given, else that of DATABASE_URL, else the project's embedded server, started if need be.

    Raises:
        ConfigError: there is no such server, and none can be started.
    """
    given = url or (settings.database_url.get_secret_value() if settings.database_url else None)
    if given is not None:
        yield given
        return
    server = embedded.start(root)
    try:
        yield server.url
    finally:
        server.stop()


def session_dsn(settings: Settings) -> Dsn | None:
    """The login that sessions have for themselves, if they have one."""
    given = settings.session_database_url
    return None if given is None else normalise(given.get_secret_value())
