"""The parameters of one query string, taken one by one, with every fault that is found."""

import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import unquote_to_bytes

from specwright.api.problems import FieldError, Problem, validation
from specwright.model.jsonb import UNSTORABLE
from specwright.model.names import suggest

MAX_PARAMETERS = 50

_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")


class Sent:
    """The parameters of one request, taken one by one; what is left over is a filter or a fault."""

    def __init__(self, query_string: bytes) -> None:
        self._errors: list[FieldError] = []
        self._left: dict[str, str] = {}
        self._names: set[str] = set()
        self._spaced: set[str] = set()
        pairs = [pair for pair in query_string.split(b"&") if pair]
        if len(pairs) > MAX_PARAMETERS:
            raise Problem("malformed", f"The query string has more than {MAX_PARAMETERS} parameters.")
        for pair in pairs:
            name, _, value = pair.partition(b"=")
            self._add(_decode(name), _decode(value))
            if b"+" in value:
                self._spaced.add(_decode(name))

    def _add(self, name: str, value: str) -> None:
        if name in self._names:
            self.refuse(name, "repeated", "Must be given once.")
            self._left.pop(name, None)
        elif UNSTORABLE.search(name + value):
            self.refuse(name, "invalid_character", "Must not hold a NUL character.")
        else:
            self._left[name] = value
        self._names.add(name)

    def was_sent(self, name: str) -> bool:
        """Whether the parameter was sent, valid or not."""
        return name in self._names

    def was_anything_sent(self, *, but: str) -> bool:
        """Whether there was any parameter but this."""
        return bool(self._names - {but})

    def has_plus(self, name: str) -> bool:
        """Whether the value was sent with a plus sign, which is read as a space."""
        return name in self._spaced

    def take(self, name: str) -> str | None:
        """The parameter's value, once."""
        return self._left.pop(name, None)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds; the default when it was not sent."""
        text = self.take(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d+", text, re.ASCII):
            self.refuse(name, "wrong_type", f"Must be a whole number from {least} to {most}.")
            return default
        # int() of many digits takes quadratic time, and Python refuses more than 4,300.
        number = Decimal(text)
        if number < least:
            self.refuse(name, "too_small", f"Must be at least {least}.")
        elif number > most:
            self.refuse(name, "too_large", f"Must be at most {most}.")
        else:
            return int(number)
        return default

    def rest(self) -> list[tuple[str, str]]:
        """Everything that nobody took."""
        rest, self._left = list(self._left.items()), {}
        return rest

    def refuse(self, name: str, code: str, message: str, column: int | None = None) -> None:
        """Note a fault."""
        self._errors.append(FieldError(name, code, message, column))

    def refuse_unknown(self, name: str, known: Sequence[str]) -> None:
        """Note a parameter that does not exist, with the likeliest one that does."""
        close = suggest(name, known) or suggest(split_operator(name)[0], known)
        hint = f" Did you mean {close}?" if close else ""
        self.refuse(name, "unknown_parameter", f"There is no such parameter.{hint}")

    def refuse_rest(self, known: Sequence[str]) -> None:
        """Note everything that nobody took as unknown."""
        for name, _ in self.rest():
            self.refuse_unknown(name, known)

    def finish(self) -> None:
        """Raise what was noted."""
        if self._errors:
            raise validation(self._errors)


def _decode(raw: bytes) -> str:
    """application/x-www-form-urlencoded, strictly: no stray percent sign, UTF-8 only."""
    try:
        text = raw.decode()
        if _BAD_ESCAPE.search(text):
            raise Problem("malformed", "The query string has a % that two hexadecimal digits do not follow.")
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise Problem("malformed", "The query string is not percent-encoded UTF-8.") from None


def split_operator(name: str) -> tuple[str, str]:
    wire, separator, operator = name.rpartition("__")
    return (wire, operator) if separator else (name, "eq")
