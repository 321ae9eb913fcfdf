"""The request by which somebody was let in, found among those that were sent, and sent again with changes."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.credentials import Credential, find_credential
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.result import Probe

_PASSWORD = re.compile(r"passw|pwd|passphrase", re.I)
#: Members of OAuth2's password flow (RFC 6749 §4.3) that name nobody.
_OTHERS = ("grant_type", "scope", "client_id", "client_secret")


@dataclass(frozen=True, slots=True)
class Login:
    """A request with a name and a password, and whom it lets in."""

    probe: Probe
    credential: Credential

    @property
    def label(self) -> str:
        """`POST /login`."""
        return f"{self.probe.method} {self.probe.path}"

    def right(self) -> Probe:
        """The request that lets in. After a wrong one it makes the app forget that."""
        return _bare(self.probe)

    def wrong(self, password: str) -> Probe:
        """The same with another password."""
        return self._with(lambda name, value: password if _PASSWORD.search(name) else value)

    def unknown(self, password: str, prefix: str = "q") -> Probe:
        """The same of somebody who does not exist, with another password."""
        return self._with(
            lambda name, value: (
                password if _PASSWORD.search(name) else f"{prefix}{value}" if _names(name) else value
            )
        )

    def named(self, text: str) -> Probe:
        """The same of somebody who is called so."""
        return self._with(lambda name, value: text if _names(name) else value)

    def names(self) -> Iterator[str]:
        """What it says of who signs in."""
        return (value for name, value in _texts(_read(self.probe)) if _names(name))

    async def again(self, lab: Lab) -> Person:
        """Sign in once more.

        Raises:
            NotRun: it is refused, or gives the same credential.
        """
        probe = await lab.sent(self.right())
        old = self.credential.text
        places = [place for place, value in _given(self.probe) if value == old]
        fresh = next((value for place, value in _given(probe) if place in places), None)
        if fresh is None:
            raise NotRun("nobody is let in a second time", probe)
        if fresh == old:
            raise NotRun("a second sign-in gives the same credential", probe)
        return self.credential.forged(fresh, "a second sign-in")

    def _with(self, change: Callable[[str, str], str]) -> Probe:
        said = _read(self.probe)
        body: bytes
        if _is_form(self.probe):
            body = urlencode([(name, change(name, value)) for name, value in said.items()]).encode()
        else:
            body = json.dumps(_changed(said, change)).encode()
        return replace(_bare(self.probe), body=body)


def find_login(lab: Lab) -> Login:
    """How the owner, or somebody else, was let in by their password.

    Raises:
        NotRun: nobody was.
    """
    for person in lab.people.signed_in:
        credential = find_credential(person)
        if credential is None:
            continue
        for probe in reversed(lab.probes):
            if (
                probe.person is ANONYMOUS
                and probe.method == "POST"
                and any(_PASSWORD.search(name) for name, _ in _texts(_read(probe)))
                and any(value == credential.text for _, value in _given(probe))
            ):
                return Login(probe, credential)
    raise NotRun("nobody was let in by a request with a password")


def _names(name: str) -> bool:
    """Whether a member of a login says who signs in."""
    return not _PASSWORD.search(name) and name not in _OTHERS


def _bare(probe: Probe) -> Probe:
    """The request alone."""
    return Probe(probe.person, probe.method, probe.path, probe.headers, probe.body, operation=probe.operation)


def _is_form(probe: Probe) -> bool:
    kinds = [value for name, value in probe.headers if name.lower() == "content-type"]
    return any("urlencoded" in kind for kind in kinds)


def _read(probe: Probe) -> dict[str, Any]:
    """The members of a body."""
    if _is_form(probe):
        return dict(parse_qsl((probe.body or b"").decode("latin-1"), keep_blank_values=True))
    try:
        found = json.loads(probe.body or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in said.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield name, value


def _changed(said: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    return {
        name: _changed(value, change)
        if isinstance(value, Mapping)
        else change(name, value)
        if isinstance(value, str)
        else value
        for name, value in said.items()
    }


def _given(probe: Probe) -> Iterator[tuple[str, str]]:
    """Texts that an answer gives, by where: a cookie or a member of the body."""
    for name, value in probe.answer_headers:
        if name.lower() == "set-cookie":
            try:
                cookies = SimpleCookie(value)
            except CookieError:
                continue
            yield from ((f"cookie {key}", morsel.value) for key, morsel in cookies.items())
    try:
        answer = json.loads(probe.answer)
    except ValueError:
        return
    if isinstance(answer, str):
        yield "", answer
    elif isinstance(answer, Mapping):
        yield from _texts(answer)
