"""What an app gives to those it lets in: a token, or cookies, and what it calls them."""

from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

import jwt

from specwright.verify.lab import parse
from specwright.verify.result import Probe

_TOKENS = ("access_token", "accessToken", "token", "id_token", "jwt", "auth_token", "session_token")
_KNOWN_AS = ("id", "uuid", "user_id", "userId", "username", "email", "slug", "sub", "name", "login")


def token_in(answer: Any, path: str) -> str:
    """The token in an answer: at the path of people.toml, or under one of the usual names."""
    if path:
        for step in path.split("."):
            answer = answer.get(step) if isinstance(answer, Mapping) else None
        return str(answer or "")
    if not isinstance(answer, Mapping):
        return answer if isinstance(answer, str) and answer.count(".") == 2 else ""
    for name in _TOKENS:
        if isinstance(answer.get(name), str):
            return str(answer[name])
    return next(
        (found for each in answer.values() if (found := token_in(each, "")) and isinstance(each, Mapping)), ""
    )


def cookies_in(probe: Probe) -> dict[str, str]:
    """The cookies that an answer sets, by name; those that it empties are none."""
    found: dict[str, str] = {}
    for name, value in probe.answer_headers:
        if name.lower() == "set-cookie":
            try:
                found |= {key: morsel.value for key, morsel in SimpleCookie(value).items() if morsel.value}
            except CookieError:
                continue
    return found


def identities(probe: Any) -> frozenset[str]:
    """What an answer calls the person it is about."""
    return frozenset(_names(parse(probe))) if isinstance(probe, Probe) else frozenset()


def _names(answer: Any) -> Iterator[str]:
    if isinstance(answer, Mapping):
        for name, value in answer.items():
            if name in _KNOWN_AS and isinstance(value, str | int) and not isinstance(value, bool):
                yield str(value)
            elif isinstance(value, Mapping):
                yield from _names(value)


def subject(token: str) -> str:
    """Whom a token is about (RFC 7519 §4.1.2); nothing where it is no JWT."""
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
    except jwt.PyJWTError:
        return ""
