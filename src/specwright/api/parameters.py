"""Query strings: text to a checked ListQuery, every fault named."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote_to_bytes

from specwright.api.filters import MAX_CHOICES, MAX_JOINS, hops, read_filter
from specwright.api.includes import entities, read_includes
from specwright.api.literals import UNSTORABLE, Fault, read
from specwright.api.problems import FieldError, Problem, echo, validation
from specwright.api.visible import Visible
from specwright.model.calculated import is_volatile, reads
from specwright.model.caller import Caller
from specwright.model.expression import Expr, Path
from specwright.model.manifest import Field, Manifest, Resource
from specwright.model.paths import resolve
from specwright.model.syntax import ComplexityError, print_expression
from specwright.model.types import Kind, Type
from specwright.model.values import key_kind
from specwright.sql.filter import Condition, bind
from specwright.sql.members import Members
from specwright.sql.query import Filter, ListQuery, Related, Sort
from specwright.sql.scope import Deleted
from specwright.sql.sight import reached

#: What a list takes besides filters.
LIST_PARAMETERS = (
    "limit",
    "cursor",
    "offset",
    "sort",
    "fields",
    "include",
    "count",
    "filter",
    "q",
    "deleted",
)

MAX_OFFSET = 2**31 - 1
MAX_PARAMETERS = 50
MAX_SEARCH = 1000

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
    Kind.JSON: ("isnull",),
    Kind.LIST: ("isnull",),
}

#: What may end a sort key, and whether rows without a value then come first.
NULLS = {"__nulls_first": True, "__nulls_last": False}

UNSORTABLE = frozenset({Kind.JSON, Kind.LIST, Kind.MANY})

_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")

#: Verifies the cursor of a list and gives its sort values; raises Problem `invalid_cursor`.
CursorReader = Callable[[ListQuery, str], tuple[Any, ...]]


class Parameters:
    """Reads the query strings of one manifest's routes."""

    def __init__(self, manifest: Manifest, members: Callable[[Resource, Caller], Members]) -> None:
        self._manifest = manifest
        self._visible = Visible(manifest, members)

    def read_list(
        self,
        resource: Resource,
        readable: Sequence[Field],
        query_string: bytes,
        *,
        shown: Sequence[Field],
        caller: Caller,
        cursor_reader: CursorReader,
    ) -> ListQuery:
        """The page that `GET /tasks?…` asks for.

        Raises:
            Problem: malformed, validation_failed with every fault at once, or invalid_cursor.
        """
        sent = _Sent(query_string)
        limits = resource.limits
        limit = sent.number("limit", limits.page_default, 1, limits.page_max)
        offset = sent.number("offset", 0, 0, MAX_OFFSET)
        cursor = sent.take("cursor")
        if cursor is not None and sent.was_sent("offset"):
            sent.refuse("offset", "not_together", "Use cursor or offset, not both.")
        count = sent.take("count")
        if count not in (None, "exact"):
            sent.refuse("count", "not_a_choice", "Must be exact.")
        deleted = _read_deleted(resource, sent)
        known = Known(self._manifest, resource, readable, lambda: self._visible.of(caller))
        sort = _read_sort(known, sent)
        fields = _read_fields(shown, sent)
        include = _read_include(known, sent, limit)
        condition = self._read_condition(known, sent, caller)
        search = _read_search(resource, sent)
        filters = self._read_filters(known, sent)
        known.bound(sent)
        sent.finish()
        query = ListQuery(
            sort=sort,
            fields=fields,
            limit=limit,
            offset=offset,
            filters=filters,
            count=count is not None,
            condition=condition,
            search=search,
            include=include,
            deleted=deleted,
            reached=tuple(sorted(known.reached)),
        )
        return query if cursor is None else replace(query, after=cursor_reader(query, cursor))

    def read_item(self, readable: Sequence[Field], query_string: bytes) -> tuple[Field, ...]:
        """The fields that a route with one row in its answer is asked to show; all, unless `fields` says.

        Raises:
            Problem: malformed or validation_failed.
        """
        if not query_string:
            return tuple(readable)
        sent = _Sent(query_string)
        fields = _read_fields(readable, sent)
        sent.refuse_rest(("fields",))
        sent.finish()
        return fields

    def read_row(
        self, resource: Resource, shown: Sequence[Field], query_string: bytes, caller: Caller
    ) -> tuple[tuple[Field, ...], tuple[Related, ...], Deleted]:
        """The fields that `GET /tasks/{id}?…` is asked to show, what to include, and of which rows.

        Raises:
            Problem: malformed or validation_failed.
        """
        sent = _Sent(query_string)
        known = Known(self._manifest, resource, (), lambda: self._visible.of(caller))
        fields = _read_fields(shown, sent)
        include = _read_include(known, sent, 1)
        deleted = _read_deleted(resource, sent)
        sent.refuse_rest(("fields", "include", "deleted") if resource.soft_delete else ("fields", "include"))
        sent.finish()
        return fields, include, deleted

    def visible(self, caller: Caller) -> Manifest:
        """The manifest as the caller knows it."""
        return self._visible.of(caller)

    def read_nothing(self, query_string: bytes) -> None:
        """Refuse every parameter, on a route that takes none.

        Raises:
            Problem: malformed or validation_failed.
        """
        if query_string:
            sent = _Sent(query_string)
            sent.refuse_rest(())
            sent.finish()

    def _read_condition(self, known: "Known", sent: "_Sent", caller: Caller) -> Condition | None:
        text = sent.take("filter")
        if text is None:
            return None

        def refuse(code: str, message: str, column: int) -> None:
            sent.refuse("filter", code, f"Column {column}: {message}", column)

        expr = read_filter(known.visible, known.seen, text, refuse)
        if expr is None or not known.follow("filter", expr, sent):
            return None
        return bind(self._manifest, known.resource, expr, caller, print_expression(expr))

    def _read_filters(self, known: "Known", sent: "_Sent") -> tuple[Filter, ...]:
        filters = []
        for name, value in sent.rest():
            wire, operator = name, "eq"
            found = known.find(name)
            if found is None:
                wire, operator = _split(name)
                found = known.find(wire)
            if found is None:
                sent.refuse_unknown(name, (*LIST_PARAMETERS, *known.by_wire))
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
                read_value = self._read_value(field.type, operator, value)
                filters.append(Filter(field, operator, read_value, through))
            except Fault as fault:
                sent.refuse(name, fault.code, fault.message)
        return tuple(filters)

    def _read_value(self, type: Type, operator: str, text: str) -> Any:
        if operator == "isnull":
            return read(text, Type(Kind.BOOLEAN))
        if type.kind is Kind.REFERENCE:
            type = Type(key_kind(self._manifest, type))
        if type.kind is Kind.TIMESTAMP:
            # A plus sign is a space in a query string, unless it is written as %2B.
            text = re.sub(r" (\d\d:\d\d)(?=,|$)", r"+\1", text)
        if operator != "in":
            return read(text, type)
        choices = _split_choices(text)
        if len(choices) > MAX_CHOICES:
            raise Fault("too_long", f"Must hold at most {MAX_CHOICES} values.")
        return tuple(read(choice, type) for choice in choices)


