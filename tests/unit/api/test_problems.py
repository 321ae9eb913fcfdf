"""Problems are valid JSON whatever they quote, and every code is documented."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.api.problems import CODES, FIELD_CODES, FieldError, Problem, body, of_status, validation

_ANY_TEXT = st.text(st.characters(exclude_categories=()))
_REFERENCE = Path(__file__).parents[3] / "docs" / "http.md"


def test_a_problem_has_every_member_of_the_contract() -> None:
    """The body is what DESIGN §5 promises."""
    problem = validation([FieldError("title", "too_long", "Must have at most 200 characters.")])
    assert json.loads(body(problem, "r-1")) == {
        "type": "urn:specwright:problem:validation_failed",
        "title": "The request breaks a rule",
        "status": 422,
        "detail": "title: Must have at most 200 characters.",
        "code": "validation_failed",
        "errors": [{"field": "title", "code": "too_long", "message": "Must have at most 200 characters."}],
        "request_id": "r-1",
    }


@given(_ANY_TEXT, _ANY_TEXT, _ANY_TEXT)
def test_whatever_is_quoted_the_body_is_utf8_json(detail: str, field: str, request_id: str) -> None:
    """Lone surrogates and controls never make an unreadable answer."""
    raw = body(Problem("malformed", detail, errors=[FieldError(field, "required", detail)]), request_id)
    text = raw.decode()
    json.loads(text)
    assert not re.search(r"\\u[dD][89a-fA-F]", text)


def test_echoes_are_short() -> None:
    """A long member name comes back cut, and a thousand faults as the first fifty."""
    errors = [FieldError("x" * 10_000, "unknown_member", "There is no such member.")] * 1000
    assert len(body(validation(errors), "r")) < 20_000


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not_found"), (405, "method_not_allowed"), (418, "im_a_teapot"), (410, "gone"), (599, "error")],
)
def test_a_bare_status_becomes_a_problem(status: int, code: str) -> None:
    """What frameworks and hand-written routes raise is answered in the same shape."""
    problem = of_status(status)
    assert (problem.status, problem.code) == (status, code)


def test_a_custom_problem_keeps_its_status_and_code() -> None:
    """Business rules bring their own codes."""
    problem = Problem("too_many_open_tasks", "Finish something first.", status=409)
    assert json.loads(body(problem, "r"))["title"] == "Conflict"


def test_every_problem_code_is_documented_with_its_status() -> None:
    """docs/http.md has a row for every code, and no other."""
    table = _table("| Code  ")
    told = dict(re.findall(r"^\| `([a-z_]+)` *\| (\d{3}) ", table, re.MULTILINE))
    assert told == {code: str(known.status) for code, known in CODES.items()}


def test_every_field_code_is_documented() -> None:
    """docs/http.md has a row for every `errors[].code`, and no other."""
    assert set(re.findall(r"^\| `([a-z_]+)`", _table("| Code in `errors`"), re.MULTILINE)) == set(FIELD_CODES)


def _table(header: str) -> str:
    """The table of docs/http.md that begins so."""
    return _REFERENCE.read_text().split(f"\n{header}", 1)[1].split("\n\n", 1)[0]
