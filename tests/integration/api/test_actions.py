"""Actions over a socket: declared and granted in the spec, done in Python."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlmodel import select

from modules import imported
from protected import build
from served import Served, fresh_database, serving
from specwright import Backend, SessionDep, problem
from specwright.model.errors import ConfigError
from specwright.read.spec import read_specs
from specwright.settings import Settings
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# Tasks

## Roles

| Role   | Means   |
|--------|---------|
| helper | helps   |
| clerk  | tallies |

## Project

| Field | Type | Rules         |
|-------|------|---------------|
| name  | text | required, ..40 |
| owner | User | the caller    |

| Who   | May        |
|-------|------------|
| owner | everything |

## Task

| Field   | Type           | Rules                        |
|---------|----------------|------------------------------|
| title   | text           | required, 2..40              |
| due     | timestamp      |                              |
| status  | `todo`, `done` | default `todo`               |
| private | text           | ..40, readable by clerk      |
| project | Project        | on delete clear              |
| owner   | User           | the caller                   |

| Action    | Takes                                | Does                | On  |
|-----------|--------------------------------------|---------------------|-----|
| snooze    | hours integer, reason text optional  | moves due forward   |     |
| mark done |                                      | ends it             | row |
| hide      |                                      |                     |     |
| copy      | project Project optional             | makes another one   |     |
| tally     | before date optional                 | counts              | all |
| ends      |                                      |                     | all |
| clear     |                                      | deletes what is done | all |
| finish    |                                      | ends all of them  | all |
| look up   |                                      | gives its project |     |

| Who       | May                     | When               | Then |
|-----------|-------------------------|--------------------|------|
| owner     | everything, look up, copy |                  |      |
| owner     | snooze                  | `status != "done"` | `due < date("2100-01-01")` |
| helper    | list, read, mark done, hide, ends |          |      |
| signed in | clear, finish           |                    |      |
| clerk     | tally                   |                    |      |
"""
SPEC = SPEC.replace(' `due < date("2100-01-01")` ', ' `title != "forbidden"` ')


class Tally(BaseModel):
    """What tally answers."""

    open: int = Field(ge=0)
    before: date | None


def bind(backend: Backend, module: ModuleType) -> None:
    """Every action of the spec."""
    Task = module.Task

    @backend.action(Task)
    async def snooze(
        task: Task, hours: Annotated[int, Field(ge=1, le=72)], session: SessionDep, reason: str = "tired"
    ) -> Task:
        if reason == "never":
            raise problem(409, "not_now", "Not now.", field="reason")
        if reason == "rename":
            task.title = "forbidden"
        task.due += timedelta(hours=hours)
        return task

    @backend.action(Task)
    def mark_done(task: Task) -> None:
        task.status = "done"

    @backend.action("Task")
    async def hide(task: Task) -> Task:
        task.title = ""
        return task

    @backend.action(Task)
    async def copy(task: Task, session: SessionDep, project_id: Any = None) -> Task:
        made = Task(title=f"{task.title} too", project_id=project_id, owner_id=task.owner_id)
        session.add(made)
        return made

    @backend.action(Task)
    async def tally(session: SessionDep, before: date | None = None) -> Tally:
        rows = (await session.exec(select(Task))).all()
        return {"open": len(rows), "before": before, "secret": "not told"}  # type: ignore[return-value]

    @backend.action(Task)
    async def ends(session: SessionDep) -> list[Task]:
        return list((await session.exec(select(Task).order_by(Task.title))).all())

    @backend.action(Task)
    async def clear(session: SessionDep) -> None:
        await session.execute(text("DELETE FROM tasks WHERE status = 'done'"))

    @backend.action(Task)
    async def finish(session: SessionDep) -> list[Task]:
        await session.execute(text("UPDATE tasks SET status = 'done'"))
        return list((await session.exec(select(Task).order_by(Task.title))).all())

    @backend.action(Task)
    async def look_up(task: Task, session: SessionDep) -> module.Project | None:
        return await session.get(module.Project, task.project_id)


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The typed models of the spec."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    with imported(tmp_path_factory.mktemp("app"), "action_models", action_models=written) as module:
        yield module


