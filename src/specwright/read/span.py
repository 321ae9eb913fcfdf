"""A piece of a spec that knows where each of its characters came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from specwright.model.errors import Origin


@dataclass(frozen=True, slots=True)
class Span:
    """Text from one line of a file; `columns` holds each character's column, and one more for the end."""

    text: str
    file: str
    line: int
    columns: Sequence[int]

    @classmethod
    def of_line(cls, file: str, line: int, text: str) -> "Span":
        """A whole line."""
        return cls(text, file, line, range(1, len(text) + 2))

    def __getitem__(self, part: slice) -> "Span":
        start, stop, step = part.indices(len(self.text))
        assert step == 1, "a span is contiguous"
        stop = max(start, stop)
        return Span(self.text[start:stop], self.file, self.line, self.columns[start : stop + 1])

    def __bool__(self) -> bool:
        return bool(self.text)

    @property
    def origin(self) -> Origin:
        """Where the text begins."""
        return self.at(0)

    def at(self, index: int) -> Origin:
        """Where the character of this index stands."""
        return Origin(self.file, self.line, self.columns[min(max(index, 0), len(self.text))])

    def strip(self) -> "Span":
        """Without the white space around it."""
        if self.text == self.text.strip():
            return self
        return self[len(self.text) - len(self.text.lstrip()) : len(self.text.rstrip())]

    def without_prefix(self, prefix: str) -> "Span":
        """What follows the prefix, stripped."""
        return self[len(prefix) :].strip()

    def split(self, separators: str) -> "list[Span]":
        """The parts between matches of a regular expression, stripped; white space splits nothing else."""
        parts, start = [], 0
        for found in re.finditer(separators, self.text):
            parts.append(self[start : found.start()].strip())
            start = found.end()
        return [*parts, self[start:].strip()]
