"""Bytes in path, query, headers and body that no client library would send, over a raw socket."""

import pytest

from corpora.corpus import cases
from served import PREFIX, Answer, Served, token

pytestmark = pytest.mark.any_server

HEADERS = (
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "x-request-id",
    "traceparent",
    "idempotency-key",
    "accept",
    "origin",
    "cookie",
    "host",
)


def _refused(answer: Answer) -> bool:
    return 400 <= answer.status < 500


@pytest.fixture(autouse=True)
def _still_served(specimens: Served) -> None:
    """Whatever the test before sent, this one finds the service as it was."""
    assert specimens.person("ada").get("/specimens?limit=1").status == 200


@pytest.mark.parametrize(("table", "case", "text"), cases("bytes", "path"))
def test_path(specimens: Served, table: str, case: str, text: str) -> None:
    """No row has such a key: 404, whatever the method; a target that is no URL is 400."""
    for method in ("GET", "HEAD", "PATCH", "PUT", "DELETE"):
        answer = specimens.request(
            method, f"{PREFIX}/specimens/{text}", "content-type: application/json", body=b"{}"
        )
        assert answer.status == 404, (method, answer)


@pytest.mark.parametrize(("table", "case", "text"), cases("bytes", "no_path"))
def test_no_path(specimens: Served, table: str, case: str, text: str) -> None:
    """Wherever in the target they stand: 400 or 404."""
    for target in (f"/specimens/{text}", f"/{text}", f"/specimens{text}", f"{text}"):
        assert specimens.request("GET", PREFIX + target).status in (400, 404)


@pytest.mark.parametrize(("table", "case", "text"), cases("bytes", "query"))
def test_query(specimens: Served, table: str, case: str, text: str) -> None:
    """On every route: refused, or answered where it means something."""
    for method, path in (
        ("GET", "/specimens"),
        ("HEAD", "/specimens"),
        ("POST", "/specimens"),
        ("GET", "/specimens/01a1fb4a-9299-714f-9210-30d2911da5bb"),
        ("DELETE", "/specimens/01a1fb4a-9299-714f-9210-30d2911da5bb"),
    ):
        body = b"{}" if method == "POST" else b""
        answer = specimens.request(
            method, f"{PREFIX}{path}?{text}", "content-type: application/json", body=body
        )
        assert answer.status in (200, 201) or _refused(answer), (method, path, answer)


@pytest.mark.parametrize(("table", "case", "text"), cases("bytes", "header"))
def test_header(specimens: Served, table: str, case: str, text: str) -> None:
    """In any header, on a read and on a write; nothing of it comes back in another header."""
    row = specimens.person("ada").made("/specimens", {"title": "x"})["id"]
    for name in HEADERS:
        as_ = None if name == "authorization" else "ada"
        lines = [f"{name}: {text}"]
        if name != "content-type":
            lines.append("content-type: application/json")
        for method, path in (
            ("GET", f"/specimens/{row}"),
            ("PATCH", f"/specimens/{row}"),
            ("POST", "/specimens"),
        ):
            body = b"{}" if method != "GET" else b""
            answer = specimens.request(method, PREFIX + path, *lines, body=body, as_=as_)
            assert answer.status in (200, 201, 304) or _refused(answer), (name, method, answer)
            if name == "authorization" and text.strip():
                assert answer.status in (400, 401)
            assert answer.headers.get("x-request-id", "x").isascii()


@pytest.mark.parametrize(("table", "case", "text"), cases("bytes", "line"))
def test_line(specimens: Served, table: str, case: str, text: str) -> None:
    """Refused, or without effect."""
    for method, body in (("GET", b""), ("GET", b"{}   "), ("POST", b"{}   ")):
        lines = ["host: x", "connection: close", f"authorization: Bearer {token()}"]
        lines += ["content-type: application/json", text]
        if body and not text.startswith(("content-length", "transfer-encoding")):
            lines.append("content-length: 5")
        head = "\r\n".join((f"{method} {PREFIX}/specimens HTTP/1.1", *lines, "", ""))
        _refused_or_harmless(specimens, head.encode("latin-1") + body)


@pytest.mark.parametrize(("table", "case", "text"), cases("bytes", "request"))
def test_request(specimens: Served, table: str, case: str, text: str) -> None:
    """What is no request is refused, and what is one is answered."""
    _refused_or_harmless(specimens, text.encode("latin-1"))


def _refused_or_harmless(served: Served, request: bytes) -> None:
    answer = served.raw(request, judge=False)
    assert answer.status in (200, 201) or _refused(answer), answer
    assert b"Traceback" not in answer.body


@pytest.mark.parametrize("byte", range(256))
def test_every_byte(specimens: Served, byte: int) -> None:
    """Each of the 256 in path, query, header value and body: no fault, and what is kept is kept as sent."""
    character = chr(byte)
    for target in (f"/specimens/{character}", f"/specimens?title={character}", f"/specimens?{character}=1"):
        if character in " \r\n":
            continue
        answer = specimens.request("GET", PREFIX + target)
        assert answer.status == 200 or _refused(answer), (target, answer)
    answer = specimens.request("GET", f"{PREFIX}/specimens?limit=1", f"x-anything: {character}")
    assert answer.status == 200 or _refused(answer)
    answer = specimens.person("ada").send("POST", "/specimens", b'{"title":"%c"}' % byte)
    kept = 0x20 <= byte < 0x80 and character not in '"\\'
    assert answer.status == (201 if kept else 400)
    if kept:
        assert answer.json()["title"] == character
    answer = specimens.person("ada").get(f"/specimens?limit=1&title=%{byte:02x}")
    assert answer.status == (400 if byte >= 0x80 else 422 if byte == 0 else 200)
