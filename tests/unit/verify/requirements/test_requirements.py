"""Requirements judged on apps of every kind, over real sockets."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from builders import backend, entity, field
from specwright.loopback import NotServed, serving
from specwright.model.errors import ConfigError, Origin
from specwright.model.manifest import Manifest
from specwright.model.requirement import Example, Request, Requirement
from specwright.model.requirement import Response as Expected
from specwright.model.types import TEXT
from specwright.verify.reports.document import document
from specwright.verify.reports.report import Report
from specwright.verify.reports.requirements import lines
from specwright.verify.reports.text import summary
from specwright.verify.requirements import examples
from specwright.verify.requirements.evidence import Difference, Evidence
from specwright.verify.requirements.requirements import choose, prove
from specwright.verify.result import Standing

pytestmark = pytest.mark.anyio

MANIFEST = backend(entity("Task", field("title", TEXT)))


def example(
    request: str, status: int, answer: str | None = None, body: str | None = None, **rest: Any
) -> Example:
    """An example; `rest` are members of the request."""
    method, path = request.split()
    headers = rest.pop("expects", ())
    return Example(
        Request(method, path, body=body, origin=Origin("specs/a/spec.md", 10), **rest),
        Expected(status, headers, answer, Origin("specs/a/spec.md", 20)),
    )


def requirement(*examples: Example, key: str = "FR-001") -> Requirement:
    """A requirement with these examples."""
    return Requirement(f"a/{key}", key, "a", "It holds.\nReally.", examples, Origin("specs/a/spec.md", 5))


class Tasks:
    """A stranger's app: keeps titles per person and forgets them when it is started again."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, str]] = []

    async def collection(self, request: HttpRequest) -> Response:
        """Create or list."""
        self.requests.append(dict(request.headers))
        if request.method == "GET":
            return JSONResponse({"items": list(self.rows.values())})
        try:
            body = json.loads(await request.body())
        except ValueError:
            return JSONResponse({"code": "malformed"}, 400)
        row = {**body, "id": str(len(self.rows) + 1), "owner": request.headers.get("x-person")}
        self.rows[row["id"]] = row
        return JSONResponse(row, 201, {"Location": f"/api/v1/tasks/{row['id']}"})

    async def item(self, request: HttpRequest) -> Response:
        """Read one."""
        row = self.rows.get(request.path_params["key"])
        return JSONResponse(row) if row else JSONResponse({"code": "not_found"}, 404)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Every start is a fresh one."""
        self.rows.clear()
        yield

    @property
    def app(self) -> Starlette:
        """The ASGI application."""

        async def text(request: HttpRequest) -> Response:
            return PlainTextResponse("hello")

        async def crash(request: HttpRequest) -> Response:
            raise SystemError("boom")

        async def stuck(request: HttpRequest) -> Response:
            await asyncio.sleep(3600)
            return Response()

        async def moody(request: HttpRequest) -> Response:
            self.requests.append({})
            return Response(status_code=500 if len(self.requests) == 1 else 200)

        return Starlette(
            lifespan=self.lifespan,
            routes=[
                Route("/api/v1/tasks", self.collection, methods=["GET", "POST"]),
                Route("/api/v1/tasks/{key}", self.item),
                Route("/api/v1/text", text),
                Route("/api/v1/crash", crash),
                Route("/api/v1/stuck", stuck),
                Route("/api/v1/moody", moody),
            ],
        )


def credentials(person: str, roles: tuple[str, ...], claims: Mapping[str, Any]) -> Mapping[str, str]:
    """How the stranger's app knows people."""
    return {"x-person": "+".join((person, *roles))}


async def judged(
    *requirements: Requirement, app: Any = None, manifest: Manifest = MANIFEST
) -> list[Evidence]:
    """The evidence for requirements on an app."""
    served = Tasks().app if app is None else app

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        with serving(served) as base:
            yield base

    return [each async for each in prove(manifest, requirements, serve, credentials)]


async def only(*examples: Example, app: Any = None) -> Evidence:
    """The evidence for one requirement."""
    (evidence,) = await judged(requirement(*examples), app=app)
    return evidence


