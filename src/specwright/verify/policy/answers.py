"""What is wrong with an answer, or with what is stored: rows and members that are too many, or missing."""

from collections.abc import Mapping
from typing import Any

from specwright.model.interpret import Row as StoredRow
from specwright.model.judge import Judge
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.verify.policy.scene import Scene


def readable(scene: Scene, judge: Judge, relation: Relation) -> dict[str, StoredRow]:
    """The related rows of the row that the person may read, by key as texts."""
    target, world, stored = scene.manifest.resource(relation.target), judge.world, scene.stored
    if relation.through is not None:
        linked = {
            row[relation.through.far]
            for row in world.rows.get(relation.through.link, ())
            if row[relation.through.near] == scene.key
        }
        rows = [row for row in world.living(target.name) if row[target.key] in linked]
    elif relation.many:
        rows = [row for row in world.living(target.name) if row[relation.field] == scene.key]
    else:
        rows = [row for row in world.living(target.name) if row[target.key] == stored[relation.field]]
    caller = scene.caller
    seen = (row for row in rows if judge.before(target, "read", caller, row) is not None)
    return {str(row[target.key]): row for row in seen}


def wrong_items(
    scene: Scene, judge: Judge, resource: Resource, expected: Mapping[str, StoredRow], items: list[Any]
) -> str:
    """What is wrong with a list: rows that should not be there, or should, or members of one."""
    key = resource.key_field.wire
    found = [str(item[key]) for item in items]
    if len(set(found)) < len(found):
        return "a row is there twice"
    if extra := set(found) - expected.keys():
        return f"{scene.person} sees {len(extra)} rows of {resource.path} that they may not see"
    if missing := expected.keys() - set(found):
        return f"{scene.person} does not see {len(missing)} rows of {resource.path} that they may see"
    wrong = (wrong_members(judge, scene, resource, expected[str(item[key])], item) for item in items)
    return next((each for each in wrong if each), "")


def wrong_members(
    judge: Judge, scene: Scene, resource: Resource, row: StoredRow, item: Mapping[str, Any]
) -> str:
    """What is wrong with the members of a row in an answer."""
    names = {field.wire for field in judge.seen(resource, scene.caller, row)}
    others = {relation.name for relation in resource.relations}
    others |= {field.wire for field in resource.fields if field.linked is not None}
    if extra := item.keys() - names - others:
        return f"{scene.person} sees {', '.join(sorted(extra))} of {resource.path}"
    if missing := names - item.keys():
        return f"{scene.person} does not see {', '.join(sorted(missing))} of {resource.path}"
    return ""


def unstored(row: StoredRow, values: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What was sent and is stored as it was before; links are elsewhere, and json is text.

    A third value is that of the project's own code, which may spell things its own way.
    """
    for name, value in values.items():
        if name in row and value != row[name] == before.get(name) and not isinstance(value, dict):
            return f"{name} is sent and not stored"
    return ""
