"""How people change rows: members, states, owners, links, many at once; how they remove and restore them."""

from contextlib import suppress
from typing import Any

from specwright.model.field import Field
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.linked import Linked
from specwright.model.types import Kind
from specwright.model.verdict import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED
from specwright.verify.lab import NotRun, parse
from specwright.verify.policy.answers import unstored, wrong_members
from specwright.verify.policy.scene import DONE, Scene, Try, body_for, deleted, owners_key, stored_row
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Operation


async def update(operation: Operation, scene: Scene) -> Try | None:
    return _changing(operation, scene, await body_for(operation, scene, scene.row.person))


async def set_field(field: Field, operation: Operation, scene: Scene) -> Try | None:
    value = _another(field, scene)
    return None if value is None else _changing(operation, scene, {field.wire: value})


async def refer(field: Field, operation: Operation, scene: Scene) -> Try | None:
    """A row of one's own to a row of the owner."""
    return _changing(operation, scene, {field.wire: await owners_key(scene, str(field.target))})


async def move(field: Field, state: str, operation: Operation, scene: Scene) -> Try | None:
    """From a state that it can come from, where somebody can bring it there."""
    moves = scene.resource.moves_of(field.name)
    for before in (move.before for move in moves if move.after == state):
        now = scene.stored[field.name]
        for step in (before,) if before in scene.resource.states_after(field.name, now) else ():
            for person in (scene.row.person, *scene.lab.people.signed_in):
                if scene.stored[field.name] != step:
                    await scene.lab.send(person, operation, scene.row.place, json={field.wire: step})
    return _changing(operation, scene, {field.wire: state})


async def hand_over(field: Field, taker: int, operation: Operation, scene: Scene) -> Try | None:
    return _changing(operation, scene, {field.wire: scene.lab.people.signed_in[taker].name})


def _changing(operation: Operation, scene: Scene, body: dict[str, Any]) -> Try:
    values, key, resource, before = scene.values(body), scene.key, scene.resource, scene.stored
    due = scene.judge.update(resource, scene.caller, key, values)

    def wrong(probe: Probe, world: World) -> str:
        row = stored_row(world, resource, key)
        if row is None:
            return "the row is gone"
        later = Judge(world)
        if later.before(resource, "read", scene.caller, row) is None:
            shown = f"{scene.person} is shown what they may not read any more"
            return shown if probe.answer else unstored(row, values, before)
        if "affected" in (shown := parse(probe)):
            return unstored(row, values, before)
        return wrong_members(later, scene, resource, row, shown) or unstored(row, values, before)

    return Try(operation, due, scene.row.place, json=body, wrong=wrong)


async def link(field: Field, linked: bool, operation: Operation, scene: Scene) -> Try | None:
    resource, key = scene.resource, scene.key
    other = scene.granted.key(
        scene.manifest.resource(str(field.linked)), await owners_key(scene, str(field.linked))
    )
    judge = scene.judge
    due = judge.link(resource, scene.caller, key, field.name, other, linked=linked)
    last = [parameter.name for parameter in operation.of("path")][-1]

    def wrong(probe: Probe, world: World) -> str:
        there = other in Linked(world, lambda *_: True).of(resource, key, field.name)
        return "" if there == linked else f"{probe.status}, and the link is {'' if there else 'not '}there"

    return Try(operation, due, {**scene.row.place, last: str(other)}, wrong=wrong)


async def act(name: str, on_all: bool, operation: Operation, scene: Scene) -> Try | None:
    """What becomes of it is the business of the code that does it."""
    judge, resource, caller = scene.judge, scene.resource, scene.caller
    body = await scene.lab.maker.body(scene.lab, operation, scene.row.person, scene.row.place)
    if not judge.may_ever(resource, name, caller):
        due = UNAUTHENTICATED if caller.anonymous else FORBIDDEN
        if not on_all and not caller.anonymous and not judge.read(resource, caller, scene.key).allowed:
            due = NOT_FOUND
    elif on_all:
        return None
    elif not judge.read(resource, caller, scene.key).allowed:
        due = NOT_FOUND
    else:
        due = FORBIDDEN if judge.before(resource, name, caller, scene.stored) is None else DONE
    return Try(operation, due, scene.row.place, json=body if body else ..., depends=True)


