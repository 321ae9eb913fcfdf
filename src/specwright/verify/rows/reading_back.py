"""What the answer to a create says of the new row: its members, and by which key it is read again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from specwright.verify.lab import parse
from specwright.verify.result import Probe
from specwright.verify.surface.collections import enveloped, key_member
from specwright.verify.surface.surface import Collection, Operation, Schema


def learned(collection: Collection, answer: Any) -> tuple[Collection, Mapping[str, Any]]:
    """The row in an answer, and the collection with the envelope that it came in."""
    if not isinstance(answer, Mapping):
        return collection, {}
    if collection.envelope and isinstance(answer.get(collection.envelope), Mapping):
        return collection, answer[collection.envelope]
    shape = {"type": "object", "properties": {name: _shape(each) for name, each in answer.items()}}
    envelope = enveloped(shape, collection.name, collection.key)
    collection = replace(collection, envelope=envelope)
    shown = collection.shown(answer)
    member = key_member(collection.key, collection.name, shown)
    if collection.member not in shown and member in shown:
        collection = replace(collection, member=member)
    return collection, shown


def _shape(value: Any) -> Schema:
    return {"properties": {name: {} for name in value}} if isinstance(value, Mapping) else {}


def keys(collection: Collection, shown: Mapping[str, Any], probe: Probe) -> Iterator[tuple[str, str]]:
    """Members and values that may be what names the new row in a path, the likeliest first."""
    tried: set[str] = set()
    for member in (collection.member, collection.key, "id", "uuid", "slug", f"{collection.name}_id"):
        value = shown.get(member)
        if isinstance(value, str | int) and str(value) not in tried:
            tried.add(str(value))
            yield member, str(value)
    location = next((value for name, value in probe.answer_headers if name.lower() == "location"), "")
    last = location.rstrip("/").rpartition("/")[2]
    if last and last not in tried:
        yield "", last
    answer = parse(probe)
    if isinstance(answer, str | int) and not isinstance(answer, bool):
        yield "", str(answer)
    for name, value in shown.items():
        if name.endswith(("id", "Id", "ID")) and isinstance(value, str | int) and str(value) not in tried:
            yield name, str(value)


def carried(place: Mapping[str, str], operation: Operation) -> dict[str, str]:
    """The place, with its values under the names that another path gives the same parts."""
    names = [parameter.name for parameter in operation.of("path")]
    return {**dict(place), **dict(zip(names[: len(place)], place.values(), strict=False))}
