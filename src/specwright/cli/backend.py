"""The project's backend, for commands that look at it without serving."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specwright.app import Backend
from specwright.cli.database import project_database
from specwright.settings import Settings, ensure_development_secrets


@contextmanager
def project_backend(root: Path) -> Iterator[Backend]:
    """A backend on the project's database, with development secrets where none are set."""
    ensure_development_secrets(root)
    settings = Settings.load(root, environment="development")
    with project_database(root, settings) as url:
        yield Backend(root, settings=Settings.load(root, environment="development", database_url=url))
