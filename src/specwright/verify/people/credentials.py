"""Where in somebody's requests it is said who they are, and the same requests with something else there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from specwright.verify.people.people import Person
from specwright.verify.people.tokens import Token

#: How headers and cookies are called that say who somebody is.
_TELLING = re.compile(r"auth|token|session|key|secret|sid$|jwt|user", re.I)
_SCHEME = re.compile(r"(?i)(?:bearer|token|basic|apikey|jwt) +")


@dataclass(frozen=True, slots=True)
class Credential:
    """The text by which an app knows a person."""

    person: Person
    #: Of a cookie, or else of a header.
    cookie: bool
    name: str
    #: "Bearer ", where the header begins so.
    scheme: str
    text: str

    @property
    def token(self) -> Token | None:
        """The token that it is, where it is one."""
        return Token.read(self.text)

    @property
    def basic(self) -> bool:
        """Whether it is a name and a password (RFC 7617)."""
        return self.scheme.lower().startswith("basic")

    def forged(self, text: str, says: str) -> Person:
        """The person with another text in its place; `says` tells them apart in reports."""
        value = {self.name: self.scheme + text}
        name = f"{self.person.name} by {says}"
        if self.cookie:
            return replace(self.person, name=name, cookies={**self.person.cookies, **value})
        return replace(self.person, name=name, headers={**self.person.headers, **value})


def find_credential(person: Person) -> Credential | None:
    """What a person is known by: a token before anything else, then what is called like a credential."""
    found = [
        *_of(person, person.headers, cookie=False),
        *_of(person, person.cookies, cookie=True),
    ]
    ranked = sorted(
        found,
        key=lambda each: (
            each.token is None,
            each.name.lower() != "authorization",
            not _TELLING.search(each.name),
        ),
    )
    return next(iter(ranked), None)


def _of(person: Person, values: Mapping[str, str], *, cookie: bool) -> list[Credential]:
    found = []
    for name, value in values.items():
        scheme = "" if cookie or (match := _SCHEME.match(value)) is None else match.group()
        found.append(Credential(person, cookie, name, scheme, value.removeprefix(scheme)))
    return found
