"""How a request about many rows is made to be about one."""

from random import Random
from typing import Any

import httpx2
import pytest

from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import ANONYMOUS, People
from specwright.verify.policy.meant import Meant
from specwright.verify.result import Probe
from specwright.verify.rows.bodies import Bodies
from specwright.verify.rows.bulk import about, first_shown, takes_many
from specwright.verify.rows.making import RowMaker
from specwright.verify.surface.surface import Collection, Operation, Parameter, Schema, Surface

pytestmark = pytest.mark.anyio

_TEXT = {"type": "string"}
_TITLE = {"type": "object", "properties": {"title": _TEXT}, "required": ["title"]}
_KEYS = {"type": "array", "items": {"type": "integer"}}


def _lab(operation: Operation) -> tuple[Lab, Row]:
    notes = Collection("notes", bulk=(operation,))
    surface = Surface((operation,), (notes,))
    lab = Lab(
        "http://127.0.0.1:1",
        surface,
        People(ANONYMOUS, ANONYMOUS),
        RowMaker(surface, Bodies(Random(0))),
        Meant(surface),
        httpx2.AsyncClient(),
    )
    return lab, Row(notes, ANONYMOUS, {"id": "7"}, {"id": 7, "title": "Something to do"})


@pytest.mark.parametrize("name", ["ids", "id", "ids[]", "id__in", "note_ids", "noteIds"])
async def test_a_parameter_names_the_row(name: str) -> None:
    """By its key, under each name that it goes by."""
    lab, row = _lab(Operation("DELETE", "/notes", (Parameter(name, "query", _KEYS),)))
    assert (await about(lab, row.collection.bulk[0], row)).query == [(name, 7)]


async def test_a_text_of_the_row_finds_it() -> None:
    """Where no parameter names keys; whatever else has to be sent is sent, too."""
    most = Parameter("most", "query", {"type": "integer", "const": 5}, required=True)
    lab, row = _lab(Operation("DELETE", "/notes", (most, Parameter("title", "query", _TEXT))))
    sent = await about(lab, row.collection.bulk[0], row)
    assert sent.query == [("most", 5), ("title", "Something to do")]
    assert sent.json is ...


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param(
            {"properties": {"ids": _KEYS}, "required": ["ids"]}, {"ids": [7]}, id="keys in a member"
        ),
        pytest.param(_KEYS, [7], id="a list of keys"),
        pytest.param(
            {"type": "array", "items": {"properties": {"id": {"type": "integer"}}}}, [{"id": 7}], id="rows"
        ),
        pytest.param(
            {"properties": {"notes": {"type": "array", "items": {"properties": {"id": _TEXT}}}}},
            {"notes": [{"id": 7}]},
            id="rows in a member",
        ),
    ],
)
async def test_a_body_names_the_row(shape: Schema, expected: Any) -> None:
    """As its schema has it."""
    lab, row = _lab(Operation("DELETE", "/notes", media="application/json", body=shape))
    assert (await about(lab, row.collection.bulk[0], row)).json == expected


async def test_a_change_says_what_else_is_to_be() -> None:
    """The members beside the one that names the row are made up."""
    shape = {"properties": {"ids": _KEYS, "title": _TEXT}, "required": ["ids"]}
    lab, row = _lab(Operation("PATCH", "/notes", media="application/json", body=shape))
    sent = (await about(lab, row.collection.bulk[0], row)).json
    assert sent["ids"] == [7]
    assert sent["title"].startswith("canary-")


async def test_what_names_no_row_is_left_alone_on_databases_that_stay() -> None:
    """It would be about every row of an app that is only reached by its address."""
    lab, row = _lab(Operation("DELETE", "/notes"))
    with pytest.raises(NotRun, match="which rows"):
        await about(lab, row.collection.bulk[0], row)


def test_a_list_of_rows_beside_one() -> None:
    """A body that may be either takes many; the first of an answer is shown in either form."""
    both = {"anyOf": [_TITLE, {"type": "array", "items": _TITLE}]}
    assert takes_many(Operation("POST", "/notes", body=both))
    assert not takes_many(Operation("POST", "/notes", body=_TITLE))
    assert not takes_many(Operation("POST", "/notes", body=_KEYS))
    notes = Collection("notes")
    for answer in (b'[{"id": 1}]', b'{"items": [{"id": 1}]}'):
        assert first_shown(notes, Probe(ANONYMOUS, "POST", "/notes", answer=answer)) == {"id": 1}
    assert first_shown(notes, Probe(ANONYMOUS, "POST", "/notes", answer=b'{"id": 1}')) == {}
