"""What a proof leaves behind: the requests sent, the answers got, and what they say of a requirement."""

from collections.abc import Iterable
from dataclasses import dataclass

from specwright.model.errors import Origin
from specwright.model.requirement import Requirement
from specwright.verify.result import Standing


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it was sent, without its credential, and its answer; no status when none came."""

    origin: Origin
    method: str
    path: str
    person: str | None
    roles: tuple[str, ...]
    #: What the token says besides, as JSON.
    claims: str | None
    headers: tuple[tuple[str, str], ...]
    body: str | None
    status: int | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer is not as the spec says; `expected` and `got` are JSON, or words."""

    at: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a requirement is broken: the example at `origin`, and how its answer differs."""

    origin: Origin
    differences: tuple[Difference, ...] = ()
    #: Said when there is nothing to compare, or beside the comparison.
    reason: str = ""
    #: None when the request could not be made.
    exchange: Exchange | None = None
    #: Examples of the requirement after this one: they build on it.
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a requirement stands, and the exchanges that show it."""

    requirement: Requirement
    standing: Standing
    exchanges: tuple[Exchange, ...] = ()
    #: Of BROKEN.
    failure: Failure | None = None
    #: Of NOT RUN.
    why: str = ""


def tally(evidence: Iterable[Evidence]) -> dict[Standing, int]:
    """How many requirements stand where."""
    counts = dict.fromkeys(Standing, 0)
    for each in evidence:
        counts[each.standing] += 1
    return counts
