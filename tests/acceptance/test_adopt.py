"""`specwright adopt`, run as a person runs it: on a database, on models, on what it must not overwrite."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from commands import specwright
from specwright.model.manifest import Manifest
from specwright.model.types import Kind
from specwright.read import read_project, read_specs
from specwright.sql.constraints import constrained
from specwright.sql.tables import DIALECT

EXAMPLES = Path(__file__).parents[2] / "examples"

LEGACY = """
CREATE TYPE mood AS ENUM ('happy', 'so so');
CREATE TABLE "user" (id serial PRIMARY KEY, "displayName" varchar(40) NOT NULL, email text UNIQUE);
COMMENT ON TABLE "user" IS '#1 | people';
CREATE TABLE "orderItems" (
    "orderItemId" bigserial PRIMARY KEY,
    "userId" int REFERENCES "user" ON DELETE CASCADE,
    price numeric(8,2) NOT NULL DEFAULT 1.50 CHECK (price >= 0 AND price < 100),
    weight double precision,
    mood mood DEFAULT 'happy' NOT NULL,
    "limit" int,
    tags text[] DEFAULT '{"a, b",c}' NOT NULL,
    seen timestamp,
    made timestamptz DEFAULT now() NOT NULL,
    note text CHECK (note <> 'x' OR note IS NULL),
    code text CHECK (code ~ '^[a-z]{2,4}$'),
    spot point,
    "ütf" text,
    a__b text,
    quantity int CHECK (quantity > 0) DEFAULT 1 NOT NULL,
    "createdAt" timestamptz NOT NULL
);
CREATE UNIQUE INDEX ON "orderItems" (lower(code));
CREATE INDEX ON "orderItems" (code, note);
CREATE TABLE likes (
    user_id int REFERENCES "user", item_id bigint REFERENCES "orderItems", PRIMARY KEY (user_id, item_id)
);
CREATE TABLE ratings (
    user_id int REFERENCES "user", item_id bigint REFERENCES "orderItems", stars int,
    PRIMARY KEY (user_id, item_id)
);
CREATE SCHEMA other;
CREATE TABLE other.people (
    id uuid PRIMARY KEY, name text NOT NULL, parent_id uuid REFERENCES other.people,
    owner_id text NOT NULL DEFAULT nullif(current_setting('specwright.caller', true), '')
);
CREATE TABLE alembic_version (version_num text);
CREATE VIEW seen AS SELECT 1 AS id;
"""


def execute(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def create(url: str, manifest: Manifest) -> None:
    metadata = constrained(manifest).metadata
    for table in metadata.sorted_tables:
        execute(url, str(CreateTable(table).compile(dialect=DIALECT)))
        execute(url, *(str(CreateIndex(index).compile(dialect=DIALECT)) for index in table.indexes))


@pytest.mark.parametrize("name", ["clinic", "tasks"])
def test_a_database_of_ours_becomes_the_spec_it_came_from(
    name: str, database_url: str, tmp_path: Path
) -> None:
    """Adopting what an example made gives its entities, stored fields and their rules back."""
    expected = read_project(EXAMPLES / name)
    create(database_url, expected)
    ran = specwright("adopt", database_url, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = read_project(tmp_path)
    assert {known.table for known in found.stored} == {known.table for known in expected.stored}
    by_table = {known.table: known for known in found.stored}
    for one in expected.stored:
        other = by_table[one.table]
        assert not other.grants
        for field in (each for each in one.fields if each.stored):
            again = other.field(field.name) or other.field(field.column)
            assert again is not None, field
            assert (again.nullable, again.unique, again.on_delete) == (
                field.nullable,
                field.unique,
                field.on_delete if field.target != "User" else again.on_delete,
            )
            if field.type.kind not in (Kind.EMAIL, Kind.REFERENCE):
                assert (again.type, again.default, again.bounds, again.pattern) == (
                    field.type,
                    field.default,
                    field.bounds,
                    field.pattern,
                )
    assert len(found.open_questions) == len(list(found.served))


def test_what_a_spec_cannot_say_is_told_and_never_written_as_a_rule(
    database_url: str, tmp_path: Path
) -> None:
    """Int and composite keys, camelCase, "user", other schemas: notes; the spec reads without mistakes."""
    execute(database_url, LEGACY)
    ran = specwright("adopt", database_url, "--schema", "public", "--schema", "other", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    manifest = read_project(tmp_path)
    assert {known.name for known in manifest.stored} == {"People", "AppUser", "OrderItem", "Rating"}
    owner = manifest.resource("People").owner
    assert owner is not None and owner.name == "owner"
    item = manifest.resource("OrderItem")
    assert {field.name: str(field.type) for field in item.fields if not field.built_in} == {
        "user": "AppUser",
        "price": "number(8,2)",
        "mood": "`happy`, `so so`",
        "order_item_limit": "integer",
        "tags": "list of text",
        "seen": "timestamp",
        "made": "timestamp",
        "note": "text",
        "a_b": "text",
        "code": "text",
        "quantity": "integer",
    }
    quantity, code, tags = item.field("quantity"), item.field("code"), item.field("tags")
    assert tags is not None and tags.default is not None and tags.default.value == ["a, b", "c"]
    assert quantity is not None and quantity.bounds.least == 1
    assert code is not None and code.pattern == "[a-z]{2,4}"
    text = next(tmp_path.rglob("spec.md")).read_text()
    for told in (
        'OrderItem: it is stored as "orderItems"',
        "OrderItem: its key orderItemId is integer",
        'OrderItem.userId: it would be stored as user_id, not as "userId"',
        "OrderItem.weight: it is a floating-point number",
        "OrderItem.price: a bound of a number",
        "OrderItem.mood: its type is mood",
        "OrderItem.limit: it would be stored as order_item_limit",
        "OrderItem.seen: it has no time zone",
        "OrderItem.spot: its type is not known",
        "OrderItem.a__b: ",
        "OrderItem.ütf: no field can be called",
        "OrderItem: the condition note <> 'x'",
        "OrderItem.createdAt: created_at is built in",
        "Rating: its key is (user_id, item_id)",
        'AppUser: its links in likes cannot be said: OrderItem has a field "user"',
        "People: it is in the schema other",
        "AppUser: the User of a spec",
    ):
        assert told in ran.stdout, f"{told}\n{ran.stdout}"
        assert told.partition(": ")[2] in text


LINKS = """
CREATE TABLE tags (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE tasks (id uuid PRIMARY KEY, title text NOT NULL);
CREATE TABLE tasks_tags (
    task_id uuid REFERENCES tasks ON DELETE CASCADE, tag_id uuid REFERENCES tags ON DELETE CASCADE,
    PRIMARY KEY (task_id, tag_id)
);
CREATE TABLE tasks_related (
    other_task_id uuid REFERENCES tasks ON DELETE CASCADE, task_id uuid REFERENCES tasks ON DELETE CASCADE,
    PRIMARY KEY (task_id, other_task_id)
);
CREATE TABLE tasks_reviewers (
    user_id text, task_id uuid REFERENCES tasks ON DELETE CASCADE, PRIMARY KEY (user_id, task_id)
);
CREATE TABLE tag_task (
    tag uuid REFERENCES tags, task uuid REFERENCES tasks, PRIMARY KEY (tag, task)
);
CREATE TABLE people (id uuid PRIMARY KEY);
CREATE TABLE likes (
    person_id uuid REFERENCES people ON DELETE RESTRICT, task_id uuid REFERENCES tasks ON DELETE CASCADE,
    PRIMARY KEY (person_id, task_id)
);
CREATE TABLE roles (
    person_id uuid REFERENCES people, task_id uuid REFERENCES tasks, role text,
    PRIMARY KEY (person_id, task_id)
);
"""


def test_tables_of_links_are_fields(database_url: str, tmp_path: Path) -> None:
    """Two references that are the key and nothing else: `many X`, on the side that names the table."""
    execute(database_url, LINKS)
    ran = specwright("adopt", database_url, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = read_project(tmp_path)
    assert {known.name for known in found.served} == {"Tag", "Task", "People", "Role"}
    fields = {field.name: str(field.type) for field in found.resource("Task").fields if field.linked}
    assert fields == {"related": "many Task", "reviewers": "many User", "tags": "many Tag"}
    likes = found.resource("People").field("likes")
    assert likes is not None and likes.linked == "Task"
    for told in (
        'Tag: its links in tag_task cannot be said: Task has a field "tags"',
        'People.likes: its links are stored in "likes", and those of this field in people_likes',
        'People.likes: its links are stored with "person_id", and those of this field with people_id',
        "People.likes: its links go with either row: ON DELETE CASCADE",
        "Role: its key is (person_id, task_id)",
    ):
        assert told in ran.stdout, ran.stdout
    assert "Task." not in ran.stdout


def test_models_are_adopted_by_file_or_by_name(tmp_path: Path) -> None:
    """A file of SQLModel or SQLAlchemy classes becomes the same entities."""
    for number, source in enumerate(("app.models", "app/models.py")):
        for twin in ("tasks_sqlmodel", "tasks_sqlalchemy"):
            target = tmp_path / f"{twin}{number}"
            ran = specwright("adopt", source, str(target), cwd=EXAMPLES / twin)
            assert ran.returncode == 0, ran.stderr
            (file,) = target.rglob("spec.md")
            found = read_specs({"specs/app/spec.md": file.read_text()})
            status = found.resource("Task").field("status")
            assert status is not None and status.type.literals == ("todo", "doing", "done")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A spec that is there stays as it is."""
    file = tmp_path / "specs/app/spec.md"
    file.parent.mkdir(parents=True)
    file.write_text("# Mine\n")
    ran = specwright("adopt", "app.models", str(tmp_path), cwd=EXAMPLES / "tasks_sqlmodel")
    assert ran.returncode == 2 and "nothing is overwritten" in ran.stderr
    assert file.read_text() == "# Mine\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/none", "cannot be read"),
        ("missing.py", "is no file"),
        ("no.such.module", "cannot be imported"),
        ("json", "has no tables"),
    ],
)
def test_a_source_that_cannot_be_read_is_told(source: str, message: str, tmp_path: Path) -> None:
    """One sentence, exit code 2, no password."""
    ran = specwright("adopt", source, cwd=tmp_path)
    assert (ran.returncode, list(tmp_path.iterdir())) == (2, [])
    assert message in ran.stderr and "secret" not in ran.stderr and "Traceback" not in ran.stderr
