"""What a run knows that no reader of its report may: passwords, tokens, cookies and keys, by name."""

import json
import re
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from specwright.model.names import snake
from specwright.verify.lab import Lab
from specwright.verify.people.credentials import find_credential
from specwright.verify.people.declared import Instructions
from specwright.verify.people.people import Person
from specwright.verify.result import Probe

#: Words in the name of a member, a header or a setting that holds one, and those that such a name ends in.
_ANYWHERE = frozenset({"password", "passwd", "pwd", "pw", "passphrase", "passcode"})
_LAST = frozenset(
    {"secret", "secrets", "token", "hash", "digest", "jwt", "sid", "otp", "apikey", "credential", "pass"}
)
_KEYS = frozenset({"api", "private", "secret", "signing", "access", "jwt"})
#: `next_page_token` and the like lead to rows.
_PAGING = frozenset({"page", "next", "previous", "prev", "continuation", "cursor", "sync"})
#: What is shorter may stand in an answer for another reason.
_SHORTEST = 8
_HINT = re.compile(rb"(?i)pass|pwd|pw|secret|token|hash|digest|jwt|sid|otp|key|credential")


def confidential_name(name: str) -> str | None:
    """What is called so is a "password", a "token", a "hash" …; None where it is nothing to be kept."""
    words = snake(name.strip("[]")).replace("-", "_").replace(".", "_").strip("_").split("_")
    last = words[-1].rstrip("0123456789")
    if last in ("hash", "digest") or words[0] == "hashed":
        return "hash"
    if _ANYWHERE & {word.rstrip("0123456789") for word in words}:
        return "password"
    if last in _LAST:
        return None if _PAGING & set(words[:-1]) else last
    return "key" if last == "key" and (_KEYS & set(words[:-1])) else None


def declared_secrets(said: Instructions) -> dict[str, str]:
    """By secret of people.toml, what it is."""
    found = {each.password: f"password of {name}" for name, each in said.people.items()}
    found |= {each.token: f"token of {name}" for name, each in said.people.items()}
    if said.secret is not None:
        found[said.secret.key] = "signing key"
    found |= settings_secrets(said.app.environment)
    found.pop("", None)
    return found


def settings_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """By secret among the settings that an app is started with, the setting's name."""
    return {
        value: name
        for name, value in environment.items()
        if "{" not in value
        and (confidential_name(name.lower()) or {"secret", "key"} & {*name.lower().split("_")})
    }


class Confidential:
    """The secrets of a run, as far as it has come."""

    def __init__(self) -> None:
        self._seen = 0
        self._people: dict[int, Person] = {}
        self._found: dict[str, str] = {}
        self._public: set[str] = set()

    def of(self, lab: Lab) -> dict[str, str]:
        """By secret, what it is: "password of ada", "token of bob", "cookie sid", "signing key"."""
        for person in lab.people.signed_in:
            self._credentials(person)
        for probe in lab.probes[self._seen :]:
            self._look(probe)
        self._seen = len(lab.probes)
        names = {name for each in lab.people.signed_in for name in (each.name, *each.known_as)}
        # What was sent openly as well is told nobody by us.
        learned = {text: what for text, what in self._found.items() if text not in self._public}
        return {text: what for text, what in (learned | lab.secrets).items() if text not in names}

    def _credentials(self, person: Person) -> None:
        if person.anonymous or self._people.get(id(person)) is person:
            return
        self._people[id(person)] = person
        known = find_credential(person)
        if known is not None and len(known.text) >= _SHORTEST:
            self._found.setdefault(known.text, f"{'cookie' if known.cookie else 'token'} of {person.name}")
        for name, value in (*person.headers.items(), *person.cookies.items()):
            text = value.rpartition(" ")[2]
            if len(text) >= _SHORTEST and (confidential_name(name) or name in person.cookies):
                self._found.setdefault(text, f"{name} of {person.name}")

    def _look(self, probe: Probe) -> None:
        self._credentials(probe.person)
        for name, value in _sent(probe.body):
            if confidential_name(name) is None:
                self._public.add(value)
            elif probe.succeeded and len(value) >= _SHORTEST:
                self._found.setdefault(value, confidential_name(name) or "")
        for name, value in probe.answer_headers:
            if name.lower() == "set-cookie":
                for cookie, text in _cookies(value):
                    if len(text) >= _SHORTEST:
                        self._found.setdefault(text, f"cookie {cookie}")
        if probe.succeeded and _HINT.search(probe.answer):
            for name, value in _members(probe.answer):
                if len(value) >= _SHORTEST and (what := confidential_name(name)):
                    self._found.setdefault(value, what)


def _cookies(header: str) -> Iterator[tuple[str, str]]:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return
    yield from ((name, morsel.value) for name, morsel in cookies.items())


def _sent(body: bytes | None) -> Iterator[tuple[str, str]]:
    """The texts of a body, by the names they were sent under."""
    if not body:
        return
    if body.lstrip()[:1] in (b"{", b"["):
        yield from _members(body)
    else:
        yield from parse_qsl(body.decode("utf-8", "replace"))


def _members(text: bytes) -> Iterator[tuple[str, str]]:
    try:
        waiting: list[tuple[str, Any]] = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, str):
            yield name, value
