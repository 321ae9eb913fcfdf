"""Tables as they are derived, without a database."""

from decimal import Decimal

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from specwright.model.expression import Literal
from specwright.model.field import Bounds, Field, Filled, OnDelete
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import INTEGER, TEXT, TIMESTAMP, USER, UUID, Kind, Type
from specwright.sql.checks import Violation
from specwright.sql.naming import LONGEST, Names
from specwright.sql.tables import DIALECT, Tables, Violated


def field(name: str, type: Type, **more: object) -> Field:
    return Field(id=name, name=name, wire=name, column=name, type=type, **more)  # type: ignore[arg-type]


BUILT_IN = (
    field("id", UUID, built_in=True),
    field("created_at", TIMESTAMP, built_in=True),
    field("updated_at", TIMESTAMP, built_in=True),
    field("version", INTEGER, built_in=True),
)
PROJECT = Type(Kind.REFERENCE, target="Project")


def resource(name: str, *fields: Field) -> Resource:
    table = name.lower() + "s"
    return Resource(name, name, name, "/" + table, table, (*BUILT_IN, *fields))


EXTERNAL_USER = Resource(
    "User", "User", "User", "/users", "users", (field("id", TEXT, built_in=True),), external=True
)
MANIFEST = Manifest(
    (
        EXTERNAL_USER,
        resource(
            "Project",
            field("owner", USER, filled=Filled.CALLER),
            field("name", TEXT, required=True, bounds=Bounds(1, 80), unique=True, unique_per=("owner",)),
        ),
        resource(
            "Task",
            field("title", TEXT, required=True, bounds=Bounds(1, 200)),
            field("status", Type(Kind.ENUM, literals=("todo", "it's")), default=Literal("todo")),
            field("price", Type(Kind.NUMBER, precision=8, scale=2), bounds=Bounds(Decimal("0.5"), None)),
            field("priority", INTEGER, indexed=True, bounds=Bounds(0, 5), default=Literal(0)),
            field("project", PROJECT, on_delete=OnDelete.CLEAR),
            field("words", Type(Kind.LIST, item=TEXT)),
            field("code", TEXT, pattern="a:b|c", unique=True),
            field("tags", Type(Kind.MANY, target="Project")),
        ),
    )
)


def created(name: str) -> str:
    return str(CreateTable(Tables(MANIFEST).of(name)).compile(dialect=DIALECT))


@pytest.mark.parametrize(
    "line",
    [
        'title TEXT COLLATE "C" NOT NULL',
        "status TEXT COLLATE \"C\" DEFAULT 'todo' NOT NULL",
        "price NUMERIC(8, 2)",
        "priority BIGINT DEFAULT 0 NOT NULL",
        "project UUID",
        'words TEXT[] COLLATE "C"',
        "created_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL",
        "version BIGINT DEFAULT 1 NOT NULL",
        "CONSTRAINT pk_tasks PRIMARY KEY (id)",
        "CONSTRAINT fk_tasks_project FOREIGN KEY(project) REFERENCES projects (id) ON DELETE SET NULL",
        "CONSTRAINT ck_tasks_title_length CHECK (char_length(title) BETWEEN 1 AND 200)",
        "CONSTRAINT ck_tasks_status_literals CHECK (status IN ('todo', 'it''s'))",
        "CONSTRAINT ck_tasks_price_range CHECK (price >= 0.5 AND price < 'Infinity')",
        "CONSTRAINT ck_tasks_priority_range CHECK (priority BETWEEN 0 AND 5)",
        "CONSTRAINT ck_tasks_words_items CHECK (array_position(words, NULL::text) IS NULL)",
        "CONSTRAINT ck_tasks_code_pattern CHECK (code ~ '^(?:a:b|c)$')",
        "CONSTRAINT ck_tasks_code_length CHECK (char_length(code) <= 10000)",
        "CONSTRAINT ck_tasks_code_size CHECK (octet_length(code) <= 2500)",
        "CONSTRAINT uq_tasks_code UNIQUE (code)",
    ],
)
def test_a_table_holds_what_the_spec_says(line: str) -> None:
    """Every column, default and constraint of a resource is in its CREATE TABLE."""
    assert line in [part.strip(" \t,") for part in created("Task").splitlines()]


def test_a_relation_to_many_is_no_column() -> None:
    """A `many X` field has no column of its own."""
    assert "tags" not in Tables(MANIFEST).of("Task").c


def test_an_external_user_is_text_without_a_foreign_key() -> None:
    """The owner is the token's subject: bounded text that refers to no table."""
    sql = created("Project")
    assert "FOREIGN KEY" not in sql
    assert "char_length(owner) BETWEEN 1 AND 255" in sql
    assert "CONSTRAINT uq_projects_owner_name UNIQUE (owner, name)" in sql


def test_indexes_serve_sorting_references_and_owners() -> None:
    """Default sort, references and `indexed` fields have an index, unless a unique one serves."""
    tables = Tables(MANIFEST)
    statements = {
        str(CreateIndex(index).compile(dialect=DIALECT))
        for name in ("Task", "Project")
        for index in tables.of(name).indexes
    }
    assert statements == {
        "CREATE INDEX ix_tasks_created_at_id ON tasks (created_at, id)",
        "CREATE INDEX ix_tasks_priority_id ON tasks (priority, id)",
        "CREATE INDEX ix_tasks_project ON tasks (project)",
        "CREATE INDEX ix_projects_created_at_id ON projects (created_at, id)",
        "CREATE INDEX ix_projects_owner_created_at_id ON projects (owner, created_at, id)",
    }


def test_each_constraint_knows_its_fields() -> None:
    """The name that PostgreSQL reports leads back to the spec's fields."""
    meanings = Tables(MANIFEST).meanings
    assert meanings["uq_projects_owner_name"] == Violated(Violation.UNIQUE, "Project", ("owner", "name"))
    assert meanings["fk_tasks_project"] == Violated(Violation.REFERENCE, "Task", ("project",))
    assert meanings["ck_tasks_title_length"] == Violated(Violation.LENGTH, "Task", ("title",))


def test_names_are_cut_and_never_alike() -> None:
    """A long name, or one that another meaning has, ends in a hash of its parts; the same on every run."""
    names = Names()
    long = names.make("ck", "t" * 40, "c" * 40, "length")
    assert len(long) == LONGEST
    assert names.make("ck", "t" * 40, "c" * 40, "range") != long
    assert Names().make("ck", "t" * 40, "c" * 40, "length") == long
    assert names.make("uq", "task", "note_x") == "uq_task_note_x"
    assert names.make("uq", "task_note", "x") != "uq_task_note_x"
