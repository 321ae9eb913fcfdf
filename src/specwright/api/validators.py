"""Validators: for each field, what Pydantic's core accepts as its value in a body."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from pydantic_core import PydanticCustomError, SchemaValidator, ValidationError
from pydantic_core import core_schema as schema

from specwright.api import literals
from specwright.api.literals import Fault
from specwright.api.problems import MOST_ERRORS, FieldError
from specwright.model import jsonb
from specwright.model.field import Bounds, Field
from specwright.model.jsonb import MAX_DIGITS
from specwright.model.manifest import Manifest
from specwright.model.types import MAX_INTEGER, NUMBER, NUMBER_KINDS, TEXT, TEXT_KINDS, Kind, Type
from specwright.sql.checks import INDEXED_ITEM, LONGEST_SUBJECT, UNBOUNDED_TEXT

#: Rows that one body links a row to, by one field.
MOST_LINKED = 1000
#: No body is longer.
_ANY_LENGTH = 2**31

_NOUNS = {
    Kind.TEXT: "text",
    Kind.EMAIL: "text",
    Kind.URL: "text",
    Kind.ENUM: "text",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number, or a text that holds one",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a text that holds a date, as 2026-01-31",
    Kind.TIMESTAMP: "a text that holds a timestamp, as 2026-01-31T12:00:00Z",
    Kind.UUID: "a text that holds a UUID",
}


class Validator:
    """Turns one member of a body into the value that is stored."""

    def __init__(self, manifest: Manifest, field: Field) -> None:
        bounds, type_, items = field.bounds, field.type, Bounds()
        if type_.kind is Kind.REFERENCE:
            target = manifest.resource(str(type_.target)).key_field
            type_ = target.type
            if type_.kind is Kind.TEXT:
                bounds = Bounds(1, LONGEST_SUBJECT)
        elif type_.kind is Kind.MANY:
            type_ = Type(Kind.LIST, item=manifest.resource(str(type_.target)).key_field.type)
            bounds = Bounds(None, MOST_LINKED)
            items = Bounds(1, LONGEST_SUBJECT) if type_.item == TEXT else items
        elif field.built_in and type_.kind is Kind.TEXT:
            bounds = Bounds(1, LONGEST_SUBJECT)
        elif field.calculated:
            # What is worked out comes to be as large as it is, and may be sent back.
            type_ = NUMBER if type_.kind in NUMBER_KINDS else type_
            bounds = Bounds(None, _ANY_LENGTH) if type_.kind in TEXT_KINDS else bounds
        if field.indexed and type_.item is not None and type_.item.kind in TEXT_KINDS - {Kind.ENUM}:
            items = Bounds(None, INDEXED_ITEM)
        self._wire = field.wire
        self._listed = type_.kind is Kind.LIST
        if self._listed:
            self._core = SchemaValidator(_list(type_, bounds, items))
            self._hasty = SchemaValidator(_list(type_, bounds, items, hasty=True))
        else:
            self._core = self._hasty = SchemaValidator(_core(type_, bounds, field.pattern))
        self._nullable = field.nullable and field.linked is None

    def validate(self, value: Any) -> tuple[Any, list[FieldError]]:
        """The typed value, or every fault in it."""
        if value is None:
            if self._nullable:
                return None, []
            return None, [FieldError(self._wire, "not_null", "Must not be null.")]
        # Half a million faults would take seconds to tell, and a problem shows fifty.
        hasty = isinstance(value, list) and len(value) > MOST_ERRORS
        if unstorable := list(islice(self._unstorable(value), 1 if hasty else None)):
            return None, unstorable
        core = self._hasty if hasty else self._core
        try:
            return core.validate_python(value), []
        except ValidationError as error:
            return None, list(faults(self._wire, error))

    def _unstorable(self, value: Any) -> Iterator[FieldError]:
        """Each item of a list, or the whole of what is none, that holds what PostgreSQL cannot store."""
        if self._listed and isinstance(value, list):
            places = (f"{self._wire}.{index}" for index, item in enumerate(value) if _is_unstorable(item))
        else:
            places = (place for place in (self._wire,) if _is_unstorable(value))
        for place in places:
            yield FieldError(place, "invalid_character", "Must not hold a NUL or half of a surrogate pair.")


def _is_unstorable(value: Any) -> bool:
    scalars = jsonb.scalars(value) if isinstance(value, dict | list) else (value,)
    return any(isinstance(each, str) and jsonb.UNSTORABLE.search(each) for each in scalars)


def faults(wire: str, error: ValidationError) -> Iterator[FieldError]:
    """What Pydantic finds wrong with a member, each fault by itself."""
    for found in error.errors(include_url=False):
        code, message = _explain(found)
        yield FieldError(".".join((wire, *map(str, found["loc"]))), code, message)


def _explain(found: Any) -> tuple[str, str]:
    context: dict[str, Any] = found.get("ctx", {})
    match found["type"]:
        case _ if found["input"] is None:
            return "not_null", "Must not be null."
        case "string_too_long":
            return "too_long", f"Must have at most {_count(context['max_length'], 'character')}."
        case "string_too_short":
            return "too_short", f"Must have at least {_count(context['min_length'], 'character')}."
        case "too_long":
            return "too_long", f"Must hold at most {_count(context['max_length'], 'item')}."
        case "too_short":
            return "too_short", f"Must hold at least {_count(context['min_length'], 'item')}."
        case "string_pattern_mismatch":
            pattern = context["pattern"].removeprefix("^(?:").removesuffix(")$")
            return "pattern_mismatch", f"Must match the pattern {pattern}"
        case "string_type":
            return "wrong_type", "Must be text."
        case "bool_type":
            return "wrong_type", "Must be true or false."
        case "list_type":
            return "wrong_type", "Must be a list."
        case "less_than_equal":
            return "too_large", f"Must be at most {_plain(context['le'])}."
        case "greater_than_equal":
            return "too_small", f"Must be at least {_plain(context['ge'])}."
        case code:
            return str(code), str(found["msg"])


def _core(type_: Type, bounds: Bounds, pattern: str | None) -> schema.CoreSchema:
    match type_.kind:
        case Kind.TEXT | Kind.EMAIL | Kind.URL:
            text = schema.str_schema(
                strict=True,
                min_length=bounds.least,
                max_length=UNBOUNDED_TEXT if bounds.most is None else bounds.most,
                pattern=None if pattern is None else f"^(?:{pattern})$",
            )
            check = {Kind.EMAIL: literals.check_email, Kind.URL: literals.check_url}.get(type_.kind)
            return text if check is None else schema.no_info_after_validator_function(_told(check), text)
        case Kind.ENUM:
            return schema.no_info_plain_validator_function(_told(_from_text(type_)))
        case Kind.BOOLEAN:
            return schema.bool_schema(strict=True)
        case Kind.INTEGER:
            return schema.no_info_before_validator_function(
                _told(_whole),
                schema.int_schema(
                    strict=True,
                    ge=-MAX_INTEGER if bounds.least is None else max(bounds.least, -MAX_INTEGER),
                    le=MAX_INTEGER if bounds.most is None else min(bounds.most, MAX_INTEGER),
                ),
            )
        case Kind.NUMBER:
            return schema.no_info_before_validator_function(
                _told(_decimal(type_)),
                schema.decimal_schema(strict=True, ge=_exact(bounds.least), le=_exact(bounds.most)),
            )
        case Kind.DATE:
            return schema.no_info_before_validator_function(
                _told(_from_text(type_)), schema.date_schema(strict=True, ge=bounds.least, le=bounds.most)
            )
        case Kind.TIMESTAMP:
            return schema.no_info_before_validator_function(
                _told(_from_text(type_)), schema.datetime_schema(strict=True, ge=bounds.least, le=bounds.most)
            )
        case Kind.UUID:
            return schema.no_info_plain_validator_function(_told(_from_text(type_)))
        case Kind.JSON:
            return schema.no_info_plain_validator_function(_told(_json))
        case kind:
            raise ValueError(f"a {kind} is not a member of a body")


def _list(type_: Type, bounds: Bounds, items: Bounds, *, hasty: bool = False) -> schema.CoreSchema:
    """A list with every faulty item told, or if hasty the first."""
    assert type_.item is not None
    return schema.list_schema(
        _core(type_.item, items, None),
        strict=True,
        min_length=bounds.least,
        max_length=bounds.most,
        fail_fast=hasty,
    )


def _told(read: Any) -> Any:
    """The reader with its Fault as Pydantic wants it raised."""

    def validate(value: Any) -> Any:
        try:
            return read(value)
        except Fault as fault:
            # Braces would be read as placeholders.
            raise PydanticCustomError(fault.code, "{message}", {"message": fault.message}) from None

    return validate


def _from_text(type_: Type) -> Any:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise Fault("wrong_type", f"Must be {_NOUNS[type_.kind]}.")
        return literals.read(value, type_)

    return read


def _whole(value: Any) -> int:
    """An integer; 1.0 is one too (JSON Schema 2020-12, Core §4.2.3)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Fault("wrong_type", "Must be a whole number.")
    if isinstance(value, Decimal):
        whole = literals.within_integers(value)
        if value != whole:
            raise Fault("wrong_type", "Must be a whole number.")
        return whole
    return value