class Known:
    """The fields that a caller knows, of the resource that is listed and of those that relations lead to."""

    def __init__(
        self,
        manifest: Manifest,
        resource: Resource,
        readable: Sequence[Field],
        visible: Callable[[], Manifest],
    ) -> None:
        self.manifest = manifest
        self.resource = resource
        self.by_wire = {field.wire: field for field in readable}
        self.reached: set[str] = set()
        self._visible = visible
        self._joins = 0

    @cached_property
    def visible(self) -> Manifest:
        """The manifest as the caller knows it."""
        return self._visible()

    @cached_property
    def seen(self) -> Resource:
        """The resource as the caller knows it."""
        return self.visible.resource(self.resource.name)

    def find(self, name: str) -> tuple[tuple[str, ...], Field] | None:
        """The field of this wire name, `title`, or beyond relations, `project__name`; and the relations."""
        field = self.by_wire.get(name)
        if field is not None or "__" not in name:
            return None if field is None else ((), field)
        *through, wire = name.split("__")
        current = self.seen
        for step in through:
            relation = current.relation(step)
            if relation is None:
                return None
            current = self.visible.resource(relation.target)
        beyond = next((field for field in current.fields if field.wire == wire), None)
        if beyond is None:
            return None
        path = Path((*through, beyond.name))
        found = resolve(self.visible, self.seen, path)
        # `project__id` is the reference itself.
        return (tuple(through), found.field) if found.hops else ((), found.field)

    def changes_by_waiting(self, path: Path) -> bool:
        """Whether the value that a path leads to is worked out from the time."""
        return any(is_volatile(self.manifest, *each) for each in reads(self.manifest, self.resource, path))

    def follow(self, name: str, expr: Expr, sent: "_Sent") -> bool:
        """Note where the paths of an expression lead; False, with a fault, where one is too long."""
        try:
            self._joins += hops(self.visible, self.seen, expr)
        except ComplexityError as error:
            sent.refuse(name, "too_complex", f"Column {error.column}: {error.message}", error.column)
            return False
        self.reached |= reached(self.visible, self.seen, expr)
        return True

    def bound(self, sent: "_Sent") -> None:
        """Refuse a request that follows too many relations."""
        if self._joins > MAX_JOINS:
            message = f"Sort and filters follow {self._joins} relations together, and may follow {MAX_JOINS}."
            sent.refuse("filter", "too_complex", message)


