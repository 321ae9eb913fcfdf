"""Hooks over a socket: people's code before and after a write, in its one transaction."""

import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlmodel import func, select

from commands import eventually
from modules import imported
from protected import build
from served import Served, fresh_database, serving
from specwright import (
    Backend,
    CallerDep,
    SessionDep,
    UnscopedSessionDep,
    after_commit,
    problem,
)
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# Tasks

## Roles

| Role   | Means |
|--------|-------|
| reader | reads |

## Task

| Field  | Type           | Rules                 |
|--------|----------------|-----------------------|
| title  | text           | required, 2..40       |
| due    | timestamp      |                       |
| cost   | number(8,2)    |                       |
| data   | json           |                       |
| status | `todo`, `done` | default `todo`        |
| slug   | text           | ..60, read only       |
| code   | text           | ..10, immutable       |
| owner  | User           | the caller            |

| Who    | May        | When               |
|--------|------------|--------------------|
| owner  | list, read, create, delete |    |
| owner  | update     | `status != "done"` |
| reader | list, read |                    |

## Entry

| Field | Type | Rules                   |
|-------|------|-------------------------|
| said  | text | required, ..200, unique |
| owner | User | the caller              |

| Who   | May        |
|-------|------------|
| owner | everything |
"""


class Refused(Exception):
    """An exception of the application's own, with a handler of its own."""


class Hook:
    """What the next hooks do, and what they have seen."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.work: dict[str, Any] = {}

    async def run(self, moment: str, **given: Any) -> None:
        """Note the call, and do what a test asks for."""
        self.seen.append(moment)
        if (work := self.work.get(moment)) is not None:
            await work(**given)


HOOK = Hook()


async def tenant() -> str:
    """A dependency that tests override."""
    return "real"


def bind(backend: Backend, module: ModuleType) -> None:
    """A hook for each moment."""
    Task = module.Task
    app = backend.app

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"refused": str(error)}, status_code=418, headers={"x-own": "yes"})

    @backend.before(Task, "create")
    async def before_create(
        task: Task,
        session: SessionDep,
        caller: CallerDep,
        chosen: Annotated[str, Depends(tenant)],
        background: BackgroundTasks,
        x_mood: Annotated[str, Header()] = "calm",
    ) -> None:
        given = {"row": task, "session": session, "caller": caller, "background": background}
        HOOK.seen.append((task.title, task.status, task.owner_id, caller.id, chosen, x_mood))
        await HOOK.run("before create", **given)

    @backend.after("Task", "create")
    async def after_create(row: Task, session: SessionDep) -> None:
        await HOOK.run("after create", row=row, session=session)

    @backend.before(Task, "update")
    async def before_update(task: Task, session: UnscopedSessionDep) -> None:
        await HOOK.run("before update", row=task, session=session)

    @backend.after(Task, "update")
    async def after_update(task: Task) -> None:
        await HOOK.run("after update", row=task)

    @backend.before(Task, "delete")
    def before_delete(task: Task) -> None:
        HOOK.seen.append(("before delete", task.title))

    @backend.after(Task, "delete")
    async def after_delete(task: Task, session: SessionDep) -> None:
        await HOOK.run("after delete", row=task, session=session)


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The typed models of the spec."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    with imported(tmp_path_factory.mktemp("app"), "hooked_models", hooked_models=written) as module:
        yield module


@pytest.fixture(scope="module")
def running(database_server: str, typed: ModuleType) -> Iterator[Served]:
    """A backend with hooks."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, prepare=lambda backend: bind(backend, typed), tables=False) as served:
            yield served


@pytest.fixture
def served(running: Served) -> Served:
    """The backend, empty, with hooks that do nothing yet."""
    HOOK.seen, HOOK.work = [], {}
    running.sql("TRUNCATE tasks, entries")
    return running


def count(served: Served, table: str = "tasks") -> int:
    """How many rows there are."""
    return int(served.sql(f"SELECT count(*) FROM {table}")[0][0])


def test_before_sees_the_validated_input_and_who_sends_it(served: Served) -> None:
    """The row with its defaults and its owner; sessions, callers, dependencies and headers by annotation."""
    answer = served.person("ada").post("/tasks", {"title": "Milk"}, headers={"x-mood": "glad"})
    assert answer.status == 201, answer
    assert HOOK.seen == [
        ("Milk", "todo", "ada", "ada", "real", "glad"),
        "before create",
        "after create",
    ]
    assert answer.headers["location"].endswith(answer.json()["id"])
    assert answer.headers["etag"].startswith('"1-')


