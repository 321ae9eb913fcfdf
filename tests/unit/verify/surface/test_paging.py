"""Which parameters page a list, and where its rows are."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.result import Probe
from specwright.verify.surface.paging import Walk, find_paging, keys_of, walk
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


class _Listed:
    """A list of 23 rows by key, as apps of different habits answer it."""

    def __init__(self, answers: Callable[[list[int], dict[str, Any]], Probe]) -> None:
        self._answers = answers

    async def send(self, *_: object, query: dict[str, Any]) -> Probe:
        return self._answers(list(range(1, 24)), query)


def _rows(keys: list[int], **more: Any) -> Probe:
    body = json.dumps({"items": [{"id": key} for key in keys]} | more.pop("beside", {})).encode()
    return Probe(ANONYMOUS, "GET", "/notes", status=200, answer=body, **more)


def _behind(keys: list[int], asked: dict[str, Any], name: str) -> list[int]:
    return [key for key in keys if key > int(asked.get(name, 0))][: asked["limit"]]


def _by_last_row(keys: list[int], asked: dict[str, Any]) -> Probe:
    return _rows(_behind(keys, asked, "after"))


def _by_member(keys: list[int], asked: dict[str, Any]) -> Probe:
    page = _behind(keys, asked, "cursor")
    more = page[-1] < keys[-1]
    return _rows(page, beside={"meta": {"next_cursor": str(page[-1]) if more else None}})


def _by_link(keys: list[int], asked: dict[str, Any]) -> Probe:
    page = _behind(keys, asked, "cursor")
    links = f'</notes?limit=5>; rel="first", </notes?limit=5&cursor={page[-1]}>; rel="next"'
    return _rows(page, answer_headers=(("Link", links),) if page[-1] < keys[-1] else ())


def _deaf(keys: list[int], asked: dict[str, Any]) -> Probe:
    return _rows(keys[: asked["limit"]])


async def _walked(answers: Callable[[list[int], dict[str, Any]], Probe], *names: str) -> list[str]:
    collection = _listed("limit", *names)
    paging = find_paging(collection)
    assert paging is not None
    lab = cast(Lab, _Listed(answers))
    return (await walk(lab, paging, Row(collection, ANONYMOUS, {}, {}), 5)).keys


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "name"), [(_by_last_row, "after"), (_by_member, "cursor"), (_by_link, "cursor")]
)
async def test_pages_are_walked_to_the_last(
    answers: Callable[[list[int], dict[str, Any]], Probe], name: str
) -> None:
    """By the key of the last row, by a member of the answer, by its `Link`."""
    assert await _walked(answers, name) == [str(key) for key in range(1, 24)]


@pytest.mark.anyio
@pytest.mark.parametrize("names", [("after",), ("q",)])
async def test_what_leads_nowhere_is_no_walk(names: tuple[str, ...]) -> None:
    """One page is never taken for all of them."""
    with pytest.raises(NotRun, match="lead"):
        await _walked(_deaf, *names)


def test_a_day_is_no_cursor() -> None:
    """`?after=2026-01-31` chooses rows."""
    day = Parameter("after", "query", {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]})
    size = Parameter("limit", "query", {"type": "integer"})
    paging = find_paging(Collection("notes", list=Operation("GET", "/notes", (size, day))))
    assert paging is not None and paging.cursor is None
