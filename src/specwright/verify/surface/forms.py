"""How an operation takes the members of a row: bare, or in an envelope, `{"article": {…}}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Collection, Operation, Schema


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a body."""

    #: Of the row's members alone.
    schema: Schema
    #: The member of the body that they stand in; "" where the body is all of them.
    wrapping: str = ""

    def members(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The row's members in a body."""
        return dict(body[self.wrapping] if self.wrapping else body)

    def body(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """The body with these members."""
        return {self.wrapping: dict(members)} if self.wrapping else dict(members)


def form_of(operation: Operation, collection: Collection | None) -> Form:
    """The form of the bodies of an operation on rows of a collection."""
    schema = operation.body or {}
    wrapping = collection.wrapping if collection is not None else ""
    if wrapping and wrapping in members(schema):
        return Form(members(schema)[wrapping], wrapping)
    return Form(schema)
