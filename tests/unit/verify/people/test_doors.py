"""Where people get in is found in what an app serves."""

from typing import Any

import pytest

from specwright.verify.people.doors import find_doors
from specwright.verify.surface.surface import Operation

_PASSWORD: dict[str, Any] = {"properties": {"email": {"type": "string"}, "password": {"type": "string"}}}


def _post(path: str, body: Any = _PASSWORD, *, secured: bool | None = None) -> Operation:
    return Operation("POST", path, media="application/json", body=body, secured=secured)


def test_the_password_flow_is_used() -> None:
    """OAuth2's token URL is relative to where the app is, prefix or not (OpenAPI 3.1 §4.8.29)."""
    schemes = {"it": {"type": "oauth2", "flows": {"password": {"tokenUrl": "login/access-token"}}}}
    login = _post("/api/v1/login/access-token")
    doors = find_doors((_post("/api/v1/users", secured=True), _post("/api/v1/signup"), login), schemes)
    assert doors.login is login
    assert doors.register is not None and doors.register.path == "/api/v1/signup"


@pytest.mark.parametrize("path", ["/login", "/auth/sign-in", "/api/token", "/session", "/users/login"])
def test_a_login_is_known_by_its_path(path: str) -> None:
    """It takes a password, and says what it is."""
    doors = find_doors((_post(path),), {})
    assert doors.login is not None and doors.register is None


def test_a_body_in_an_envelope_has_a_password_too() -> None:
    """As in RealWorld."""
    wrapped = {"properties": {"user": _PASSWORD}}
    doors = find_doors((_post("/api/users/login", wrapped), _post("/api/users", wrapped)), {})
    assert doors.login is not None and doors.register is not None
    assert doors.register.path == "/api/users"


@pytest.mark.parametrize(
    "path", ["/password/reset", "/login/refresh", "/change-password", "/users/{id}/password", "/verify"]
)
def test_what_else_takes_a_password_is_no_door(path: str) -> None:
    """Nobody is locked out by being verified."""
    doors = find_doors((_post(path),), {})
    assert doors.login is None and doors.register is None


def test_accounts_that_only_some_may_make_are_no_registration() -> None:
    """What needs a credential lets nobody in who has none."""
    assert find_doors((_post("/users", secured=True),), {}).register is None


def test_who_one_is() -> None:
    """`/me` and its like; not a path with a key."""
    operations = (Operation("GET", "/users/{id}"), Operation("GET", "/api/users/me"))
    doors = find_doors(operations, {"it": {"type": "http", "scheme": "Basic"}})
    assert doors.me is operations[1]
    assert doors.basic
