"""Failures of one cause are one finding, with a mend that fits."""

import pytest

from specwright.model.errors import Origin
from specwright.verify.failures import Failure

NAN = "ValueError: Out of range float values are not JSON compliant"
HALF = "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800': surrogates not allowed"


def test_an_exception_is_read_from_its_sentence() -> None:
    """Its name, its words, and the app's own line."""
    found = Failure.read("DataError: invalid input: 'x' (length at 3) at app/api.py:110")
    assert found == Failure("DataError", "invalid input: 'x' (length at 3)", Origin("app/api.py", 110))
    assert Failure.read(NAN).place is None
    assert Failure.read("KeyError at a.py:1") == Failure("KeyError", "", Origin("a.py", 1))
    assert Failure.read("") == Failure("", "", None)


@pytest.mark.parametrize(
    "pair",
    [
        (
            "DataError: invalid input for query argument $1: '\\x00' (invalid UUID '\\x00') at api.py:110",
            "DataError: invalid input for query argument $1: '9999' (got 40) at api.py:110",
        ),
        ("OverflowError: int too large: 12", "OverflowError: int too large: 9223372036854775808"),
        (NAN, HALF),
    ],
)
def test_one_cause_has_one_name(pair: tuple[str, str]) -> None:
    """The exception and the app's own line, whatever value its words name; else its words without values."""
    one, other = map(Failure.read, pair)
    assert one.cause == other.cause


def test_another_line_or_exception_is_another_cause() -> None:
    """What is raised elsewhere is mended elsewhere."""
    causes = {
        Failure.read(each).cause
        for each in ("KeyError at a.py:1", "KeyError at a.py:2", "TypeError at a.py:2")
    }
    assert len(causes) == 3


@pytest.mark.parametrize(
    ("sentence", "mended"),
    [
        (NAN, "RequestValidationError"),
        (HALF, "RequestValidationError"),
        (f"{HALF} at app/api.py:3", "halves of surrogates"),
        ("NotNullViolation: null value in column at a.py:1", "Require the member"),
        ("IntegrityError: NOT NULL constraint failed: b.title at a.py:1", "Require the member"),
        (
            "OverflowError: Python int too large to convert to SQLite INTEGER at a.py:1",
            "bounds of its column",
        ),
        ("DataError: invalid input for query argument $1: '\\x00' (invalid UUID) at a.py:1", "bounds of its"),
        ("UniqueViolationError: duplicate key value at a.py:1", "409"),
        ("UndefinedColumn: column does not exist at a.py:1", "beside the statement"),
        ("KeyError: 'x' at a.py:1", ""),
    ],
)
def test_the_mend_fits_the_cause(sentence: str, mended: str) -> None:
    """NaN in an answer is not mended by a bound, nor a NULL by a handler."""
    remedy = Failure.read(sentence).remedy
    assert mended in remedy and bool(mended) == bool(remedy)
