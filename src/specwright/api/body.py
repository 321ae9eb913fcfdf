"""Request bodies: JSON to the values that a write stores, every fault named at once."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from specwright.api import json_text
from specwright.api.fields import Taken, exists, must_be_sent, taken
from specwright.api.problems import MOST_ERRORS, FieldError, Problem, of_item, validation
from specwright.api.validators import Validator
from specwright.model.expression import ListOf
from specwright.model.field import Field, Shown
from specwright.model.manifest import Manifest
from specwright.model.names import suggest
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.model.values import fit
from specwright.sql.members import Members, is_unsure

Action = Literal["create", "update", "replace"]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

#: A PATCH may say what it is (RFC 7396); plain JSON means the same.
MEDIA_TYPES: Mapping[Action, tuple[str, ...]] = {
    "create": (JSON,),
    "update": (JSON, MERGE_PATCH),
    "replace": (JSON,),
}

#: Rows that one create may make.
MAX_ITEMS = 1000

_NOT_TAKEN = "Set by the server; leave it out."

#: Looking for what was meant is dear: a body of forty thousand strange members would stop all others.
_MOST_HINTS = 10


@dataclass(frozen=True, slots=True)
class Body:
    """What a body says, by spec name; a json value is its JSON text.

    `unchanged` holds members that are accepted only when equal to what is stored, which the statement checks.
    `forbidden` holds the wire names of members that are not the caller's to set: 403, once the row is found.
    """

    values: dict[str, Any]
    unchanged: dict[str, Any]
    forbidden: tuple[str, ...] = ()


class Bodies:
    """Reads the bodies of one manifest's routes."""

    def __init__(self, manifest: Manifest) -> None:
        self._readers = {resource.name: _Reader(manifest, resource) for resource in manifest.served}

    def read(
        self,
        resource: Resource,
        action: Action,
        members: Members,
        raw: bytes,
        content_type: str | None,
    ) -> Body:
        """The body of a create, an update (PATCH) or a replace (PUT) by a caller with these members.

        A replace sets what its sender can see and may write of every row: such a member that is left out gets
        its default or null, every other one stays.

        Raises:
            Problem: unsupported_media_type, malformed, or validation_failed with every fault at once.
        """
        check_media_type(content_type, MEDIA_TYPES[action])
        return self._read(resource, action, members, json_text.read(raw))

    def read_new(
        self, resource: Resource, members: Members, raw: bytes, content_type: str | None
    ) -> Body | list[Body]:
        """The body of a create: of one row, or of each in an array.

        Raises:
            Problem: as `read`; of an array, with the faults of all its items.
        """
        check_media_type(content_type, MEDIA_TYPES["create"])
        value = json_text.read(raw)
        if not isinstance(value, list):
            return self._read(resource, "create", members, value)
        if not value:
            raise validation([FieldError("", "too_short", "The array is empty: send an item at least.")])
        if len(value) > MAX_ITEMS:
            raise validation([FieldError("", "too_long", f"Must hold at most {MAX_ITEMS:,} items.")])
        bodies: list[Body] = []
        errors: list[FieldError] = []
        for index, item in enumerate(value):
            try:
                bodies.append(self._read(resource, "create", members, item))
            except Problem as problem:
                errors += of_item(problem, index).errors
                if len(errors) >= MOST_ERRORS:
                    break
        if errors:
            raise validation(errors)
        return bodies

    def _read(self, resource: Resource, action: Action, members: Members, value: Any) -> Body:
        if not isinstance(value, dict):
            raise validation([FieldError("", "wrong_type", "The body must be a JSON object.")])
        return self._readers[resource.name].read(value, action, members)


class _Member(NamedTuple):
    """A member as a caller's body may have it."""

    field: Field
    becomes: Taken
    #: Whether the body is incomplete without it.
    required: bool
    #: Whether leaving it out sets it to its default, or to null.
    reset: bool


