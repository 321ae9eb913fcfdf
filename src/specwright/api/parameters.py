"""Query strings: text to a checked ListQuery, every fault named."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from specwright.api.filters import read_filter
from specwright.api.includes import entities, read_includes
from specwright.api.known import Known, no_field
from specwright.api.operators import read_filters
from specwright.api.query_string import Sent
from specwright.api.sorting import read_sort
from specwright.api.visible import Visible
from specwright.model.caller import Caller
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.sql.filter import Condition, bind
from specwright.sql.members import Members
from specwright.sql.query import ListQuery, Related
from specwright.sql.scope import Deleted

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

#: What says which rows a change of many is of, besides filters.
CHANGE_PARAMETERS = ("max_affected", "filter", "q")

#: Rows that one change of many may affect.
MAX_AFFECTED = 10_000
MAX_OFFSET = 2**31 - 1
MAX_SEARCH = 1000

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
        sent = Sent(query_string)
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
        sort = read_sort(known, sent)
        fields = _read_fields(shown, sent)
        include = _read_include(known, sent, limit)
        condition = self._read_condition(known, sent, caller)
        search = _read_search(resource, sent)
        others = tuple(name for name in LIST_PARAMETERS if name != "deleted" or resource.soft_delete)
        filters = read_filters(known, sent, others)
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

    def read_change(
        self, resource: Resource, readable: Sequence[Field], query_string: bytes, caller: Caller
    ) -> tuple[ListQuery, int]:
        """The rows that a change of many is of, and how many they may be: `?status=done&max_affected=50`.

        Raises:
            Problem: malformed or validation_failed, also if nothing is said of the rows or their number.
        """
        sent = Sent(query_string)
        most = sent.number("max_affected", 1, 1, MAX_AFFECTED)
        if not sent.was_sent("max_affected"):
            message = "Must be sent: if more rows match, none is changed."
            sent.refuse("max_affected", "required", message)
        known = Known(self._manifest, resource, readable, lambda: self._visible.of(caller))
        if not sent.was_anything_sent(but="max_affected"):
            message = "Must be sent, or another condition: which rows is this for?"
            sent.refuse("filter", "required", message)
        condition = self._read_condition(known, sent, caller)
        search = _read_search(resource, sent)
        filters = read_filters(known, sent, CHANGE_PARAMETERS)
        known.bound(sent)
        sent.finish()
        reached = tuple(sorted(known.reached))
        query = ListQuery((), (), most, filters=filters, condition=condition, search=search, reached=reached)
        return query, most

    def read_row(
        self, resource: Resource, shown: Sequence[Field], query_string: bytes, caller: Caller
    ) -> tuple[tuple[Field, ...], tuple[Related, ...], Deleted]:
        """The fields that `GET /tasks/{id}?…` is asked to show, what to include, and of which rows.

        Raises:
            Problem: malformed or validation_failed.
        """
        sent = Sent(query_string)
        known = Known(self._manifest, resource, (), lambda: self._visible.of(caller))
        fields = _read_fields(shown, sent)
        include = _read_include(known, sent, 1)
        deleted = _read_deleted(resource, sent)
        sent.refuse_rest(("fields", "include", "deleted") if resource.soft_delete else ("fields", "include"))
        sent.finish()
        return fields, include, deleted

    def read_answer(
        self, resource: Resource, shown: Sequence[Field], query_string: bytes, caller: Caller, rows: int
    ) -> tuple[tuple[Field, ...], tuple[Related, ...]]:
        """The fields that the answer of a write is asked to show of each of its rows, and what to include.

        Raises:
            Problem: malformed or validation_failed.
        """
        sent = Sent(query_string)
        known = Known(self._manifest, resource, (), lambda: self._visible.of(caller))
        fields, include = _read_fields(shown, sent), _read_include(known, sent, rows)
        sent.refuse_rest(("fields", "include"))
        sent.finish()
        return fields, include

    def visible(self, caller: Caller) -> Manifest:
        """The manifest as the caller knows it."""
        return self._visible.of(caller)

    def read_nothing(self, query_string: bytes) -> None:
        """Refuse every parameter, on a route that takes none.

        Raises:
            Problem: malformed or validation_failed.
        """
        if query_string:
            sent = Sent(query_string)
            sent.refuse_rest(())
            sent.finish()

    def _read_condition(self, known: Known, sent: Sent, caller: Caller) -> Condition | None:
        text = sent.take("filter")
        if text is None:
            return None

        spaced = ". A + in a URL is a space: write %2B" if sent.has_plus("filter") else ""

        def refuse(code: str, message: str, column: int) -> None:
            sent.refuse("filter", code, f"Column {column}: {message}{spaced}", column)

        expr = read_filter(known.visible, known.seen, text, refuse)
        if expr is None or not known.follow("filter", expr, sent):
            return None
        return bind(self._manifest, known.resource, expr, caller, print_expression(expr))


def _read_fields(readable: Sequence[Field], sent: Sent) -> tuple[Field, ...]:
    """`fields=id,title`: exactly what is asked, in the resource's order."""
    text = sent.take("fields")
    if text is None:
        return tuple(readable)
    names = text.split(",")
    known = {field.wire for field in readable}
    for name in names:
        if name not in known:
            sent.refuse("fields", "not_a_choice", no_field(name, known))
            return ()
    if len(set(names)) < len(names):
        sent.refuse("fields", "repeated", "Must name each field once.")
    return tuple(field for field in readable if field.wire in names)


def _read_include(known: Known, sent: Sent, rows: int) -> tuple[Related, ...]:
    """`include=project,tasks.comments`: related rows within each of so many rows."""
    text = sent.take("include")
    if text is None:
        return ()
    include = read_includes(known.visible, known.seen, text, rows, partial(sent.refuse, "include"))
    known.reached |= entities(include)
    return include


def _read_deleted(resource: Resource, sent: Sent) -> Deleted:
    """Whether deleted rows are asked for, of an entity that has such."""
    text = sent.take("deleted")
    if text is not None and not resource.soft_delete:
        sent.refuse("deleted", "unknown_parameter", "Rows here are deleted for good.")
        text = None
    elif text not in (None, Deleted.ONLY, Deleted.WITH):
        sent.refuse("deleted", "not_a_choice", "Must be only or with.")
        text = None
    return Deleted.HIDDEN if text is None else Deleted(text)


def _read_search(resource: Resource, sent: Sent) -> str | None:
    """`q=milk`: words that the searchable fields of a row must have."""
    text = sent.take("q")
    if text is None:
        return None
    if not resource.searchable:
        sent.refuse("q", "unknown_parameter", "Nothing is searchable here.")
    elif len(text) > MAX_SEARCH:
        sent.refuse("q", "too_long", f"Must have at most {MAX_SEARCH} characters.")
    return text
