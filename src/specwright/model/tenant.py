"""A tenant: within which rows are, and how a request says for which one it is."""

from dataclasses import dataclass
from enum import StrEnum

from specwright.model.errors import NO_ORIGIN, Origin
from specwright.model.expression import Literal


class Chosen(StrEnum):
    """Where a request says which tenant it is for."""

    HEADER = "header"
    CLAIM = "claim"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Tenant:
    """`tenant Organization through Membership by header X-Organization`.

    The resources within it are those with a field that is filled with the tenant (`Resource.tenant`).
    """

    entity: str
    #: Whoever has a row of this entity in a tenant belongs to it; `member` is its reference to User.
    through: str
    member: str
    by: Chosen
    #: Of the header, of the claim, or of the parameter in the path.
    name: str
    #: Whose entities are within it, besides `through`.
    feature: str = ""
    #: What the first membership holds, which whoever creates a tenant gets; None where they get none.
    founder: tuple[tuple[str, Literal], ...] | None = None
    origin: Origin = NO_ORIGIN
