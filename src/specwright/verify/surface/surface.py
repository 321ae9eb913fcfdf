"""What of an app can be reached: its operations, and the collections of rows behind them.

Library-neutral: read from an OpenAPI document, from the routes of an app in process, or from a manifest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from specwright.model.errors import Origin

#: A JSON schema in which every `$ref` has been followed.
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a request carries outside of its body; `place` is path, query, header or cookie."""

    name: str
    place: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path template, as OpenAPI calls it."""

    method: str
    #: With `{name}` for its path parameters, as a client has to send it: prefixes included.
    path: str
    parameters: tuple[Parameter, ...] = ()
    #: What a body is sent as, and its schema; None where none is read.
    media: str = ""
    body: Schema | None = None
    #: By status code, as OpenAPI writes it: "200", "4XX", "default".
    answers: Mapping[str, Schema] = field(default_factory=dict)
    #: Whether a credential is declared to be needed; None when nothing is declared.
    secured: bool | None = None
    #: Served, but not in the OpenAPI document.
    hidden: bool = False
    #: The function that answers, when the app runs in process.
    source: Origin | None = None
    name: str = ""
    tags: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`DELETE /orders/{id}`."""
        return f"{self.method} {self.path}"

    def of(self, place: str) -> Iterator[Parameter]:
        """Its parameters in one place."""
        return (parameter for parameter in self.parameters if parameter.place == place)


@dataclass(frozen=True, slots=True)
class Reference:
    """A member of a body that holds the key of a row of another collection, or a list of them."""

    member: str
    collection: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows with a life of their own: made, read back, listed, changed, removed. A missing part is None."""

    name: str
    list: Operation | None = None
    create: Operation | None = None
    read: Operation | None = None
    #: PATCH.
    update: Operation | None = None
    #: PUT.
    replace: Operation | None = None
    delete: Operation | None = None
    #: The path parameter that names one row, and the member of its body that has its value.
    key: str = "id"
    member: str = "id"
    #: The collection whose row the path of this one names first, and by which path parameter.
    parent: str | None = None
    above: str = ""
    references: tuple[Reference, ...] = ()
    #: The members that say whose row it is, where a mapper or the spec tells.
    owned_by: tuple[str, ...] = ()
    #: Where a list keeps its rows: "" for a bare array, else the member: "items", "data".
    items: str = ""
    #: The member that an answer keeps one row in, `{"article": {…}}`; "" where the row is all of it.
    envelope: str = ""
    #: The same of the bodies that are sent.
    wrapping: str = ""
    #: Other operations on one row: actions, relations.
    others: tuple[Operation, ...] = ()
    #: Those that change or remove many rows at once.
    bulk: tuple[Operation, ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All that there are."""
        known = (self.list, self.create, self.read, self.update, self.replace, self.delete)
        return (*(operation for operation in known if operation is not None), *self.others, *self.bulk)

    def shown(self, answer: Any) -> Mapping[str, Any]:
        """The row in an answer, out of its envelope; nothing where there is none."""
        inner = answer.get(self.envelope) if self.envelope and isinstance(answer, Mapping) else answer
        return inner if isinstance(inner, Mapping) else {}

    @property
    def change(self) -> Operation | None:
        """The way to change a row: PATCH, or else PUT."""
        return self.update or self.replace


@dataclass(frozen=True, slots=True)
class Surface:
    """Everything of an app that a request can reach."""

    operations: tuple[Operation, ...]
    collections: tuple[Collection, ...] = ()
    title: str = ""

    def collection(self, name: str) -> Collection:
        """The collection of this name.

        Raises:
            KeyError: there is none.
        """
        for collection in self.collections:
            if collection.name == name:
                return collection
        raise KeyError(name)
