"""Requests that succeed for somebody, to be sent again by others; and those that nobody else may send."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.identity import named
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Operation

#: Operations on which forged credentials are tried: an app checks credentials in a few places only.
_ENOUGH = 8
#: The least harmful first.
_METHODS = ("GET", "HEAD", "PATCH", "PUT", "POST", "DELETE")
#: Where people leave, by path, and where they remove themselves.
_OUT = re.compile(r"(log|sign)[-_]?(out|off)|revoke|sessions?/(current|me)$", re.I)
_SELF = re.compile(r"/(me|self|account|profile|current[-_]?user)$", re.I)
#: So many are tried in any case, if need be with requests that change something.
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an operation with everything that it needs, but for who sends it."""

    operation: Operation
    place: Mapping[str, str]
    query: Sequence[tuple[str, Any]]
    headers: Mapping[str, str]
    #: The body; `...` where there is none.
    json: Any = ...

    async def sent(self, lab: Lab, person: Person) -> Probe:
        """Send it."""
        return await lab.send(
            person, self.operation, self.place, query=self.query, headers=self.headers, json=self.json
        )


@dataclass(frozen=True, slots=True)
class Guarded:
    """A request that an app takes from one person and not from nobody."""

    request: Request
    person: Person
    accepted: Probe
    refused: Probe

    @property
    def operation(self) -> Operation:
        """What is guarded."""
        return self.request.operation


def signs_out(operation: Operation) -> bool:
    """Whether who is answered there is signed in no more."""
    return _OUT.search(operation.path) is not None


def leaves(operation: Operation) -> bool:
    """Whether who is answered there is signed in no more, or is no more."""
    removed = operation.method == "DELETE" and _SELF.search(operation.path) is not None
    return removed or signs_out(operation)


async def prepare(lab: Lab, operation: Operation, person: Person) -> Request:
    """A request that this person could send, on a row of theirs; a new one where it is to be removed.

    Where they may make none, the row is somebody's who may. A path that names a person names another one.

    Raises:
        NotRun: a row that it needs cannot be made, or the person would be gone.
    """
    if leaves(operation):
        raise NotRun("it ends what everything else is asked with")
    place: dict[str, str] = {}
    names = [parameter.name for parameter in operation.of("path")]
    if names:
        for collection in lab.surface.collections:
            if any(each.label == operation.label for each in collection.operations):
                make = lab.fresh_row if operation.method == "DELETE" else lab.any_row
                place = dict((await make(collection, person)).place)
        other = lab.people.stranger if person is lab.people.owner else lab.people.owner
        for parameter in operation.of("path"):
            if parameter.name not in place and (name := named(other, parameter)) is not None:
                place[parameter.name] = name
        if missing := [name for name in names if name not in place]:
            raise NotRun(f"nothing says what {{{missing[0]}}} is in {operation.label}")
    return await ask_for(lab, operation, person, place)


async def ask_for(lab: Lab, operation: Operation, person: Person, place: Mapping[str, str]) -> Request:
    """A request that this person could send, where it is known what fills its path.

    Raises:
        NotRun: a row that it needs cannot be made.
    """
    if (opposite := _opposite(lab, operation)) is not None:
        await lab.send(person, opposite, place)
    query, headers = lab.maker.asked(operation, person)
    body = await lab.maker.body(lab, operation, person, place) if operation.body is not None else ...
    return Request(operation, place, query, headers, body)


def _opposite(lab: Lab, operation: Operation) -> Operation | None:
    """What undoes it, where it is one of two that turn something on and off: `/articles/{slug}/favorite`."""
    methods = {"POST": ("DELETE",), "DELETE": ("POST", "PUT")}.get(operation.method, ())
    if operation.body is not None or "{" not in operation.path:
        return None
    return next(
        (
            each
            for each in lab.surface.operations
            if each.method in methods and each.path == operation.path and each.body is None
        ),
        None,
    )


async def guarded(lab: Lab) -> AsyncIterator[Guarded]:
    """Requests of the owner that are refused without a credential; reading ones, and others if need be.

    Raises:
        NotRun: there are none.
    """
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    found = 0
    for operation in sorted(lab.surface.operations, key=_risk):
        if found >= (_ENOUGH if operation.method == "GET" else _LEAST):
            continue
        try:
            request = await prepare(lab, operation, lab.people.owner)
        except NotRun:
            continue
        refused = await request.sent(lab, ANONYMOUS)
        if refused.succeeded or refused.status is None or refused.status >= 500:
            continue
        accepted = await request.sent(lab, lab.people.owner)
        if accepted.succeeded:
            found += 1
            yield Guarded(request, lab.people.owner, accepted, refused)
    if not found:
        raise NotRun("no request is answered to the owner and refused without a credential")


def _risk(operation: Operation) -> int:
    return _METHODS.index(operation.method) if operation.method in _METHODS else len(_METHODS)
