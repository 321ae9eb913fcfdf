"""Lists and json by every way into a spec: from Markdown to tables and classes, and back from both."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
import sqlmodel
from sqlalchemy.orm import configure_mappers
from sqlalchemy.schema import CreateIndex, CreateTable

from commands import specwright
from modules import imported
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.types import Kind
from specwright.read import read_project, read_specs
from specwright.read.classes import known_of
from specwright.read.storedtable import StoredTable
from specwright.sql.constraints import constrained
from specwright.sql.tables import DIALECT
from specwright.write.models import models

SPEC = """# Boxes

## Box (boxes)

| Field   | Type                  | Rules               |
|---------|-----------------------|---------------------|
| data    | json                  | indexed             |
| more    | json                  | required            |
| tags    | list of text          | required, 1..4      |
| words   | list of text          | indexed             |
| sizes   | list of integer       | indexed, ..9        |
| prices  | list of number(38,2)  | indexed, 2..        |
| flags   | list of boolean       |                     |
| days    | list of date          | indexed             |
| moments | list of timestamp     | required            |
| serials | list of uuid          | indexed             |
| kinds   | list of `a`, `b, c`   | indexed, ..2        |
"""


@pytest.fixture
def manifest() -> Manifest:
    """Json, and a list of every type that PostgreSQL tells from the others."""
    return read_specs({"specs/it/spec.md": SPEC})


def said(manifest: Manifest) -> dict[str, tuple[object, ...]]:
    """What is said of each field."""
    fields = [field for field in manifest.resource("Box").fields if not field.built_in]
    return {field.name: _said(field) for field in fields}


def _said(field: Field) -> tuple[object, ...]:
    return field.type, field.required, field.bounds, field.indexed


def test_a_database_tells_its_lists(manifest: Manifest, database_url: str, tmp_path: Path) -> None:
    """`text[]` and its kin, with bounds, literals and indexes, are adopted as the spec they came from."""

    async def create() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            for table in constrained(manifest).metadata.sorted_tables:
                await connection.execute(str(CreateTable(table).compile(dialect=DIALECT)))
                for index in table.indexes:
                    await connection.execute(str(CreateIndex(index).compile(dialect=DIALECT)))
        finally:
            await connection.close()

    asyncio.run(create())
    ran = specwright("adopt", database_url, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert said(read_project(tmp_path)) == said(manifest)


def test_generated_classes_tell_their_lists(manifest: Manifest, tmp_path: Path) -> None:
    """What `specwright models` writes, read as code, says the same."""
    code = models(manifest, constrained(manifest).metadata)
    for hint in ("tags: list[str] =", "sizes: list[int] | None", "prices: list[decimal.Decimal] | None"):
        assert hint in code
    assert 'postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"}' in " ".join(code.split())
    with imported(tmp_path, "box_models", box_models=code) as module:
        configure_mappers()
        table = sqlmodel.SQLModel.metadata.tables["boxes"]
        stored = StoredTable("Box", table, {"boxes": "Box"}, known_of(module.Box))
        found = {field.name: _said(field) for _, field in stored.read()}
        assert not stored.unsaid
    assert found == said(manifest)


WRITTEN = """
import datetime, decimal, typing, uuid
import sqlalchemy as sa
import sqlmodel
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

class Base(sqlmodel.SQLModel):
    pass

class Box(Base, table=True):
    __tablename__ = "boxes"
    __table_args__ = (sa.Index("ix_tags", "tags", postgresql_using="gin"), sa.Index("ix_data", "data"))
    id: uuid.UUID = sqlmodel.Field(primary_key=True)
    tags: list[str] = sqlmodel.Field(sa_type=ARRAY(sa.Text), min_length=1, max_length=4)
    sizes: list[int] | None = sqlmodel.Field(sa_column=sa.Column(ARRAY(sa.BigInteger)))
    prices: list[decimal.Decimal] | None = sqlmodel.Field(sa_column=sa.Column(sa.ARRAY(sa.Numeric(8, 2))))
    days: list[datetime.date] = sqlmodel.Field(sa_type=ARRAY(sa.Date))
    data: typing.Any = sqlmodel.Field(sa_type=JSONB, nullable=True)
    grid: list[list[int]] | None = sqlmodel.Field(sa_column=sa.Column(ARRAY(sa.Integer, dimensions=2)))
    floats: list[float] | None = sqlmodel.Field(sa_column=sa.Column(ARRAY(sa.Float)))
"""


def test_classes_tell_their_lists(tmp_path: Path) -> None:
    """`list[str]` with an ARRAY is a list; one of two dimensions, or of floats, is told of."""
    with imported(tmp_path, "written", written=WRITTEN) as module:
        stored = StoredTable("Box", module.Box.__table__, {"boxes": "Box"}, known_of(module.Box))
        fields = {field.name: field for _, field in stored.read()}
    assert {name: str(field.type) for name, field in fields.items()} == {
        "tags": "list of text",
        "sizes": "list of integer",
        "prices": "list of number(8,2)",
        "days": "list of date",
        "data": "json",
    }
    assert (fields["tags"].bounds.least, fields["tags"].bounds.most) == (1, 4)
    assert [name for name, field in fields.items() if field.required] == ["tags", "days"]
    assert [name for name, field in fields.items() if field.indexed] == ["tags", "data"]
    assert sorted(unsaid.column or "" for unsaid in stored.unsaid) == ["floats", "floats", "grid"]
    assert fields["data"].type.kind is Kind.JSON
