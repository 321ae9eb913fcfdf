"""An app that cannot be staged: one sentence that says why, and nothing left behind."""

import socket
import tempfile
from pathlib import Path

import pytest

from playing import playing
from specwright.db.url import normalise
from specwright.verify.stage import stage
from specwright.verify.stage.stage import NotStaged

FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
MONGO = """
import socket
try:
    socket.create_connection(("localhost", 27017))
except OSError:
    pass
"""
FAILING = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("no\\nway")
    yield
app = FastAPI(lifespan=lifespan)
"""
SETTINGS = """
from pydantic_settings import BaseSettings
class Settings(BaseSettings):
    model_config = {"env_prefix": "shop_"}
    jwt_key: str
    db_host: str
settings = Settings()
"""
FACTORIES = """
def bare(): pass
def needy(name): pass
def broken(): return 1 / 0
"""


def why(folder: Path, source: str, target: str = "shop", **more: object) -> str:
    """Why an app of this source cannot be staged."""
    (folder / "shop.py").write_text(source)
    before = set(folder.iterdir())
    with pytest.raises(NotStaged) as caught, playing(target, folder, **more):  # type: ignore[arg-type]
        pass
    assert set(folder.iterdir()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (FASTAPI, "shopp", "There is no module shopp in {folder}. Did you mean shop?"),
        (FASTAPI, "shop:ap", "shop has no ap. Did you mean app?"),
        (FASTAPI.replace("app", "api"), "shop", "shop has no app. Did you mean api?"),
        ("app = {}", "shop", "shop:app is not an ASGI app but of type dict."),
        ("import nothing_like_it", "shop", "shop cannot be imported (shop.py:1): No module named"),
        ("\nraise ValueError('so\\nso')", "shop", "shop cannot be imported: ValueError: so so at shop.py:2."),
        ("def f(x", "shop", "shop cannot be imported: SyntaxError: '(' was never closed at shop.py:1."),
        ("import sys\nsys.exit(3)", "shop", "shop cannot be imported: it exits with 3 at shop.py:2."),
        ("import os\nos._exit(3)", "shop", "The app's process ended with exit code 3 before it served."),
        (
            "import os\nprint('bye')\nos.kill(os.getpid(), 11)",
            "shop",
            "The app's process was ended by SIGSEGV before it served: bye.",
        ),
        (FAILING, "shop", "The app cannot be started: RuntimeError: no way at shop.py:6."),
        (SETTINGS, "shop", "The app needs SHOP_JWT_KEY, SHOP_DB_HOST (shop.py:7)"),
        ("import os\nos.environ['SHOP_KEY']", "shop", "The app needs SHOP_KEY (shop.py:2)"),
        ("raise ValueError('SHOP_KEY is not set.')", "shop", "The app needs SHOP_KEY (shop.py:1)"),
        (FACTORIES, "shop:bare", "shop:bare() makes no ASGI app but something of type NoneType."),
        (FACTORIES, "shop:needy", "shop:needy cannot be called without name: name an app, or a factory."),
        (FACTORIES, "shop:broken", "shop:broken() fails: ZeroDivisionError: division by zero at shop.py:4."),
        (
            f"import socket\nsocket.create_connection(('127.0.0.1', 3306))\n{FASTAPI}",
            "shop",
            "The app needs a MySQL database: verify gives away PostgreSQL and SQLite only",
        ),
        (
            f"{MONGO}{FASTAPI}",
            "shop",
            "The app needs a MongoDB database",
        ),
    ],
)
def test_one_sentence_says_why(tmp_path: Path, source: str, target: str, expected: str) -> None:
    """Each way in which an app does not start has its own sentence, with the place in the app."""
    assert why(tmp_path, source, target).startswith(expected.format(folder=tmp_path))


def test_an_import_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that never arrives is ended, and the sentence says where it was."""
    monkeypatch.setattr(stage, "PATIENCE", 1.5)
    said = why(tmp_path, "import time\n\ntime.sleep(60)")
    assert said == "The app does not start within 1.5 seconds. It is at shop.py:3."


def test_a_driver_on_another_port(tmp_path: Path) -> None:
    """A database that nothing stands in for is not reached, whatever its port and its driver."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        (tmp_path / "pymysql.py").write_text(
            f"import socket\nsocket.create_connection(('127.0.0.1', {port}))"
        )
        (tmp_path / "pyodbc.py").write_text("")
        assert why(tmp_path, f"import pymysql\n{FASTAPI}").startswith("The app needs a MySQL database: ")
        assert why(tmp_path, f"import pyodbc\n{FASTAPI}").startswith("The app needs a database by ODBC: ")
        own.setblocking(False)
        with pytest.raises(BlockingIOError):
            own.accept()


def test_a_cache_that_is_missed(tmp_path: Path) -> None:
    """A Redis server is refused as well, but an app that starts without it is served, and that is noted."""
    (tmp_path / "shop.py").write_text(MONGO.replace("27017", "6379") + FASTAPI)
    with playing("shop", tmp_path) as play:
        assert [note.partition(":")[0] for note in play.stage.notes] == ["The app needs a Redis server"]


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    """Where no PostgreSQL can be given to the app, that is the sentence, not the driver's."""
    source = f"import os, psycopg\npsycopg.connect(os.environ['DATABASE_URL'])\n{FASTAPI}"
    said = why(tmp_path, source, database=normalise("postgresql://x@127.0.0.1:1/x"))
    assert said.startswith("The app needs PostgreSQL, and there is none to give it:")


def test_a_command_that_fails(tmp_path: Path) -> None:
    """A command of `prepare` that fails, or is none of Python's, is named with its last words."""
    (tmp_path / "seed.py").write_text("import sys\nprint('no rows')\nsys.exit(4)\n")
    assert why(tmp_path, FASTAPI, prepare=["python seed.py"]) == "`python seed.py` fails: no rows."
    assert why(tmp_path, FASTAPI, prepare=["make tables"]).startswith(
        "`make tables` fails: make is no command of a Python package here"
    )


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start that failed, no temporary folder is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    why(tmp_path, FAILING)
    assert list(folder.iterdir()) == []
