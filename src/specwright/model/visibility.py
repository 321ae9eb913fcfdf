"""Which fields of a row exist for a caller, and which the caller may write."""

from specwright.model.caller import Caller
from specwright.model.manifest import Field, Resource, Shown


def readable_fields(resource: Resource, caller: Caller) -> tuple[Field, ...]:
    """The fields the caller is shown, in the resource's order; any other is as if it did not exist."""
    return tuple(
        field
        for field in resource.fields
        if field.stored and field.shown in (Shown.BOTH, Shown.READ_ONLY) and _among(field.readable_by, caller)
    )


def writable_fields(resource: Resource, caller: Caller) -> tuple[Field, ...]:
    """The fields the caller may send, in the resource's order."""
    return tuple(field for field in sendable_fields(resource, caller) if _among(field.writable_by, caller))


def sendable_fields(resource: Resource, caller: Caller) -> tuple[Field, ...]:
    """The fields that a body may hold as far as the caller can know, permitted or not.

    A field filled by us is sent only where the spec says by whom (`writable by`).
    """
    return tuple(
        field
        for field in resource.fields
        if field.stored
        and field.shown in (Shown.BOTH, Shown.WRITE_ONLY)
        and not field.built_in
        and (field.filled is None or field.writable_by)
        and _among(field.readable_by, caller)
    )


def _among(roles: tuple[str, ...], caller: Caller) -> bool:
    return not roles or not caller.roles.isdisjoint(roles)
