"""Who is asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_NO_CLAIMS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Caller:
    """The person or service behind a request, as its credential says; `id` is None for the anonymous.

    Callers compare by identity: one is made per verified token, and tenant, and kept as long as the token is.
    """

    id: str | None
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=lambda: _NO_CLAIMS)
    #: The key of the tenant that the request is for; None where it names none.
    tenant: Any = None

    @property
    def anonymous(self) -> bool:
        """Whether no credential was sent."""
        return self.id is None


ANONYMOUS = Caller(None)