class _Sent:
    """The parameters of one request, taken one by one; what is left over is a filter or a fault."""

    def __init__(self, query_string: bytes) -> None:
        self._errors: list[FieldError] = []
        self._left: dict[str, str] = {}
        self._names: set[str] = set()
        pairs = [pair for pair in query_string.split(b"&") if pair]
        if len(pairs) > MAX_PARAMETERS:
            raise Problem("malformed", f"The query string has more than {MAX_PARAMETERS} parameters.")
        for pair in pairs:
            name, _, value = pair.partition(b"=")
            self._add(_decode(name), _decode(value))

    def _add(self, name: str, value: str) -> None:
        if name in self._names:
            self.refuse(name, "repeated", "Must be given once.")
            self._left.pop(name, None)
        elif UNSTORABLE.search(name + value):
            self.refuse(name, "invalid_character", "Must not hold a NUL character.")
        else:
            self._left[name] = value
        self._names.add(name)

    def was_sent(self, name: str) -> bool:
        """Whether the parameter was sent, valid or not."""
        return name in self._names

    def take(self, name: str) -> str | None:
        """The parameter's value, once."""
        return self._left.pop(name, None)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds; the default when it was not sent."""
        text = self.take(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
            self.refuse(name, "wrong_type", f"Must be a whole number from {least} to {most}.")
        elif int(text) < least:
            self.refuse(name, "too_small", f"Must be at least {least}.")
        elif int(text) > most:
            self.refuse(name, "too_large", f"Must be at most {most}.")
        else:
            return int(text)
        return default

    def rest(self) -> list[tuple[str, str]]:
        """Everything that nobody took."""
        rest, self._left = list(self._left.items()), {}
        return rest

    def refuse(self, name: str, code: str, message: str, column: int | None = None) -> None:
        """Note a fault."""
        self._errors.append(FieldError(name, code, message, column))

    def refuse_unknown(self, name: str, known: Sequence[str]) -> None:
        """Note a parameter that does not exist, with the likeliest one that does."""
        close = get_close_matches(name[:100], known, 1) or get_close_matches(_split(name[:100])[0], known, 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        self.refuse(name, "unknown_parameter", f"There is no such parameter.{hint}")

    def refuse_rest(self, known: Sequence[str]) -> None:
        """Note everything that nobody took as unknown."""
        for name, _ in self.rest():
            self.refuse_unknown(name, known)

    def finish(self) -> None:
        """Raise what was noted."""
        if self._errors:
            raise validation(self._errors)


def _decode(raw: bytes) -> str:
    """application/x-www-form-urlencoded, strictly: no stray percent sign, UTF-8 only."""
    try:
        text = raw.decode()
        if _BAD_ESCAPE.search(text):
            raise Problem("malformed", "The query string has a % that two hexadecimal digits do not follow.")
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise Problem("malformed", "The query string is not percent-encoded UTF-8.") from None


def _split(name: str) -> tuple[str, str]:
    wire, separator, operator = name.rpartition("__")
    return (wire, operator) if separator else (name, "eq")


def _split_choices(text: str) -> list[str]:
    r"""The values between commas; `\,` is a comma within one and `\\` a backslash."""
    parts = [""]
    for piece in re.findall(r"\\[\\,]|,|[^\\,]+|\\", text):
        if piece == ",":
            parts.append("")
        else:
            parts[-1] += piece[1:] if piece in ("\\\\", "\\,") else piece
    return parts


def _read_fields(readable: Sequence[Field], sent: _Sent) -> tuple[Field, ...]:
    """`fields=id,title`: exactly what is asked, in the resource's order."""
    text = sent.take("fields")
    if text is None:
        return tuple(readable)
    names = text.split(",")
    known = {field.wire for field in readable}
    for name in names:
        if name not in known:
            sent.refuse("fields", "not_a_choice", _no_field(name, known))
            return ()
    if len(set(names)) < len(names):
        sent.refuse("fields", "repeated", "Must name each field once.")
    return tuple(field for field in readable if field.wire in names)


