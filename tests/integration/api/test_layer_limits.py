"""What a client may send, and how slowly: headers, bodies and idle connections, over raw sockets."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from starlette.requests import Request
from starlette.websockets import WebSocket

from served import NOTES, PREFIX, Answer, Served, fresh_database, read_answer, serving, token
from specwright.api.connection import MOST_DISCARDED, Connection
from specwright.app import Backend

pytestmark = pytest.mark.any_server

LIMIT = 10_000


class Hasty(Connection):
    """A connection that waits for nobody."""

    patience = 0.5


def _prepare(backend: Backend) -> None:
    @backend.app.post("/own")
    async def own(request: Request) -> int:
        return len(await request.body())

    @backend.app.post("/json")
    async def parsed(body: list[int]) -> int:
        return len(body)

    @backend.app.post("/large", max_body_size=5 * LIMIT)
    async def large(request: Request) -> int:
        return len(await request.body())

    @backend.app.websocket("/undecided")
    async def undecided(channel: WebSocket) -> None:
        await channel.receive()
        await channel.receive()

    @backend.app.get("/unread")
    async def unread() -> str:
        return "read"


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """A backend with little patience."""
    with (
        fresh_database(database_server) as database,
        serving(
            NOTES,
            database,
            prepare=_prepare,
            max_body_bytes=LIMIT,
            keep_alive_timeout=1,
            server={"http": Hasty},
        ) as served,
    ):
        yield served


def _answer(connection: socket.socket) -> Answer:
    answer = read_answer(connection)
    connection.settimeout(20)
    return answer


def _ended(connection: socket.socket) -> bool:
    with suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def _sent(served: Served, *pieces: bytes, pause: float = 0) -> Answer:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            if select.select([connection], [], [], pause)[0]:
                # The answer is there, and after it nobody listens for long.
                break
        answer = _answer(connection)
        assert answer.headers["connection"] == "close"
        assert _ended(connection)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return answer


HEAD = b"GET /health/live HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"x-%d: y\r\n" % number for number in range(101)),
        b"x: " + b"y" * 70_000 + b"\r\n",
        b"".join(b"x-%d: %s\r\n" % (number, b"y" * 1000) for number in range(80)),
        b"y" * 70_000 + b": x\r\n",
    ],
    ids=["many", "one long", "many long", "long name"],
)
def test_too_large_headers(notes: Served, headers: bytes) -> None:
    """431, whether complete, in one piece or in several, or never ending."""
    whole = HEAD + headers + b"\r\n"
    pieces = [whole[start : start + 5000] for start in range(0, len(whole), 5000)]
    for answer in (_sent(notes, whole), _sent(notes, *pieces)):
        assert (answer.status, answer.code) == (431, "headers_too_large")


def test_a_long_path(notes: Served) -> None:
    """The request line counts too."""
    answer = _sent(notes, b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (answer.status, answer.code) == (431, "headers_too_large")


def test_headers_without_end(notes: Served) -> None:
    """Refused as soon as they are too many, not when they are complete."""
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(HEAD + b"x: ")
        for _ in range(40):
            try:
                connection.sendall(b"y" * 10_000)
            except OSError:
                break
            time.sleep(0.01)
        answer = _answer(connection)
    assert (answer.status, answer.code) == (431, "headers_too_large")


def test_headers_within_the_limits(notes: Served) -> None:
    """A hundred headers, and sixty kilobytes of them, are taken; a body counts for nothing."""
    for more in (
        b"".join(b"x-%d: y\r\n" % number for number in range(98)),
        b"x: " + b"y" * 60_000 + b"\r\n",
    ):
        assert notes.raw(HEAD + b"connection: close\r\n" + more + b"\r\n").status == 200
    two = (
        f"POST /large HTTP/1.1\r\nhost: x\r\ncontent-length: {5 * LIMIT}\r\n\r\n".encode() + b"x" * 5 * LIMIT
    )
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(two + two + HEAD + b"x: " + b"y" * 50_000)
        time.sleep(0.1)
        connection.sendall(b"\r\nconnection: close\r\n\r\n")
        content = b""
        while piece := connection.recv(10_000):
            content += piece
    assert content.count(b"HTTP/1.1 200 OK") == 3


def test_slow_headers(notes: Served) -> None:
    """408 after a while, however steadily they trickle, on a new connection and on a used one."""
    begun = [HEAD[at : at + 1] for at in range(30)]
    answer = _sent(notes, *begun, pause=0.1)
    assert (answer.status, answer.code) == (408, "timeout")
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(HEAD + b"\r\n")
        assert _answer(connection).status == 200
        connection.sendall(HEAD)
        assert _answer(connection).status == 408
        assert _ended(connection)


@pytest.mark.parametrize("pieces", [[b""], [b"\r\n"] * 30])
def test_a_connection_that_says_nothing(notes: Served, pieces: list[bytes]) -> None:
    """It is closed, before the first request and after it."""
    for before in (b"", HEAD + b"\r\n"):
        with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
            if before:
                connection.sendall(before)
                assert _answer(connection).status == 200
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    break
                time.sleep(0.1)
            assert _ended(connection)


def test_keep_alive(notes: Served) -> None:
    """A connection is used again and again, and closed when it idles."""
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        for _ in range(4):
            connection.sendall(HEAD + b"\r\n")
            assert _answer(connection).status == 200
            # Longer than headers may take: between requests there are none.
            time.sleep(0.7)
        assert _ended(connection)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELO example.org\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http(notes: Served, request_: bytes) -> None:
    """400 in the shape of every problem, and the end of the connection."""
    answer = _sent(notes, request_)
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize("path", [f"{PREFIX}/notes", "/own", "/json"])
@pytest.mark.parametrize("declared", [True, False])
def test_too_large_bodies(notes: Served, path: str, declared: bool) -> None:
    """413, as soon as the length is known: on derived and on hand-written routes."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
    head += "content-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        if declared:
            # Nothing of the body is sent.
            connection.sendall(f"{head}content-length: {LIMIT + 1}\r\n\r\n".encode())
        else:
            connection.sendall(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
            for _ in range(3):
                connection.sendall(b"%x\r\n%s\r\n" % (LIMIT // 2, b" " * (LIMIT // 2)))
        answer = _answer(connection)
        assert (answer.status, answer.code) == (413, "too_large")


def test_the_largest_body(notes: Served) -> None:
    """Of the very limit is taken; a route may have another limit, and one that reads nothing has none."""
    assert notes.request("POST", "/own", body=b"x" * LIMIT).json() == LIMIT
    assert notes.request("POST", "/large", body=b"x" * 5 * LIMIT).json() == 5 * LIMIT
    assert notes.request("POST", "/large", body=b"x" * (5 * LIMIT + 1)).status == 413
    assert notes.request("GET", "/unread", body=b"x" * 2 * LIMIT).status == 200


def test_a_delete_takes_no_body(notes: Served) -> None:
    """One that is sent is not read, whatever it is and however long; one without end is cut off."""
    ada = notes.person("ada")
    for body in (b'{"text": "x"}', b"no JSON \xff", b"x" * 5 * LIMIT):
        path = f"/notes/{ada.made('/notes', {'text': 'x'})['id']}"
        assert ada.send("DELETE", path, body).status == 204
        assert ada.get(path).status == 404
    path = f"{PREFIX}/notes/{ada.made('/notes', {'text': 'x'})['id']}"
    head = f"DELETE {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ada.token}\r\n"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(f"{head}content-length: 999999999\r\n\r\n".encode())
        answer = _answer(connection)
        assert (answer.status, answer.headers["connection"]) == (204, "close")
        with pytest.raises(OSError):
            for _ in range(200):
                connection.sendall(b"x" * 1000)
                time.sleep(0.05)


def test_a_body_without_end(notes: Served) -> None:
    """Who goes on sending after the answer is listened to for a moment, then cut off."""
    head = f"POST {PREFIX}/notes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(
            f"{head}content-type: application/json\r\ncontent-length: 999999999\r\n\r\n".encode()
        )
        answer = _answer(connection)
        assert answer.status == 413
        with pytest.raises(OSError):
            for _ in range(200):
                connection.sendall(b"x" * 1000)
                time.sleep(0.05)


@pytest.mark.parametrize("more", ["", "connection: close\r\n"], ids=["kept", "closed"])
def test_who_sends_first_and_reads_later(notes: Served, more: str) -> None:
    """They find the answer, though it was given when most of their body was still to come."""
    length = 1_000_000
    head = f"POST {PREFIX}/notes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n{more}"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(
            f"{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
        )
        for _ in range(20):
            connection.sendall(b"x" * (length // 20))
            time.sleep(0.005)
        answer = _answer(connection)
        assert (answer.status, answer.code) == (413, "too_large")
        assert answer.headers["connection"] == "close"
        assert _ended(connection)


def test_who_sends_too_much_after_their_answer(notes: Served) -> None:
    """What nobody reads is bounded, too."""
    head = f"POST {PREFIX}/notes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(
            f"{head}content-type: application/json\r\ncontent-length: {10**12}\r\n\r\n".encode()
        )
        assert _answer(connection).status == 413
        sent = 0
        with pytest.raises(OSError):
            while sent < 4 * MOST_DISCARDED:
                sent += connection.send(b"x" * 100_000)


UPGRADES = {
    "h2c": "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
    "unknown": "connection: upgrade\r\nupgrade: x/1, websocket\r\n",
    "twice": "connection: upgrade\r\nconnection: keep-alive\r\nupgrade: websocket\r\n",
}


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "whole"])
def test_another_protocol_is_not_spoken(notes: Served, upgrade: str, chunked: bool) -> None:
    """The body is read as if nothing had been said, whole or byte by byte, and the connection goes on."""
    head = f"POST /own HTTP/1.1\r\nhost: x\r\n{upgrade}"
    one = f"{head}content-length: 5\r\n\r\nhello".encode()
    if chunked:
        one = f"{head}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n".encode()
    for pieces in ([one], [one[at : at + 1] for at in range(len(one))]):
        with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(3):
                for piece in pieces:
                    connection.sendall(piece)
                assert _answer(connection).json() == 5
    last = HEAD + b"connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(one * 3 + last)
        content = b""
        while piece := connection.recv(10_000):
            content += piece
    assert content.count(b"HTTP/1.1 200 OK") == 4


def test_another_protocol_takes_no_liberties(notes: Served) -> None:
    """What is refused without `Upgrade` is refused with it: too large a body, too many headers."""
    head = "POST /own HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n"
    assert notes.raw(f"{head}content-length: {LIMIT + 1}\r\n\r\n".encode()).status == 413
    many = "".join(f"x-{number}: y\r\n" for number in range(101))
    assert notes.raw(f"{head}{many}\r\n".encode()).status == 431
    head = head.replace("h2c", "websocket").replace("POST", "GET")
    assert notes.raw(f"{head}{many}\r\n".encode()).status == 431


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "body",
    [
        b"content-length: 5\r\n\r\nhello",
        b"content-length: 05\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_websocket_has_no_body(notes: Served, method: str, body: bytes) -> None:
    """400, and the end of the connection."""
    head = f"{method} /undecided HTTP/1.1\r\nhost: x\r\n{WEBSOCKET}".encode()
    answer = _sent(notes, head + body)
    assert (answer.status, answer.code) == (400, "malformed")


WEBSOCKET = (
    "connection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize("path", ["/undecided", "/nothing", "/health/live"])
@pytest.mark.parametrize("length", ["", "content-length: 0\r\n"])
def test_a_websocket_that_nobody_accepts(notes: Served, path: str, length: str) -> None:
    """The connection is closed, at the latest when the headers of a request would have been too slow."""
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n{WEBSOCKET}{length}\r\n".encode())
        content = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(10_000):
                content += piece
    assert content[:12] in (b"", b"HTTP/1.1 403")


@pytest.mark.parametrize("path", [f"{PREFIX}/notes", "/own"])
@pytest.mark.parametrize(
    "chunk",
    [
        b"xyz\r\n",
        b"-1\r\n",
        b"\r\n",
        b"f" * 17 + b"\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nx y\r\n\r\n",
    ],
)
def test_broken_chunks(notes: Served, path: str, chunk: bytes) -> None:
    """400, with the head or after it."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
    begun = f"{head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    for pieces in ([begun + chunk], [begun, chunk], [begun + b"1\r\n \r\n", chunk]):
        answer = _sent(notes, *pieces, pause=0.1)
        assert (answer.status, answer.code) == (400, "malformed")


def test_many_slow_clients(serve: Callable[..., Served]) -> None:
    """Two hundred that trickle take nothing from those that do not."""
    served = serve(NOTES)
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(HEAD)
        ada = served.person("ada")
        assert {ada.get("/notes").status for _ in range(20)} == {200}
    finally:
        for connection in slow:
            connection.close()