class _Reader:
    """Reads the bodies of one resource."""

    def __init__(self, manifest: Manifest, resource: Resource) -> None:
        self._manifest = manifest
        self._resource = resource
        self._fields = {field.wire: field for field in resource.fields}
        self._validators = {wire: Validator(manifest, field) for wire, field in self._fields.items()}
        handed = resource.handed_over
        self._handed = None if handed is None else handed.wire
        self._form = lru_cache(256)(self._make_form)

    def _make_form(self, action: Action, members: Members) -> Mapping[str, _Member]:
        """The members that there are for a caller."""
        return {
            wire: self._member(field, action, members)
            for wire, field in self._fields.items()
            if exists(field, members)
        }

    def _member(self, field: Field, action: Action, members: Members) -> _Member:
        becomes = taken(self._resource, field, action, members)
        expected = action != "replace" or not is_unsure(members.sets(field.name))
        required = expected and must_be_sent(self._resource, field, action)
        reset = (
            action == "replace"
            and expected
            and not required
            and field.filled is None
            and field.shown is not Shown.WRITE_ONLY
            and becomes is Taken.WRITTEN
        )
        return _Member(field, becomes, required, reset)

    def read(self, sent: dict[str, Any], action: Action, members: Members) -> Body:
        values: dict[str, Any] = {}
        unchanged: dict[str, Any] = {}
        forbidden: list[str] = []
        errors: list[FieldError] = []
        form = self._form(action, members)
        for wire, value in sent.items():
            if wire not in form:
                errors.append(_unknown(wire, form, hint=len(errors) < _MOST_HINTS))
                continue
            field, becomes, _, _ = form[wire]
            if wire == self._handed and action == "update" and len(sent) == 1:
                becomes = Taken.WRITTEN
            match becomes:
                case Taken.READ_ONLY:
                    alone = wire == self._handed and action == "update"
                    message = "Handed over by itself: send no other member." if alone else _NOT_TAKEN
                    errors.append(FieldError(wire, "read_only", message))
                case Taken.FORBIDDEN:
                    forbidden.append(wire)
                case kind:
                    read, faults = self._validators[wire].validate(value)
                    errors += faults
                    (values if kind is Taken.WRITTEN else unchanged)[field.name] = read
        for wire, (field, _, required, reset) in form.items():
            if wire in sent:
                continue
            if required:
                errors.append(FieldError(wire, "required", "Must be sent."))
            elif reset:
                values[field.name] = default_value(self._manifest, field)
        if errors:
            raise validation(errors)
        return Body(values, unchanged, tuple(forbidden))


def _unknown(wire: str, known: Iterable[str], *, hint: bool) -> FieldError:
    """The same for a member that is not there and for one that is not there for this caller."""
    message = "There is no such member."
    if hint:
        close = suggest(wire, known)
        message += f" Did you mean {close}?" if close else ""
    return FieldError(wire, "unknown_member", message)


def check_media_type(content_type: str | None, accepted: tuple[str, ...]) -> None:
    """Refuse a body that is not of an accepted type, in UTF-8.

    Raises:
        Problem: unsupported_media_type; its `Accept` header lists what is taken (RFC 9110 §12.5.1).
    """
    media_type, *parameters = (content_type or "").lower().split(";")
    if media_type.strip() not in accepted:
        raise _unsupported(f"Send Content-Type: {' or '.join(accepted)}.", accepted)
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise _unsupported("Send JSON in UTF-8.", accepted)


def _unsupported(detail: str, accepted: tuple[str, ...]) -> Problem:
    return Problem("unsupported_media_type", detail, headers=[("accept", ", ".join(accepted))])


def default_value(manifest: Manifest, field: Field) -> Any:
    """What is stored when the field is left out."""
    if field.linked is not None:
        return []
    if field.default is None:
        return None
    if field.type.kind is Kind.JSON:
        return json.dumps(field.default.value)
    if isinstance(field.default, ListOf):
        return [fit(manifest, value, field.type.item) for value in field.default.value]
    return fit(manifest, field.default.value, field.type)
