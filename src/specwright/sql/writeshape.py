"""The shape of a write: what makes one differ from another of the same resource."""

from dataclasses import dataclass

from specwright.model.expression import FALSE
from specwright.sql.includes import Include
from specwright.sql.linking import Linking
from specwright.sql.members import Members
from specwright.sql.moves import Moves
from specwright.sql.scope import Scope


@dataclass(frozen=True, slots=True)
class WriteShape:
    """What makes one write differ from another of the same resource."""

    scope: Scope
    #: The read scope of the caller: of the row itself, and by entity name of what it may refer to.
    read: Scope
    targets: tuple[tuple[str, Scope], ...]
    #: Names of the fields that the body may set, and of those it may send unchanged only.
    fields: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    #: Names of the fields that the answer shows.
    shown: tuple[str, ...] = ()
    #: What the answer includes, and what the caller may read of the entities that are included, by name.
    include: tuple[Include, ...] = ()
    reads: tuple[tuple[str, Scope], ...] = ()
    #: What the caller sees and sets, where the row decides that of some field.
    members: Members | None = None
    #: Names of the fields that may be set on some rows only: the body has one of them where `sent_*`.
    unsure: tuple[str, ...] = ()
    #: What is asked of the row's version: to be one of `versions`, to be none of `other_versions`.
    conditions: tuple[str, ...] = ()
    #: What moves are the caller's, where some are somebody's.
    moves: Moves | None = None
    #: What becomes of the row's links.
    links: tuple[Linking, ...] = ()
    #: Whether the caller's own row in a User table may have to be made.
    caller_row: bool = False
    #: Whether what is made is a tenant, and the caller its first member.
    founds: bool = False
    #: Whether the request has an idempotency key, under which what is made is kept.
    keyed: bool = False


def refused_at_once(shape: WriteShape) -> bool:
    """Whether no row could ever pass, so that only the diagnosis need run."""
    return FALSE in (shape.scope.before, shape.scope.after)