def _decimal(type_: Type) -> Any:
    def read(value: Any) -> Decimal:
        if isinstance(value, str):
            value = literals.read_number(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Fault("wrong_type", f"Must be {_NOUNS[Kind.NUMBER]}.")
        number = Decimal(value)
        scale = MAX_DIGITS if type_.scale is None else type_.scale
        before = MAX_DIGITS if type_.precision is None else type_.precision - scale
        if number and number.adjusted() >= before:
            if number > 0:
                raise Fault("too_large", f"Must have at most {_count(before, 'digit')} before the point.")
            raise Fault("too_small", f"Must have at most {_count(before, 'digit')} before the point.")
        if _decimals(number) > scale:
            raise Fault("too_precise", f"Must have at most {_count(scale, 'decimal')}.")
        return _trimmed(number, scale)

    return read


def _trimmed(number: Decimal, scale: int) -> Decimal:
    """The same number without zeros that the driver cannot send: 0e99999, or a 1.000 of 20,000 zeros."""
    if not number:
        return Decimal(0)
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    surplus = -exponent - scale
    return Decimal((sign, digits[:-surplus], -scale)) if surplus > 0 else number


def _decimals(number: Decimal) -> int:
    """Decimals that count: 1.500 has one."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).rstrip("0")
    return max(0, -exponent - (len(digits) - len(significant))) if significant else 0


def _json(value: Any) -> str:
    """The JSON text of any value whose numbers a `jsonb` can keep without growing beyond reason."""
    if any(map(jsonb.is_too_long, jsonb.scalars(value))):
        raise Fault(
            "too_large", f"Must hold no number of more than {MAX_DIGITS} digits before or behind the point."
        )
    return jsonb.encode(value)


def _exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
