"""Rows as instances of people's mapped classes: made for a hook or an action, and what it changed on them.

Such an instance belongs to no session, so that nothing is written behind our back: what was changed on it is
validated like a body, and stored by the derived statement.
"""

import copy
import enum
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, inspect, select
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm import Mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from specwright.api.problems import FieldError, validation
from specwright.api.transaction import Interrupted, Transaction
from specwright.api.validators import Validator
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.sql.tables import DIALECT

_UNSET: Any = object()


def mapper_of(model: Any) -> Mapper[Any] | None:
    """How a class is mapped to a table; None when it is not."""
    if not isinstance(model, type):
        return None
    try:
        found: Any = inspect(model)
    except NoInspectionAvailable:
        return None
    return found if isinstance(found, Mapper) else None


def resource_of(manifest: Manifest, model: Any) -> Resource | None:
    """The resource whose rows a class maps; None when it maps none."""
    mapper = mapper_of(model)
    if mapper is None:
        return None
    table: Any = mapper.local_table
    place = (table.schema or "public", table.name)
    return next((known for known in manifest.stored if (known.schema, known.table) == place), None)


class Instances:
    """The rows of a resource as instances of one class."""

    def __init__(self, manifest: Manifest, resource: Resource, mapper: Mapper[Any]) -> None:
        self.resource = resource
        self._mapper = mapper
        columns = {prop.columns[0].name: (prop.key, prop.columns[0]) for prop in mapper.column_attrs}
        #: Attribute and column of each field that the class has.
        self._places = {
            field.name: columns[field.column]
            for field in resource.fields
            if field.stored and field.column in columns
        }
        self._fields = {field.name: field for field in resource.fields if field.name in self._places}
        self._validators = {name: Validator(manifest, field) for name, field in self._fields.items()}

    def made(self, values: Mapping[str, Any]) -> Any:
        """A new instance of these values, as a write stores them."""
        instance = self._mapper.class_manager.new_instance()
        self.merge(instance, values)
        return instance

    def merge(self, instance: Any, values: Mapping[str, Any]) -> None:
        """Set what a write is going to store."""
        for name, value in values.items():
            if name in self._places:
                key, column = self._places[name]
                setattr(instance, key, _seen(value, self._fields[name], column))

    async def stored(self, transaction: Transaction, key: Any) -> Any:
        """The row of this key as an instance of no session."""
        columns = [column for _, column in self._places.values()]
        _, key_column = self._places[self.resource.key]
        async with transaction.derived():
            found = await transaction.session.execute(select(*columns).where(key_column == key))
        row = found.one()
        instance = self._mapper.class_manager.new_instance()
        for (attribute, _), value in zip(self._places.values(), row, strict=True):
            set_committed_value(instance, attribute, value)
        make_transient_to_detached(instance)
        return instance

    def taken(self, instance: Any) -> dict[str, Any]:
        """What the instance holds, by field."""
        held = inspect(instance).dict
        return {name: copy.deepcopy(held[key]) for name, (key, _) in self._places.items() if key in held}

    def changes(self, instance: Any, before: Mapping[str, Any], action: str, who: str) -> dict[str, Any]:
        """What was changed on the instance since `before`, valid and as a write stores it.

        Raises:
            Problem: a new value is not valid.
            Interrupted: what was changed is not for code to change, or the instance was stored by it.
        """
        state = inspect(instance)
        if state.persistent and action == "create":
            raise Interrupted(f"{who} stored its row by itself: change it, and the request stores it.")
        if state.session is not None:
            state.session.expunge(instance)
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, value in self.taken(instance).items():
            known = before.get(name, _UNSET)
            if value == known or (value is None and known is _UNSET):
                continue
            field = self._fields[name]
            if field.built_in or (field.immutable and action != "create"):
                why = "is kept by the database" if field.built_in else "is immutable"
                raise Interrupted(f"{who} changed {field.name} of a {self.resource.title}, which {why}.")
            column = self._places[name][1]
            values[name], faults = self._validators[name].validate(_sent(value, column))
            errors += faults
        if errors:
            raise validation(errors)
        return values

    def unchanged(self, instance: Any, before: Mapping[str, Any], who: str) -> None:
        """Make sure that nothing was changed where nobody would store it.

        Raises:
            Interrupted: something was.
        """
        held = self.taken(instance)
        for name in held:
            if held[name] != before.get(name, _UNSET):
                raise Interrupted(f"{who} changed {name} of a row that is stored already: do it in `before`.")


def _seen(value: Any, field: Field, column: Any) -> Any:
    """A value of a write as code sees it."""
    if value is None:
        return None
    if field.type.kind is Kind.JSON:
        return json.loads(value)
    kind = column.type
    read = kind.result_processor(DIALECT, None) if isinstance(kind, Enum) else None  # type: ignore[no-untyped-call]
    return value if read is None else read(value)


def _sent(value: Any, column: Any) -> Any:
    """A value of code as a body would send it."""
    match value:
        case enum.Enum():
            kind = column.type
            write = kind.bind_processor(DIALECT) if isinstance(kind, Enum) else None  # type: ignore[no-untyped-call]
            return value.value if write is None else write(value)
        case float():
            return Decimal(repr(value))
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | tuple():
            return [_sent(item, column) for item in value]
        case _:
            return value
