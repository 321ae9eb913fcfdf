"""Credentials: what does not prove anyone is 401, even where anyone may go."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from served import PREFIX, SECRET, Answer, Served, fresh_database, serving, token

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
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part({'sub': 'ada', 'exp': int(time.time()) + 60})}."


def _with_header(**header: Any) -> str:
    return jwt.encode({"sub": "ada", "exp": int(time.time()) + 60}, SECRET, headers=header)


GOOD = token("ada")
NOW = int(time.time())

BAD = {
    "no scheme": GOOD,
    "empty": "",
    "scheme alone": "Bearer",
    "scheme and spaces": "Bearer   ",
    "basic": "Basic YWRhOmFkYQ==",
    "garbage": "Bearer garbage",
    "two parts": "Bearer a.b",
    "four parts": f"Bearer {GOOD}.x",
    "two tokens": f"Bearer {GOOD} {GOOD}",
    "a comma": f"Bearer {GOOD}, Bearer {GOOD}",
    "no json": "Bearer aaaa.bbbb.cccc",
    "alg none": f"Bearer {_unsigned('none')}",
    "alg none with a signature": f"Bearer {_unsigned('none')}c2ln",
    "alg NoNe": f"Bearer {_unsigned('NoNe')}c2ln",
    "no signature": f"Bearer {GOOD.rpartition('.')[0]}.",
    "a changed signature": f"Bearer {GOOD[:-4]}AAAA",
    "wrong key": f"Bearer {token('ada', secret='x' * 32)}",
    "the right key, another algorithm": f"Bearer {token('ada', secret=SECRET * 2, algorithm='HS512')}",
    "same key as HS384": f"Bearer {token('ada', secret=SECRET + 'x' * 48, algorithm='HS384')}",
    "expired": f"Bearer {token('ada', exp=NOW - 31)}",
    "long expired": f"Bearer {token('ada', exp=1)}",
    "no exp": f"Bearer {token('ada', exp=None)}",
    "exp as text": f"Bearer {token('ada', exp=str(NOW + 600))}",
    "exp in milliseconds": f"Bearer {token('ada', exp=(NOW + 600) * 1000)}",
    "not yet": f"Bearer {token('ada', nbf=NOW + 600)}",
    "no sub": f"Bearer {token(None)}",
    "an empty sub": f"Bearer {token('')}",
    "a blank sub": f"Bearer {token('  ')}",
    "a sub with a line break": f"Bearer {token(chr(10) + 'ada')}",
    "a sub with a NUL": f"Bearer {token('ada' + chr(0))}",
    "too long a sub": f"Bearer {token('a' * 256)}",
    "another type": f"Bearer {_with_header(typ='logout+jwt')}",
    "critical extensions": f"Bearer {_with_header(crit=['b64'])}",
    "very long": f"Bearer {token('ada', filler='x' * 9000)}",
}


@pytest.fixture(scope="module")
def board(database_server: str) -> Iterator[Served]:
    """Notices that anyone may read."""
    with fresh_database(database_server) as database, serving(NOTICES, database) as served:
        yield served


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_a_bad_credential(board: Served, header: str) -> None:
    """401 with `WWW-Authenticate`, on every route, and no connection to the database is used for it."""
    board.anonymous.get("/notices")
    with board.statements() as sent:
        for method, path in (("GET", "/notices"), ("POST", "/notices"), ("DELETE", "/notices/x")):
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
    for header in (f"bearer {GOOD}", f"BEARER   {GOOD}", f"Bearer {token('ada', exp=int(time.time()) - 5)}"):
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
