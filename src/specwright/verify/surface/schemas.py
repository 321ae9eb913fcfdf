"""What a JSON schema says, whichever way it says it (OpenAPI 3.0's dialect, and JSON Schema 2020-12)."""

from collections.abc import Iterator, Mapping
from typing import Any

from specwright.verify.surface.surface import Schema

_COMBINING = ("anyOf", "oneOf")


def kinds(schema: Schema) -> tuple[str, ...]:
    """The types that a value may have, but for null: ("string",); none where the schema does not say."""
    given = schema.get("type")
    named = [given] if isinstance(given, str) else list(given or ())
    if named:
        return tuple(name for name in named if name != "null")
    for keyword, kind in _TELLING.items():
        if keyword in schema:
            return (kind,)
    return ()


#: What can only be said of values of one type.
_TELLING = {
    "properties": "object",
    "additionalProperties": "object",
    "items": "array",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
}


def variants(schema: Schema) -> tuple[Schema, ...]:
    """The schemas of which a value meets any one, but for null; each with what all of them say."""
    for keyword in _COMBINING:
        if isinstance(schema.get(keyword), list):
            rest = {name: value for name, value in schema.items() if name not in _COMBINING}
            chosen = [each for each in schema[keyword] if isinstance(each, Mapping) and not _null(each)]
            return tuple(found for each in chosen for found in variants(both(rest, each)))
    return (schema,)


def both(one: Schema, other: Schema) -> Schema:
    """A schema that says what the two say; where they differ in a bound, the narrower."""
    merged: dict[str, Any] = dict(one)
    for name, value in other.items():
        here = merged.get(name)
        if here is None:
            merged[name] = value
        elif name == "properties":
            shared = {key: both(here[key], value[key]) for key in here.keys() & value.keys()}
            merged[name] = {**here, **value, **shared}
        elif name == "required":
            merged[name] = [*dict.fromkeys([*here, *value])]
        elif name in ("minimum", "exclusiveMinimum", "minLength", "minItems"):
            merged[name] = max(here, value)
        elif name in ("maximum", "exclusiveMaximum", "maxLength", "maxItems"):
            merged[name] = min(here, value)
        elif name == "enum":
            merged[name] = [each for each in here if each in value]
        elif name == "allOf":
            merged[name] = [*here, *value]
        else:
            merged[name] = value
    return merged


def plain(schema: Schema) -> Schema:
    """The schema without `allOf`: its parts as one."""
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged: Schema = {name: value for name, value in schema.items() if name != "allOf"}
    for part in parts:
        if isinstance(part, Mapping):
            merged = both(merged, plain(part))
    return merged


def members(schema: Schema | None) -> dict[str, Schema]:
    """The members of an object, by name; of all the kinds of object there can be, where there are several."""
    found: dict[str, Schema] = {}
    for variant in _objects(schema):
        for name, value in variant.get("properties", {}).items():
            found.setdefault(name, value if isinstance(value, Mapping) else {})
    return found


def required(schema: Schema | None) -> tuple[str, ...]:
    """The members that an object must have; of the first kind, where there are several."""
    for variant in _objects(schema):
        return tuple(variant.get("required", ()))
    return ()


def element(schema: Schema | None) -> Schema | None:
    """The schema of a list's items; None where it is no list."""
    if schema is None:
        return None
    for variant in variants(plain(schema)):
        if "array" in kinds(variant):
            items = plain(variant).get("items")
            return items if isinstance(items, Mapping) else {}
    return None


def _objects(schema: Schema | None) -> Iterator[Schema]:
    if schema is not None:
        for variant in variants(plain(schema)):
            yield plain(variant)


def _null(schema: Schema) -> bool:
    return schema.get("type") == "null" or schema.get("enum") == [None] or schema.get("const", ...) is None
