"""What calculated fields are made of."""

import pytest

from builders import backend, entity, field, owner, to
from specwright.model.calculated import circle, entities, entities_of, is_volatile, needs
from specwright.model.expression import Expr
from specwright.model.field import Aggregate, Field
from specwright.model.manifest import Manifest
from specwright.model.syntax import parse
from specwright.model.types import BOOLEAN, INTEGER, TEXT, TIMESTAMP, Type


def computed(name: str, type: Type, text: str) -> Field:
    """A computed field."""
    return field(name, type, computed=parse(text))


def counted(name: str, relation: str, where: str | None = None, of: str = "") -> Field:
    """A count, or of a field a sum."""
    condition: Expr | None = None if where is None else parse(where)
    return field(name, INTEGER, aggregate=Aggregate("sum" if of else "count", relation, of, condition))


def manifest() -> Manifest:
    """Projects and tasks that calculate over one another."""
    project = entity(
        "Project",
        field("name", TEXT),
        counted("open", "tasks", "late"),
        counted("load", "tasks", of="double"),
        computed("heavy", BOOLEAN, "load > 3"),
        owner(),
    )
    task = entity(
        "Task",
        field("title", TEXT),
        field("points", INTEGER),
        field("due", TIMESTAMP),
        field("project", to("Project")),
        computed("double", INTEGER, "points * 2"),
        computed("late", BOOLEAN, "due < now()"),
        computed("label", TEXT, "coalesce(project.name, title)"),
        computed("crowded", BOOLEAN, "project.heavy and double > 1"),
        computed("shared", BOOLEAN, 'comments.body == "x"'),
        owner(),
    )
    comment = entity("Comment", field("body", TEXT), field("task", to("Task")))
    return backend(project, task, comment)


def of(entity: str, name: str) -> Field:
    """A field of the manifest."""
    found = manifest().resource(entity).field(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("entity", "name", "stored", "read", "volatile"),
    [
        ("Task", "title", {"title"}, set(), False),
        ("Task", "double", {"points"}, set(), False),
        ("Task", "late", {"due"}, set(), True),
        ("Task", "label", {"project", "title"}, {"Project"}, False),
        ("Task", "crowded", {"project", "points"}, {"Project", "Task"}, False),
        ("Task", "shared", {"id"}, {"Comment"}, False),
        ("Project", "open", {"id"}, {"Task"}, True),
        ("Project", "load", {"id"}, {"Task"}, False),
        ("Project", "heavy", {"id"}, {"Task"}, False),
    ],
)
def test_what_a_field_is_made_of(
    entity: str, name: str, stored: set[str], read: set[str], volatile: bool
) -> None:
    """The columns of its row, the entities it reads besides, and whether it changes by waiting."""
    found = manifest()
    resource = found.resource(entity)
    assert needs(found, resource, of(entity, name)) == stored
    assert entities_of(found, resource, of(entity, name)) == read
    assert is_volatile(found, resource, of(entity, name)) is volatile
    assert circle(found, resource, of(entity, name)) == ()


def test_what_a_condition_reads() -> None:
    """A condition reads what its paths lead to, and what the calculated fields at their end are made of."""
    found = manifest()
    assert entities(found, found.resource("Comment"), parse("task.crowded")) == {"Task", "Project"}
    assert entities(found, found.resource("Task"), parse("points == 1")) == set()


def test_a_circle_is_found() -> None:
    """Over fields, relations and aggregates; what only leads into one is none itself."""
    project = entity("Project", counted("load", "tasks", of="share"))
    task = entity(
        "Task",
        field("project", to("Project")),
        computed("share", INTEGER, "project.load + 1"),
        computed("beside", INTEGER, "share + 1"),
        computed("self", BOOLEAN, "not self"),
    )
    found = backend(project, task)
    task = found.resource("Task")
    share, beside, self_ = (task.field(name) for name in ("share", "beside", "self"))
    assert share is not None and beside is not None and self_ is not None
    assert circle(found, task, share) == (("Task", "share"), ("Project", "load"), ("Task", "share"))
    assert circle(found, task, beside) == ()
    assert circle(found, task, self_) == (("Task", "self"), ("Task", "self"))
