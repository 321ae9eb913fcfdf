"""The manifest as plain JSON values and back, without loss.

Generic over the dataclasses of the manifest: a new field needs no line here. What equals its default is left
out. Expressions are their printed text; values that JSON has no form for carry a tag.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from specwright.model.errors import ConfigError, Origin
from specwright.model.expression import Compare, Constant, ListOf, Literal
from specwright.model.manifest import MANIFEST_FORMAT, Manifest
from specwright.model.syntax import ExpressionError, parse, print_expression

_TAGS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    # datetime before date: it is one, too.
    "timestamp": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "number": (Decimal, str, Decimal),
    "uuid": (UUID, str, UUID),
}
_CONSTANTS = (Literal, Constant)


def to_document(manifest: Manifest) -> dict[str, Any]:
    """The manifest as JSON values; `from_document` reads it back equal."""
    return {"manifest_format": manifest.manifest_format, **_encode(manifest, Manifest)}


def from_document(document: Mapping[str, Any]) -> Manifest:
    """The manifest that `to_document` wrote.

    Raises:
        ConfigError: the document is of a newer format, or no manifest.
    """
    written = document.get("manifest_format")
    if isinstance(written, int) and written > MANIFEST_FORMAT:
        raise ConfigError(
            f"The manifest has format {written}, and this Specwright reads up to {MANIFEST_FORMAT}. "
            "Upgrade Specwright."
        )
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise ConfigError("This is no manifest: it has no manifest_format.")
    try:
        decoded = _decode(document, Manifest)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, ExpressionError) as error:
        raise ConfigError(
            f"This is no manifest that can be read: {type(error).__name__} at {error}."
        ) from None
    assert isinstance(decoded, Manifest)
    return decoded


def _encode(value: Any, hint: Any) -> Any:
    hint = _without_none(hint)
    if value is None:
        return None
    if hint in _CONSTANTS:
        held = value.value
        return {
            "literal": [_encode(each, Any) for each in held] if isinstance(held, list) else _encode(held, Any)
        }
    if _is_expression(hint):
        return print_expression(value)
    if isinstance(value, Origin):
        return f"{value.file}:{value.line}:{value.column}"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_encode(item, _item_hint(hint, index)) for index, item in enumerate(value)]
    if dataclasses.is_dataclass(value):
        return {
            name: _encode(getattr(value, name), known)
            for name, (known, default) in _members(value.__class__).items()
            if getattr(value, name) != default
        }
    for tag, (kind, write, _) in _TAGS.items():
        if isinstance(value, kind):
            return {tag: write(value)}
    return value


def _decode(value: Any, hint: Any) -> Any:
    hint = _without_none(hint)
    if value is None:
        return None
    if hint in _CONSTANTS:
        held = value["literal"]
        if isinstance(held, list):
            return ListOf(tuple(Literal(_decode(each, Any)) for each in held))
        return Literal(_decode(held, Any))
    if _is_expression(hint):
        return parse(value)
    if hint is Origin:
        file, line, column = value.rsplit(":", 2)
        return Origin(file, int(line), int(column))
    if get_origin(hint) is tuple:
        return tuple(_decode(item, _item_hint(hint, index)) for index, item in enumerate(value))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)
        members = _members(hint)
        return hint(**{name: _decode(item, members[name][0]) for name, item in value.items()})
    if isinstance(value, Mapping):
        ((tag, text),) = value.items()
        return _TAGS[tag][2](text)
    if hint is not Any and isinstance(hint, type) and not isinstance(value, hint):
        raise TypeError(f"{value!r}, which is no {hint.__name__}")
    return value


@cache
def _members(cls: type) -> dict[str, tuple[Any, Any]]:
    """The hint and the default of each field of a dataclass."""
    hints = get_type_hints(cls)
    return {known.name: (hints[known.name], known.default) for known in dataclasses.fields(cls) if known.init}


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        kept = [part for part in get_args(hint) if part is not NoneType]
        return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 - built at run time
    return hint


def _is_expression(hint: Any) -> bool:
    return Compare in get_args(hint)


def _item_hint(hint: Any, index: int) -> Any:
    arguments = get_args(hint)
    return arguments[0] if len(arguments) == 2 and arguments[1] is Ellipsis else arguments[index]
