"""What a check says: one result for each thing it looked at, with the requests that show it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from specwright.model.errors import Origin
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.surface.surface import Operation

#: Characters of a path on a line with others.
_WIDE = 120


class Standing(StrEnum):
    """The classes of evidence; there is no silent pass."""

    PROVED = "PROVED"
    BROKEN = "BROKEN"
    NOT_RUN = "NOT RUN"
    #: Nobody has declared what is meant.
    ASK = "ASK"
    #: Read in the code, not seen to happen.
    SUSPECTED = "SUSPECTED"


@dataclass(frozen=True, slots=True)
class Probe:
    """A request to the app and its answer; no status when none came.

    The credential is not among the headers, so that a report holds no secret.
    """

    person: Person
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    status: int | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: bytes = b""
    #: Why there is no answer: "no answer within 10 seconds".
    trouble: str = ""
    seconds: float = 0.0
    #: Whether it was one of many at the same time, so that the seconds are not its own.
    crowded: bool = False
    #: By which what went on inside the app meanwhile is known; "" of what was never sent.
    mark: str = ""
    #: The statements that the app sent to its database meanwhile; None where they cannot be seen.
    statements: tuple[str, ...] | None = None
    #: The template that the path was made from.
    operation: Operation | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the answer is a 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the answer says that this person may not, or that there is nothing."""
        return self.status in (401, 403, 404)

    @property
    def text(self) -> str:
        """The answer's body for reading."""
        return self.answer.decode("utf-8", "replace")

    def __str__(self) -> str:
        who = "nobody" if self.person is ANONYMOUS else str(self.person)
        path = self.path if len(self.path) <= _WIDE else f"{self.path[: _WIDE - 1]}…"
        return f"as {who}: {self.method} {path} → {self.status or self.trouble}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one check says of one subject, `GET /orders/{id}` most often."""

    check: str
    standing: Standing
    #: One sentence of what was seen, without the request: "bob can delete ada's order".
    says: str
    #: What it is about: an operation's label, a table, a file.
    subject: str
    probes: tuple[Probe, ...] = ()
    #: The code at fault, where it is known.
    source: Origin | None = None
    #: More for readers, in a row: a plan, a log line, a list of statements.
    details: tuple[str, ...] = ()
    #: What to do about it, where that is more particular than the check's remedy.
    remedy: str = ""
    #: Results with the same one have one cause, and are reported together; else the subject.
    cause: str = ""
    #: What else tells this result from others of the check on the subject: a person, a member.
    case: str = ""

    @property
    def id(self) -> str:
        """`AZ02-7f3a`: the same for the same fault in every run."""
        digest = hashlib.sha256(f"{self.subject}\n{self.case}".encode()).hexdigest()
        return f"{self.check}-{digest[:4]}"

    def because(self, *details: str) -> Self:
        """The same, with more for readers."""
        return replace(self, details=(*self.details, *details))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which operations have been really used, by whom: those that were answered with a 2xx."""

    #: By operation label, the names of the people.
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: By operation label, why nobody could use it.
    unused: Mapping[str, str] = field(default_factory=dict)