@pytest.fixture(scope="module")
def running(database_server: str, typed: ModuleType) -> Iterator[Served]:
    """A backend with actions."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, prepare=lambda backend: bind(backend, typed), tables=False) as served:
            yield served


@pytest.fixture
def served(running: Served) -> Served:
    """The backend, empty."""
    running.sql("TRUNCATE tasks, projects")
    return running


TASK = {"title": "Milk", "due": "2030-01-01T00:00:00Z"}


def test_an_action_changes_its_row(served: Served) -> None:
    """What the function changes on the row is stored, its version counted, and its public JSON answered."""
    ada = served.person("ada")
    made = ada.made("/tasks", TASK)
    answer = ada.post(f"/tasks/{made['id']}/snooze", {"hours": 2})
    assert answer.status == 200, answer
    assert answer.json() == made | {
        "due": "2030-01-01T02:00:00.000000Z",
        "updated_at": answer.json()["updated_at"],
    }
    assert answer.headers["etag"].startswith('"2-')
    assert answer.headers["etag"] == ada.get(f"/tasks/{made['id']}").headers["etag"]
    assert ada.post(f"/tasks/{made['id']}/snooze?fields=title", {"hours": 2}).json() == {"title": "Milk"}


def test_the_grant_of_the_action_is_the_right_to_change_the_row(served: Served) -> None:
    """A helper may not update, and may mark done; nothing given back is 204."""
    made = served.person("ada").made("/tasks", TASK)
    helper = served.person("eve", "helper")
    assert helper.patch(f"/tasks/{made['id']}", {"status": "done"}).status == 403
    answer = helper.post(f"/tasks/{made['id']}/mark-done", None)
    assert (answer.status, answer.body) == (204, b"")
    assert helper.get(f"/tasks/{made['id']}").json()["status"] == "done"


def test_the_order_of_judgement(served: Served) -> None:
    """401, the body, 404, 412, 403, then the function and what it raises."""
    ada = served.person("ada")
    made = ada.made("/tasks", TASK)
    path = f"/tasks/{made['id']}/snooze"
    assert served.anonymous.post(path, {"hours": 1}).status == 401
    assert served.person("bob").post(path, {}).status == 422
    assert served.person("bob").post(path, {"hours": 1}).status == 404
    assert ada.post("/tasks/nonsense/snooze", {"hours": 1}).status == 404
    assert served.person("eve", "helper").post(path, {"hours": 1}).status == 403
    assert ada.post(path, {"hours": 1}, headers={"if-match": '"9-x"'}).status == 412
    refused = ada.post(path, {"hours": 1, "reason": "never"})
    assert (refused.status, refused.code, refused.faults) == (409, "not_now", [("reason", "not_now")])
    ada.patch(f"/tasks/{made['id']}", {"status": "done"})
    assert ada.post(path, {"hours": 1}).status == 403
    assert ada.get(f"/tasks/{made['id']}").json()["due"] == made["due"]


def test_the_row_must_be_what_the_grant_wants_after(served: Served) -> None:
    """Then of the action's grant is judged on the row as the function leaves it; so are the field's rules."""
    ada = served.person("ada")
    made = ada.made("/tasks", TASK)
    answer = ada.post(f"/tasks/{made['id']}/snooze", {"hours": 1, "reason": "rename"})
    assert (answer.status, answer.json()["detail"]) == (403, "You may not snooze this task.")
    hidden = served.person("eve", "helper").post(f"/tasks/{made['id']}/hide", None)
    assert (hidden.status, hidden.faults) == (422, [("title", "too_short")])
    assert ada.get(f"/tasks/{made['id']}").json() == made


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("hours", "required")]),
        ({"hours": None}, [("hours", "not_null")]),
        ({"hours": "2"}, [("hours", "wrong_type")]),
        ({"hours": 0}, [("hours", "too_small")]),
        ({"hours": 73, "reason": 5}, [("hours", "too_large"), ("reason", "wrong_type")]),
        ({"hours": 1, "minutes": 3}, [("minutes", "unknown_member")]),
        ([], [("", "wrong_type")]),
    ],
)
def test_parameters_are_validated_like_bodies(
    served: Served, body: Any, faults: list[tuple[str, str]]
) -> None:
    """The spec's types, then the annotation's bounds; every fault at once, with the codes of any body."""
    ada = served.person("ada")
    made = ada.made("/tasks", TASK)
    answer = ada.post(f"/tasks/{made['id']}/snooze", body)
    assert (answer.status, answer.faults) == (422, faults)


def test_bodies_of_actions(served: Served) -> None:
    """Without parameters none is needed; one of another type is refused; there is POST and nothing else."""
    ada = served.person("ada")
    path = f"/tasks/{ada.made('/tasks', TASK)['id']}/snooze"
    assert ada.post(path, b'{"hours":1}', headers={"content-type": "text/plain"}).status == 415
    assert ada.post(path, b"{").status == 400
    wrong = ada.get(path)
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST, OPTIONS")
    assert ada.post(path.replace("snooze", "mark_done"), {}).status == 404


def test_another_row_that_is_given_back_is_shown_as_the_caller_may_see_it(served: Served) -> None:
    """A row that the function has made; fields of another role are left out."""
    ada = served.person("ada")
    project = ada.made("/projects", {"name": "Home"})
    made = ada.made("/tasks", TASK)
    served.sql("UPDATE tasks SET private = 'x'")
    answer = ada.post(f"/tasks/{made['id']}/copy", {"project_id": project["id"]})
    assert (answer.status, answer.json()["title"]) == (200, "Milk too")
    assert answer.json()["project_id"] == project["id"]
    assert answer.json()["id"] != made["id"]
    assert "private" not in answer.json()


def test_an_answer_includes_what_is_asked_for(served: Served) -> None:
    """The row of an action with what it refers to, as a read of it; of a list, each row."""
    ada = served.person("ada")
    home = ada.made("/projects", {"name": "Home"})["id"]
    path = f"/tasks/{ada.made('/tasks', TASK | {'project_id': home})['id']}"
    answer = ada.post(f"{path}/snooze?include=project.tasks", {"hours": 2})
    assert answer.json() == ada.get(f"{path}?include=project.tasks").json()
    assert answer.json()["project"]["tasks"]["items"][0]["due"] == "2030-01-01T02:00:00.000000Z"
    assert answer.headers["etag"] == ada.get(f"{path}?include=project.tasks").headers["etag"]
    (row,) = ada.post("/tasks/finish?include=project&fields=status", None).json()
    assert (row.keys(), row["project"]["name"]) == ({"status", "project"}, "Home")
    helper = served.person("eve", "helper").post("/tasks/ends?include=project&fields=title", None)
    assert helper.json() == [{"title": "Milk", "project": None}]


def test_rows_of_another_entity_are_chosen_from_as_what_they_are(served: Served) -> None:
    """The parameters are those of what is answered, and where that is no row there are none."""
    ada = served.person("ada")
    home = ada.made("/projects", {"name": "Home"})["id"]
    path = f"/tasks/{ada.made('/tasks', TASK | {'project_id': home})['id']}"
    answer = ada.post(f"{path}/look-up?fields=name&include=tasks", None)
    assert answer.json().keys() == {"name", "tasks"}
    assert [task["title"] for task in answer.json()["tasks"]["items"]] == ["Milk"]
    assert ada.post(f"{path}/look-up?include=project", None).faults == [("include", "not_a_choice")]
    clerk = served.person("eve", "clerk")
    for query in ("fields=title", "include=project"):
        refused = clerk.post(f"/tasks/tally?{query}", None)
        assert (refused.status, refused.faults) == (422, [(query.partition("=")[0], "unknown_parameter")])


def test_an_answer_that_would_hold_too_much_undoes_the_action(served: Served) -> None:
    """How many rows there are is known behind the function, and nothing of what it did is kept."""
    ada = served.person("ada")
    home = ada.made("/projects", {"name": "Home"})["id"]
    ada.post("/tasks", [TASK | {"project_id": home} for _ in range(250)])
    refused = ada.post("/tasks/finish?include=project.tasks.project", None)
    assert (refused.status, refused.faults) == (422, [("include", "too_complex")])
    assert ada.get("/tasks?status=done&count=exact").json()["total"] == 0


def test_actions_on_all(served: Served) -> None:
    """Whoever has a grant may call it; its session shows the caller's rows; the declared type is answered."""
    served.person("ada").made("/tasks", TASK)
    both = served.person("eve", "helper", "clerk")
    answer = both.post("/tasks/tally", {"before": "2030-01-01"})
    assert (answer.status, answer.json()) == (200, {"open": 1, "before": "2030-01-01"})
    assert served.person("eve", "clerk").post("/tasks/tally", None).json() == {"open": 0, "before": None}
    assert served.person("ada").post("/tasks/tally", {}).status == 403
    assert served.anonymous.post("/tasks/tally", {}).status == 401
    assert both.post("/tasks/tally", {"before": "soon"}).faults == [("before", "bad_format")]


