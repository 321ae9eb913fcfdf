"""JSON Schemas (2020-12) of fields and bodies: what the API accepts and answers, said exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from specwright.api.fields import Taken, must_be_sent, seen, taken
from specwright.api.validators import MOST_LINKED
from specwright.model.field import Field, Filled, Shown
from specwright.model.jsonb import MAX_DEPTH
from specwright.model.manifest import Manifest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.types import MAX_INTEGER, TEXT_KINDS, Kind, Type
from specwright.sql.checks import INDEXED_ITEM, LONGEST_SUBJECT, UNBOUNDED_TEXT
from specwright.sql.includes import MOST
from specwright.sql.members import ALL

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """An action as a document tells of it: its body, the content of its 200, and whether there is a 204.

    `answered` is the entity of the rows in that content, if it has rows.
    """

    body: Schema | None
    content: Schema | None
    nothing: bool
    components: Mapping[str, Schema]
    answered: Resource | None = None


_ANY_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


def public(manifest: Manifest, resource: Resource) -> Schema:
    """A row as it is answered. Members that not everyone sees are not required."""
    fields = seen(resource, ALL)
    members = {field.wire: _described(field, _answered(manifest, field)) for field in fields}
    for field in fields:
        if taken(resource, field, "create", ALL) is Taken.READ_ONLY:
            members[field.wire]["readOnly"] = True
    return _object(members, [field.wire for field in fields if not field.readable_by])


def included(relation: Relation) -> Schema:
    """What `include` shows of a relation."""
    row = {"$ref": f"#/components/schemas/{relation.target}Public"}
    if not relation.many:
        return {"anyOf": [row, {"type": "null"}], "description": f"Only with `include={relation.name}`."}
    members: dict[str, Schema] = {
        "items": {"type": "array", "items": row, "maxItems": MOST},
        "more": {"type": "boolean", "description": "Whether there are more than these."},
        "href": {"type": "string", "format": "uri-reference", "description": "The path of all of them."},
    }
    schema = _object(members, list(members))
    return schema | {"description": f"The newest; only with `include={relation.name}`."}


def several(resource: Resource) -> Schema:
    """The answer of a create of many rows."""
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{resource.name}Public"}}
    return {"type": "object", "properties": {"items": items}, "required": ["items"]}


def page(resource: Resource) -> Schema:
    """The answer of a list."""
    members: dict[str, Schema] = {
        "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{resource.name}Public"}},
        "next_cursor": {
            "type": ["string", "null"],
            "description": "Send it as `cursor` for the next page; null on the last.",
        },
        "total": {
            "type": "integer",
            "minimum": 0,
            "description": "How many rows all pages hold; only with `count=exact`.",
        },
    }
    members["items"]["maxItems"] = resource.limits.page_max
    return _object(members, ["items", "next_cursor"])


def body(manifest: Manifest, resource: Resource, action: str) -> Schema:
    """The body of a create, an update or a replace."""
    members: dict[str, Schema] = {}
    required = []
    for field in resource.fields:
        if field.linked is not None:
            members[field.wire] = _linked(manifest, field)
            continue
        if field.shown is Shown.HIDDEN or not (field.stored or field.calculated):
            continue
        kind = taken(resource, field, action, ALL)
        handed = field == resource.handed_over and action == "update"
        if kind is Taken.READ_ONLY and not handed:
            continue
        made = _answered(manifest, field) if field.calculated else accepted(manifest, field)
        members[field.wire] = _described(field, made)
        if field in resource.moving:
            _note(members[field.wire], _moves(resource, field, action))
            if action == "create":
                members[field.wire]["enum"] = [field.default.value] if field.default is not None else []
        if handed:
            _note(members[field.wire], "Handed over by itself, with no other member.")
        if kind is Taken.UNCHANGED:
            if field.immutable or action == "update":
                _note(members[field.wire], "Set once: only its stored value is accepted.")
            else:
                members[field.wire]["readOnly"] = True
        if field.shown is Shown.WRITE_ONLY:
            members[field.wire]["writeOnly"] = True
        if must_be_sent(resource, field, action):
            required.append(field.wire)
        elif field.default is not None and action != "update":
            members[field.wire]["default"] = _plain(field.default.value)
    return _object(members, required) | {"additionalProperties": False}


def _moves(resource: Resource, field: Field, action: str) -> str:
    if action == "create":
        return "It begins so."
    return f"Stays, or moves: {', '.join(dict.fromkeys(map(str, resource.moves_of(field.name))))}."


def _linked(manifest: Manifest, field: Field) -> Schema:
    """The keys of linked rows, which are never answered where `include` shows the rows."""
    target = manifest.resource(str(field.linked))
    schema: Schema = {"type": "array", "items": _key(target), "maxItems": MOST_LINKED}
    if field.shown is Shown.WRITE_ONLY:
        schema["writeOnly"] = True
    _note(schema, field.means)
    _note(schema, f"The ids of each {target.title} that is linked, instead of those until now.")
    return schema


def _key(target: Resource) -> Schema:
    key = _of_type(target.key_field.type, sent=True)
    return key | {"minLength": 1, "maxLength": LONGEST_SUBJECT} if target.external else key


def accepted(manifest: Manifest, field: Field) -> Schema:
    """A member as a body may hold it."""
    kind, type_ = _stored_type(manifest, field)
    schema = _bounded(field, _of_type(type_, sent=True), type_)
    if kind is Kind.REFERENCE and field.target is not None:
        schema["description"] = f"The id of a {manifest.resource(field.target).title}."
    return _nullable(schema) if field.nullable else schema


def filtered(manifest: Manifest, field: Field, operator: str) -> Schema:
    """The value of `field__operator` in a query string."""
    _, type_ = _stored_type(manifest, field)
    if operator == "isnull":
        return {"type": "boolean"}
    if type_.kind is Kind.JSON:
        return {"type": "string", "contentMediaType": "application/json"}
    if type_.item is not None:
        type_ = type_.item
    schema = _of_type(type_, sent=True)
    if type_.kind in TEXT_KINDS - {Kind.ENUM}:
        schema = {"type": "string"}
    elif type_.kind is Kind.NUMBER:
        schema = {"type": "string", "pattern": _ANY_NUMBER}
    return {"type": "array", "items": schema, "minItems": 1} if operator == "in" else schema


def _answered(manifest: Manifest, field: Field) -> Schema:
    if field.linked is not None:
        target = manifest.resource(field.linked)
        said = f"The ids of each {target.title} that is linked, in their order."
        return {"type": "array", "items": _key(target), "description": said}
    _, type_ = _stored_type(manifest, field)
    schema = _of_type(type_, sent=False)
    schema = _unbounded(schema, type_) if field.calculated else _bounded(field, schema, type_)
    return _nullable(schema) if field.nullable else schema


def _unbounded(schema: Schema, type_: Type) -> Schema:
    """A value that is worked out: as large as it comes to be, a number with its digits after the point."""
    match type_.kind:
        case Kind.INTEGER:
            return {"type": "integer"}
        case Kind.NUMBER:
            decimals = rf"\.[0-9]{{{type_.scale}}}" if type_.scale else ""
            return {"type": "string", "pattern": rf"^-?[0-9]+{decimals}$"}
        case _:
            return schema


def _stored_type(manifest: Manifest, field: Field) -> tuple[Kind, Type]:
    if field.target is None:
        return field.type.kind, field.type
    return Kind.REFERENCE, manifest.resource(field.target).key_field.type


def _of_type(type_: Type, *, sent: bool) -> Schema:
    match type_.kind:
        case Kind.INTEGER:
            return {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}
        case Kind.NUMBER:
            return _number(type_, sent)
        case Kind.BOOLEAN:
            return {"type": "boolean"}
        case Kind.DATE:
            return {"type": "string", "format": "date"}
        case Kind.TIMESTAMP:
            return {"type": "string", "format": "date-time"}
        case Kind.UUID:
            return {"type": "string", "format": "uuid"}
        case Kind.EMAIL:
            return {"type": "string", "format": "email", "maxLength": 254}
        case Kind.URL:
            return {"type": "string", "format": "uri", "pattern": "^https?://"}
        case Kind.ENUM:
            return {"type": "string", "enum": list(type_.literals)}
        case Kind.LIST:
            assert type_.item is not None
            return {"type": "array", "items": _of_type(type_.item, sent=sent)}
        case Kind.JSON:
            return {"description": f"Any JSON, at most {MAX_DEPTH} levels deep with the body around it."}
        case _:
            return {"type": "string"}


def _number(type_: Type, sent: bool) -> Schema:
    """Out always a text, so that no reader makes it a float; in either way."""
    if type_.precision is None or type_.scale is None:
        pattern = _ANY_NUMBER
    elif not type_.scale:
        pattern = f"^-?[0-9]{{1,{type_.precision}}}$"
    else:
        whole, decimals = (
            max(1, type_.precision - type_.scale),
            f"1,{type_.scale}" if sent else str(type_.scale),
        )
        pattern = rf"^-?[0-9]{{1,{whole}}}(\.[0-9]{{{decimals}}}){'?' if sent else ''}$"
    schema: Schema = {"type": "string", "pattern": pattern}
    if sent:
        schema["type"] = ["string", "number"]
        if type_.precision is not None and type_.scale is not None:
            greatest = Decimal((0, (9,) * type_.precision, -type_.scale))
            schema |= _stated("minimum", -greatest) | _stated("maximum", greatest)
            schema |= _stated("multipleOf", Decimal((0, (1,), -type_.scale)))
    return schema


def _bounded(field: Field, schema: Schema, type_: Type) -> Schema:
    least, most = field.bounds.least, field.bounds.most
    match type_.kind:
        case Kind.TEXT if field.target is not None or field.built_in:
            schema |= {"minLength": 1, "maxLength": LONGEST_SUBJECT}
        case Kind.TEXT | Kind.EMAIL | Kind.URL:
            if least is not None:
                schema["minLength"] = least
            longest = min(schema.get("maxLength", UNBOUNDED_TEXT), UNBOUNDED_TEXT if most is None else most)
            schema["maxLength"] = most if type_.kind is Kind.TEXT and most is not None else longest
        case Kind.LIST:
            if type_.item is not None and type_.item.kind in TEXT_KINDS - {Kind.ENUM}:
                longest = INDEXED_ITEM if field.indexed else UNBOUNDED_TEXT
                schema["items"]["maxLength"] = min(schema["items"].get("maxLength", longest), longest)
            schema |= {"minItems": least} if least is not None else {}
            schema |= {"maxItems": most} if most is not None else {}
        case Kind.INTEGER:
            schema |= {"minimum": max(least, -MAX_INTEGER)} if least is not None else {}
            schema |= {"maximum": min(most, MAX_INTEGER)} if most is not None else {}
        case Kind.NUMBER if "number" in schema["type"]:
            schema |= _stated("minimum", least) | _stated("maximum", most)
        case Kind.DATE | Kind.TIMESTAMP | Kind.NUMBER if least is not None or most is not None:
            _note(schema, f"From {_open(least)} to {_open(most)}.")
    if field.pattern is not None:
        schema["pattern"] = f"^(?:{field.pattern})$"
    return schema


_FILLED = {
    Filled.CALLER: "the caller",
    Filled.NOW: "the time of the request",
    Filled.TENANT: "the tenant that the request is for",
}


def _described(field: Field, schema: Schema) -> Schema:
    """The spec's own words first, then what the rules add to them."""
    said = schema.pop("description", "")
    for text in (field.means, said):
        _note(schema, text)
    if field.calculated:
        _note(schema, "Worked out whenever it is asked for.")
    if field.filled is not None:
        _note(schema, f"Filled with {_FILLED[field.filled]}.")
    if field.readable_by:
        _note(schema, f"Only for {_roles(field.readable_by)}.")
    if field.writable_by:
        _note(schema, f"Only {_roles(field.writable_by)} may send it.")
    return schema


def _note(schema: Schema, text: str) -> None:
    if text:
        text = text if text.endswith((".", "!", "?")) else f"{text}."
        schema["description"] = f"{schema['description']} {text}" if "description" in schema else text


def _nullable(schema: Schema) -> Schema:
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = [*types, "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _object(members: dict[str, Schema], required: Sequence[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": members}
    if required:
        schema["required"] = list(required)
    return schema


def _roles(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _open(value: Any) -> str:
    return "any" if value is None else str(_plain(value))


def _plain(value: Any) -> Any:
    match value:
        case list():
            return [_plain(item) for item in value]
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case _:
            return value


def _stated(keyword: str, value: Any) -> Schema:
    """A limit that every reader of the document keeps exactly; one that no double holds is not stated."""
    if value is None:
        return {}
    number = Decimal(value)
    if number == number.to_integral_value():
        return {keyword: int(number)} if abs(number) <= MAX_INTEGER else {}
    double = float(number)
    return {keyword: double} if Decimal(repr(double)) == number else {}
