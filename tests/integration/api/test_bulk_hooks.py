"""Hooks of many rows: each row has its own, in order, in the one transaction of all of them."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from modules import imported
from protected import build
from served import Served, fresh_database, serving
from specwright import Backend, SessionDep, problem
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """
# Tasks

## Task

| Field | Type | Rules         |
|-------|------|---------------|
| title | text | required, ..9 |
| owner | User | the caller    |

| Who   | May        |
|-------|------------|
| owner | everything |
"""

SEEN: list[str] = []


def bind(backend: Backend, module: ModuleType) -> None:
    """Hooks that note what they see, mark what they may, and refuse one row."""
    Task = module.Task

    @backend.before(Task, "create")
    async def before_create(task: Task) -> None:
        SEEN.append(f"before create {task.title}")
        if task.title == "no":
            raise problem(409, "no_such_task", "Not this one.")
        task.title += "!"

    @backend.after(Task, "create")
    async def after_create(task: Task, session: SessionDep) -> None:
        SEEN.append(f"after create {task.title}")

    @backend.before(Task, "update")
    async def before_update(task: Task) -> None:
        SEEN.append(f"before update {task.title}")

    @backend.after(Task, "delete")
    async def after_delete(task: Task) -> None:
        SEEN.append(f"after delete {task.title}")
        if task.title == "stay!":
            raise problem(409, "stays", "It stays.")


@pytest.fixture(scope="module")
def served(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A backend with hooks."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    with (
        imported(tmp_path_factory.mktemp("app"), "bulk_models", bulk_models=written) as module,
        fresh_database(database_server) as database,
    ):
        build(database, manifest)
        with serving(SPEC, database, prepare=lambda backend: bind(backend, module), tables=False) as one:
            yield one


def test_a_create_of_many(served: Served) -> None:
    """What a hook changes is stored; one that refuses undoes all, and its item is named."""
    ada = served.person("ada")
    SEEN.clear()
    answer = ada.post("/tasks", [{"title": "a"}, {"title": "b"}])
    assert [row["title"] for row in answer.json()["items"]] == ["a!", "b!"]
    assert SEEN == ["before create a", "after create a!", "before create b", "after create b!"]
    refused = ada.post("/tasks", [{"title": "c"}, {"title": "no"}])
    assert (refused.status, refused.code) == (409, "no_such_task")
    assert refused.json()["detail"] == "Item 1: Not this one."
    late = ada.post("/tasks", [{"title": "d"}, {"title": "exactly 9"}])
    assert late.status >= 400
    assert len(ada.items("/tasks")) == 2
    key = {"idempotency-key": "once"}
    first, again = (ada.post("/tasks", [{"title": "e"}], headers=key) for _ in range(2))
    assert (first.status, again.body) == (201, first.body)
    assert len(ada.items("/tasks")) == 3


def test_changes_of_many(served: Served) -> None:
    """Each row that matches, in the order of the keys; more than `max_affected` have none."""
    eve = served.person("eve")
    for title in "xyz":
        eve.made("/tasks", {"title": title})
    SEEN.clear()
    answer = eve.patch('/tasks?filter=title != "y!"&max_affected=2', {"title": "w!"})
    assert answer.json() == {"affected": 2}
    assert SEEN == ["before update w!", "before update w!"]
    SEEN.clear()
    assert eve.patch("/tasks?title__startswith=w&max_affected=1", {"title": "v"}).code == "too_many_rows"
    assert eve.delete("/tasks?title=y!&max_affected=1").json() == {"affected": 1}
    assert SEEN == ["after delete y!"]


def test_a_hook_that_refuses_one_row_keeps_them_all(served: Served) -> None:
    """All of it is one transaction."""
    bob = served.person("bob")
    _, stay = (bob.made("/tasks", {"title": title})["id"] for title in ("go", "stay"))
    refused = bob.delete("/tasks?title__in=go!,stay!&max_affected=2")
    assert (refused.code, refused.json()["detail"]) == ("stays", f"Row {stay}: It stays.")
    assert len(bob.items("/tasks")) == 2