def test_before_is_not_asked_what_the_request_itself_gets_wrong(served: Served) -> None:
    """401 and 422 come first."""
    assert served.anonymous.post("/tasks", {"title": "Milk"}).status == 401
    assert served.person("ada").post("/tasks", {"title": "x"}).faults == [("title", "too_short")]
    assert HOOK.seen == []


def test_what_before_changes_is_stored(served: Served) -> None:
    """Every type, and fields that no client may send."""

    async def work(row: Any, **_: Any) -> None:
        assert row.due.year == 2030
        row.title = row.title.strip()
        row.slug = "milk"
        row.due = row.due.replace(year=2031)
        row.data["deep"] = [1]
        row.cost = row.cost * 2

    HOOK.work["before create"] = work
    body = {"title": " Milk ", "due": "2030-01-01T00:00:00Z", "data": {"a": 1}, "cost": "1.25"}
    made = served.person("ada").made("/tasks", body)
    assert made["title"] == "Milk"
    assert made["slug"] == "milk"
    assert made["due"].startswith("2031-01-01T00:00:00")
    assert made["data"] == {"a": 1, "deep": [1]}
    assert made["cost"] == "2.50"


def test_what_before_changes_is_validated_again(served: Served) -> None:
    """The spec's rules hold for code as they do for clients."""

    async def work(row: Any, **_: Any) -> None:
        row.title = ""
        row.slug = "x" * 61

    HOOK.work["before create"] = work
    answer = served.person("ada").post("/tasks", {"title": "Milk"})
    assert (answer.status, answer.code) == (422, "validation_failed")
    assert answer.faults == [("title", "too_short"), ("slug", "too_long")]
    assert count(served) == 0


def test_a_hook_cannot_give_a_row_away_that_the_grants_keep(served: Served) -> None:
    """The grant is judged on the row as the hook leaves it."""

    async def work(row: Any, **_: Any) -> None:
        row.owner_id = "bob"

    HOOK.work["before create"] = work
    assert served.person("ada").post("/tasks", {"title": "Milk"}).status == 403
    assert count(served) == 0


@pytest.mark.parametrize("moment", ["before create", "after create"])
def test_a_problem_rolls_everything_back(served: Served, moment: str) -> None:
    """The row, what hooks wrote, and what waited for the commit."""
    done = []

    async def work(row: Any, session: Any, **_: Any) -> None:
        await session.execute(text("INSERT INTO entries (said) VALUES ('hello')"))
        after_commit(session, done.append, 1)
        raise problem(409, "too_many_open_tasks", "Finish something first.", field="title")

    HOOK.work[moment] = work
    answer = served.person("ada").post("/tasks", {"title": "Milk"})
    assert (answer.status, answer.code) == (409, "too_many_open_tasks")
    assert answer.faults == [("title", "too_many_open_tasks")]
    assert (count(served), count(served, "entries"), done) == (0, 0, [])


def test_other_exceptions_are_answered_as_in_a_route(served: Served) -> None:
    """HTTPException is a problem; the application's own handlers are asked."""

    async def http(**_: Any) -> None:
        raise HTTPException(404, "No such thing")

    async def own(**_: Any) -> None:
        raise Refused("no")

    HOOK.work["after create"] = http
    answer = served.person("ada").post("/tasks", {"title": "Milk"})
    assert (answer.status, answer.code, answer.json()["detail"]) == (404, "not_found", "No such thing")
    HOOK.work["after create"] = own
    raw = served.request(
        "POST", "/api/v1/tasks", "content-type: application/json", body=b'{"title":"Milk"}', judge=False
    )
    assert (raw.status, raw.json(), raw.headers["x-own"]) == (418, {"refused": "no"}, "yes")
    assert count(served) == 0


