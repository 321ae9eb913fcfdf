"""Whatever database an app asks for, it gets a throw-away one; statements are counted at the driver."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from playing import APPS, playing
from specwright.db.url import normalise

NOWHERE = "postgresql://somebody:secret@db.example.invalid:5432/shop?sslmode=require"


def fetch(url: str, statement: str) -> list[Any]:
    """Ask a database of PostgreSQL directly."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_statements_of_asyncpg(database_server: str) -> None:
    """Each way to send a statement counts once; transactions and the driver's own questions do not."""
    with playing("pool", environment={"SHOP_DATABASE": NOWHERE}, database=normalise(database_server)) as play:
        seen = play("GET", "/ways")
        assert seen.body == 4
        statements = seen.inside.statements
        assert statements[:6] == (
            "INSERT INTO notes (text) VALUES ('one')",
            "SAVEPOINT here; SELECT 'two'; RELEASE here",
            "INSERT INTO notes (text) VALUES ($1)",
            "SELECT 'row'",
            "SELECT 'prepared'",
            "SELECT 'cursor'",
        )
        assert len(statements) == 8
        assert "COPY" in statements[6]
        assert play("GET", "/ways").inside.statements == statements


def test_an_apps_own_server_is_not_touched(database_url: str, database_server: str) -> None:
    """An app that is given the address of a real database is somewhere else, and stays there."""
    fetch(database_url, "CREATE TABLE notes (id int, text text, tags jsonb)")
    fetch(database_url, "INSERT INTO notes VALUES (1, 'precious')")
    with playing(
        "pool", environment={"SHOP_DATABASE": database_url}, database=normalise(database_server)
    ) as play:
        assert play("GET", "/ways").body == 4
        elsewhere, _ = play("GET", "/where").body
        assert elsewhere != fetch(database_url, "SELECT current_database()")[0][0]
        assert play.stage.database is not None
        assert fetch(play.stage.database, "SELECT count(*) FROM notes") == [(4,)]
        play.restart()
        assert play("GET", "/ways").body == 8
    assert fetch(database_url, "SELECT id, text FROM notes") == [(1, "precious")]
    left = fetch(database_server, f"SELECT 1 FROM pg_database WHERE datname = '{elsewhere}'")
    assert left == []


def test_a_server_of_its_own() -> None:
    """Without a server to use, one is started; the app is an ordinary user there, and needs no address."""
    with playing("models") as play:
        assert play("GET", "/heroes").body == ["Deadpond"]
        assert play.stage.notes == [
            "DATABASE_URL is not set: the app is given one.",
            "The app's models have made its tables before it started.",
        ]
        database = play.stage.database
        assert database is not None
        assert fetch(
            database, "SELECT DISTINCT tableowner::text FROM pg_tables WHERE tablename = 'hero'"
        ) == [("specwright_app",)]
        folder = Path(normalise(database).host or "")
        assert folder.exists()
    assert not folder.exists()


def test_statements_of_psycopg(database_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLModel sends through psycopg is counted, and what SQLAlchemy asks for itself is not."""
    with playing(
        "models", environment={"DATABASE_URL": NOWHERE}, database=normalise(database_server)
    ) as play:
        (statement,) = play("GET", "/heroes").inside.statements
        assert statement.split() == ["SELECT", "hero.id,", "hero.name", "FROM", "hero"]


PSYCOPG = """
from fastapi import FastAPI
import psycopg, psycopg2
from psycopg import sql
URL = "postgresql://db.example.invalid/shop"
app = FastAPI()
@app.get("/sync")
def sync():
    with psycopg.connect(URL) as connection:
        connection.execute(sql.SQL("SELECT {}").format(sql.Literal("composed")))
        with connection.cursor("named") as cursor:
            cursor.execute("SELECT 'named'")
            cursor.fetchone()
        connection.cursor().executemany("SELECT %s", [("a",), ("b",)])
@app.get("/async")
async def asynchronous():
    async with await psycopg.AsyncConnection.connect(URL) as connection:
        await connection.execute(b"SELECT 'bytes'")
        async for _ in connection.cursor().stream("SELECT 'stream'"):
            pass
        async with connection.cursor().copy("COPY (SELECT 1) TO STDOUT") as copy:
            async for _ in copy:
                pass
@app.get("/two")
def two():
    connection = psycopg2.connect(URL)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s", ("two",))
        cursor.executemany("SELECT %s", [("a",), ("b",)])
    connection.close()
"""


def test_statements_of_psycopg_in_every_way(database_server: str, tmp_path: Path) -> None:
    """psycopg 3 in both its kinds and psycopg2: each statement counts once."""
    (tmp_path / "ways.py").write_text(PSYCOPG)
    with playing("ways", tmp_path, database=normalise(database_server)) as play:
        assert play("GET", "/sync").inside.statements == ("SELECT 'composed'", "SELECT 'named'", "SELECT %s")
        assert play("GET", "/async").inside.statements == (
            "SELECT 'bytes'",
            "SELECT 'stream'",
            "COPY (SELECT 1) TO STDOUT",
        )
        assert play("GET", "/two").inside.statements == ("SELECT %s", "SELECT %s")


def test_tables_that_nobody_makes(tmp_path: Path) -> None:
    """The app's models make them, which is said; statements of an ORM on sqlite3 are counted."""
    shutil.copy(APPS / "orm.py", tmp_path)
    with playing("orm", tmp_path) as play:
        assert play.stage.notes == ["The app's models make its tables: customers, orders were not there."]
        for number, name in enumerate(("ada", "bob", "cyd"), 1):
            assert play("POST", f"/orders/{name}").body == number
        seen = play("GET", "/orders")
        assert seen.body == ["ada", "bob", "cyd"]
        assert len(seen.inside.statements) == 4
        assert str(play.stage.database).startswith("sqlite:///")
    assert [each.name for each in tmp_path.iterdir()] == ["orm.py"]


def test_a_file_of_the_apps_own_is_not_written(tmp_path: Path) -> None:
    """The app works on a copy, which has the rows of the original; aiosqlite's thread hides nothing."""
    shutil.copy(APPS / "in_threads.py", tmp_path)
    with sqlite3.connect(tmp_path / "lite.db") as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")
        connection.execute("INSERT INTO notes VALUES ('precious')")
    connection.close()
    before = (tmp_path / "lite.db").read_bytes()
    with playing("in_threads", tmp_path) as play:
        seen = play("POST", "/notes/milk")
        assert seen.body == 2
        assert seen.inside.statements == ("INSERT INTO notes VALUES (?)", "SELECT count(*) FROM notes")
        play.restart()
        assert play("POST", "/notes/milk").body == 3
    assert (tmp_path / "lite.db").read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"in_threads.py", "lite.db"}


