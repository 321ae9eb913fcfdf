"""Which fields of a resource there are for a caller, in each direction."""

from enum import Enum, auto

from specwright.model.manifest import Field, Resource, Shown
from specwright.model.types import TEXT_KINDS, Kind


class Taken(Enum):
    """What becomes of a member of a body."""

    #: Stored as sent.
    WRITTEN = auto()
    #: Accepted when it equals the stored value.
    UNCHANGED = auto()
    #: Set by the server alone.
    READ_ONLY = auto()
    #: Needs a role that the caller lacks.
    FORBIDDEN = auto()


def exists(field: Field, roles: frozenset[str]) -> bool:
    """Whether the field is part of the API for a caller of these roles, in any direction.

    `hidden` is for no one; `readable by` is for others as if it did not exist (DESIGN §4).
    """
    if field.shown is Shown.HIDDEN or not field.stored:
        return False
    return not field.readable_by or not roles.isdisjoint(field.readable_by)


def readable(resource: Resource, roles: frozenset[str]) -> tuple[Field, ...]:
    """The fields that a caller of these roles may see, filter and sort by, in the resource's order."""
    return tuple(
        field for field in resource.fields if field.shown is not Shown.WRITE_ONLY and exists(field, roles)
    )


def taken(resource: Resource, field: Field, action: str, roles: frozenset[str]) -> Taken:
    """What a body of this action may say about an existing field: `create`, `update` or `replace`."""
    if _set_by_server(resource, field):
        return Taken.UNCHANGED if action == "replace" else Taken.READ_ONLY
    if action != "create" and (field.immutable or field.name == resource.key):
        return Taken.UNCHANGED
    if field.writable_by and roles.isdisjoint(field.writable_by):
        return Taken.FORBIDDEN
    return Taken.WRITTEN


def must_be_sent(resource: Resource, field: Field, action: str) -> bool:
    """Whether a body of this action is incomplete without the field."""
    if action == "update" or _set_by_server(resource, field):
        return False
    if field.name == resource.key:
        return action == "create"
    return field.required and field.filled is None and field.default is None


def _set_by_server(resource: Resource, field: Field) -> bool:
    if field.shown is Shown.READ_ONLY and not (field.name == resource.key and keyed_by_text(resource)):
        return True
    if field.name == resource.key:
        return not keyed_by_text(resource)
    return field.built_in or (field.filled is not None and not field.writable_by)


def keyed_by_text(resource: Resource) -> bool:
    """Whether clients name the rows, as the rows of a stored User are named by the token's `sub`."""
    return resource.key_field.type.kind in TEXT_KINDS and resource.key_field.type.kind is not Kind.ENUM