async def update_many(operation: Operation, scene: Scene) -> Try | None:
    # What one row takes: the collection knows what its members refer to.
    body = await body_for(scene.collection.change or operation, scene, scene.row.person)
    return _many(operation, scene, _changing(operation, scene, body), "update", body)


async def delete_many(operation: Operation, scene: Scene) -> Try | None:
    return _many(operation, scene, await delete(operation, scene), "delete", ...)


def _many(operation: Operation, scene: Scene, single: Try | None, action: str, body: Any) -> Try | None:
    """Of the one row: who cannot see it, changes nothing; who may not change it, is refused."""
    assert single is not None
    query = [(f"{scene.resource.key_field.wire}", scene.row.key), ("max_affected", "5")]
    due = single.due
    if due.status == 404:
        due = DONE
        if (closed := scene.judge.closed(scene.resource, action, scene.caller)) is not None:
            due = closed
    affected = 1 if single.due.allowed else 0

    def wrong(probe: Probe, world: World) -> str:
        found = parse(probe).get("affected")
        if found != affected:
            return f"{affected} rows are there to {action}, and {found} are affected"
        return str(single.wrong(probe, world)) if affected else ""

    if action == "update" and not affected and due.allowed and scene.caller.anonymous:
        return None
    return Try(operation, due, scene.row.place, json=body, query=query, wrong=wrong)


async def delete(operation: Operation, scene: Scene) -> Try | None:
    key, resource = scene.key, scene.resource

    def wrong(probe: Probe, world: World) -> str:
        row = stored_row(world, resource, key)
        gone = row is None or (resource.deleted is not None and row[resource.deleted.name] is not None)
        if not gone:
            return f"{probe.status}, and the row is there"
        return "" if row is not None else _led_nowhere(scene, world)

    due = scene.judge.delete(resource, scene.caller, key)
    return Try(operation, due, scene.row.place, wrong=wrong)


async def delete_above(operation: Operation, scene: Scene) -> Try | None:
    """A row that others refer to: one of each kind that the owner can make."""
    for below in scene.lab.surface.collections:
        for reference in below.references:
            if reference.collection == scene.collection.name and not reference.many:
                with suppress(NotRun):
                    members = {reference.member: scene.row.key}
                    await scene.lab.new_row(below, scene.lab.people.owner, **members)
    return await delete(operation, scene)


async def restore(operation: Operation, scene: Scene) -> Try | None:
    await deleted(scene)
    key, resource = scene.key, scene.resource
    due = scene.judge.restore(resource, scene.caller, key)

    def wrong(probe: Probe, world: World) -> str:
        row = stored_row(world, resource, key)
        assert resource.deleted is not None
        there = row is not None and row[resource.deleted.name] is None
        return "" if there else f"{probe.status}, and the row is still deleted"

    return Try(operation, due, scene.row.place, wrong=wrong)


def _led_nowhere(scene: Scene, world: World) -> str:
    """What still leads to a row that is gone."""
    for other in scene.manifest.stored:
        for field in other.fields:
            if field.target == scene.resource.name and field.stored:
                left = [row for row in world.rows.get(other.name, ()) if row[field.name] == scene.key]
                if left:
                    return (
                        f"the row is gone, and {field.wire} of {len(left)} rows of {other.path} leads there"
                    )
    return ""


def _another(field: Field, scene: Scene) -> Any:
    """Another value for a field than the row has; None where none is at hand."""
    now = scene.stored[field.name]
    match field.type.kind:
        case Kind.ENUM:
            return next(each for each in field.type.literals if each != now)
        case Kind.TEXT:
            return "another text" if now != "another text" else "yet another"
        case Kind.INTEGER:
            return 1 if now != 1 else 2
        case Kind.NUMBER:
            return "1" if now != 1 else "2"
        case Kind.REFERENCE if field.target == "User":
            return next(each.name for each in scene.lab.people.signed_in if each.name != now)
        case _:
            return None
