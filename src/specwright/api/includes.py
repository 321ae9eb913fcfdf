"""`include=project,tasks.comments`: relations by the names of the spec, read with the eyes of the caller."""

from collections.abc import Callable, Iterable, Iterator

from specwright.api.problems import echo
from specwright.model.manifest import Manifest
from specwright.model.names import suggest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.sql.includes import MOST
from specwright.sql.query import Related

#: Relations that one name may follow, and all of a request together.
MAX_DEPTH = 3
MAX_INCLUDES = 12
#: Rows that an answer may come to hold, all that are included together.
MAX_ROWS = 10_000

#: Notes a fault: its code and a sentence.
Refuse = Callable[[str, str], None]


def includable(manifest: Manifest, resource: Resource) -> dict[str, Relation]:
    """The relations of a resource that lead to rows; a User without a table has none."""
    return {
        relation.name: relation
        for relation in resource.relations
        if not manifest.resource(relation.target).external
    }


def read_includes(
    visible: Manifest, resource: Resource, text: str, rows: int, refuse: Refuse
) -> tuple[Related, ...]:
    """What to include in each of so many rows; nothing, with a fault noted, when it is not understood.

    `project.owner` includes the project, too.
    """
    names = text.split(",")
    if len(set(names)) < len(names):
        refuse("repeated", "Must name each relation once.")
        return ()
    found = _branches(visible, resource, [name.split(".") for name in names], 1, refuse)
    if found is None:
        return ()
    if (count := sum(1 for _ in _all(found))) > MAX_INCLUDES:
        refuse("too_complex", f"Follows {count} relations, and may follow {MAX_INCLUDES}.")
        return ()
    if (most := _rows(found, rows)) > MAX_ROWS:
        message = (
            f"Might hold {most} rows, and may hold {MAX_ROWS}: include less, or ask for a smaller limit."
        )
        refuse("too_complex", message)
        return ()
    return found


def _branches(
    visible: Manifest, resource: Resource, ways: list[list[str]], depth: int, refuse: Refuse
) -> tuple[Related, ...] | None:
    known = includable(visible, resource)
    beyond: dict[str, list[list[str]]] = {}
    for first, *rest in ways:
        if first not in known:
            close = suggest(first, known)
            hint = f" Did you mean {close}?" if close else f" There are {', '.join(sorted(known))}."
            refuse("not_a_choice", f"No relation {echo(first)!r} here.{hint if known else ''}")
            return None
        if rest and depth == MAX_DEPTH:
            refuse("too_complex", f"A name follows at most {MAX_DEPTH} relations.")
            return None
        beyond.setdefault(first, []).extend([rest] if rest else [])
    found = []
    for name, more in beyond.items():
        relation = known[name]
        inner = _branches(visible, visible.resource(relation.target), more, depth + 1, refuse)
        if inner is None:
            return None
        found.append(Related(relation, inner))
    # In the order of the spec, so that requests which ask for the same share a statement.
    return tuple(sorted(found, key=lambda branch: list(known).index(branch.relation.name)))


def _all(found: Iterable[Related]) -> Iterator[Related]:
    for branch in found:
        yield branch
        yield from _all(branch.beyond)


def _rows(found: Iterable[Related], rows: int) -> int:
    """How many rows these may be, within so many."""
    total = 0
    for branch in found:
        here = rows * (MOST if branch.relation.many else 1)
        total += here + _rows(branch.beyond, here)
    return total


def entities(found: Iterable[Related]) -> set[str]:
    """The names of the entities whose rows are included."""
    return {branch.relation.target for branch in _all(found)}
