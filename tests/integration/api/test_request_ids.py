"""One id for a request, wherever it is spoken of; and log lines that nobody can forge."""

import json
import logging
import re
from collections.abc import Callable

import pytest

from served import PREFIX, Served, token
from specwright.logs import JsonFormatter, ReadableFormatter

pytestmark = pytest.mark.any_server

TRACE = "0af7651916cd43dd8448eb211c80319c"


def _id(shop: Served, *headers: str, path: str = f"{PREFIX}/things") -> str:
    return shop.request("GET", path, *headers).headers["x-request-id"]


@pytest.mark.parametrize(
    "path", [f"{PREFIX}/things", f"{PREFIX}/nothing", "/health/live", "/docs", "/nothing"]
)
def test_an_id_is_taken_or_made(shop: Served, path: str) -> None:
    """The client's own first, then its trace's, else a new one; on every path."""
    assert _id(shop, "x-request-id: req_1.A-z", path=path) == "req_1.A-z"
    assert _id(shop, f"traceparent: 00-{TRACE}-b7ad6b7169203331-01", path=path) == TRACE
    both = (f"traceparent: 00-{TRACE}-b7ad6b7169203331-01", "x-request-id: mine")
    assert _id(shop, *both, path=path) == "mine"
    made = {_id(shop, path=path) for _ in range(3)}
    assert len(made) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)


@pytest.mark.parametrize(
    "header",
    [
        "x-request-id:",
        "x-request-id: a b",
        "x-request-id: " + "x" * 129,
        "x-request-id: <script>",
        'x-request-id: "}{"level":"error',
        "x-request-id: \xe9",
        "x-request-id: a\tb",
        "x-request-id: ../../etc/passwd",
        f"traceparent: 00-{TRACE}",
        f"traceparent: 00-{'0' * 32}-b7ad6b7169203331-01",
        f"traceparent: 00-{TRACE}-{'0' * 16}-01",
        f"traceparent: ff-{TRACE}-b7ad6b7169203331-01",
        f"traceparent: 00-{TRACE.upper()}-b7ad6b7169203331-01",
    ],
)
def test_a_hostile_id_is_not_taken(shop: Served, header: str) -> None:
    """A new one is made instead."""
    assert re.fullmatch("[0-9a-f]{32}", _id(shop, header))
    assert TRACE not in _id(shop, header)


def test_a_problem_has_the_id(shop: Served) -> None:
    """In its body as in its header."""
    answer = shop.request("GET", f"{PREFIX}/things/x", "x-request-id: here")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "here"


def _lines(shop: Served, caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    # A line is written once the answer is sent: before the next request is looked at.
    shop.anonymous.get("//health/live")
    records = [record for record in caplog.records if record.name.startswith("specwright")]
    texts = [JsonFormatter().format(record) for record in records]
    assert all("\n" not in text and "\r" not in text and text.isascii() for text in texts)
    for record in records:
        if not record.exc_info:
            assert len(ReadableFormatter().format(record).splitlines()) == 1
    return [json.loads(text) for text in texts]


def test_one_line_a_request(shop: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Method, route, status, time, caller and id, refused or not; nothing of the health checks."""
    caplog.set_level(logging.INFO, "specwright")
    ada = shop.person("ada")
    key = ada.made("/things", {"name": "x"})["id"]
    ada.get(f"/things/{key}")
    ada.get("/things/x")
    shop.person("bob").delete(f"/things/{key}")
    ada.patch(f"/things/{key}", {"name": 1})
    shop.anonymous.get("/things")
    ada.get("/nothing")
    shop.anonymous.get("//health/ready")
    lines = [line for line in _lines(shop, caplog) if line["logger"] == "specwright.access"]
    assert [(line["method"], line["route"], line["status"], line.get("caller")) for line in lines] == [
        ("POST", "/api/v1/things", 201, "ada"),
        ("GET", "/api/v1/things/{id}", 200, "ada"),
        ("GET", "/api/v1/things/{id}", 404, "ada"),
        ("DELETE", "/api/v1/things/{id}", 404, "bob"),
        ("PATCH", "/api/v1/things/{id}", 422, "ada"),
        ("GET", "/api/v1/things", 401, None),
        ("GET", "/api/v1/nothing", 404, None),
    ]
    assert all(isinstance(line["milliseconds"], float) and line["request_id"] for line in lines)


def test_no_line_tells_a_secret_or_is_forged(shop: Served, caplog: pytest.LogCaptureFixture) -> None:
    """No body, query, token or cursor; line breaks in a path or a name stay inside their line."""
    caplog.set_level(logging.DEBUG, "specwright")
    secret = "hunter2secret"
    bearer = token('eve\u2028\u0085 {"level": "error"}'.replace("\u0085", ""))
    shop.request("GET", f"{PREFIX}/things?name={secret}", f"authorization: Bearer {bearer}", as_=None)
    shop.request(
        "POST", f"{PREFIX}/things", "content-type: application/json", body=b'{"name": "%b"}' % secret.encode()
    )
    shop.request("GET", f"{PREFIX}/things?cursor={secret}&limit={secret}")
    shop.request("GET", "/x%0d%0a2026-01-01 forged%e2%80%a8line%1b[31m".replace(" ", "%20"))
    shop.request("GET", f"{PREFIX}/things/%0aforged")
    shop.request("GET", f"{PREFIX}/things", f"authorization: Bearer {secret}", as_=None)
    lines = _lines(shop, caplog)
    assert sum(line["logger"] == "specwright.access" for line in lines) == 6
    text = json.dumps(lines)
    assert secret not in text
    assert bearer not in text


NOTES = """
# Notes

## Note

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |

| Who    | May        |
|--------|------------|
| anyone | everything |
"""


def test_a_fault_is_logged_without_the_row(
    serve: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    """What the database quotes of a row stays out of the log, and the client hears nothing at all."""
    served = serve(NOTES)
    served.sql("ALTER TABLE notes ADD CONSTRAINT strange CHECK (length(text) < 5)")
    answer = served.request(
        "POST",
        f"{PREFIX}/notes",
        "content-type: application/json",
        body=b'{"text": "hunter2secret"}',
        judge=False,
    )
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert b"strange" not in answer.body
    (fault,) = (record for record in caplog.records if record.name == "specwright.faults")
    text = JsonFormatter().format(fault)
    assert "CheckViolation" in text
    assert "hunter2secret" not in text
    assert json.loads(text)["request_id"] == answer.headers["x-request-id"]