def _read_include(known: Known, sent: _Sent, rows: int) -> tuple[Related, ...]:
    """`include=project,tasks.comments`: related rows within each of so many rows."""
    text = sent.take("include")
    if text is None:
        return ()
    include = read_includes(known.visible, known.seen, text, rows, partial(sent.refuse, "include"))
    known.reached |= entities(include)
    return include


def _read_deleted(resource: Resource, sent: "_Sent") -> Deleted:
    """Whether deleted rows are asked for, of an entity that has such."""
    text = sent.take("deleted") if resource.soft_delete else None
    if text not in (None, Deleted.ONLY, Deleted.WITH):
        sent.refuse("deleted", "not_a_choice", "Must be only or with.")
        text = None
    return Deleted.HIDDEN if text is None else Deleted(text)


def _read_search(resource: Resource, sent: _Sent) -> str | None:
    """`q=milk`: words that the searchable fields of a row must have."""
    text = sent.take("q")
    if text is None:
        return None
    if not resource.searchable:
        sent.refuse("q", "unknown_parameter", "Nothing is searchable here.")
    elif len(text) > MAX_SEARCH:
        sent.refuse("q", "too_long", f"Must have at most {MAX_SEARCH} characters.")
    return text


def _read_sort(known: Known, sent: _Sent) -> tuple[Sort, ...]:
    """`sort=-created_at,title`, ended by the key in the direction of the last: a total order for an index.

    Newest first when nothing is asked.
    """
    resource = known.resource
    text = sent.take("sort")
    if text is None:
        created = resource.field("created_at")
        return _total(resource, [] if created is None else [Sort(created, descending=True)])
    sortable = {wire: field for wire, field in known.by_wire.items() if field.type.kind not in UNSORTABLE}
    sorts: list[Sort] = []
    for written in text.split(","):
        name, nulls_first = _nulls(written.removeprefix("-"))
        through, field = known.find(name) or ((), None)
        if field is None or field.type.kind in UNSORTABLE:
            sent.refuse("sort", "not_a_choice", _no_field(name, sortable))
            return ()
        path = Path((*through, field.name))
        if through and any(hop.many for hop in resolve(known.visible, known.seen, path).hops):
            message = f"{echo(name)} leads to many rows: a row is sorted by a value of one."
            sent.refuse("sort", "not_a_choice", message)
            return ()
        if through and not known.follow("sort", path, sent):
            return ()
        if known.changes_by_waiting(path):
            message = f"{echo(name)} changes by waiting, and pages with it: filter by it instead."
            sent.refuse("sort", "not_a_choice", message)
            return ()
        sort = Sort(field, written.startswith("-"), through, nulls_first)
        if any(other.path == sort.path for other in sorts):
            sent.refuse("sort", "repeated", "Must name each field once.")
            return ()
        sorts.append(sort)
    return _total(resource, sorts)


def _nulls(name: str) -> tuple[str, bool | None]:
    """A sort key without the word of where rows without a value go, and whether that is first."""
    for ending, first in NULLS.items():
        if name.endswith(ending):
            return name.removesuffix(ending), first
    return name, None


def _total(resource: Resource, sorts: list[Sort]) -> tuple[Sort, ...]:
    key = resource.key_field
    for index, sort in enumerate(sorts):
        if sort.path == key.name:
            return tuple(sorts[: index + 1])
    return (*sorts, Sort(key, bool(sorts) and sorts[-1].descending))


def _no_field(name: str, known: Sequence[str] | Mapping[str, Field] | set[str]) -> str:
    close = get_close_matches(name[:100], list(known), 1)
    hint = f" Did you mean {close[0]}?" if close else f" There are {', '.join(sorted(known))}."
    return f"No field {echo(name)!r} here.{hint}"
