"""Who speaks to the app while it is verified."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and how their requests say who they are."""

    name: str
    roles: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    #: What the app knows them by: their id, username, email. A row that has one of these is theirs.
    known_as: frozenset[str] = frozenset()
    #: Whether the app is told that they may do what others may not.
    privileged: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether their requests carry no credential at all."""
        return not self.headers and not self.cookies

    def __str__(self) -> str:
        return f"{self.name} [{', '.join(self.roles)}]" if self.roles else self.name


ANONYMOUS = Person("nobody")


@dataclass(frozen=True, slots=True)
class People:
    """Two ordinary people at least, who are equals; and whoever else there is."""

    #: Makes the rows.
    owner: Person
    #: May do what the owner may, with rows of their own.
    stranger: Person
    others: tuple[Person, ...] = ()
    #: The owner in another tenant than their rows are in, where it is known how to get there.
    elsewhere: Person | None = None
    #: Why nobody is signed in, where nobody is: then owner and stranger are nobody.
    missing: str = ""

    @property
    def signed_in(self) -> tuple[Person, ...]:
        """Everybody with a credential."""
        return () if self.missing else (self.owner, self.stranger, *self.others)

    @property
    def everybody(self) -> tuple[Person, ...]:
        """Everybody, and nobody."""
        return (*self.signed_in, ANONYMOUS)

    @property
    def ordinary(self) -> tuple[Person, ...]:
        """Those who are not privileged."""
        return tuple(person for person in self.signed_in if not person.privileged)
