"""Tables of links: two references and nothing else. An entity says them by a `many` field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipProperty

from specwright.model.names import snake, title


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A table whose rows link a row to others: the column of the one, and that of the others."""

    table: sa.Table
    near: sa.Column[Any]
    far: sa.Column[Any]

    def unsaid(self, source: str, table: str, field: str, target: str) -> Iterator[str]:
        """Where the links of a field of `source`, stored in `table`, would not be these."""
        one, other = snake(title(source)), snake(title(target))
        wanted = f"{table}_{field}"
        if self.table.name != wanted:
            yield f'its links are stored in "{self.table.name}", and those of this field in {wanted}'
        for column, name in ((self.near, one), (self.far, other if other != one else f"other_{one}")):
            if column.name != f"{name}_id":
                yield f'its links are stored with "{column.name}", and those of this field with {name}_id'
        rules = {str(key.ondelete or "CASCADE").upper() for key in self.table.foreign_keys}
        if rules != {"CASCADE"}:
            yield "its links go with either row: ON DELETE CASCADE"
        more = [column.name for column in self.table.columns if column not in (self.near, self.far)]
        if more:
            said = ", ".join(more)
            yield f"its links say more than what they link ({said}): they are an entity of their own"

    @property
    def is_first(self) -> bool:
        """Whether the table names this way before the way back."""
        columns = list(self.table.columns)
        return columns.index(self.near) < columns.index(self.far)


def stored_link(table: sa.Table) -> StoredLink | None:
    """The links that a table holds, from what its first column refers to; None where it is no such table.

    They may be to users that have no table: a text, called `user_id`.
    """
    columns = list(table.columns)
    if len(columns) != 2 or set(table.primary_key.columns) != set(columns):
        return None
    near, far = columns
    if _refers(near) and (_refers(far) or _is_user(far)):
        return StoredLink(table, near, far)
    return StoredLink(table, far, near) if _refers(far) and _is_user(near) else None


def _refers(column: sa.Column[Any]) -> bool:
    keys = [key.column for key in column.foreign_keys]
    return len(keys) == 1 and list(keys[0].table.primary_key.columns) == keys


def _is_user(column: sa.Column[Any]) -> bool:
    return column.name == "user_id" and isinstance(column.type, sa.String) and not column.foreign_keys


def mapped_link(relation: RelationshipProperty[Any]) -> StoredLink:
    """The way that a relation of many to many goes over its table."""
    table = relation.secondary
    assert isinstance(table, sa.Table), "a relation of many to many has a table"
    (_, near), (_, far) = relation.synchronize_pairs[0], (relation.secondary_synchronize_pairs or [])[0]
    return StoredLink(table, table.c[str(near.key)], table.c[str(far.key)])


def declares(relation: RelationshipProperty[Any]) -> bool:
    """Whether this side of a relation has the field: that which names the table, else that which is first."""
    back = [
        other
        for other in relation.mapper.relationships
        if other.secondary is relation.secondary and mapped_link(other).near is mapped_link(relation).far
    ]
    if not back or _names_its_table(relation):
        return True
    return mapped_link(relation).is_first and not any(map(_names_its_table, back))


def _names_its_table(relation: RelationshipProperty[Any]) -> bool:
    table: Any = relation.parent.local_table
    return mapped_link(relation).table.name == f"{table.name}_{relation.key}"
