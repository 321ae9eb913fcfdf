"""Something for a person to decide, and the fields that it may be about."""

from collections.abc import Iterator
from dataclasses import dataclass

from specwright.model.errors import Origin
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Question:
    """Something for a person to decide."""

    code: str
    origin: Origin
    text: str
    options: tuple[str, ...]
    recommendation: str
    default_in_force: str


def declared(manifest: Manifest) -> Iterator[tuple[Resource, Field]]:
    """The fields that the spec declares, with their entities."""
    return (
        (resource, field) for resource in manifest.served for field in resource.fields if not field.built_in
    )
