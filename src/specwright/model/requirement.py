"""A requirement: a keyed sentence of a spec, with the requests and answers that show it."""

from dataclasses import dataclass

from specwright.model.errors import NO_ORIGIN, Origin


@dataclass(frozen=True, slots=True)
class Request:
    """The first block of an example; `path` is relative to the contract's prefix."""

    method: str
    path: str
    person: str | None = None
    roles: tuple[str, ...] = ()
    #: What their token says besides, as a JSON object.
    claims: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    #: The body as it was written; None when there is none.
    body: str | None = None
    #: The name under which the answer is remembered, besides the resource's singular.
    name: str | None = None
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Response:
    """The second block of an example: what must be answered."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Example:
    """A request and the answer it must get."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class Requirement:
    """A keyed sentence of the spec (`FR-001`, `SC-001`, `US1/AC2`) and its examples."""

    id: str
    key: str
    feature: str
    text: str
    examples: tuple[Example, ...] = ()
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A `[NEEDS CLARIFICATION: …]` mark."""

    text: str
    origin: Origin = NO_ORIGIN
