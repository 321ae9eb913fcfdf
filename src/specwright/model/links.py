"""Links: the rows of a `many` field. Each links a row of one entity to a row of another, or of the same."""

from specwright.model.field import Field, OnDelete
from specwright.model.relation import Relation, Through
from specwright.model.resource import Resource
from specwright.model.types import Kind, Type


def link_of(source: Resource, field: Field, target: Resource) -> Resource:
    """The entity of the links of a field: two references, which no two links share."""
    near = source.singular
    far = target.singular if target.singular != near else f"other_{near}"
    name = f"{source.name}.{field.name}"
    return Resource(
        id=field.id,
        name=name,
        title=f"Links of {name}",
        path="",
        table=f"{source.table}_{field.name}",
        schema=source.schema,
        key=near,
        feature=source.feature,
        fields=(_reference(field, near, source, "near"), _reference(field, far, target, "far")),
        relations=(
            Relation(near, name, source.name, near, many=False),
            Relation(far, name, target.name, far, many=False),
        ),
        link=True,
        origin=field.origin,
    )


def through(link: Resource, *, back: bool = False) -> Through:
    """The way over a link from the entity that has the field; or back to it."""
    near, far = (field.name for field in link.fields)
    return Through(link.name, far, near) if back else Through(link.name, near, far)


def _reference(field: Field, name: str, target: Resource, side: str) -> Field:
    return Field(
        id=f"{field.id}.{side}",
        name=name,
        wire=f"{name}_id",
        column=f"{name}_id",
        type=Type(Kind.REFERENCE, target=target.name),
        required=True,
        on_delete=None if target.external else OnDelete.CASCADE,
        origin=field.origin,
    )