ORM = """
import logging.config
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
logging.config.dictConfig({"version": 1, "root": {"level": "INFO", "handlers": []}})
class Base(DeclarativeBase): pass
class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
engine = create_async_engine("postgresql+asyncpg://somebody:secret@db.example.invalid/notes")
@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()
app = FastAPI(lifespan=lifespan)
@app.get("/notes")
async def notes():
    logging.getLogger("notes").info("asked")
    async with AsyncSession(engine) as session:
        return len((await session.scalars(select(Note))).all())
"""


def test_statements_of_an_asynchronous_orm(database_server: str, tmp_path: Path) -> None:
    """SQLAlchemy on asyncpg: a statement of the app is one, from its `src` and with its own logging."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/shop.py").write_text(ORM)
    with playing("shop", tmp_path, database=normalise(database_server)) as play:
        seen = play("GET", "/notes").inside
        assert [each.split() for each in seen.statements] == [["SELECT", "notes.id", "FROM", "notes"]]
        assert seen.logged == ("INFO notes asked",)
        assert play.stage.notes == []


PAST_US = """
import sqlite3
from fastapi import FastAPI
app = FastAPI()
@app.get("/direct")
def direct(): sqlite3.Connection("precious.db")
@app.get("/attached")
def attached(): sqlite3.connect(":memory:").execute("ATTACH DATABASE 'precious.db' AS own")
@app.get("/uri")
def uri(): return sqlite3.connect("file:precious.db?mode=rwc", uri=True).execute("CREATE TABLE t (x)") and 1
"""


def test_no_way_past(tmp_path: Path) -> None:
    """A connection made past the driver's door is refused, and a URI leads to a copy as well."""
    (tmp_path / "past.py").write_text(PAST_US)
    with playing("past", tmp_path) as play:
        for path in ("/direct", "/attached"):
            (raised,) = play("GET", path).inside.raised
            assert "verify works on copies" in raised
        assert play("GET", "/uri").body == 1
    assert [each.name for each in tmp_path.iterdir()] == ["past.py"]


MIGRATION = """
from alembic import op
revision = "1"
down_revision = None
def upgrade(): op.execute("CREATE TABLE hero (id serial PRIMARY KEY, name text NOT NULL, age int)")
def downgrade(): pass
"""
ENVIRONMENT = f"""
from alembic import context
from sqlalchemy import create_engine
with create_engine("{NOWHERE.replace("postgresql:", "postgresql+psycopg:")}").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_migrations_make_the_schema(tmp_path: Path, database_server: str) -> None:
    """An alembic.ini is enough; the migrations run on the database that the app then gets."""
    shutil.copy(APPS / "models.py", tmp_path)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (tmp_path / "migrations/versions").mkdir(parents=True)
    (tmp_path / "migrations/env.py").write_text(ENVIRONMENT)
    (tmp_path / "migrations/versions/one.py").write_text(MIGRATION)
    with playing("models", tmp_path, {"DATABASE_URL": NOWHERE}, database=normalise(database_server)) as play:
        assert play.stage.notes == ["alembic.ini is there: `alembic upgrade head` has made the schema."]
        assert play("GET", "/heroes").body == ["Deadpond"]
        assert play.stage.database is not None
        assert fetch(play.stage.database, "SELECT age FROM hero") == [(None,)]


def test_an_extension_that_the_server_has_not(tmp_path: Path) -> None:
    """uuid-ossp, which migrations of older apps ask for, is stood in for; as an ordinary user."""
    (tmp_path / "shop.py").write_text(
        "import asyncpg\n"
        "async def app(scope, receive, send):\n"
        "    assert scope['type'] == 'http'\n"
        "    connection = await asyncpg.connect('postgresql:///shop')\n"
        "    await connection.execute('CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"')\n"
        "    made = await connection.fetchval('SELECT uuid_generate_v4()')\n"
        "    await connection.close()\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': str(made).encode()})\n"
    )
    with playing("shop", tmp_path) as play:
        assert UUID(str(play("GET", "/").body)).version == 4
