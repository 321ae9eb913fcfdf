"""What stands in a cell: comma-separated parts, code spans, names."""

import re

from specwright.read.mistakes import Mistakes
from specwright.read.span import Span

_CODE = re.compile(r"(`+)(.+?)\1(?!`)")
_PATTERN = re.compile(r"matches\s+/", re.IGNORECASE)


def parts(cell: Span) -> list[Span]:
    """The comma-separated parts of a cell; a comma in `code`, in /…/ or in brackets separates nothing."""
    if "," not in cell.text:
        return [cell.strip()] if cell.text.strip() else []
    found: list[Span] = []
    start = index = depth = 0
    text = cell.text
    while index < len(text):
        if text[index] == "`" and (code := _CODE.match(text, index)):
            index = code.end()
            continue
        if pattern := _PATTERN.match(text, index):
            index = pattern_end(text, pattern.end())
            continue
        if text[index] == "," and depth == 0:
            found.append(cell[start:index].strip())
            start = index + 1
        depth = max(depth + {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[index], 0), 0)
        index += 1
    found.append(cell[start:].strip())
    return found if len(found) > 1 or found[0] else []


def pattern_end(text: str, start: int) -> int:
    """The index behind the / that closes a pattern begun before start, or the end of the text.

    The closing / ends its part: white space, a comma or nothing follows.
    """
    for found in re.finditer(r"\\.|/(?=\s*(?:,|$))", text[start:]):
        if found[0] == "/":
            return start + found.end()
    return len(text)


def code(span: Span) -> Span | None:
    """The inside of a span that is one code span, or None."""
    first = _CODE.match(span.text)
    if first is None or first.end() < len(span.text):
        return None
    return span[slice(*first.span(2))].strip()


def leading_code(span: Span) -> tuple[Span, Span] | None:
    """The inside of the code span that the span begins with, and what follows it; or None."""
    found = _CODE.match(span.text)
    if found is None:
        return None
    return span[slice(*found.span(2))].strip(), span[found.end() :].strip()


def expression_text(span: Span, mistakes: Mistakes) -> Span | None:
    """The text of an expression: in backticks, or the whole cell when it has none."""
    inside = code(span)
    if inside is not None:
        return inside
    if "`" not in span.text:
        return span
    if span.text.count("`") % 2:
        mistakes.add(span, "a backtick is missing. A | inside a cell is written \\|")
    else:
        mistakes.add(span, "an expression stands in one pair of backticks, alone in its cell")
    return None


def plain(span: Span) -> Span:
    """The span without a pair of backticks or of emphasis marks around it."""
    inside = code(span)
    if inside is not None:
        return inside
    for mark in ("**", "__", "*", "_"):
        text = span.text
        if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark):
            return span[len(mark) : -len(mark)].strip()
    return span
