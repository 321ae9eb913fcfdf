"""What is served beneath the key of a row, and how its place is found."""

from random import Random

import httpx2
import pytest

from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import ANONYMOUS, People
from specwright.verify.policy.beneath import beneath, listed_beneath, loose, on_row, told_in
from specwright.verify.policy.meant import Meant
from specwright.verify.result import Probe
from specwright.verify.rows.bodies import Bodies
from specwright.verify.rows.making import RowMaker
from specwright.verify.surface.surface import Collection, Operation, Parameter, Reference, Surface

_TEXT = {"type": "string"}


def _operation(method: str, path: str, *names: str, hidden: bool = False) -> Operation:
    return Operation(method, path, tuple(Parameter(each, "path", _TEXT) for each in names), hidden=hidden)


_READ = _operation("GET", "/folders/{id}", "id")
_FILES = _operation("GET", "/folders/{folder_id}/files", "folder_id")
_LOCK = _operation("POST", "/folders/{id}/lock", "id")
_MARK = _operation("PUT", "/folders/{id}/marks/{mark_id}", "id", "mark_id")
_USER = _operation("GET", "/users/{id}", "id")
_DOCS = _operation("GET", "/docs/{name}", "name", hidden=True)
_OTHERS = (_FILES, _LOCK, _MARK)

_FOLDERS = Collection("folders", read=_READ, others=_OTHERS)
_KEPT = Collection(
    "files", create=_operation("POST", "/files"), references=(Reference("folder_id", "folders"),)
)
_ROW = Row(_FOLDERS, ANONYMOUS, {"id": "7"}, {"id": 7}, {"name": "canary-text", "size": "1"})


def _lab() -> Lab:
    surface = Surface((_READ, *_OTHERS, _USER, _DOCS), (_FOLDERS, _KEPT))
    maker = RowMaker(surface, Bodies(Random(0)))
    people = People(ANONYMOUS, ANONYMOUS)
    return Lab("http://127.0.0.1:1", surface, people, maker, Meant(surface), httpx2.AsyncClient())


def test_what_is_beneath_a_row_is_found_by_its_methods() -> None:
    """A focus on one operation leaves that alone."""
    lab = _lab()
    assert [each.label for each in beneath(lab, _FOLDERS, "POST", "PUT")] == [_LOCK.label, _MARK.label]
    lab.focus = _LOCK.label
    assert [each.label for each in beneath(lab, _FOLDERS, "POST", "PUT")] == [_LOCK.label]


def test_what_belongs_to_no_rows_is_told() -> None:
    """But for the pages that a framework serves of itself."""
    assert list(loose(_lab(), "GET")) == [_USER]


@pytest.mark.anyio
async def test_a_key_has_another_name_beneath() -> None:
    """`/folders/{id}` and `/folders/{folder_id}/files` name the same row."""
    assert (await on_row(_lab(), _FILES, _ROW)).place["folder_id"] == "7"


@pytest.mark.anyio
async def test_a_second_key_that_nothing_makes_is_told() -> None:
    """It is not made up: a refusal of it would prove nothing."""
    with pytest.raises(NotRun, match=r"nothing says what \{mark_id\} is"):
        await on_row(_lab(), _MARK, _ROW)


def test_rows_that_refer_to_a_row_are_listed_beneath_it() -> None:
    """A list of what does not refer to it is none of these."""
    surface = _lab().surface
    assert listed_beneath(surface, _FOLDERS, _FILES) == (_KEPT, _KEPT.references[0])
    assert listed_beneath(surface, _FOLDERS, _LOCK) is None
    assert listed_beneath(surface, _KEPT, _FILES) is None


def test_an_answer_tells_of_a_row_by_its_words() -> None:
    """A short text may be in any answer."""
    told, other = (Probe(ANONYMOUS, "GET", "/", answer=text) for text in (b"a canary-text", b"1"))
    assert (told_in(_ROW, told), told_in(_ROW, other)) == (True, False)
