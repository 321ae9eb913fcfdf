"""The types a field can have, and what follows from a type alone."""

from dataclasses import dataclass
from enum import StrEnum

#: The largest integer that every JSON reader keeps exactly (RFC 8259 §6).
MAX_INTEGER = 2**53 - 1


class Kind(StrEnum):
    """The closed list of kinds; the values are the words of the spec language."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    UUID = "uuid"
    EMAIL = "email"
    URL = "url"
    JSON = "json"
    ENUM = "enum"
    LIST = "list"
    REFERENCE = "reference"
    MANY = "many"
    #: What a claim of the caller's token holds; it takes the type of what it is compared with.
    ANY = "any"


TEXT_KINDS = frozenset({Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.ENUM})
NUMBER_KINDS = frozenset({Kind.INTEGER, Kind.NUMBER})
ORDERED_KINDS = TEXT_KINDS | NUMBER_KINDS | {Kind.DATE, Kind.TIMESTAMP}


@dataclass(frozen=True, slots=True)
class Type:
    """A kind with what it needs: digits of a number, literals of an enum, the target of a reference."""

    kind: Kind
    precision: int | None = None
    scale: int | None = None
    literals: tuple[str, ...] = ()
    item: "Type | None" = None
    target: str | None = None

    def __str__(self) -> str:
        match self.kind:
            case Kind.NUMBER if self.precision is not None:
                return f"number({self.precision},{self.scale})"
            case Kind.ENUM:
                return ", ".join(f"`{literal}`" for literal in self.literals)
            case Kind.LIST:
                return f"list of {self.item}"
            case Kind.REFERENCE:
                return str(self.target)
            case Kind.MANY:
                return f"many {self.target}"
            case _:
                return self.kind.value


TEXT = Type(Kind.TEXT)
INTEGER = Type(Kind.INTEGER)
NUMBER = Type(Kind.NUMBER)
BOOLEAN = Type(Kind.BOOLEAN)
DATE = Type(Kind.DATE)
TIMESTAMP = Type(Kind.TIMESTAMP)
UUID = Type(Kind.UUID)
JSON = Type(Kind.JSON)
ANY = Type(Kind.ANY)
USER = Type(Kind.REFERENCE, target="User")


def common_type(left: Type | None, right: Type | None) -> Type | None:
    """The type in which two operands are compared; None when both are None or unknown."""
    if left is None or left.kind is Kind.ANY:
        return right if right is not None and right.kind is not Kind.ANY else left
    if right is None or right.kind is Kind.ANY:
        return left
    if left.kind in NUMBER_KINDS and right.kind in NUMBER_KINDS:
        return NUMBER if Kind.NUMBER in (left.kind, right.kind) else INTEGER
    if left.kind in TEXT_KINDS and right.kind in TEXT_KINDS and Kind.ENUM not in (left.kind, right.kind):
        return TEXT
    # A text literal takes the other side's type.
    return right if left.kind is Kind.TEXT else left


def is_assignable(found: Type, expected: Type) -> bool:
    """Whether a field of the expected type can hold every value of the type that was found."""
    if found.kind in TEXT_KINDS and expected.kind in TEXT_KINDS:
        return expected.kind is Kind.TEXT or (
            found.kind is expected.kind and set(found.literals) <= set(expected.literals)
        )
    if found.kind in NUMBER_KINDS and expected.kind in NUMBER_KINDS:
        return found.kind is Kind.INTEGER or expected.kind is Kind.NUMBER
    return found.kind is expected.kind and found.target == expected.target
