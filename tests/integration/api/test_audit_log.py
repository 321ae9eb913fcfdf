"""The audit log: denials, and uses of grants that reach beyond one's own; why, in development alone."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from protected import build
from served import PREFIX, Answer, Person, Served, fresh_database, serving, token
from specwright import Backend, SessionDep, UnscopedSessionDep, problem
from specwright.logs import JsonFormatter, ReadableFormatter
from specwright.read.spec import read_specs

pytestmark = pytest.mark.any_server

SPEC = """# Desk

## Roles

| Role    | Means   |
|---------|---------|
| auditor | looks   |
| boss    | decides |

## Paper

| Field  | Type | Rules                            |
|--------|------|----------------------------------|
| title  | text | required, ..40                   |
| pin    | text | ..40, write only                 |
| sealed | text | ..40, writable by boss           |
| open   | boolean | default false                 |
| owner  | User | the caller                       |

| Who     | May                                | When     | Then             |
|---------|------------------------------------|----------|------------------|
| owner   | list, read, create, delete, update |          | `title != "bad"` |
| owner   | hand over                          |          |                  |
| anyone  | read                               | `open`   |                  |
| auditor | list, read                         |          |                  |
| boss    | update, read                       | `open`   |                  |
"""


def add_routes(backend: Backend) -> None:
    """Routes that people write."""

    @backend.app.get("/titles")
    async def titles(session: SessionDep) -> list[str]:
        return list((await session.execute(text("SELECT title FROM papers ORDER BY title"))).scalars())

    @backend.app.get("/all-titles")
    async def all_titles(session: UnscopedSessionDep) -> int:
        return len((await session.execute(text("SELECT title FROM papers"))).all())

    @backend.app.get("/refused")
    async def refused() -> None:
        raise problem(403, "forbidden", "Not for you.")


@pytest.fixture(scope="module")
def desks(database_server: str) -> Iterator[dict[str, Served]]:
    """The same desk, in development and in production."""
    with ExitStack() as stack:
        served = {}
        for environment in ("development", "production"):
            database = stack.enter_context(fresh_database(database_server))
            build(database, read_specs({"specs/it/spec.md": SPEC}))
            running = serving(SPEC, database, tables=False, prepare=add_routes, environment=environment)
            served[environment] = stack.enter_context(running)
        yield served


@pytest.fixture(params=["development", "production"])
def desk(desks: dict[str, Served], request: pytest.FixtureRequest) -> Served:
    """A desk."""
    return desks[request.param]


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lines are kept, in the order of the requests: each is over before the next is sent."""
    caplog.set_level(logging.INFO, "specwright")
    send = Person.send

    def settled(person: Person, *arguments: Any, **options: Any) -> Answer:
        answer = send(person, *arguments, **options)
        person.served.settle()
        return answer

    monkeypatch.setattr(Person, "send", settled)


def lines(caplog: pytest.LogCaptureFixture, logger: str = "audit") -> list[dict[str, Any]]:
    """What was logged so far, each in one line whichever the form."""
    records = [record for record in caplog.records if record.name.startswith("specwright")]
    texts = [JsonFormatter().format(record) for record in records]
    assert all("\n" not in each and "\r" not in each and each.isascii() for each in texts)
    assert all(len(ReadableFormatter().format(record).splitlines()) == 1 for record in records)
    found = [json.loads(each) for each in texts]
    return [line for line in found if line["logger"] == f"specwright.{logger}"]


def place(row: str) -> str:
    """Where the row of the spec is that begins like this."""
    (number,) = [number for number, line in enumerate(SPEC.splitlines(), 1) if line.startswith(row)]
    return f"specs/it/spec.md:{number}"


