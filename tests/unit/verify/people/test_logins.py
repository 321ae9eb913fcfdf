"""The request by which somebody was let in, found again and changed."""

import json
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest

from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.logins import find_login
from specwright.verify.people.people import ANONYMOUS, People, Person
from specwright.verify.result import Probe

_FORM = (("content-type", "application/x-www-form-urlencoded"),)
_JSON = (("content-type", "application/json"),)


def _lab(person: Person, *probes: Probe) -> Lab:
    """A lab that is no more than its people and its probes."""
    return cast(Lab, SimpleNamespace(people=People(person, Person("bob")), probes=[*probes]))


def _probe(headers: Any, body: Any, answer: Any, *cookies: str) -> Probe:
    sent = body if isinstance(body, str) else json.dumps(body)
    given = tuple(("set-cookie", cookie) for cookie in cookies)
    return Probe(ANONYMOUS, "POST", "/login", headers, sent.encode(), 200, given, json.dumps(answer).encode())


def test_a_form_that_gave_a_token_is_a_login() -> None:
    """Password and name change on their own; the rest stays."""
    ada = Person("ada", headers={"authorization": "Bearer t0ken"}, known_as=frozenset({"ada"}))
    body = "grant_type=password&username=ada&password=right"
    login = find_login(_lab(ada, _probe(_FORM, body, {"access_token": "t0ken"})))
    wrong = parse_qs((login.wrong("no").body or b"").decode())
    assert wrong == {"grant_type": ["password"], "username": ["ada"], "password": ["no"]}
    unknown = parse_qs((login.unknown("no").body or b"").decode())
    assert unknown == {"grant_type": ["password"], "username": ["qada"], "password": ["no"]}


def test_a_nested_body_that_set_a_cookie_is_a_login() -> None:
    """The members may be wrapped, and the credential in a cookie."""
    ada = Person("ada", cookies={"sid": "s1"}, known_as=frozenset({"ada@example.com"}))
    body = {"user": {"email": "ada@example.com", "password": "right"}}
    login = find_login(_lab(ada, _probe(_JSON, body, None, "sid=s1; HttpOnly; Path=/")))
    assert json.loads(login.wrong("no").body or b"") == {
        "user": {"email": "ada@example.com", "password": "no"}
    }


def test_what_gave_no_credential_is_no_login() -> None:
    """A registration that lets nobody in, and a request without a password."""
    ada = Person("ada", headers={"authorization": "Bearer t0ken"})
    register = _probe(_JSON, {"email": "ada@example.com", "password": "right"}, {"id": 1})
    other = _probe(_JSON, {"email": "ada@example.com"}, {"access_token": "t0ken"})
    with pytest.raises(NotRun):
        find_login(_lab(ada, register, other))
