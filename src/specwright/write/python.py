"""Python source, laid out as `ruff format` leaves it: calls on one line, or one argument a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: The line length that formatters start from.
WIDTH = 88
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Call:
    """A call, or with other brackets a tuple, list or dict; an argument may carry its keyword as `name=`."""

    name: str
    arguments: Sequence["str | Call"]
    brackets: tuple[str, str] = ("(", ")")

    def keyword(self, name: str) -> "Call":
        """The same as the value of a keyword argument."""
        return Call(f"{name}={self.name}", self.arguments, self.brackets)


Code = str | Call


def lay_out(prefix: str, code: Code, depth: int) -> Iterator[str]:
    """The lines of `prefix` and a piece of code, `depth` levels in."""
    yield from _lines(_INDENT * depth + prefix, code, depth, "")


def text(value: str) -> str:
    """A string literal, in double quotes unless single ones need fewer escapes."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in value) + quote


def _lines(prefix: str, code: Code, depth: int, end: str) -> Iterator[str]:
    line = prefix + _on_one_line(code) + end
    if isinstance(code, str) or not code.arguments or len(line) <= WIDTH:
        yield line
        return
    opening, closing = code.brackets
    yield prefix + code.name + opening
    for argument in code.arguments:
        yield from _lines(_INDENT * (depth + 1), argument, depth + 1, ",")
    yield _INDENT * depth + closing + end


def _on_one_line(code: Code) -> str:
    if isinstance(code, str):
        return code
    opening, closing = code.brackets
    inside = ", ".join(map(_on_one_line, code.arguments))
    alone = "," if opening == "(" and not code.name and len(code.arguments) == 1 else ""
    return code.name + opening + inside + alone + closing


def _escaped(character: str, quote: str) -> str:
    if character in (quote, "\\"):
        return "\\" + character
    return character if character.isprintable() else repr(character)[1:-1]
