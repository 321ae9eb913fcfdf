"""A relation: a way from the rows of one entity to those of another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Through:
    """The entity of links that a relation of many to many leads through; its references, here and there."""

    link: str
    near: str
    far: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from a row to others: `field` lies on the source (to one) or on the target (to many).

    Of many to many, it is the field that declares the relation, on either side.
    """

    name: str
    source: str
    target: str
    field: str
    many: bool
    through: Through | None = None

    @property
    def holder(self) -> str:
        """The name of the entity that has the field."""
        if self.through is not None:
            return self.through.link.partition(".")[0]
        return self.target if self.many else self.source