async def test_examples_share_state_and_requirements_do_not() -> None:
    """Answers are remembered by entity and by name; the next requirement starts empty."""
    made = example("POST /tasks", 201, '{"title": "a", "id": "*"}', '{"title": "a"}', name="milk")
    found = await judged(
        requirement(
            made,
            example("POST /tasks", 201, None, '{"title": "{milk.title}{task.id}"}'),
            example("GET /tasks/{task.id}", 200, '{"title": "a1", "id": "{task.id}"}'),
            example("GET /tasks/{milk.id}", 200, '{"id": "1"}'),
            example("GET /tasks", 200, '{"items": [{"id": "{task.id}"}, {"id": "2"}]}'),
            example("GET /tasks/9", 404, '{"code": "not_found"}'),
            example("GET /tasks/{task.id}", 200),
        ),
        requirement(example("GET /tasks", 200, '{"items": []}'), key="FR-002"),
    )
    assert [evidence.standing for evidence in found] == [Standing.PROVED] * 2
    assert len(found[0].exchanges) == 7
    assert found[0].exchanges[0].answer_headers


async def test_people_sign_in_as_the_example_says() -> None:
    """Each request carries the credential of its person, and none without one."""
    tasks = Tasks()
    evidence = await only(
        example("POST /tasks", 201, '{"owner": "ada"}', "{}", person="ada"),
        example("POST /tasks", 201, '{"owner": "bob+admin"}', "{}", person="bob", roles=("admin",)),
        example("POST /tasks", 201, '{"owner": null}', "{}", headers=(("X-Extra", "{task.owner}"),)),
        app=tasks.app,
    )
    assert evidence.standing is Standing.PROVED
    assert tasks.requests[2]["x-extra"] == "bob+admin"
    assert "x-person" not in tasks.requests[2]


async def test_a_requirement_without_an_example_is_not_run() -> None:
    """There is no silent pass: what nothing shows is said to be not run."""
    (evidence,) = await judged(requirement())
    assert (evidence.standing, evidence.why) == (Standing.NOT_RUN, "it has no example")
    assert list(lines(evidence)) == ["NOT RUN  FR-001  It holds.  (it has no example)"]


async def test_a_broken_requirement_is_a_diff_with_its_line() -> None:
    """What differs is told with the request, the answer, and the line of the spec."""
    evidence = await only(
        example("POST /tasks", 200, '{"title": "b"}', '{"title": "a"}', person="ada", roles=("x", "y")),
        example("GET /tasks", 200),
    )
    assert evidence.standing is Standing.BROKEN
    assert evidence.failure is not None
    assert evidence.failure.differences == (
        Difference("status", "200", "201"),
        Difference("title", '"b"', '"a"'),
    )
    assert [line.strip() for line in lines(evidence)] == [
        "BROKEN   FR-001  It holds.",
        "specs/a/spec.md:10",
        "> POST /api/v1/tasks",
        "> As: ada [x, y]",
        '> {"title": "a"}',
        '< 201 {"title":"a","id":"1","owner":"ada+x+y"}',
        "- status: 200",
        "+ status: 201",
        '- title: "b"',
        '+ title: "a"',
        "The example after it did not run.",
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (example("GET /tasks/{task.id}", 200), "{task.id} is not known: no answer before it"),
        (example("POST /tasks", 201, None, "{title}"), "The body of this request is not JSON"),
        (example("GET /tasks", 200, "{items}"), "The body of this answer is not JSON"),
        (example("GET /taskz", 200), "No entity has the path /taskz. Did you mean /tasks?"),
        (example("GET /", 200), ""),
    ],
)
async def test_an_unclear_example_is_told_in_a_sentence(given: Example, reason: str) -> None:
    """An example that cannot be sent or compared breaks its requirement and says why."""
    evidence = await only(given)
    assert evidence.standing is Standing.BROKEN
    assert evidence.failure is not None
    assert evidence.failure.reason.startswith(reason)
    assert "Traceback" not in "\n".join(lines(evidence))


async def test_a_body_that_names_its_type_is_sent_as_written() -> None:
    """Malformed JSON can be an example: with a Content-Type the body goes out as it stands."""
    evidence = await only(
        example("POST /tasks", 400, None, '{"title":', headers=(("Content-Type", "application/json"),))
    )
    assert evidence.standing is Standing.PROVED
    assert evidence.exchanges[0].body == '{"title":'


async def test_headers_are_compared() -> None:
    """Expected headers, also with wildcards and captures, must be there."""
    passing = await only(
        example(
            "POST /tasks",
            201,
            None,
            "{}",
            expects=(("location", "/api/v1/tasks/{task.id}"), ("Content-Type", "*")),
        )
    )
    assert passing.standing is Standing.PROVED
    failing = await only(example("POST /tasks", 201, None, "{}", expects=(("ETag", "*"), ("Location", "/x"))))
    assert failing.failure is not None
    assert failing.failure.differences == (
        Difference("header ETag", "*", "no such header"),
        Difference("header Location", "/x", "/api/v1/tasks/1"),
    )