def told(line: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some members of a line."""
    return tuple(line.get(name) for name in names)


def test_denials_are_logged(desk: Served, caplog: pytest.LogCaptureFixture) -> None:
    """401, 403 and the 404 that keeps a row from a change; a row that is not found otherwise is no denial."""
    ada, bob = desk.person("ada"), desk.person("bob")
    key = ada.made("/papers", {"title": "a"})["id"]
    opened = ada.made("/papers", {"title": "o", "open": True})["id"]
    caplog.clear()
    forged = {"authorization": f"Bearer {token('ada', secret='x' * 32)}"}
    assert desk.anonymous.get("/papers", headers=forged).status == 401
    assert desk.anonymous.post("/papers", {"title": "x"}).status == 401
    assert bob.patch(f"/papers/{opened}", {"title": "b"}).status == 403
    assert bob.patch(f"/papers/{key}", {"title": "b"}, headers={"x-request-id": "here"}).status == 404
    assert bob.patch(f"/papers/{'0' * 8}-0000-7000-8000-{'0' * 12}", {"title": "b"}).status == 404
    assert bob.get(f"/papers/{key}").status == 404
    assert ada.patch(f"/papers/{key}", {"title": 1}).status == 422
    found = lines(caplog)
    assert all(line["message"].startswith("denied: ") and line["level"] == "info" for line in found)
    names = ("status", "caller", "action", "resource", "key")
    assert [told(line, *names) for line in found] == [
        (401, None, "list", "papers", None),
        (401, None, "create", "papers", None),
        (403, "bob", "update", "papers", opened),
        (404, "bob", "update", "papers", key),
    ]
    assert found[-1]["request_id"] == "here" and found[-1]["route"] == f"{PREFIX}/papers/{{id}}"


def test_privileged_grants_are_logged(desk: Served, caplog: pytest.LogCaptureFixture) -> None:
    """A role's grant and a row handed over, with the grant's line; an owner's and everybody's are not."""
    ada, auditor = desk.person("ada"), desk.person("eve", "auditor")
    key = ada.made("/papers", {"title": "a"})["id"]
    ada.items("/papers")
    ada.get(f"/papers/{key}")
    ada.patch(f"/papers/{key}", {"title": "b", "open": True})
    desk.anonymous.get(f"/papers/{key}")
    assert lines(caplog) == []
    assert auditor.get(f"/papers/{key}").status == auditor.get("/papers").status == 200
    assert desk.person("max", "boss").patch(f"/papers/{key}", {"title": "c"}).status == 200
    assert ada.patch(f"/papers/{key}", {"owner_id": "bob"}).status in (200, 204)
    found = lines(caplog)
    assert all(line["message"].startswith("privileged: ") for line in found)
    assert [told(line, "caller", "action", "key") for line in found] == [
        ("eve", "read", key),
        ("eve", "list", None),
        ("max", "update", key),
        ("ada", "hand over", key),
    ]
    assert found[0]["grant"] == f"auditor may list, read ({place('| auditor | list')})"


def test_it_costs_production_no_statement(desks: dict[str, Served]) -> None:
    """In production a denial and a privileged grant are told from what is known; development asks why."""
    sent: dict[str, list[int]] = {}
    for environment, desk in desks.items():
        key = desk.person("ada").made("/papers", {"title": "a"})["id"]
        sent[environment] = []
        for name, roles, method in (("eve", ["auditor"], "get"), ("bob", [], "get"), ("bob", [], "delete")):
            with desk.statements() as seen:
                getattr(desk.person(name, *roles), method)(f"/papers/{key}")
            sent[environment].append(len([each for each in seen if "pg_catalog" not in each]))
    assert sent["production"] == [1, 1, 2]
    assert sent["development"] == [1, 2, 3]


def refusals(desk: Served) -> list[tuple[Answer, str]]:
    """Requests that are denied, each with what its reason must say."""
    ada, bob = desk.person("ada"), desk.person("bob")
    key = ada.made("/papers", {"title": "a"})["id"]
    shut = "0" * 8 + "-0000-7000-8000-" + "0" * 12
    send = {"headers": {"x-request-id": "same"}}
    opened = ada.made("/papers", {"title": "o", "open": True})["id"]
    expired = {"authorization": f"Bearer {token('ada', exp=1)}", "x-request-id": "same"}
    return [
        (desk.anonymous.get("/papers", headers=expired), "expired"),
        (desk.anonymous.get("/papers", **send), "an anonymous caller is not owner"),
        (bob.get(f"/papers/{key}", **send), "bob is not auditor"),
        (bob.get(f"/papers/{shut}", **send), f"there is no row papers/{shut}"),
        (bob.patch(f"/papers/{opened}", {"title": "b"}, **send), place("| boss    | update")),
        (ada.patch(f"/papers/{key}", {"title": "bad"}, **send), "applies to what the row would become"),
        (ada.patch(f"/papers/{key}", {"sealed": "x"}, **send), "sealed is writable by boss"),
    ]


def test_development_says_why_and_the_client_never_learns_it(
    desks: dict[str, Served], caplog: pytest.LogCaptureFixture
) -> None:
    """The access line of a denial has the grants and what each lacks; answers are the same, byte for byte."""
    answers = {}
    for environment, desk in desks.items():
        caplog.clear()
        sent = refusals(desk)
        answers[environment] = [answer for answer, _ in sent]
        access = [line for line in lines(caplog, "access") if line["status"] != 201]
        assert [line["status"] for line in access] == [answer.status for answer, _ in sent]
        if environment == "production":
            assert not any("denied" in line for line in access)
            continue
        for line, (answer, reason) in zip(access, sent, strict=True):
            assert reason in line["denied"], line
            assert "spec.md" not in answer.body.decode()
    for development, production in zip(*answers.values(), strict=True):
        assert (development.status, development.body) == (production.status, production.body)
        assert _but_date(development.headers) == _but_date(production.headers)


def _but_date(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date"}


def test_nothing_secret_is_told_and_no_line_is_forged(desk: Served, caplog: pytest.LogCaptureFixture) -> None:
    """No value that was sent, no token; line breaks in names and keys stay in their line."""
    name = "eve\u2028\u2029{'level': 'error'}"
    eve, ada = desk.person(name), desk.person("ada")
    key = ada.made("/papers", {"title": "hunter2title", "pin": "hunter2pin"})["id"]
    assert eve.patch(f"/papers/{key}", {"title": "hunter2sent", "pin": "hunter2pin"}).status == 404
    assert ada.patch(f"/papers/{key}", {"sealed": "hunter2sealed"}).status == 403
    assert eve.get("/papers/%0d%0aforged").status == 404
    assert eve.get("/papers/%00").status in (400, 404)
    assert desk.anonymous.get("/papers", headers={"authorization": "Bearer hunter2token"}).status == 401
    found = lines(caplog) + lines(caplog, "access")
    assert [line["caller"] for line in lines(caplog) if line["status"] == 404] == [name]
    whole = json.dumps(found)
    assert "hunter2" not in whole
    assert eve.token is not None and eve.token not in whole


def test_hand_written_routes(desk: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Their denials are logged with method and route; what a scoped session leaves out is no denial."""
    desk.person("ada").made("/papers", {"title": "a"})
    caplog.clear()
    bad = {"authorization": f"Bearer {token('ada', secret='x' * 32)}"}
    assert desk.anonymous.get("//titles", headers=bad).status == 401
    assert desk.person("bob").get("//titles").status == 200
    assert desk.person("bob").get("//refused").status == 403
    assert desk.person("bob").get("//nowhere").status == 404
    names = ("message", "status", "route", "action", "resource")
    assert [told(line, *names) for line in lines(caplog)] == [
        ("denied: GET", 401, "/titles", None, None),
        ("denied: GET", 403, "/refused", None, None),
    ]


def test_an_unscoped_session_is_a_warning(desk: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Each use, with its route and caller: no grant holds it back."""
    assert desk.person("bob").get("//all-titles").status == 200
    (line,) = lines(caplog, "sessions")
    assert line["level"] == "warning" and line["caller"] == "bob" and "/all-titles" in json.dumps(line)
    assert lines(caplog) == []
