"""Places in a request for a value: parameters of the query, members of the body, items of a list."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from specwright.verify.lab import Lab
from specwright.verify.result import Probe
from specwright.verify.rows.steps import Steps
from specwright.verify.surface.schemas import element, members
from specwright.verify.surface.surface import Operation, Schema

_DEEP = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """One place for a value."""

    schema: Schema
    #: From the outermost member on, or the name of the parameter.
    steps: Steps
    in_query: bool = False

    @property
    def name(self) -> str:
        """`notify.callback`; items of a list have the name of the list."""
        return ".".join(str(step) for step in self.steps if step != 0)


#: Sends a request that is right but for the value in one place.
Send = Callable[[Spot, Any], Awaitable[Probe]]


def spots(operation: Operation) -> Iterator[Spot]:
    """Every place of a request, but for those that hold others."""
    for parameter in operation.of("query"):
        yield Spot(parameter.schema, (parameter.name,), in_query=True)
    yield from _within(operation.body, ())


def _within(schema: Schema | None, above: Steps) -> Iterator[Spot]:
    for name, each in members(schema).items():
        item = element(each)
        steps = (*above, name) if item is None else (*above, name, 0)
        inner = each if item is None else item
        if not members(inner):
            yield Spot(inner, steps)
        elif len(steps) < _DEEP:
            yield from _within(inner, steps)


async def sending(lab: Lab, operation: Operation) -> Send:
    """How to send requests to an operation, as somebody who may.

    Raises:
        NotRun: a row that they need cannot be made.
    """
    used = lab.coverage().get(operation.label, ())
    person = next((each for each in lab.people.signed_in if each.name in used), lab.people.owner)
    place: Mapping[str, str] = {}
    for collection in lab.surface.collections:
        if "{" in operation.path and any(each.label == operation.label for each in collection.operations):
            row = await lab.any_row(collection, person)
            person, place = row.person, row.place
    query, headers = lab.maker.asked(operation, person)
    body = await lab.maker.body(lab, operation, person, place) if operation.body is not None else ...

    async def send(spot: Spot, value: Any) -> Probe:
        asked = query
        if spot.in_query:
            asked = [*((name, each) for name, each in query if name != spot.name), (spot.name, value)]
        changed = body if spot.in_query else _with(body, spot.steps, value)
        return await lab.send(person, operation, place, query=asked, headers=headers, json=changed)

    return send


def _with(body: Any, steps: Steps, value: Any) -> Any:
    """The body with a value in one place; what it lacks on the way there is made."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        items = deepcopy(body) if isinstance(body, list) and body else [None]
        return [_with(items[0], tuple(rest), value), *items[1:]]
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    return {**given, step: _with(given.get(step), tuple(rest), value)}