def test_rows_in_a_list(served: Served) -> None:
    """Each as the caller may see it."""
    ada = served.person("ada")
    ada.made("/tasks", TASK)
    ada.made("/tasks", TASK | {"title": "Bread"})
    helper = served.person("eve", "helper")
    answer = helper.post("/tasks/ends", None)
    assert [row["title"] for row in answer.json()] == ["Bread", "Milk"]
    assert answer.json() == sorted(helper.items("/tasks"), key=lambda row: str(row["title"]))


def test_an_action_on_all_does_what_its_caller_may(served: Served) -> None:
    """A DELETE without any check deletes the caller's rows only."""
    for name in ("ada", "bob"):
        served.person(name).made("/tasks", TASK | {"status": "done"})
    assert served.person("ada").post("/tasks/clear", None).status == 204
    assert len(served.person("bob").items("/tasks")) == 1
    assert served.person("ada").items("/tasks") == []


def test_the_row_is_locked(served: Served) -> None:
    """Two at once add up: the second waits, and sees what the first has done."""
    ada = served.person("ada")
    made = ada.made("/tasks", TASK)
    path = f"/tasks/{made['id']}/snooze"

    async def both() -> list[int]:
        calls = (asyncio.to_thread(ada.post, path, {"hours": 1}) for _ in range(6))
        return [answer.status for answer in await asyncio.gather(*calls)]

    assert asyncio.run(both()) == [200] * 6
    assert ada.get(f"/tasks/{made['id']}").json()["due"] == "2030-01-01T06:00:00.000000Z"


