"""`title__contains=milk`: the filters that a parameter each asks for, a field and an operator."""

import re
from collections.abc import Mapping
from typing import Any

from specwright.api.filters import MAX_CHOICES
from specwright.api.known import Known
from specwright.api.literals import Fault, read
from specwright.api.query_string import Sent, split_operator
from specwright.model.expression import Path
from specwright.model.manifest import Manifest
from specwright.model.types import Kind, Type
from specwright.model.values import key_kind
from specwright.sql.query import Filter

_EQUALITY = ("eq", "ne", "in", "isnull")
_ORDER = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "isnull")

#: The operators that each kind of field takes; a kind that is missing takes none.
KIND_OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: (*_ORDER, "contains", "startswith"),
    Kind.EMAIL: (*_ORDER, "contains", "startswith"),
    Kind.URL: (*_ORDER, "contains", "startswith"),
    Kind.INTEGER: _ORDER,
    Kind.NUMBER: _ORDER,
    Kind.DATE: _ORDER,
    Kind.TIMESTAMP: _ORDER,
    Kind.BOOLEAN: ("eq", "ne", "isnull"),
    Kind.ENUM: _EQUALITY,
    Kind.UUID: _EQUALITY,
    Kind.REFERENCE: _EQUALITY,
    Kind.JSON: ("contains", "isnull"),
    Kind.LIST: ("contains", "isnull"),
}


def read_filters(known: Known, sent: Sent, others: tuple[str, ...]) -> tuple[Filter, ...]:
    """The filters among what nobody has taken; `others` are the parameters that are none."""
    filters = []
    for name, value in sent.rest():
        wire, operator = name, "eq"
        found = known.find(name)
        if found is None:
            wire, operator = split_operator(name)
            found = known.find(wire)
        if found is None:
            if (key := _key_of_many(known, wire)) is not None:
                sent.refuse(name, "unknown_parameter", f"{wire} is many: filter by {key}.")
            else:
                sent.refuse_unknown(name, (*others, *known.by_wire))
            continue
        through, field = found
        allowed = KIND_OPERATORS.get(field.type.kind, ())
        if operator not in allowed:
            takes = ", ".join(f"{wire}__{each}" for each in allowed)
            sent.refuse(name, "unknown_parameter", f"{wire} has no such filter. It has {takes}.")
            continue
        if through and not known.follow(name, Path((*through, field.name)), sent):
            continue
        try:
            read_value = _read_value(known.manifest, field.type, operator, value)
            filters.append(Filter(field, operator, read_value, through))
        except Fault as fault:
            sent.refuse(name, fault.code, fault.message)
    return tuple(filters)


def _key_of_many(known: Known, wire: str) -> str | None:
    """What filters by the keys of the rows that a relation to many leads to, by its name or its member."""
    linked = {field.wire: field.name for field in known.resource.fields if field.linked is not None}
    relation = known.seen.relation(linked.get(wire, wire))
    if relation is None or not relation.many:
        return None
    return f"{relation.name}__{known.visible.resource(relation.target).key_field.wire}"


def _read_value(manifest: Manifest, type: Type, operator: str, text: str) -> Any:
    if operator == "isnull":
        return read(text, Type(Kind.BOOLEAN))
    if type.item is not None:
        type = type.item
    if type.kind is Kind.REFERENCE:
        type = Type(key_kind(manifest, type))
    if type.kind is Kind.TIMESTAMP:
        # A plus sign is a space in a query string, unless it is written as %2B.
        text = re.sub(r" (\d\d:\d\d)(?=,|$)", r"+\1", text)
    if operator != "in":
        return read(text, type)
    choices = _split_choices(text)
    if len(choices) > MAX_CHOICES:
        raise Fault("too_long", f"Must hold at most {MAX_CHOICES} values.")
    return tuple(read(choice, type) for choice in choices)


def _split_choices(text: str) -> list[str]:
    r"""The values between commas; `\,` is a comma within one and `\\` a backslash."""
    parts = [""]
    for piece in re.findall(r"\\[\\,]|,|[^\\,]+|\\", text):
        if piece == ",":
            parts.append("")
        else:
            parts[-1] += piece[1:] if piece in ("\\\\", "\\,") else piece
    return parts
