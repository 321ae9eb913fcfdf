"""What the body of an action says: the spec's types first, then what the function's annotations add."""

import inspect
import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from specwright.api import json_text, schemas
from specwright.api.body import JSON, check_media_type
from specwright.api.functions import Function
from specwright.api.problems import FieldError, validation
from specwright.api.schemas import Schema
from specwright.api.validators import Validator, faults
from specwright.model.errors import ConfigError
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.resource import Action, ActionParameter
from specwright.model.types import Kind, Type

#: What a JSON Schema of an annotation adds to that of the spec's type.
_NARROWING = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "description",
)

_PYTHON: dict[Kind, type] = {
    Kind.INTEGER: int,
    Kind.NUMBER: Decimal,
    Kind.BOOLEAN: bool,
    Kind.DATE: date,
    Kind.TIMESTAMP: datetime,
    Kind.UUID: UUID,
    Kind.LIST: list,
}


class Arguments:
    """The values that an action takes.

    Raises:
        ConfigError: the function takes others, or takes one as another type.
    """

    def __init__(self, manifest: Manifest, action: Action, function: Function) -> None:
        self._manifest = manifest
        self._fields = {name_of(parameter): _field(parameter) for parameter in action.parameters}
        self._validators = {wire: Validator(manifest, field) for wire, field in self._fields.items()}
        self._adapters: dict[str, TypeAdapter[Any]] = {}
        self._defaults: set[str] = set()
        for wire, field in self._fields.items():
            parameter = function.signature.parameters.get(wire)
            if parameter is None:
                raise ConfigError(
                    f"{function} does not take {wire}, which {action.origin} declares of {action.name}."
                )
            if parameter.annotation is not inspect.Parameter.empty:
                self._judge(parameter.annotation, field, function, action)
                self._adapters[wire] = TypeAdapter(parameter.annotation)
            if parameter.default is not inspect.Parameter.empty:
                self._defaults.add(wire)

    def read(self, raw: bytes, content_type: str | None) -> dict[str, Any]:
        """The values of a body; without any that is required, the body may be empty.

        Raises:
            Problem: unsupported_media_type, malformed, or validation_failed with every fault at once.
        """
        members: Any = {}
        if raw.strip():
            check_media_type(content_type, (JSON,))
            members = json_text.read(raw)
        if not isinstance(members, dict):
            raise validation([FieldError("", "wrong_type", "The body must be a JSON object.")])
        errors = [
            FieldError(wire, "unknown_member", "There is no such member.")
            for wire in members
            if wire not in self._fields
        ]
        values: dict[str, Any] = {}
        for wire, field in self._fields.items():
            if members.get(wire) is None and not field.required:
                if wire not in self._defaults:
                    values[wire] = None
            elif wire not in members:
                errors.append(FieldError(wire, "required", "Must be sent."))
            else:
                value, found = self._validators[wire].validate(members[wire])
                if not found:
                    value, found = self._narrowed(wire, json.loads(value) if _is_json(field) else value)
                values[wire] = value
                errors += found
        if errors:
            raise validation(errors)
        return values

    def schema(self) -> Schema | None:
        """The body; None when there is nothing to send."""
        members = {}
        for wire, field in self._fields.items():
            members[wire] = schemas.accepted(self._manifest, field)
            if wire in self._adapters:
                own = self._adapters[wire].json_schema()
                members[wire] |= {word: own[word] for word in _NARROWING if word in own}
        if not members:
            return None
        required = [wire for wire, field in self._fields.items() if field.required]
        schema: Schema = {"type": "object", "properties": members, "additionalProperties": False}
        return schema | ({"required": required} if required else {})

    def _narrowed(self, wire: str, value: Any) -> tuple[Any, list[FieldError]]:
        if wire not in self._adapters:
            return value, []
        try:
            return self._adapters[wire].validate_python(value), []
        except ValidationError as error:
            return None, list(faults(wire, error))

    def _judge(self, annotation: Any, field: Field, function: Function, action: Action) -> None:
        """A plain class must be one that the spec's type is."""
        type_ = field.type
        if type_.target is not None:
            type_ = self._manifest.resource(type_.target).key_field.type
        expected = _PYTHON.get(type_.kind, str)
        told = _plain(annotation)
        if told is Any or not isinstance(told, type) or issubclass(expected, told) or issubclass(told, Enum):
            return
        if type_.kind is Kind.JSON or (told is float and type_.kind in (Kind.INTEGER, Kind.NUMBER)):
            return
        raise ConfigError(
            f"{function} takes {field.wire} as {told.__name__},"
            f" and {action.origin} declares it {field.type}: that is {expected.__name__}."
        )


def name_of(parameter: ActionParameter) -> str:
    """A parameter's name, in JSON and in Python: that of a reference says that it is an id."""
    return f"{parameter.name}_id" if parameter.type.target is not None else parameter.name


def _field(parameter: ActionParameter) -> Field:
    name = name_of(parameter)
    return Field(parameter.name, parameter.name, name, name, parameter.type, required=parameter.required)


def _is_json(field: Field) -> bool:
    return field.type == Type(Kind.JSON)


def _plain(annotation: Any) -> Any:
    """The annotation without metadata and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not NoneType]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return get_origin(annotation) or annotation