def test_the_document_has_actions(served: Served) -> None:
    """Paths, bodies with bounds of both, answers by what the function says it gives back."""
    document = served.anonymous.get("//openapi.json").json()
    validate(document)
    paths = document["paths"]
    snooze = paths["/api/v1/tasks/{id}/snooze"]["post"]
    schema = snooze["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["hours"]
    assert schema["properties"]["hours"] == {"type": "integer", "minimum": 1, "maximum": 72}
    assert snooze["description"] == "Moves due forward. For owner."
    answer = snooze["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/TaskPublic"}
    done = paths["/api/v1/tasks/{id}/mark-done"]["post"]
    assert "requestBody" not in done
    assert "204" in done["responses"] and "200" not in done["responses"]
    tally = paths["/api/v1/tasks/tally"]["post"]
    answered = tally["responses"]["200"]["content"]["application/json"]["schema"]
    assert answered["properties"]["open"]["minimum"] == 0
    assert "required" not in tally["requestBody"]
    offered = {
        verb: {
            parameter["name"]: parameter for parameter in paths[f"/api/v1/tasks/{verb}"]["post"]["parameters"]
        }
        for verb in ("{id}/snooze", "{id}/look-up", "tally")
    }
    assert offered["{id}/snooze"]["include"]["schema"]["items"]["anyOf"][0]["enum"] == ["project"]
    assert offered["{id}/look-up"]["include"]["schema"]["items"]["anyOf"][0]["enum"] == ["tasks"]
    assert "name" in offered["{id}/look-up"]["fields"]["schema"]["items"]["enum"]
    assert not {"fields", "include"} & offered["tally"].keys()
    copied = paths["/api/v1/tasks/{id}/copy"]["post"]["requestBody"]["content"]["application/json"]
    assert copied["schema"]["properties"]["project_id"]["format"] == "uuid"


def backend() -> Backend:
    """A backend that is not served."""
    settings = Settings(database_url="postgresql://localhost/none", app_secret="x" * 40, auth_secret="y" * 40)
    return Backend(Path("."), settings=settings, manifest=read_specs({"specs/it/spec.md": SPEC}))


async def snooze_without_hours(reason: str = "") -> None:
    """Takes not what is declared."""


async def snooze_of_text(hours: str, reason: str = "") -> None:
    """Takes it as another type."""


async def snooze_of_more(hours: int, minutes: int, reason: str = "") -> None:
    """Takes more than is declared."""


async def fly() -> None:
    """Is nowhere declared."""


def named(function: Any, name: str) -> Any:
    """The function under another name."""
    function.__name__ = name
    return function


@pytest.mark.parametrize(
    ("bind", "told"),
    [
        (
            lambda b: b.action("Task")(fly),
            r"test_actions\.py:\d+ binds fly to Task, which specs/it/spec\.md:\d+ declares without such",
        ),
        (lambda b: b.action("Tusk")(fly), r"bound to Tusk, which is no entity\. Did you mean \"Task\"\?"),
        (lambda b: b.before("Task", "list")(fly), r"nothing before list: there are hooks for create"),
        (
            lambda b: b.action("Task")(named(snooze_without_hours, "snooze")),
            r"does not take hours, which specs/it/spec\.md:\d+ declares of snooze",
        ),
        (
            lambda b: b.action("Task")(named(snooze_of_text, "snooze")),
            r"takes hours as str, and specs/it/spec\.md:\d+ declares it integer: that is int",
        ),
        (lambda b: b.action("Task")(named(snooze_of_more, "snooze")), r"nothing gives it minutes"),
    ],
)
def test_what_cannot_be_bound_is_told_with_both_places(bind: Any, told: str) -> None:
    """Before the routes exist, and after."""
    early = backend()
    bind(early)
    with pytest.raises(ConfigError, match=told):
        _ = early.app
    late = backend()
    _ = late.app
    with pytest.raises(ConfigError, match=told):
        bind(late)


async def started(app: Any) -> None:
    """Let the application start."""
    async with app.router.lifespan_context(app):
        pass


def test_what_is_declared_needs_a_function() -> None:
    """The start fails, and says of each what to write."""
    with pytest.raises(ConfigError) as raised:
        asyncio.run(started(backend().app))
    assert str(raised.value).count("no function is bound to it") == 9
    assert "spec.md:" in str(raised.value)
    assert "@backend.action(Task) above async def mark_done" in str(raised.value)


def test_what_is_bound_needs_a_grant() -> None:
    """An action that nobody may do is a mistake, with both places."""
    spec = SPEC.replace("| signed in | clear, finish           |                    |      |\n", "")
    settings = backend().settings
    one = Backend(Path("."), settings=settings, manifest=read_specs({"specs/it/spec.md": spec}))
    one.action("Task")(named(fly, "clear"))
    with pytest.raises(
        ConfigError, match=r"binds clear to Task, and nobody may do it: specs/it/spec\.md:\d+"
    ):
        _ = one.app


def test_everything_is_no_action() -> None:
    """Python actions are granted by their names alone."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    everything = manifest.resource("Task").grants[0]
    assert everything.actions[-1] == "copy"
    assert "snooze" not in everything.actions
