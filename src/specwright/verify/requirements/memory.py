"""The answers of a requirement, and the `{name.path}` that later examples write for their parts."""

import re
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from specwright.verify.requirements.subset import as_json

_CAPTURE = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_]+)+)\}")


class UnknownCapture(LookupError):
    """A `{name.path}` that no answer before it has; the message is one sentence."""


class Memory:
    """What was answered so far, by name; a later answer replaces an earlier one of the same name."""

    def __init__(self) -> None:
        self._answers: dict[str, Any] = {}

    def remember(self, name: str, answer: Any) -> None:
        """Keep an answer's JSON under a name."""
        self._answers[name] = answer

    def in_url(self, template: str) -> str:
        """A path with its captures filled in, each escaped.

        Raises:
            UnknownCapture: no answer has it.
        """
        return _CAPTURE.sub(lambda found: quote(_text(self._find(found)), safe=""), template)

    def in_text(self, template: str) -> str:
        """A text with its captures filled in.

        Raises:
            UnknownCapture: no answer has it.
        """
        return _CAPTURE.sub(lambda found: _text(self._find(found)), template)

    def in_json(self, template: Any) -> Any:
        """A JSON value with the captures of its strings filled in; a string that is one takes its type.

        Raises:
            UnknownCapture: no answer has it.
        """
        match template:
            case str():
                whole = _CAPTURE.fullmatch(template)
                return self._find(whole) if whole else self.in_text(template)
            case list():
                return [self.in_json(item) for item in template]
            case dict():
                return {name: self.in_json(value) for name, value in template.items()}
            case _:
                return template

    def _find(self, found: re.Match[str]) -> Any:
        name, *steps = found[0][1:-1].split(".")
        if name not in self._answers:
            raise UnknownCapture(f"{found[0]} is not known: {self._known(name)}")
        value = self._answers[name]
        for step in steps:
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                raise UnknownCapture(f'{found[0]} is not known: the answer "{name}" has no "{step}".')
        return value

    def _known(self, name: str) -> str:
        if not self._answers:
            return "no answer before it can be remembered."
        close = get_close_matches(name, self._answers, 1)
        hint = f'Did you mean "{close[0]}"?' if close else f"There are {', '.join(self._answers)}."
        return f'no answer is named "{name}". {hint}'


def _text(value: Any) -> str:
    return value if isinstance(value, str) else as_json(value)
