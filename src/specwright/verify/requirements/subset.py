"""Whether an answer holds what an example expects: a JSON subset with wildcards."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from specwright.model import jsonb
from specwright.verify.requirements.evidence import Difference

#: In an example, any value but null.
WILDCARD = "*"


def differences(expected: Any, got: Any, at: str = "") -> Iterator[Difference]:
    """Where got lacks what is expected.

    Of an object the expected members count, others may be there; a list has the same length and order;
    `"*"` is any value but null.
    """
    match expected:
        case dict():
            if not isinstance(got, dict):
                yield Difference(at, as_json(expected), as_json(got))
                return
            for name, value in expected.items():
                inner = f"{at}.{name}" if at else name
                if name in got:
                    yield from differences(value, got[name], inner)
                else:
                    yield Difference(inner, as_json(value), "no such member")
        case list():
            if not isinstance(got, list) or len(got) != len(expected):
                yield Difference(at, as_json(expected), as_json(got))
                return
            for index, value in enumerate(expected):
                yield from differences(value, got[index], f"{at}[{index}]")
        case "*":
            if got is None:
                yield Difference(at, "any value", "null")
        case _:
            if isinstance(expected, bool) != isinstance(got, bool) or expected != got:
                yield Difference(at, as_json(expected), as_json(got))


def as_json(value: Any) -> str:
    """The value as JSON on one line."""
    return jsonb.encode(value, ascii=False, item=", ", member=": ")


def read_json(text: str) -> Any:
    """The value of a JSON text (RFC 8259: no NaN, no Infinity), its numbers exact.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
