"""Bodies that are right but for one thing that an app may find out late."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from specwright.verify.rows.bodies import Bodies, Unfit
from specwright.verify.surface.schemas import element, kinds, members, plain, required, variants
from specwright.verify.surface.surface import Schema

#: The key of no row.
_NOBODY = "00000000-0000-4000-8000-000000000000"
_NUMBERS = (987_654_321, -1, 0)
_TEXTS = ("", "x" * 5000, "\x00")


def spoiled(schema: Schema, body: Mapping[str, Any], kept: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Bodies with one member each that names no row, or is out of all bounds; `kept` stays, and comes first.

    Members come in the order of the schema, their names beside them: a body is read from top to bottom, and
    what stands last is found out last.
    """
    shown = members(schema)
    bodies = Bodies(Random(0))
    for name in reversed(shown):
        if name == kept:
            continue
        for value in _bad(shown[name], name, bodies):
            rest = {each: body[each] for each in body if each not in (kept, name)}
            yield name, {kept: body[kept], **rest, name: value}


def _bad(schema: Schema, name: str, bodies: Bodies) -> Iterator[Any]:
    schema = plain(variants(plain(schema))[0])
    inner = element(schema)
    if inner is not None:
        yield from ([each] for each in _bad(inner, name, bodies))
        return
    if members(schema):
        yield from _within(schema, bodies)
        return
    if "enum" in schema or schema.get("format") in ("date", "date-time"):
        yield "nonesuch"
    elif {"integer", "number"} & set(kinds(schema)):
        yield from _NUMBERS
    elif "string" in kinds(schema):
        yield from (_NOBODY,) if schema.get("format") == "uuid" else (_NOBODY, *_TEXTS)
    elif "boolean" in kinds(schema):
        yield "nonesuch"


def _within(schema: Schema, bodies: Bodies) -> Iterator[dict[str, Any]]:
    """An inner object with one member spoiled."""
    try:
        whole = bodies.minimal(schema)
    except Unfit:
        return
    for name in required(schema):
        for value in _bad(members(schema)[name], name, bodies):
            yield {**whole, name: value}
