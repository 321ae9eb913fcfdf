"""What each route costs: the table in docs/statements.md, counted at the driver.

`SPECWRIGHT_WRITE_STATEMENTS=1` writes the table anew. To add a row, add it to ROWS.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from modules import imported
from protected import build
from served import Served, fresh_database, serving
from specwright import Backend
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

DOCUMENT = Path(__file__).parents[3] / "docs/statements.md"

SPEC = """# Office

## Project

| Field | Type    | Rules                   |
|-------|---------|-------------------------|
| name  | text    | required, ..80, unique  |
| open  | integer | count of tasks          |
| owner | User    | the caller              |

| Who   | May                     |
|-------|-------------------------|
| owner | everything, see deleted |

### Rules

- soft delete

## Tag

| Field | Type | Rules          |
|-------|------|----------------|
| name  | text | required, ..40 |
| owner | User | the caller     |

| Who   | May        |
|-------|------------|
| owner | everything |

## Task

| Field   | Type           | Rules                      |
|---------|----------------|----------------------------|
| title   | text           | required, ..80, searchable |
| state   | `todo`, `done` | default `todo`             |
| labels  | list of text   | indexed                    |
| data    | json           | indexed                    |
| project | Project        | on delete cascade          |
| tags    | many Tag       |                            |
| owner   | User           | the caller                 |

| Field | Moves       | Who   |
|-------|-------------|-------|
| state | todo → done | owner |

| Who   | May                     |
|-------|-------------------------|
| owner | everything, see deleted, hand over |

### Rules

- `title != "forbidden"`
- soft delete

## Comment

| Field | Type | Rules             |
|-------|------|-------------------|
| body  | text | required, ..80    |
| task  | Task | on delete cascade |
| owner | User | the caller        |

| Who   | May                     |
|-------|-------------------------|
| owner | everything, see deleted |

### Rules

- soft delete

## Label sheet

| Field | Type     | Rules          |
|-------|----------|----------------|
| name  | text     | required, ..80 |
| tags  | many Tag |                |
| size  | integer  | count of tags  |
| owner | User     | the caller     |

| Who   | May        |
|-------|------------|
| owner | everything |

## Payment

| Field | Type         | Rules      |
|-------|--------------|------------|
| sum   | number(12,2) | required   |
| owner | User         | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |

### Rules

- audited

## Note

| Field | Type | Rules          |
|-------|------|----------------|
| text  | text | required, ..80 |
| owner | User | the caller     |

| Action | Takes        | Does            | On  |
|--------|--------------|-----------------|-----|
| sign   | by text      | changes the row | row |
| tidy   |              | does nothing    | all |

| Who   | May                    |
|-------|------------------------|
| owner | everything, sign, tidy |
"""


class Office:
    """The rows that requests are about, all of them ada's; a row is known by its path."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.ada = served.person("ada")
        self.numbers = count()

    def made(self, path: str, **members: Any) -> str:
        """A new row, with what it must have."""
        required = {"/tasks": "title", "/comments": "body", "/payments": "sum", "/notes": "text"}
        name = {required.get(path, "name"): str(next(self.numbers))}
        return f"{path}/{self.ada.made(path, name | members)['id']}"

    def key(self, path: str, **members: Any) -> str:
        """The id of a new row."""
        return self.made(path, **members).rpartition("/")[2]

    def task(self) -> str:
        """A task."""
        return self.made("/tasks")

    def sheet(self) -> str:
        """A label sheet."""
        return self.made("/label-sheets")

    def payment(self) -> str:
        """A payment."""
        return self.made("/payments")

    def note(self) -> str:
        """A note."""
        return self.made("/notes")

    def tree(self) -> str:
        """A project with a task, which has a tag and a comment."""
        project, tag = self.key("/projects"), self.key("/tags")
        self.key("/comments", task_id=self.key("/tasks", project_id=project, tag_ids=[tag]))
        return f"/projects/{project}"

    def name(self) -> str:
        """The name of a project that there is."""
        return str(self.ada.get(self.made("/projects")).json()["name"])

    def felled(self) -> str:
        """Such a project, deleted."""
        row = self.tree()
        assert self.ada.delete(row).status == 204
        return row

    def done(self) -> str:
        """A task that is done."""
        row = self.task()
        assert self.ada.patch(row, {"state": "done"}).status == 200
        return row

    def linked(self) -> str:
        """A link of a task to a tag."""
        tag = self.key("/tags")
        return f"{self.made('/tasks', tag_ids=[tag])}/tags/{tag}"

    def unlinked(self) -> str:
        """A link that there is not, of a task to a tag that there are."""
        return f"{self.task()}/tags/{self.key('/tags')}"


class Case(NamedTuple):
    """A request as the table shows it, and what is sent; what is made of the office is made before."""

    method: str
    path: str
    shape: str
    status: int
    #: The row that the path is of; without it the path is sent as it is shown.
    row: Callable[[Office], str] | None = None
    query: str = ""
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


