"""What stands behind an app's failure: the exception, where it was raised, its cause, and what mends it."""

import re
from dataclasses import dataclass
from typing import Self

from specwright.model.errors import Origin

_SENTENCE = re.compile(r"(?P<kind>[\w.]+)(?:: (?P<says>.*?))?(?: at (?P<file>\S+?):(?P<line>\d+))?\Z", re.S)
#: What differs in the words of one fault from time to time.
_PARTICULAR = re.compile(
    # PostgreSQL says which row it was, SQLAlchemy the statement and its parameters.
    r" ?(?:DETAIL:|\[SQL:) .*$|'[^']*'|\"[^\"]*\"|\\[ux][0-9a-f]+|(?<![\w:])-?(?:\d[\d.e+]*|nan\b|inf\b)",
    re.I | re.S,
)
#: FastAPI's own answer to what it refuses repeats the input.
_UNWRITABLE = re.compile(r"not JSON compliant|surrogates not allowed")
_REPEATED = "a refused input is repeated in the answer, and JSON cannot hold it"
_BOUNDS = (
    "Give the member the type and the bounds of its column, so that what the database cannot hold is a 422."
)
#: By what an exception is called or says.
_REMEDIES = (
    (r"invalid input for query argument|invalid UUID|InvalidText|InvalidDatetime", _BOUNDS),
    (
        r"NotNull|not[ -]null|null value",
        "Require the member in the schema of the body, or give its column a default: the database takes no"
        " NULL there.",
    ),
    (r"unique|duplicate key", "Answer 409 when the database says that a value is taken."),
    (r"foreign ?key", "Answer 422 or 409 when the row that is referred to is not there."),
    (
        r"\\x00|\\u0000|0x00|NUL\b|null character|surrogate|Untranslatable|NotInRepertoire",
        "Refuse NUL bytes and halves of surrogates in texts, by a pattern: the database holds neither.",
    ),
    (r"Overflow|out of range|OutOfRange|too (?:long|large|big)|Truncation|DataError|int too", _BOUNDS),
    (
        r"SyntaxError|Undefined|syntax error|no such column|InvalidColumn",
        "Send values beside the statement, as its parameters; take sort keys from a list of your own.",
    ),
    (r"JSONDecode|UnicodeDecode", "Answer 400 where a body is not to be read, or take it by a schema."),
    (r"Recursion", "Refuse what is nested deeply before it is worked on."),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that nobody caught; without a name where none was seen."""

    kind: str
    says: str
    #: The innermost line of the app's own that it came through.
    place: Origin | None

    @classmethod
    def read(cls, sentence: str) -> Self:
        """From `ValueError: no such thing at app/orders.py:12`."""
        found = _SENTENCE.match(sentence)
        if found is None:
            return cls("", sentence, None)
        place = Origin(found["file"], int(found["line"])) if found["file"] else None
        return cls(found["kind"], found["says"] or "", place)

    @property
    def cause(self) -> str:
        """The same for the same fault, whatever was sent and to which operation."""
        if self.place is not None:
            return f"{self.kind} at {self.place}"
        if _UNWRITABLE.search(self.says):
            return _REPEATED
        return f"{self.kind}: {_PARTICULAR.sub('…', self.says)[:200]}"

    @property
    def remedy(self) -> str:
        """What mends it; "" where nothing more particular is known than what mends all failures."""
        if self.cause == _REPEATED:
            return (
                "Answer RequestValidationError by a handler of your own that leaves the refused input out:"
                " JSON holds neither NaN nor half a surrogate. It mends every operation at once."
            )
        said = f"{self.kind}: {self.says}"
        return next((remedy for sign, remedy in _REMEDIES if re.search(sign, said, re.I)), "")