def test_after_sees_the_stored_row_and_its_session_the_callers_rows(
    served: Served, typed: ModuleType
) -> None:
    """The database holds a hook's session back as any other one."""
    served.person("bob").made("/tasks", {"title": "Bob's"})
    seen: list[Any] = []

    async def work(row: Any, session: Any, **_: Any) -> None:
        seen.append((row.id.version, row.version, row.created_at is not None))
        seen.append(await session.scalar(select(func.count()).select_from(typed.Task)))

    HOOK.work["after create"] = work
    served.person("ada").made("/tasks", {"title": "Ada's"})
    assert seen == [(7, 1, True), 1]


def test_the_answer_shows_what_after_has_done(served: Served, typed: ModuleType) -> None:
    """A row that a hook's session changes is answered as it is then."""

    async def work(row: Any, session: Any, **_: Any) -> None:
        task = await session.get(typed.Task, row.id)
        task.title = "Oat milk"

    HOOK.work["after create"] = work
    answer = served.person("ada").post("/tasks", {"title": "Milk"})
    assert answer.json()["title"] == "Oat milk"
    assert answer.headers["etag"].startswith('"2-')
    assert served.person("ada").items("/tasks")[0]["title"] == "Oat milk"


def test_a_constraint_that_code_violates_is_a_conflict(served: Served, typed: ModuleType) -> None:
    """The database's refusal is told as for any write, at the flush or at the commit."""

    async def work(row: Any, session: Any, **_: Any) -> None:
        session.add(typed.Entry(said="again", owner_id="ada"))

    HOOK.work["after create"] = work
    ada = served.person("ada")
    ada.made("/tasks", {"title": "Milk"})
    answer = ada.post("/tasks", {"title": "Milk"})
    assert (answer.status, answer.faults) == (409, [("said", "unique")])
    assert count(served) == 1


def test_before_update_sees_the_row_as_it_would_be(served: Served) -> None:
    """Stored values, the body's over them; PATCH and PUT alike; a change goes along."""
    ada = served.person("ada")
    made = ada.made("/tasks", {"title": "Milk", "cost": "3", "code": "a1"})
    seen = []

    async def work(row: Any, **_: Any) -> None:
        seen.append((row.title, str(row.cost), row.status, row.version))
        row.slug = row.title.lower()

    HOOK.work["before update"] = work
    changed = ada.patch(f"/tasks/{made['id']}", {"title": "Tea"})
    assert (changed.status, changed.json()["slug"], changed.json()["title"]) == (200, "tea", "Tea")
    replaced = ada.put(f"/tasks/{made['id']}", {"title": "Cake", "cost": "4"})
    assert (replaced.status, replaced.json()["slug"]) == (200, "cake")
    assert seen == [("Tea", "3.00", "todo", 1), ("Cake", "4", "todo", 2)]
    assert [found for found in HOOK.seen if "update" in str(found)] == ["before update", "after update"] * 2


def test_hooks_come_after_the_judgement_of_the_row(served: Served) -> None:
    """404, 412 and 403 as without hooks, and nobody's code has run."""
    ada = served.person("ada")
    done = ada.made("/tasks", {"title": "Milk", "status": "done"})
    path = f"/tasks/{done['id']}"
    HOOK.seen.clear()
    assert served.person("bob").patch(path, {"title": "Tea"}).status == 404
    assert served.person("eve", "reader").patch(path, {"title": "Tea"}).status == 403
    assert ada.patch(path, {"title": "Tea"}).status == 403
    assert ada.patch(path, {"title": "Tea"}, headers={"if-match": '"7-x"'}).status == 412
    assert served.person("bob").delete(path).status == 404
    assert served.person("eve", "reader").delete(path).status == 403
    assert HOOK.seen == []


