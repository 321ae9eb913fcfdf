"""A field: one member of a resource, where it is stored and how it is shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from specwright.model.errors import NO_ORIGIN, Origin
from specwright.model.expression import Constant, Expr
from specwright.model.types import Kind, Type

#: The built-in field of a soft-deleted row: since when it is deleted; None while it lives.
DELETED = "deleted_at"


class Filled(StrEnum):
    """Who fills a field that its writer does not."""

    CALLER = "the caller"
    NOW = "now"
    #: Never written in a spec: the entity of the field is within a tenant, and this is which one.
    TENANT = "the tenant"


class Shown(StrEnum):
    """In which directions a field crosses the wire."""

    BOTH = "both"
    READ_ONLY = "read only"
    WRITE_ONLY = "write only"
    HIDDEN = "hidden"


class OnDelete(StrEnum):
    """What becomes of a row whose target is deleted."""

    CASCADE = "cascade"
    CLEAR = "clear"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Bounds:
    """`a..b`: lengths of a text or list, values of a number; either end may be open."""

    least: Any = None
    most: Any = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count of RELATION` or `sum of RELATION.FIELD`, over those related rows for which `where` holds."""

    function: str
    relation: str
    #: What is summed; empty for a count.
    field: str = ""
    where: Expr | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a resource.

    `name` is the spec's (expressions use it), `wire` the JSON name, `column` the stored one.
    """

    id: str
    name: str
    wire: str
    column: str
    type: Type
    required: bool = False
    default: Constant | None = None
    filled: Filled | None = None
    bounds: Bounds = Bounds()
    pattern: str | None = None
    unique: bool = False
    #: Names of the fields that a value is unique per; with `unique` only.
    unique_per: tuple[str, ...] = ()
    indexed: bool = False
    searchable: bool = False
    shown: Shown = Shown.BOTH
    immutable: bool = False
    #: Words for whom (`Manifest.who`); none means everyone who may read, or write, the row.
    readable_by: tuple[str, ...] = ()
    writable_by: tuple[str, ...] = ()
    on_delete: OnDelete | None = None
    was: str | None = None
    computed: Expr | None = None
    aggregate: Aggregate | None = None
    #: id, created_at, updated_at, deleted_at, version: not declared, set by us alone.
    built_in: bool = False
    means: str = ""
    origin: Origin = NO_ORIGIN

    @property
    def nullable(self) -> bool:
        """Whether None is a value of this field."""
        if self.aggregate is not None or (self.computed is not None and self.type.kind is Kind.BOOLEAN):
            return False
        if self.built_in and self.name == DELETED:
            return True
        return not (self.required or self.built_in or self.default is not None or self.filled is not None)

    @property
    def stored(self) -> bool:
        """Whether the field is a column of its table."""
        return not self.calculated and self.type.kind is not Kind.MANY

    @property
    def calculated(self) -> bool:
        """Whether the value is worked out whenever it is asked for, and nowhere kept."""
        return self.computed is not None or self.aggregate is not None

    @property
    def linked(self) -> str | None:
        """The entity whose rows a `many` field links."""
        return self.type.target if self.type.kind is Kind.MANY else None

    @property
    def target(self) -> str | None:
        """The entity a to-one reference points to."""
        return self.type.target if self.type.kind is Kind.REFERENCE else None