async def test_text_answers_are_compared_as_text() -> None:
    """An answer whose expected type is not JSON is compared as it stands; other text is no JSON."""
    plain = (("Content-Type", "text/plain; charset=utf-8"),)
    assert (await only(example("GET /text", 200, "hello", expects=plain))).standing is Standing.PROVED
    assert (await only(example("GET /text", 200, "hullo", expects=plain))).standing is Standing.BROKEN
    failing = await only(example("GET /text", 200, '"hello"'))
    assert failing.failure is not None
    assert failing.failure.differences == (Difference("body", '"hello"', "no JSON: hello"),)


async def test_a_crash_is_an_answer() -> None:
    """An app that crashes in a request is broken with its 500."""
    evidence = await only(example("GET /crash", 200))
    assert evidence.failure is not None
    assert evidence.failure.differences == (Difference("status", "200", "500"),)


async def test_an_answer_that_changes_is_told() -> None:
    """What fails is tried once more on fresh data; a pass then is said to be unsteady, not proved."""
    evidence = await only(example("GET /moody", 200))
    assert evidence.standing is Standing.BROKEN
    assert evidence.failure is not None
    assert "The second run passed" in evidence.failure.reason


async def test_a_stuck_app_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer in time is a sentence, and the next requirement still runs."""
    monkeypatch.setattr(examples, "PATIENCE", 0.2)
    monkeypatch.setattr("specwright.verify.requirements.requirements.PATIENCE", 0.2)
    monkeypatch.setattr("specwright.loopback._STOP", 0.2)
    stuck, fine = await judged(
        requirement(example("GET /stuck", 200)), requirement(example("GET /text", 200), key="FR-002")
    )
    assert stuck.failure is not None
    assert stuck.failure.reason == "No answer within 0.2 seconds."
    assert fine.standing is Standing.PROVED


async def test_an_app_that_blocks_its_thread_does_not_block_the_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A blocking call in an app's event loop is no answer in time, not a hanging command."""
    release = threading.Event()

    async def blocking(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            release.wait(60)

    monkeypatch.setattr(examples, "PATIENCE", 0.2)
    monkeypatch.setattr("specwright.verify.requirements.requirements.PATIENCE", 0.2)
    monkeypatch.setattr("specwright.loopback._STOP", 0.1)
    try:
        evidence = await only(example("GET /tasks", 200), app=blocking)
    finally:
        release.set()
    assert evidence.failure is not None
    assert evidence.failure.reason == "No answer within 0.2 seconds."


async def test_an_app_that_does_not_start_is_told() -> None:
    """A failing start is one sentence with the app's own words."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no such bucket")
        yield

    with pytest.raises(NotServed, match=r"The app does not start: ValueError: no such bucket"):
        await only(example("GET /tasks", 200), app=Starlette(lifespan=lifespan))


async def test_nothing_is_left_running() -> None:
    """When the proof is over, so is the app and its thread."""
    await only(example("GET /tasks", 200))
    assert not [thread for thread in threading.enumerate() if thread.name == "served app"]


async def test_the_report_as_json() -> None:
    """The JSON document holds standings, exchanges and differences, and never a credential."""
    found = await judged(
        requirement(example("POST /tasks", 201, None, '{"title": "a"}', person="ada")),
        requirement(example("GET /tasks", 404), key="FR-002"),
        requirement(key="FR-003"),
    )
    report = Report("notes", requirements=found)
    shown = json.loads(document(report))
    counts = shown["summary"]["requirements"]
    assert (counts["proved"], counts["broken"], counts["not_run"]) == (1, 1, 1)
    assert [each["standing"] for each in shown["requirements"]] == ["PROVED", "BROKEN", "NOT RUN"]
    assert shown["requirements"][0]["exchanges"][0]["answer"]["status"] == 201
    assert shown["requirements"][1]["failure"]["differences"][0] == {
        "at": "status",
        "expected": "404",
        "got": "200",
    }
    assert "x-person" not in document(report)
    assert list(summary(report)) == ["  requirements  1 proved · 1 broken · 1 not run"]


def test_requirements_are_chosen_by_key() -> None:
    """A key or a feature's key chooses; an unknown one is told with a suggestion."""
    one, two = requirement(), replace(requirement(), id="b/FR-001", feature="b")
    manifest = replace(MANIFEST, requirements=(one, two))
    assert choose(manifest, ()) == (one, two)
    assert choose(manifest, ("FR-001",)) == (one, two)
    assert choose(manifest, ("b/FR-001",)) == (two,)
    with pytest.raises(ConfigError, match=r"No check or requirement is called FR-01. Did you mean FR-001\?"):
        choose(manifest, ("FR-01",))
