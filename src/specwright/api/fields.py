"""Which fields of a resource there are for a caller, in each direction."""

from enum import Enum, auto

from specwright.model.expression import FALSE, TRUE
from specwright.model.field import Field, Shown
from specwright.model.grant import WhoKind
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.typecheck import on_caller_alone
from specwright.model.types import TEXT_KINDS, Kind
from specwright.sql.members import Members


class Taken(Enum):
    """What becomes of a member of a body."""

    #: Stored as sent; where the row decides whether the caller may, the statement asks it.
    WRITTEN = auto()
    #: Accepted when it equals the stored value.
    UNCHANGED = auto()
    #: Set by the server alone.
    READ_ONLY = auto()
    #: Not this caller's to set.
    FORBIDDEN = auto()


def exists(field: Field, members: Members) -> bool:
    """Whether the field is part of the API for a caller with these members, in any direction, of some row.

    `hidden` is for no one; `readable by` is for others as if it did not exist (DESIGN §4).
    """
    return field.shown is not Shown.HIDDEN and members.sees(field.name) != FALSE


def seen(resource: Resource, members: Members) -> tuple[Field, ...]:
    """The fields that the caller may see, of some row at least, in the resource's order."""
    return tuple(
        field for field in resource.fields if field.shown is not Shown.WRITE_ONLY and exists(field, members)
    )


def readable(resource: Resource, members: Members) -> tuple[Field, ...]:
    """The fields that the caller may see of every row they may read, and so filter and sort by."""
    return tuple(
        field
        for field in seen(resource, members)
        if members.sees(field.name) == TRUE and field.linked is None
    )


def sure_for_somebody(manifest: Manifest, field: Field) -> bool:
    """Whether there may be a caller who sees the field of every row they may read."""
    if not field.readable_by:
        return True
    named = (manifest.name(word) for word in field.readable_by if word != WhoKind.OWNER)
    return any(name is None or on_caller_alone(name.condition) for name in named)


def taken(resource: Resource, field: Field, action: str, members: Members) -> Taken:
    """What a body of this action may say about an existing field: `create`, `update` or `replace`."""
    if _set_by_server(resource, field):
        return Taken.UNCHANGED if action == "replace" else Taken.READ_ONLY
    if action != "create" and (field.immutable or field.name == resource.key):
        return Taken.UNCHANGED
    return Taken.FORBIDDEN if members.sets(field.name) == FALSE else Taken.WRITTEN


def must_be_sent(resource: Resource, field: Field, action: str) -> bool:
    """Whether a body of this action is incomplete without the field."""
    if action == "update" or _set_by_server(resource, field):
        return False
    if field.name == resource.key:
        return action == "create"
    return field.required and field.filled is None and field.default is None


def _set_by_server(resource: Resource, field: Field) -> bool:
    if field.calculated:
        return True
    if field.shown is Shown.READ_ONLY and not (field.name == resource.key and keyed_by_text(resource)):
        return True
    if field.name == resource.key:
        return not keyed_by_text(resource)
    return field.built_in or (field.filled is not None and not field.writable_by)


def keyed_by_text(resource: Resource) -> bool:
    """Whether clients name the rows, as the rows of a stored User are named by the token's `sub`."""
    return resource.key_field.type.kind in TEXT_KINDS and resource.key_field.type.kind is not Kind.ENUM