THREE_DEEP = "include=project.tasks.comments,tags"
BEYOND = "tags__name=x&sort=project__name&filter=project.name=='x' or comments.body=='y'"
EVERYTHING = "include=project,comments,tags&count=exact&q=milk&project__name=x&filter=title!='x'&limit=5"
NO_ROW = "00000000-0000-7000-8000-000000000000"
KEY = {"idempotency-key": "0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c11"}
ANY, ANOTHER = {"if-match": "*"}, {"if-match": '"9-00"'}
TITLE = {"title": "x"}
TREE = "include=tasks.comments"
MATCHING = "id__isnull=false&max_affected=1000"

ROWS: tuple[Case, ...] = (
    Case("GET", "/tasks", "", 200),
    Case("GET", "/tasks", "`fields`, `sort`, `offset`", 200, query="fields=id,title&sort=-title&offset=1"),
    Case("GET", "/tasks", "`count=exact`", 200, query="count=exact"),
    Case("GET", "/tasks", "filters of fields", 200, query="title__ne=x&state__in=todo,done"),
    Case(
        "GET", "/tasks", "filters of lists and json", 200, query='labels__contains=a&data__contains={"a":1}'
    ),
    Case("GET", "/tasks", "filters, `filter=` and `sort` over relations", 200, query=BEYOND),
    Case("GET", "/tasks", "`q`", 200, query="q=milk"),
    Case("GET", "/tasks", "`include`, three deep", 200, query=THREE_DEEP),
    Case("GET", "/tasks", "all of that", 200, query=f"{EVERYTHING}&deleted=with"),
    Case("GET", "/projects/{id}/tasks", "all of that", 200, Office.tree, f"/tasks?{EVERYTHING}"),
    Case("GET", "/tasks/{id}", "", 200, Office.task),
    Case("GET", "/tasks/{id}", "`include`, three deep", 200, Office.task, f"?{THREE_DEEP}"),
    Case("GET", "/projects/{id}", "counted rows", 200, Office.tree),
    Case("GET", "/tasks/{id}", "no such row", 404, lambda _: f"/tasks/{NO_ROW}"),
    Case("POST", "/tasks", "", 201, body=TITLE),
    Case("POST", "/tasks", "a reference", 201, body=lambda o: TITLE | {"project_id": o.key("/projects")}),
    Case("POST", "/tasks", "links", 201, body=lambda o: TITLE | {"tag_ids": [o.key("/tags")]}),
    Case(
        *("POST", "/label-sheets", "links that are counted", 201),
        body=lambda o: {"name": "x", "tag_ids": [o.key("/tags")]},
    ),
    Case("POST", "/payments", "audited", 201, body={"sum": 1}),
    Case("POST", "/tasks", "`Idempotency-Key`, first", 201, body=TITLE, headers=KEY),
    Case("POST", "/tasks", "`Idempotency-Key`, again", 201, body=TITLE, headers=KEY),
    Case("POST", "/tasks", "a rule is broken", 422, body={"title": "forbidden"}),
    Case("POST", "/tasks", "no such reference", 422, body=TITLE | {"project_id": NO_ROW}),
    Case("POST", "/projects", "the name is taken", 409, body=lambda o: {"name": o.name()}),
    Case("PATCH", "/tasks/{id}", "", 200, Office.task, body=TITLE),
    Case("PATCH", "/tasks/{id}", "`If-Match`", 200, Office.task, body=TITLE, headers=ANY),
    Case("PATCH", "/tasks/{id}", "a move", 200, Office.task, body={"state": "done"}),
    Case("PATCH", "/tasks/{id}", "hand over", 204, Office.task, body={"owner_id": "bob"}),
    Case("PATCH", "/tasks/{id}", "links", 200, Office.task, body={"tag_ids": []}),
    Case("PATCH", "/label-sheets/{id}", "links that are counted", 200, Office.sheet, body={"tag_ids": []}),
    Case("PATCH", "/projects/{id}", "counted rows", 200, Office.tree, body={"name": "new"}),
    Case("PATCH", "/payments/{id}", "audited", 200, Office.payment, body={"sum": 2}),
    Case("PATCH", "/tasks/{id}", "another version", 412, Office.task, body=TITLE, headers=ANOTHER),
    Case("PATCH", "/tasks/{id}", "no such move", 409, Office.done, body={"state": "todo"}),
    Case("PATCH", "/tasks/{id}", "a rule is broken", 422, Office.task, body={"title": "forbidden"}),
    Case(
        "PATCH",
        "/tasks/{id}",
        "no such row",
        404,
        lambda _: f"/tasks/{NO_ROW}",
        body=TITLE,
    ),
    Case("PUT", "/tasks/{id}", "", 200, Office.task, body=TITLE),
    Case("PUT", "/tasks/{id}/tags/{id}", "", 204, Office.unlinked),
    Case("DELETE", "/tasks/{id}/tags/{id}", "", 204, Office.linked),
    Case("DELETE", "/notes/{id}", "", 204, Office.note),
    Case("DELETE", "/payments/{id}", "audited", 204, Office.payment),
    Case("DELETE", "/projects/{id}", "soft, with what goes along", 204, Office.tree),
    Case("DELETE", "/tasks/{id}", "no such row", 404, lambda _: f"/tasks/{NO_ROW}"),
    Case("POST", "/projects/{id}/restore", "with what went along", 200, Office.felled, "/restore"),
    Case(
        *("POST", "/projects/{id}/restore", "the same, `include`", 200, Office.felled),
        f"/restore?{TREE}",
    ),
    Case("POST", "/tasks", "an array", 201, body=[TITLE, TITLE]),
    Case("POST", "/tasks", "an array, a rule is broken", 422, body=[TITLE, {"title": "forbidden"}]),
    Case("POST", "/projects", "an array, a name is taken", 409, body=lambda o: [{"name": o.name()}]),
    Case("PATCH", "/tasks", "all that match", 200, query=MATCHING, body={"data": 1}),
    Case(
        "PATCH",
        "/tasks",
        "all that match, a rule is broken",
        422,
        query=MATCHING,
        body={"title": "forbidden"},
    ),
    Case(
        "PATCH",
        "/projects",
        "all that match, the name is taken",
        409,
        query=MATCHING,
        body=lambda o: {"name": o.name()},
    ),
    Case("DELETE", "/payments", "all that match", 200, query=MATCHING),
    Case("POST", "/notes", "a hook before and one after", 201, body={"text": "x"}),
    Case("PATCH", "/notes/{id}", "a hook before", 200, Office.note, body={"text": "y"}),
    Case(
        "POST", "/notes/{id}/sign", "an action that changes the row", 200, Office.note, "/sign", {"by": "ada"}
    ),
    Case("POST", "/notes/tidy", "an action on all that asks nothing", 204, body={}),
    Case("GET", "/tasks", "a query that is wrong", 422, query="title__like=x"),
    Case("POST", "/tasks", "a body that is wrong", 422, body={"title": 1}),
)


