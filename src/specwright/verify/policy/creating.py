"""How people make rows: of their own, below rows of the owner, many at once, what there may be one of."""

import uuid
from collections.abc import Mapping
from typing import Any

from specwright.model.field import Field
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.verdict import Verdict
from specwright.verify.lab import NotRun, parse
from specwright.verify.policy.answers import unstored, wrong_items, wrong_members
from specwright.verify.policy.scene import Scene, Try, body_for, owners_key
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Operation


async def create(operation: Operation, scene: Scene) -> Try | None:
    """With a body of one's own; with one of the owner's, where none can be had."""
    try:
        body = await body_for(operation, scene, scene.person)
    except NotRun:
        body = await body_for(operation, scene, scene.lab.people.owner)
    return _creating(operation, scene, body)


async def create_below(operation: Operation, scene: Scene) -> Try | None:
    """With references to rows of the owner, those that need not be there among them."""
    if not _above(scene):
        return None
    body = await body_for(operation, scene, scene.row.person)
    return _creating(operation, scene, await _below(scene, body))


async def create_many(operation: Operation, scene: Scene) -> Try | None:
    """The second with references to rows of the owner, where that is allowed."""
    try:
        first, second = [await body_for(operation, scene, scene.person) for _ in range(2)]
    except NotRun:
        first, second = [await body_for(operation, scene, scene.row.person) for _ in range(2)]
    due = _judge_create(scene, first)
    if due.allowed and _above(scene):
        below = await _below(scene, second)
        second = below if _judge_create(scene, below).allowed else second
    if due.allowed and not _judge_create(scene, second).allowed:
        return None
    known, resource, caller = _stored_keys(scene), scene.resource, scene.caller

    def wrong(probe: Probe, world: World) -> str:
        made = {row[resource.key]: row for row in world.rows[resource.name] if row[resource.key] not in known}
        if len(made) != 2:
            return f"2 rows are sent and {len(made)} made"
        later = Judge(world)
        seen = {str(key): row for key, row in made.items() if later.before(resource, "read", caller, row)}
        items = [item for item in parse(probe)["items"] if item]
        return wrong_items(scene, later, resource, seen, items)

    return Try(operation, due, scene.row.place, json=[first, second], wrong=wrong)


async def create_again(operation: Operation, scene: Scene) -> Try | None:
    """With the unique values of a row that is there."""
    try:
        body = await body_for(operation, scene, scene.person)
    except NotRun:
        return None
    for field in scene.resource.fields:
        if field.unique and field.wire in body and field.target is None:
            body[field.wire] = scene.row.body.get(field.wire, body[field.wire])
    return _creating(operation, scene, body)


def _above(scene: Scene) -> list[Field]:
    """What refers to rows, and is for the client to fill."""
    return [field for field in scene.resource.fields if field.target and field.filled is None]


async def _below(scene: Scene, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with references to rows of the owner, where it has none."""
    below = dict(body)
    for field in _above(scene):
        stored = field.stored and not scene.manifest.resource(str(field.target)).external
        if stored and field.wire not in below:
            below[field.wire] = await owners_key(scene, str(field.target))
    return below


def _creating(operation: Operation, scene: Scene, body: dict[str, Any]) -> Try:
    known, values = _stored_keys(scene), scene.values(body)
    caller, resource = scene.caller, scene.resource
    defaults = {field.name: field.default.value for field in resource.fields if field.default is not None}

    def wrong(probe: Probe, world: World) -> str:
        made = [row for row in world.rows[resource.name] if row[resource.key] not in known]
        if len(made) != 1:
            return f"{probe.status}, and {len(made)} rows are made"
        if resource.owner is not None and resource.owner.name not in values:
            owner = made[0][resource.owner.name]
            if owner != caller.id:
                return f"the new row is {owner}'s"
        later, shown = Judge(world), parse(probe)
        lost = unstored(made[0], values, defaults)
        if later.before(resource, "read", caller, made[0]) is None:
            return f"{scene.person} is shown what they may not read" if shown else lost
        return wrong_members(later, scene, resource, made[0], shown) or lost

    return Try(operation, _judge_create(scene, body), scene.row.place, json=body, wrong=wrong)


def _judge_create(scene: Scene, body: Mapping[str, Any]) -> Verdict:
    return scene.judge.create(scene.resource, scene.caller, scene.values(body), uuid.uuid4())


def _stored_keys(scene: Scene) -> set[Any]:
    return {row[scene.resource.key] for row in scene.world.rows[scene.resource.name]}
