"""Credentials: what does not prove anyone is 401, even where anyone may go."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from served import PREFIX, SECRET, Answer, Served, fresh_database, serving, token

pytestmark = pytest.mark.any_server

NOTICES = """
# Notices

## Notice

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |
| owner | User | the caller |

| Who       | May        |
|-----------|------------|
| anyone    | list, read |
| signed in | create     |
"""


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(algorithm: str) -> str:
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part({'sub': 'ada', 'exp': _in(60)})}."


def _with_header(**header: Any) -> str:
    return jwt.encode({"sub": "ada", "exp": _in(60)}, SECRET, headers=header)


def _in(seconds: int) -> int:
    return int(time.time()) + seconds


#: Each is made for its request: what it says of the time is true then.
BAD: dict[str, Callable[[], str]] = {
    "no scheme": lambda: token(),
    "empty": lambda: "",
    "scheme alone": lambda: "Bearer",
    "scheme and spaces": lambda: "Bearer   ",
    "basic": lambda: "Basic YWRhOmFkYQ==",
    "garbage": lambda: "Bearer garbage",
    "two parts": lambda: "Bearer a.b",
    "four parts": lambda: f"Bearer {token()}.x",
    "two tokens": lambda: f"Bearer {token()} {token()}",
    "a comma": lambda: f"Bearer {token()}, Bearer {token()}",
    "no json": lambda: "Bearer aaaa.bbbb.cccc",
    "alg none": lambda: f"Bearer {_unsigned('none')}",
    "alg none with a signature": lambda: f"Bearer {_unsigned('none')}c2ln",
    "alg NoNe": lambda: f"Bearer {_unsigned('NoNe')}c2ln",
    "no signature": lambda: f"Bearer {token().rpartition('.')[0]}.",
    "a changed signature": lambda: f"Bearer {token()[:-4]}AAAA",
    "wrong key": lambda: f"Bearer {token('ada', secret='x' * 32)}",
    "the right key, another algorithm": lambda: (
        f"Bearer {token('ada', secret=SECRET * 2, algorithm='HS512')}"
    ),
    "same key as HS384": lambda: f"Bearer {token('ada', secret=SECRET + 'x' * 48, algorithm='HS384')}",
    "expired": lambda: f"Bearer {token('ada', exp=_in(-31))}",
    "long expired": lambda: f"Bearer {token('ada', exp=1)}",
    "no exp": lambda: f"Bearer {token('ada', exp=None)}",
    "exp as text": lambda: f"Bearer {token('ada', exp=str(_in(600)))}",
    "exp in milliseconds": lambda: f"Bearer {token('ada', exp=(_in(600)) * 1000)}",
    "not yet": lambda: f"Bearer {token('ada', nbf=_in(600))}",
    "no sub": lambda: f"Bearer {token(None)}",
    "an empty sub": lambda: f"Bearer {token('')}",
    "a blank sub": lambda: f"Bearer {token('  ')}",
    "a sub with a line break": lambda: f"Bearer {token(chr(10) + 'ada')}",
    "a sub with a NUL": lambda: f"Bearer {token('ada' + chr(0))}",
    "too long a sub": lambda: f"Bearer {token('a' * 256)}",
    "another type": lambda: f"Bearer {_with_header(typ='logout+jwt')}",
    "critical extensions": lambda: f"Bearer {_with_header(crit=['b64'])}",
    "very long": lambda: f"Bearer {token('ada', filler='x' * 9000)}",
}


@pytest.fixture(scope="module")
def board(database_server: str) -> Iterator[Served]:
    """Notices that anyone may read."""
    with fresh_database(database_server) as database, serving(NOTICES, database) as served:
        yield served


@pytest.mark.parametrize("made", BAD.values(), ids=BAD)
def test_a_bad_credential(board: Served, made: Callable[[], str]) -> None:
    """401 with `WWW-Authenticate`, on every route, and no connection to the database is used for it."""
    board.anonymous.get("/notices")
    with board.statements() as sent:
        for method, path in (("GET", "/notices"), ("POST", "/notices"), ("DELETE", "/notices/x")):
            header = made()
            answer = board.request(
                method, PREFIX + path, f"authorization: {header}", "content-length: 0", as_=None
            )
            assert (answer.status, answer.code) == (401, "unauthenticated"), answer
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert header[7:] not in answer.body.decode() or len(header) < 12
    assert sent == []


def test_no_credential(board: Served) -> None:
    """What anyone may is served; what needs a caller is 401."""
    assert board.anonymous.get("/notices").status == 200
    answer = board.anonymous.post("/notices", {"text": "x"})
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert board.anonymous.post("/notices", b"{").status == 401


def test_two_credentials(board: Served) -> None:
    """Two Authorization headers are 400, equal or not: two readers might take different ones."""
    answer = board.request("GET", f"{PREFIX}/notices", f"authorization: Bearer {token('bob')}")
    assert (answer.status, answer.code) == (400, "malformed")


def test_a_good_credential(board: Served) -> None:
    """The scheme knows no case, a clock may differ by thirty seconds, and odd names are names."""
    for header in (f"bearer {token()}", f"BEARER   {token()}", f"Bearer {token('ada', exp=_in(-5))}"):
        answer = board.request("GET", f"{PREFIX}/notices", f"authorization: {header}", as_=None)
        assert answer.status == 200, answer
    odd = "Å'; DROP TABLE notices; -- \U0001f600"
    row = board.person(odd).made("/notices", {"text": "x"})
    assert row["owner_id"] == odd


def test_issuer_and_audience(serve: Callable[..., Served]) -> None:
    """Where they are configured they must fit."""
    served = serve(NOTICES, auth_issuer="https://id.example", auth_audience="board")

    def ask(**claims: Any) -> Answer:
        bearer = f"authorization: Bearer {token('ada', **claims)}"
        return served.request("GET", f"{PREFIX}/notices", bearer, as_=None)

    assert ask(iss="https://id.example", aud="board").status == 200
    assert ask(iss="https://id.example", aud=["other", "board"]).status == 200
    for claims in (
        {},
        {"iss": "https://id.example"},
        {"aud": "board"},
        {"iss": "https://id.example/", "aud": "board"},
        {"iss": "https://id.example", "aud": "other"},
        {"iss": "https://id.example", "aud": []},
    ):
        assert ask(**claims).status == 401, claims
