"""Which parameters page a list, and where its rows are."""

import pytest

from specwright.verify.people.people import ANONYMOUS
from specwright.verify.result import Probe
from specwright.verify.surface.paging import Walk, find_paging, keys_of
from specwright.verify.surface.surface import Collection, Operation, Parameter


def _listed(*names: str) -> Collection:
    parameters = tuple(Parameter(name, "query", {"type": "integer", "maximum": 50}) for name in names)
    return Collection("notes", list=Operation("GET", "/notes", parameters), items="items")


@pytest.mark.parametrize("size", ["limit", "page_size", "pageSize", "per_page", "take", "first"])
def test_a_size_is_known_by_its_name(size: str) -> None:
    """With the largest that the schema allows."""
    paging = find_paging(_listed("q", size, "offset"))
    assert paging is not None
    assert paging.size.name == size
    assert paging.most == 50
    assert paging.offset is not None


def test_without_a_size_there_are_no_pages() -> None:
    """A parameter that skips rows alone does not make pages."""
    assert find_paging(_listed("offset", "q")) is None


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        (b'{"items": [{"id": 1}, {"id": "a"}]}', ["1", "a"]),
        (b'[{"id": 1}]', ["1"]),
        (b'{"items": [{"name": "x"}]}', None),
        (b'{"items": null}', None),
        (b"<html>", None),
    ],
)
def test_rows_are_known_by_their_keys(answer: bytes, keys: list[str] | None) -> None:
    """None where an answer has no rows that can be told from each other."""
    probe = Probe(ANONYMOUS, "GET", "/notes", status=200, answer=answer)
    assert keys_of(_listed("limit"), probe) == keys


def test_what_comes_twice_is_told_once() -> None:
    """In the order in which it came first."""
    assert Walk(keys=["a", "b", "a", "c", "b", "a"]).repeated == ["a", "b"]
