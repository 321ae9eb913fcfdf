"""The database goes away while the backend serves, and comes back."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from served import Served, serving
from specwright.db import embedded

NOTES = """
# Notes

## Note

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |
| owner | User | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |
"""


@pytest.fixture
def project() -> Iterator[Path]:
    """A folder whose server may be stopped and started again; its path is short, as a socket's must be."""
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        yield Path(folder)
        with suppress(FileNotFoundError):
            if (left := embedded.running(Path(folder))) is not None:
                left.stop()


def _recovered(served: Served) -> None:
    for _ in range(50):
        if served.anonymous.get("//health/ready").status == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the backend does not recover")


def test_the_database_goes_and_comes_back(project: Path) -> None:
    """Away: 503 with `Retry-After`, alive and not ready, 401 as ever. Back: everything, without a restart."""
    server = embedded.start(project)
    with serving(NOTES, server.url) as served:
        ada = served.person("ada")
        note = ada.made("/notes", {"text": "kept"})
        path = f"/notes/{note['id']}"
        for _ in range(2):
            server.stop()
            for answer in (
                ada.get("/notes"),
                ada.get(path),
                ada.post("/notes", {"text": "lost"}),
                ada.patch(path, {"text": "lost"}),
                ada.put(path, {"text": "lost"}),
                ada.delete(path),
                served.anonymous.get("//health/ready"),
            ):
                assert (answer.status, answer.code) == (503, "unavailable"), answer
                assert int(answer.headers["retry-after"]) >= 1
            assert served.anonymous.get("//health/live").json() == {"status": "alive"}
            assert served.anonymous.get("/notes").status == 401
            assert ada.post("/notes", {"text": 1}).status == 422
            assert ada.get("/nothing").status == 404
            server = embedded.start(project)
            _recovered(served)
            assert ada.items("/notes") == [note]
            assert ada.patch(path, {"text": "kept"}).status == 200
            note = ada.get(path).json()
    server.stop()


def test_a_backend_starts_before_its_database(project: Path) -> None:
    """Nothing is connected before it is needed."""
    server = embedded.start(project)
    url = server.url
    with serving(NOTES, url):
        pass
    server.stop()
    with serving(NOTES, url, tables=False) as served:
        assert served.anonymous.get("//health/live").status == 200
        assert served.person("ada").get("/notes").status == 503
        server = embedded.start(project)
        _recovered(served)
        assert served.person("ada").items("/notes") == []
    server.stop()


MIGRATIONS = {
    "a table renamed": "ALTER TABLE notes RENAME TO memos",
    "a column renamed": "ALTER TABLE notes RENAME COLUMN text TO body",
    "a column dropped": "ALTER TABLE notes DROP COLUMN text",
    "a column of another type": "ALTER TABLE notes DROP COLUMN text, ADD COLUMN text integer",
    "a column that must be filled": "ALTER TABLE notes ADD COLUMN level integer NOT NULL",
}


@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=MIGRATIONS)
def test_a_database_of_another_version(
    serve: Callable[..., Served], caplog: pytest.LogCaptureFixture, migration: str
) -> None:
    """Until the next process takes over: 503 with `Retry-After` and one line in the log, no traceback."""
    served = serve(NOTES)
    ada = served.person("ada")
    assert ada.get("/notes").status == 200
    served.sql(migration)
    with caplog.at_level("WARNING", "specwright"):
        answers = [ada.get("/notes"), *(ada.post("/notes", {"text": "x"}) for _ in range(3))]
    assert answers[-1].status == 503
    for answer in answers:
        assert answer.status in (200, 503)
        if answer.status == 503:
            assert (answer.code, answer.headers["retry-after"]) == ("unavailable", "1")
    lines = [record for record in caplog.records if record.name.startswith("specwright")]
    assert len(lines) == sum(answer.status == 503 for answer in answers)
    assert not any(record.exc_info for record in lines)
    assert all("\n" not in record.getMessage() for record in lines)
    assert "of another version of the spec" in lines[-1].getMessage()


def test_a_database_without_the_tables(project: Path) -> None:
    """Like one of another version: nothing of it is told, and the process goes on."""
    server = embedded.start(project)
    with serving(NOTES, server.url, tables=False) as served:
        answer = served.anonymous.get("//health/ready")
        assert answer.status == 200
        assert served.person("ada").get("/notes").status == 503
    server.stop()
