"""Where people come into an app: what it serves for whoever has no credential yet, and what that asks for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Operation

_LOGIN = re.compile(r"log-?in|sign-?in|/tokens?(/|$)|/sessions?(/|$)|authenticate", re.I)
_REGISTER = re.compile(r"sign-?up|register|registration", re.I)
_NEITHER = re.compile(r"reset|forgot|recover|verify|confirm|refresh|change|log-?out|revoke", re.I)
_ME = re.compile(r"/(me|whoami|self|current[-_]user|user|profile|account|userinfo)$", re.I)
#: Members that hold a password.
PASSWORD = re.compile(r"passw|pwd", re.I)


@dataclass
class Doors:
    """Where people come in, as far as it is known."""

    login: Operation | None = None
    register: Operation | None = None
    #: Who somebody is, by their own credential.
    me: Operation | None = None
    basic: bool = False
    #: Labels of requests by which people.toml lets people in.
    told: set[str] = field(default_factory=set)

    @property
    def used(self) -> frozenset[str]:
        """The operations that are there for whoever has no credential yet."""
        found = (each.label for each in (self.login, self.register) if each is not None)
        return frozenset((*found, *self.told))


def find_doors(operations: tuple[Operation, ...], schemes: Mapping[str, Mapping[str, Any]]) -> Doors:
    """The ways in that an app offers: OAuth2's password flow, or requests that take a password."""
    doors = Doors()
    for scheme in schemes.values():
        flow = (scheme.get("flows") or {}).get("password")
        if flow:
            path = urlsplit(urljoin("/", str(flow.get("tokenUrl", "")))).path
            posts = [each for each in operations if each.method == "POST"]
            doors.login = next((each for each in posts if each.path.rstrip("/") == path.rstrip("/")), None)
            doors.login = doors.login or next((each for each in posts if each.path.endswith(path)), None)
        doors.basic = doors.basic or str(scheme.get("scheme", "")).lower() == "basic"
    with_password = [
        each
        for each in operations
        if each.method == "POST"
        and not each.secured
        and "{" not in each.path
        and not _NEITHER.search(each.path)
        and any(PASSWORD.search(name) for name in flat(each))
    ]
    logins = [each for each in with_password if _LOGIN.search(each.path) and not _REGISTER.search(each.path)]
    doors.login = doors.login or next(iter(logins), None)
    others = [each for each in with_password if each not in logins and each is not doors.login]
    named = [each for each in others if _REGISTER.search(f"{each.path} {each.name}")]
    doors.register = next(iter(named or others), None)
    doors.me = next(
        (
            each
            for each in operations
            if each.method == "GET" and _ME.search(each.path) and "{" not in each.path
        ),
        None,
    )
    return doors


def flat(operation: Operation) -> Iterator[str]:
    """The members of a body, and of what it is wrapped in."""
    for name, schema in members(operation.body).items():
        yield name
        yield from members(schema)


def only(operation: Operation) -> str:
    """The one member of a body, where that is an object: RealWorld's `user`."""
    shown = members(operation.body)
    return next(iter(shown)) if len(shown) == 1 and members(next(iter(shown.values()))) else ""


def filled(member: str, values: Mapping[str, Any]) -> Any:
    """What a member of a login or registration is filled with; None where that is not of the person."""
    name = member.lower()
    if PASSWORD.search(name):
        return values["password"]
    if "mail" in name:
        return values["email"]
    if name in ("username", "user_name", "login", "user", "nickname", "handle", "identifier"):
        return values["username"]
    return None
