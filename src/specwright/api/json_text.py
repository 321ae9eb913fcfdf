"""JSON of bodies, read strictly (RFC 8259): no duplicate keys, no NaN, numbers exact."""

from typing import Any

from specwright.api.problems import Problem
from specwright.model import jsonb


def read(raw: bytes) -> Any:
    """The value of a JSON text: None, bool, int, Decimal, str, list or dict; never a float.

    Raises:
        Problem: malformed, saying where.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Problem("malformed", f"The body is not UTF-8: byte {error.start + 1} is wrong.") from None
    if text.startswith("\ufeff"):
        raise Problem("malformed", "The body begins with a byte order mark: send it without.")
    if not text.strip():
        raise Problem("malformed", "The body is empty: send a JSON object.")
    try:
        return jsonb.decode(text)
    except jsonb.JsonError as error:
        raise Problem("malformed", f"The body {error}.") from None