def _bind(module: Any, backend: Backend) -> None:
    """A hook at each moment, and both actions."""
    Note = module.Note

    @backend.before(Note, "create")
    async def before_create(note: Note) -> None:
        pass

    @backend.after(Note, "create")
    async def after_create(note: Note) -> None:
        pass

    @backend.before(Note, "update")
    async def before_update(note: Note) -> None:
        pass

    @backend.action(Note)
    async def sign(note: Note, by: str) -> Note:
        note.text = by
        return note

    @backend.action(Note)
    async def tidy() -> None:
        pass


@pytest.fixture(scope="module")
def office(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The spec, served; both of its pools are connected."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    code = models(manifest, constrained(manifest).metadata)
    folder = tmp_path_factory.mktemp("office")
    with (
        imported(folder, "office_models", office_models=code) as module,
        fresh_database(database_server) as database,
    ):
        build(database, manifest)
        options: dict[str, Any] = {"tables": False, "prepare": partial(_bind, module)}
        # In development, one statement more tells why a request was denied.
        with serving(SPEC, database, environment="production", **options) as served:
            office = Office(served)
            office.tree()
            office.made("/notes")
            yield office


_FRAME = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)


def cost(office: Office, case: Case) -> str:
    """The statements of a request, and whether they are in a transaction of several."""
    row = case.path if case.row is None else case.row(office)
    more = f"?{case.query}" if case.row is None and case.query else case.query
    body = case.body(office) if callable(case.body) else case.body
    with office.served.statements() as sent:
        answer = office.ada.send(case.method, row + more, body, headers=dict(case.headers))
    assert answer.status == case.status, (case, answer)
    # Once a connection, the driver asks what an array is.
    counted = [text for text in sent if "typeinfo_tree" not in text and "jit" not in text]
    frame = [text for text in counted if _FRAME.match(text)]
    return f"{len(counted) - len(frame)}{', a transaction' if frame else ''}"


def table(rows: list[tuple[str, ...]]) -> str:
    """The table as it stands in the document."""
    head = ("Request", "Shape", "Answer", "Statements")
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    ruler = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    lines = [" | ".join(map(str.ljust, row, widths)) for row in [head, *rows]]
    return "\n".join([f"| {lines[0]} |", ruler, *(f"| {line} |" for line in lines[1:])])


def test_every_route_costs_what_the_table_says(office: Office) -> None:
    """Statements are counted where the driver sends them, and stand in docs/statements.md."""
    found = table(
        [(f"`{case.method} {case.path}`", case.shape, str(case.status), cost(office, case)) for case in ROWS]
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    stands = re.search(r"^\| Request.*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert stands is not None
    if os.environ.get("SPECWRIGHT_WRITE_STATEMENTS"):
        DOCUMENT.write_text(
            text[: stands.start()] + found + text[stands.end() :].rstrip("\n") + "\n", encoding="utf-8"
        )
    assert stands[0].rstrip("\n") == found
