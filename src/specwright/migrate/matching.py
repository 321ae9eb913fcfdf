"""Which entity and which field of one manifest is which of the next, and the first one told in new names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from specwright.model.expression import (
    And,
    Arithmetic,
    Call,
    Compare,
    Expr,
    In,
    IsNone,
    Negative,
    Not,
    Or,
    Path,
    walk,
)
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.names import snake
from specwright.model.resource import Resource
from specwright.model.types import Kind, Type

USER = "User"


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def was(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Matching:
    """The old name of each entity that stays, by its new one, and the same for the fields of each."""

    resources: Mapping[str, str]
    fields: Mapping[str, Mapping[str, str]]


def match(before: Manifest, after: Manifest) -> Matching:
    """Find what stays.

    `was OLD` decides where the manifest before has OLD and has not followed this `was` already; then equal
    names; then equal ids. So a `was` that stays in the spec after its rename does nothing more. User is
    always User: the name is part of the language.
    """
    resources = _pair(_without_user(before), _without_user(after))
    if USER in before and USER in after:
        resources[USER] = USER
    fields = {
        name: _pair(before.resource(old).fields, after.resource(name).fields)
        for name, old in resources.items()
    }
    return Matching(resources, fields)


def _without_user(manifest: Manifest) -> list[Resource]:
    return [resource for resource in manifest.resources if resource.name != USER]


def _pair(before: Iterable[_Named], after: Iterable[_Named]) -> dict[str, str]:
    known = {node.name: node for node in before}
    by_word = {snake(name): name for name in known}
    left = {node.name: node for node in after}
    pairs: dict[str, str] = {}

    def settle(node: _Named, old: str | None) -> None:
        if old is not None and old in known and old not in pairs.values():
            pairs[node.name] = old
            del left[node.name]

    for node in tuple(left.values()):
        same = known.get(node.name)
        if node.was is not None and not (same is not None and same.was == node.was):
            settle(node, by_word.get(snake(node.was)))
    for node in tuple(left.values()):
        settle(node, node.name)
    by_id = {node.id: name for name, node in known.items()}
    for node in tuple(left.values()):
        settle(node, by_id.get(node.id))
    return pairs


def trimmed(before: Manifest, after: Manifest, matching: Matching) -> Manifest:
    """The manifest before, without what goes: entities, fields, and what spoke of them.

    An entity that goes stays known by a name that no spec can have, for references that change their target.
    """
    new_names = {old: new for new, old in matching.resources.items()}
    away = {
        resource.name: f"-{resource.name}" for resource in before.resources if resource.name not in new_names
    }
    resources = []
    for resource in before.resources:
        new = new_names.get(resource.name)
        if new is None:
            stays: set[str] = {resource.key}
        else:
            stays = set(matching.fields[new].values()) | {resource.key}
        stored = [field for field in resource.fields if field.name in stays]
        gone = {field.name for field in resource.fields} - stays
        resources.append(
            replace(
                resource,
                name=away.get(resource.name, resource.name),
                external=new is None or resource.external or after.resource(new).external,
                fields=tuple(_retarget(_without(field, gone), away) for field in stored),
                rules=tuple(rule for rule in resource.rules if not _speaks_of(rule.condition, gone)),
            )
        )
    return replace(before, resources=tuple(resources))


def renamed(trimmed: Manifest, after: Manifest, matching: Matching) -> Manifest:
    """The trimmed manifest in the names of the manifest after; nothing else changes."""
    new_names = {old: new for new, old in matching.resources.items()}
    resources = []
    for resource in trimmed.resources:
        new = new_names.get(resource.name)
        if new is None:
            resources.append(resource)
            continue
        target = after.resource(new)
        names = {old: name for name, old in matching.fields[new].items()}
        resources.append(
            replace(
                resource,
                name=target.name,
                table=target.table,
                fields=tuple(
                    _retarget(_rename(field, target, names), new_names) for field in resource.fields
                ),
                rules=tuple(
                    replace(rule, condition=_rename_paths(rule.condition, names)) for rule in resource.rules
                ),
            )
        )
    return replace(trimmed, resources=tuple(resources))


def _without(field: Field, gone: set[str]) -> Field:
    if gone.intersection(field.unique_per):
        return replace(field, unique=False, unique_per=())
    return field


def _speaks_of(condition: Expr, names: set[str]) -> bool:
    return any(isinstance(node, Path) and node.names[0] in names for node in walk(condition))


def _retarget(field: Field, names: Mapping[str, str]) -> Field:
    if field.target is None or field.target not in names:
        return field
    return replace(field, type=Type(Kind.REFERENCE, target=names[field.target]))


def _rename(field: Field, target: Resource, names: Mapping[str, str]) -> Field:
    name = names.get(field.name, field.name)
    new = target.field(name)
    return replace(
        field,
        name=name,
        column=new.column if new is not None else field.column,
        unique_per=tuple(names.get(part, part) for part in field.unique_per),
    )


def _rename_paths(node: Expr, names: Mapping[str, str]) -> Expr:
    def again(part: Expr) -> Expr:
        return _rename_paths(part, names)

    match node:
        case Path((first, *rest)):
            return replace(node, names=(names.get(first, first), *rest))
        case Compare() | Arithmetic():
            return replace(node, left=again(node.left), right=again(node.right))
        case In(item, container):
            return replace(node, item=again(item), container=again(container))
        case IsNone(operand) | Negative(operand) | Not(operand):
            return replace(node, operand=again(operand))
        case And(items) | Or(items):
            return replace(node, items=tuple(map(again, items)))
        case Call(_, arguments):
            return replace(node, arguments=tuple(map(again, arguments)))
        case _:
            return node
