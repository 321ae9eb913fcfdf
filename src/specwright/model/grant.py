"""A grant: who may do what, on which rows."""

from dataclasses import dataclass
from enum import StrEnum

from specwright.model.errors import NO_ORIGIN, Origin
from specwright.model.expression import Expr

#: The actions every resource knows; Python actions add their own names.
ACTIONS = ("list", "read", "create", "update", "delete")

#: The grant to change the owner, of an entity that has one. It is a PATCH of that field alone.
HAND_OVER = "hand over"
#: The grants to bring deleted rows back, and to be shown them.
RESTORE, SEE_DELETED = "restore", "see deleted"

#: How an action begins that is to move a field: a PATCH of that field alone, where some move has a Who.
MOVE = "move "
#: What stands between a field and a state in the name of an action that is to take a row there.
TO = " → "

#: How the action begins that links rows of a field, and takes links away: `link tags`.
LINK = "link "


class WhoKind(StrEnum):
    """The five ways to say who."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    OWNER = "owner"
    ROLE = "role"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Who:
    """The subject of a grant; `name` is the role or the name from a `Who|Is` table."""

    kind: WhoKind
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.kind.value


@dataclass(frozen=True, slots=True)
class Grant:
    """`who` may do `actions` on rows for which `when` holds before and `then` after."""

    id: str
    who: Who
    actions: tuple[str, ...]
    when: Expr | None = None
    then: Expr | None = None
    #: The May cell as it was written: "everything" keeps its word.
    may: str = ""
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class WhoName:
    """A row of a `Who|Is` table: a name for a condition on the caller and the row."""

    name: str
    condition: Expr
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Role:
    """A row of a `Role|Means` table."""

    name: str
    means: str = ""
    #: Roles that everyone has who has this one.
    includes: tuple[str, ...] = ()
    origin: Origin = NO_ORIGIN
