"""Relations of many to many in classes: the field that a spec would have, or what stands in its way."""

from pathlib import Path

import pytest

from origins import bare
from specwright.model.errors import SpecError
from specwright.model.manifest import Manifest
from specwright.read import read_project

SPEC = """# Things

## Tag

| Field | Type | Rules |
|-------|------|-------|
| name  | text | ..40  |

## Task

| Field   | Type      | Rules | Means         |
|---------|-----------|-------|---------------|
| title   | text      | ..40  |               |
| tags    | many Tag  |       | what it is about |
| related | many Task |       |               |
"""

SQLMODEL = """
import uuid
from sqlalchemy.orm import relationship
from sqlmodel import Field, Relationship, SQLModel
from specwright import Backend

class TaskTag(SQLModel, table=True):
    __tablename__ = "tasks_tags"
    task_id: uuid.UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    tag_id: uuid.UUID = Field(primary_key=True, foreign_key="tags.id", ondelete="CASCADE")

class TaskTask(SQLModel, table=True):
    __tablename__ = "tasks_related"
    task_id: uuid.UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    other_task_id: uuid.UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")

class Tag(SQLModel, table=True):
    __tablename__ = "tags"
    id: uuid.UUID = Field(primary_key=True)
    name: str | None = Field(default=None, max_length=40)
    on: list["Task"] = Relationship(back_populates="tags", link_model=TaskTag)

class Task(SQLModel, table=True):
    __tablename__ = "tasks"
    id: uuid.UUID = Field(primary_key=True)
    title: str | None = Field(default=None, max_length=40)
    tags: list["Tag"] = Relationship(
        back_populates="on", link_model=TaskTag, sa_relationship_kwargs={"doc": "what it is about"}
    )
    related: list["Task"] = Relationship(
        back_populates="of",
        link_model=TaskTask,
        sa_relationship_kwargs={
            "primaryjoin": "Task.id == TaskTask.task_id",
            "secondaryjoin": "Task.id == TaskTask.other_task_id",
        },
    )
    of: list["Task"] = Relationship(
        back_populates="related",
        link_model=TaskTask,
        sa_relationship_kwargs={
            "primaryjoin": "Task.id == TaskTask.other_task_id",
            "secondaryjoin": "Task.id == TaskTask.task_id",
        },
    )
"""

SQLALCHEMY = """
import uuid
from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from specwright import Backend

class Base(DeclarativeBase):
    pass

def links(name, one, other):
    return Table(
        name, Base.metadata,
        Column(f"{one}_id", ForeignKey(f"{one}s.id", ondelete="CASCADE"), primary_key=True),
        Column(f"{other}_id", ForeignKey(f"{other.removeprefix('other_')}s.id"), primary_key=True),
    )

tasks_tags = links("tasks_tags", "task", "tag")
tasks_related = links("tasks_related", "task", "other_task")

class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(40))

class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str | None] = mapped_column(String(40))
    tags: Mapped[list[Tag]] = relationship(secondary=tasks_tags, doc="what it is about")
    related: Mapped[list["Task"]] = relationship(
        secondary=tasks_related,
        primaryjoin=id == tasks_related.c.task_id,
        secondaryjoin=id == tasks_related.c.other_task_id,
    )
    seen: Mapped[list[Tag]] = relationship(secondary=tasks_tags, viewonly=True)
"""
END = """
backend = Backend()
backend.resource(Tag)
backend.resource(Task)
app = backend.app
"""


def read(root: Path, classes: str, end: str = END) -> Manifest:
    """The manifest of a project with these classes."""
    (root / "app").mkdir(parents=True)
    (root / "app/main.py").write_text(classes + end)
    (root / "specs/things").mkdir(parents=True)
    (root / "specs/things/spec.md").write_text("# Things\n")
    return read_project(root)


@pytest.mark.parametrize("classes", [SQLMODEL, SQLALCHEMY])
def test_relations_of_classes_are_many_fields(classes: str, tmp_path: Path) -> None:
    """The side that names the table has the field; tables, columns and the way back are as of a spec."""
    (tmp_path / "said/specs/things").mkdir(parents=True)
    (tmp_path / "said/specs/things/spec.md").write_text(SPEC)
    said, found = read_project(tmp_path / "said"), read(tmp_path / "code", classes)
    for one, other in zip(bare(said).resources, bare(found).resources, strict=True):
        assert one == other
    tags = found.resource("Task").field("tags")
    assert tags is not None and tags.origin.file == "app/main.py"
    line = (tmp_path / "code/app/main.py").read_text().splitlines()[tags.origin.line - 1]
    assert line.strip().startswith("tags:")


def test_a_table_of_links_may_be_a_resource_itself(tmp_path: Path) -> None:
    """Then it is an entity with two references, and no field says its links once more."""
    classes = SQLMODEL.replace(
        '    task_id: uuid.UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")\n'
        '    tag_id: uuid.UUID = Field(primary_key=True, foreign_key="tags.id", ondelete="CASCADE")\n',
        "    id: uuid.UUID = Field(primary_key=True)\n"
        '    task_id: uuid.UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")\n'
        '    tag_id: uuid.UUID = Field(foreign_key="tags.id", ondelete="CASCADE")\n',
    )
    found = read(
        tmp_path,
        classes,
        END.replace("backend.resource(Task)", "backend.resource(Task)\nbackend.resource(TaskTag)"),
    )
    assert found.resource("Task").field("tags") is None
    assert found.resource("TaskTag").path == "tasks-tags"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"tasks_tags"',
            '"task_tag"',
            'its links are stored in "task_tag", and those of this field in tasks_tags',
        ),
        ("backend.resource(Tag)\n", "", "it leads to Tag, which is no resource: backend.resource(Tag, …)"),
        (
            "primary_key=True),\n    )",
            'primary_key=True), Column("since", String(4)),\n    )',
            "its links say more than what they link (since): they are an entity of their own",
        ),
        ('ondelete="CASCADE"', 'ondelete="RESTRICT"', "its links go with either row: ON DELETE CASCADE"),
    ],
)
def test_what_a_spec_cannot_say_is_a_mistake_at_its_line(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    """Another table, more columns, rows that nobody serves: what it is, and what it would have to be."""
    text = SQLALCHEMY + END
    assert old in text
    text = text.replace(old, new)
    with pytest.raises(SpecError) as error:
        read(tmp_path, text, "")
    messages = {known.message: known.origin for known in error.value.mistakes}
    assert f"Task.tags: {told}" in messages
    origin = messages[f"Task.tags: {told}"]
    assert text.splitlines()[origin.line - 1].strip().startswith("tags:")
