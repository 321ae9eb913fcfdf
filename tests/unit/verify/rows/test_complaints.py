"""What apps say of a body is understood, in each of the usual forms."""

import json
from random import Random
from typing import Any

import pytest

from specwright.verify.rows.bodies import Bodies
from specwright.verify.rows.complaints import Complaint, read_complaints
from specwright.verify.rows.mending import suggestions


@pytest.mark.parametrize(
    ("said", "paths"),
    [
        ({"detail": [{"loc": ["body", "a", 0, "b"], "msg": "bad", "type": "value_error"}]}, [("a", 0, "b")]),
        ({"detail": [{"loc": ["body"], "msg": "Field required", "type": "missing"}]}, [()]),
        ({"title": "No", "status": 422, "errors": [{"field": "a", "code": "required"}]}, [("a",)]),
        ({"type": "about:blank", "errors": [{"pointer": "#/a/0/b", "detail": "bad"}]}, [("a", 0, "b")]),
        ({"errors": [{"source": {"pointer": "/a/b"}, "title": "bad"}]}, [("a", "b")]),
        ({"errors": {"title": ["can't be blank"], "body": ["is short"]}}, [("title",)]),
        ({"errors": {"name": "is taken"}}, [("name",)]),
        ({"detail": "The due_date lies in the past"}, [("due_date",)]),
        ({"message": "due date lies in the past"}, [("due_date",)]),
        ("due_date!", [("due_date",)]),
        ({"detail": "No."}, [()]),
        ([], [()]),
        (None, [()]),
    ],
)
def test_the_member_is_found(said: Any, paths: list[tuple[Any, ...]]) -> None:
    """FastAPI, RFC 9457, JSON:API, Rails and RealWorld, and sentences."""
    complaints = read_complaints(json.dumps(said).encode(), ["title", "due_date"])
    assert [complaint.path for complaint in complaints] == paths


@pytest.mark.parametrize("answer", [b"", b"\xff\xfe", b"<html>", b"[" * 100_000, b"1e999"])
def test_no_answer_breaks_the_reader(answer: bytes) -> None:
    """Whatever comes back is read, or is words."""
    assert read_complaints(answer, ["title"])


@pytest.mark.parametrize(
    ("complaint", "value", "schema", "wanted"),
    [
        (Complaint(("a",), "literal_error", "Input should be 'x' or 'y'"), "c", {}, "x"),
        (Complaint(("a",), message="must be one of: red, green"), "c", {}, "red"),
        (Complaint(("a",), context={"allowed": ["doing"]}), "c", {}, "doing"),
        (Complaint(("n",), "greater_than", context={"gt": 5}), 1, {"type": "integer"}, 6),
        (Complaint(("n",), message="must be at most 3"), 9, {"type": "integer"}, 2),
        (Complaint(("n",), message="the amount must be positive"), -1, {"type": "integer"}, 1),
    ],
)
def test_the_first_suggestion_is_what_was_asked_for(
    complaint: Complaint, value: Any, schema: Any, wanted: Any
) -> None:
    """Choices and bounds are taken as they are told."""
    assert next(suggestions(complaint, value, schema, Bodies(Random(0)))) == wanted


def test_texts_become_as_long_as_asked() -> None:
    """At least so many characters, or at most."""
    bodies = Bodies(Random(0))
    longer = Complaint(("a",), "string_too_short", context={"min_length": 40})
    assert len(next(suggestions(longer, "short", {}, bodies))) > 40
    shorter = Complaint(("a",), message="at most 5 characters")
    assert len(next(suggestions(shorter, "much too long", {}, bodies))) <= 5


def test_times_are_moved() -> None:
    """What must lie in the future does."""
    past = Complaint(("due",), message="must be in the future")
    now = Bodies(Random(0)).moment(0).isoformat()
    assert next(suggestions(past, "2001-01-01T00:00:00Z", {}, Bodies(Random(0)))) > now
