"""The members of a row that are not everyone's: on which condition a caller may see and set each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from specwright.model.expression import FALSE, TRUE, Expr, all_of


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Conditions on the row, by name of the field; a field that has none is everyone's who has the row.

    Those of equal conditions are one object: identity is a cheap key for statements and forms of bodies.
    """

    seen: Mapping[str, Expr]
    set: Mapping[str, Expr]

    def sees(self, name: str) -> Expr:
        """When the caller may see the field: FALSE means that for them there is none."""
        return self.seen.get(name, TRUE)

    def sets(self, name: str) -> Expr:
        """When the caller may set the field. What they may not see, they may not set."""
        return all_of(self.sees(name), self.set.get(name, TRUE))

    def unsure(self, names: Iterable[str]) -> bool:
        """Whether the row decides which of these fields the caller sees."""
        return any(is_unsure(self.sees(name)) for name in names)


def is_unsure(condition: Expr) -> bool:
    """Whether the row decides."""
    return condition not in (TRUE, FALSE)


#: Those of somebody who sees and sets everything.
ALL = Members({}, {})
