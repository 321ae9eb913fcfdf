"""Cursors come back as they were written, for the list they were written for, and otherwise not at all."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.api import cursor
from specwright.api.problems import Problem
from specwright.model.manifest import Contract
from specwright.model.resource import Resource
from specwright.sql.query import Filter, ListQuery, Sort

_SECRET = b"s" * 32
_VALUES = st.lists(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.uuids()
)


@given(_VALUES, st.binary())
def test_values_come_back_as_they_were(values: list[Any], binding: bytes) -> None:
    """Value and type of every sort key survive."""
    read = cursor.read(_SECRET, binding, cursor.write(_SECRET, binding, values))
    assert read == tuple(values)
    assert [type(value) for value in read] == [type(value) for value in values]


@given(st.text())
def test_garbage_is_an_invalid_cursor(text: str) -> None:
    """No text raises anything else."""
    with pytest.raises(Problem) as caught:
        cursor.read(_SECRET, b"", text)
    assert (caught.value.status, caught.value.code) == (400, "invalid_cursor")


@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    """Not one bit can be changed."""
    raw = bytearray(urlsafe_b64decode(cursor.write(_SECRET, b"b", ["Buy milk", 3]) + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Problem):
        cursor.read(_SECRET, b"b", urlsafe_b64encode(raw).rstrip(b"=").decode())


@pytest.mark.parametrize("change", ["{}=", "{}\n", " {}", "{}!", "{}.", "{}AAAA"])
def test_a_cursor_has_one_spelling(change: str) -> None:
    """What a lenient Base64 reader would skip is refused."""
    with pytest.raises(Problem):
        cursor.read(_SECRET, b"b", change.format(cursor.write(_SECRET, b"b", [1])))


def test_another_secret_is_another_world() -> None:
    """A new APP_SECRET ends all cursors."""
    with pytest.raises(Problem):
        cursor.read(b"t" * 32, b"b", cursor.write(_SECRET, b"b", [1]))


def test_the_binding_tells_lists_apart(thing: Resource) -> None:
    """Version, resource, sort, filters and caller each make another list; the limit does not."""
    title, status, key = (thing.field(name) for name in ("title", "status", "id"))
    assert title and status and key
    query = ListQuery((Sort(title), Sort(key)), thing.fields, 20, filters=(Filter(status, "eq", "todo"),))
    v1 = Contract()
    bindings = [
        cursor.binding(v1, thing, query, "ada"),
        cursor.binding(v1, thing, query, "bob"),
        cursor.binding(v1, thing, query, None),
        cursor.binding(replace(v1, name="v2"), thing, query, "ada"),
        cursor.binding(v1, replace(thing, id="other"), query, "ada"),
        cursor.binding(v1, thing, replace(query, sort=(Sort(key),)), "ada"),
        cursor.binding(v1, thing, replace(query, sort=(Sort(title, True), Sort(key))), "ada"),
        cursor.binding(v1, thing, replace(query, filters=()), "ada"),
        cursor.binding(v1, thing, replace(query, filters=(Filter(status, "ne", "todo"),)), "ada"),
        cursor.binding(v1, thing, replace(query, filters=(Filter(status, "eq", "done"),)), "ada"),
    ]
    assert len(set(bindings)) == len(bindings)
    assert cursor.binding(v1, thing, replace(query, limit=5, count=True), "ada") == bindings[0]
