"""`sort=-created_at,title`: a total order of a list."""

from specwright.api.known import Known, no_field
from specwright.api.problems import echo
from specwright.api.query_string import Sent
from specwright.model.expression import Path
from specwright.model.paths import resolve
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.sql.query import Sort

#: What may end a sort key, and whether rows without a value then come first.
NULLS = {"__nulls_first": True, "__nulls_last": False}

UNSORTABLE = frozenset({Kind.JSON, Kind.LIST, Kind.MANY})


def read_sort(known: Known, sent: Sent) -> tuple[Sort, ...]:
    """`sort=-created_at,title`, ended by the key in the direction of the last: a total order for an index.

    Newest first when nothing is asked.
    """
    resource = known.resource
    text = sent.take("sort")
    if text is None:
        created = resource.field("created_at")
        return _total(resource, [] if created is None else [Sort(created, descending=True)])
    sortable = {wire: field for wire, field in known.by_wire.items() if field.type.kind not in UNSORTABLE}
    sorts: list[Sort] = []
    for written in text.split(","):
        name, nulls_first = _nulls(written.removeprefix("-"))
        through, field = known.find(name) or ((), None)
        if field is not None and field.type.kind in UNSORTABLE:
            sent.refuse(
                "sort", "not_a_choice", f"{echo(name)} is {field.type}: json and lists have no order."
            )
            return ()
        if field is None:
            sent.refuse("sort", "not_a_choice", no_field(name, sortable))
            return ()
        path = Path((*through, field.name))
        if through and any(hop.many for hop in resolve(known.visible, known.seen, path).hops):
            message = f"{echo(name)} leads to many rows: a row is sorted by a value of one."
            sent.refuse("sort", "not_a_choice", message)
            return ()
        if through and not known.follow("sort", path, sent):
            return ()
        if known.changes_by_waiting(path):
            message = f"{echo(name)} changes by waiting, and pages with it: filter by it instead."
            sent.refuse("sort", "not_a_choice", message)
            return ()
        sort = Sort(field, written.startswith("-"), through, nulls_first)
        if any(other.path == sort.path for other in sorts):
            sent.refuse("sort", "repeated", "Must name each field once.")
            return ()
        sorts.append(sort)
    return _total(resource, sorts)


def _nulls(name: str) -> tuple[str, bool | None]:
    """A sort key without the word of where rows without a value go, and whether that is first."""
    for ending, first in NULLS.items():
        if name.endswith(ending):
            return name.removesuffix(ending), first
    return name, None


def _total(resource: Resource, sorts: list[Sort]) -> tuple[Sort, ...]:
    key = resource.key_field
    for index, sort in enumerate(sorts):
        if sort.path == key.name:
            return tuple(sorts[: index + 1])
    return (*sorts, Sort(key, bool(sorts) and sorts[-1].descending))