def test_an_unscoped_session_is_the_same_transaction(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """It sees everybody's rows, and what the request has done; its use is logged."""
    ada = served.person("ada")
    served.person("bob").made("/tasks", {"title": "Bob's"})
    made = ada.made("/tasks", {"title": "Milk"})
    seen = []

    async def work(session: Any, **_: Any) -> None:
        seen.append(await session.scalar(text("SELECT count(*) FROM tasks")))
        await session.execute(text("INSERT INTO entries (said, owner_id) VALUES ('x', 'bob')"))
        raise problem(409, "stop")

    HOOK.work["before update"] = work
    with caplog.at_level(logging.WARNING, "specwright.sessions"):
        assert ada.patch(f"/tasks/{made['id']}", {"title": "Tea"}).status == 409
    assert (seen, count(served, "entries")) == ([2], 0)
    assert "PATCH /api/v1/tasks/{id} uses an unscoped session" in caplog.text


def test_delete_has_both(served: Served) -> None:
    """Before, and after with the row as it was; a problem keeps the row."""
    ada = served.person("ada")
    made = ada.made("/tasks", {"title": "Milk"})
    HOOK.seen.clear()

    async def work(row: Any, session: Any, **_: Any) -> None:
        HOOK.seen.append((row.title, await session.scalar(text("SELECT count(*) FROM tasks"))))
        if row.title == "Milk":
            raise problem(409, "stop")

    HOOK.work["after delete"] = work
    assert ada.delete(f"/tasks/{made['id']}").status == 409
    assert count(served) == 1
    assert HOOK.seen == [("before delete", "Milk"), "after delete", ("Milk", 0)]
    ada.patch(f"/tasks/{made['id']}", {"title": "Tea"})
    assert ada.delete(f"/tasks/{made['id']}").status == 204
    assert count(served) == 0


def test_work_after_the_commit(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """It finds the row stored; when it fails, the log says so and the client does not."""
    found = []

    async def look(title: str) -> None:
        found.append((title, count_now()))
        raise ValueError("no mail today")

    def count_now() -> int:
        return len(found)

    async def work(row: Any, session: Any, background: BackgroundTasks, **_: Any) -> None:
        after_commit(session, look, row.title)
        background.add_task(found.append, "background")

    HOOK.work["before create"] = work
    with caplog.at_level(logging.ERROR):
        served.person("ada").made("/tasks", {"title": "Milk"})
        # The answer comes first.
        eventually(lambda: "work after a commit failed" in caplog.text, "the work")
    assert sorted(map(str, found)) == ["('Milk', 1)", "background"]
    assert "work after a commit failed" in caplog.text
    assert "no mail today" in caplog.text


@pytest.mark.parametrize(
    ("moment", "fault"),
    [
        ("before create", "commit"),
        ("before create", "rollback"),
        ("before create", "built in"),
        ("before create", "stored itself"),
        ("after create", "changed"),
    ],
)
def test_what_a_hook_must_not_do(
    served: Served, moment: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot end the transaction, nor write where that would be lost: 500, and the log says why."""

    async def work(row: Any, session: Any, **_: Any) -> None:
        match fault:
            case "commit":
                await session.execute(text("INSERT INTO entries (said) VALUES ('x')"))
                await session.commit()
            case "rollback":
                await session.rollback()
            case "built in":
                row.version = 5
            case "stored itself":
                session.add(row)
                await session.flush()
            case _:
                row.title = "Late"

    HOOK.work[moment] = work
    with caplog.at_level(logging.ERROR):
        answer = served.request(
            "POST", "/api/v1/tasks", "content-type: application/json", body=b'{"title":"Milk"}', judge=False
        )
    assert (answer.status, answer.code) == (500, "internal")
    assert (count(served), count(served, "entries")) == (0, 0)
    expected = {
        "commit": "commits nothing",
        "rollback": "rolled the session back",
        "built in": "which is kept by the database",
        "stored itself": "stored its row by itself",
        "changed": "do it in `before`",
    }
    assert expected[fault] in caplog.text


def test_a_row_that_was_only_added_is_stored_once(served: Served) -> None:
    """`session.add(task)` from habit does no harm."""

    async def work(row: Any, session: Any, **_: Any) -> None:
        session.add(row)

    HOOK.work["before create"] = work
    served.person("ada").made("/tasks", {"title": "Milk"})
    assert count(served) == 1


def test_dependencies_can_be_overridden(served: Served) -> None:
    """FastAPI's dependency_overrides hold for hooks."""
    served.backend.app.dependency_overrides[tenant] = lambda: "fake"
    try:
        served.person("ada").made("/tasks", {"title": "Milk"})
    finally:
        served.backend.app.dependency_overrides.clear()
    assert HOOK.seen[0][4] == "fake"


def test_what_has_no_hooks_takes_its_plain_path(served: Served) -> None:
    """One statement of the derived pool, and none of a session."""
    ada = served.person("ada")
    ada.made("/entries", {"said": "warm"})
    with served.statements() as seen:
        ada.made("/entries", {"said": "one"})
        ada.items("/tasks")
    assert len(seen) == 2
    assert HOOK.seen == []
