"""Markdown as the reader sees it: sections with their tables, list items and fenced blocks, all with places.

markdown-it decides what is a table, a list or a fence; the cells are split here, from the raw lines, so that
a mistake in a cell can be told with its column (GitHub Flavored Markdown 0.29 §4.10 for the splitting).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from specwright.model.errors import Origin
from specwright.read.span import Span

_LIST_MARKERS = re.compile(r"(?:[ \t]*(?:[-*+]|\d{1,9}[.)])(?=[ \t]))*[ \t]*")
_BAR = re.compile(r"(?<!\\)\|")
_MEANT_AS_TABLE = re.compile(r"\|?\s*(?:Field|Who|Role|Action)\s*\|")
_QUESTION = re.compile(r"\[NEEDS CLARIFICATION(?::\s*([^\]]*?))?\s*\]")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line of a table."""

    cells: tuple[Span, ...]
    line: Span


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its header and the rows below it."""

    header: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """The first paragraph of a list item; `head` is its first line, `text` all of it."""

    head: Span
    text: str
    ordered: bool


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: its language and the lines inside."""

    language: str
    lines: tuple[Span, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Broken:
    """A paragraph that was meant as a table: its header row, without a fitting line of dashes below."""

    header: Span


Block = Table | Item | Fence | Broken


@dataclass(slots=True, eq=False)
class Section:
    """What stands below one heading, up to the next heading of any level."""

    heading: Span
    level: int
    parent: "Section | None"
    blocks: list[Block] = field(default_factory=list)
    #: The first paragraph: what the heading means.
    means: str = ""
    #: The name of the table, where a class gives it one.
    table: str = ""

    @property
    def ancestry(self) -> Iterator["Section"]:
        """This section, then the sections around it, innermost first."""
        section: Section | None = self
        while section is not None:
            yield section
            section = section.parent


@dataclass(frozen=True, slots=True)
class Outline:
    """One file."""

    file: str
    sections: tuple[Section, ...]
    #: `[NEEDS CLARIFICATION: …]` marks with their texts.
    marks: tuple[tuple[Origin, str], ...]


def outline(file: str, text: str) -> Outline:
    """The sections of a Markdown text."""
    text = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")).replace("\x00", "\ufffd")
    lines = [Span.of_line(file, number, line) for number, line in enumerate(text.split("\n"), 1)]
    # What stands inside a line is read here: emphasis and links are nobody's business.
    tokens = MarkdownIt("commonmark").enable("table").disable("inline").parse(text)
    sections = _Sections(file, lines).read(tokens)
    return Outline(file, tuple(sections), tuple(_marks(lines, tokens)))


def split_row(line: Span) -> tuple[Span, ...]:
    """The cells of a table line: split at each | without a backslash before it, which is then dropped."""
    line = line.strip()
    cells: list[Span] = []
    start = 0
    for bar in _BAR.finditer(line.text):
        cells.append(_unescaped(line[start : bar.start()]))
        start = bar.end()
    cells.append(_unescaped(line[start:]))
    if not cells[0].text and len(cells) > 1:
        cells = cells[1:]
    if not cells[-1].text and len(cells) > 1:
        cells = cells[:-1]
    return tuple(cell.strip() for cell in cells)


def _unescaped(cell: Span) -> Span:
    if "\\|" not in cell.text:
        return cell
    kept = [place for place in range(len(cell.text)) if not cell.text.startswith("\\|", place)]
    columns = [cell.columns[place] for place in (*kept, len(cell.text))]
    return Span("".join(cell.text[place] for place in kept), cell.file, cell.line, columns)


class _Sections:
    def __init__(self, file: str, lines: Sequence[Span]) -> None:
        self.lines = lines
        self.found = [Section(lines[0][0:0], 0, None)]

    @property
    def current(self) -> Section:
        return self.found[-1]

    def read(self, tokens: Sequence[Token]) -> list[Section]:
        open_lists: list[bool] = []
        quotes = 0
        for index, token in enumerate(tokens):
            match token.type:
                case "blockquote_open":
                    quotes += 1
                case "blockquote_close":
                    quotes -= 1
                case "bullet_list_open" | "ordered_list_open":
                    open_lists.append(token.type == "ordered_list_open")
                case "bullet_list_close" | "ordered_list_close":
                    open_lists.pop()
                case _ if quotes:
                    pass  # what is quoted is prose
                case "heading_open":
                    self.heading(token, tokens[index + 1])
                case "table_open":
                    self.current.blocks.append(self.table(token))
                case "fence":
                    self.current.blocks.append(self.fence(token))
                case "inline" if tokens[index - 1].type == "paragraph_open":
                    self.paragraph(token, open_lists, tokens[index - 2].type == "list_item_open")
                case _:
                    pass
        return self.found

    def heading(self, token: Token, inline: Token) -> None:
        level = int(token.tag[1:])
        parent = next((known for known in self.current.ancestry if 0 < known.level < level), None)
        self.found.append(Section(self.locate(token, inline.content.split("\n")[0]), level, parent))

    def locate(self, token: Token, text: str) -> Span:
        """The part of the token's first line that holds text."""
        assert token.map is not None
        line = self.lines[token.map[0]]
        start = line.text.find(text)
        return line[start : start + len(text)] if start >= 0 else line.strip()

    def paragraph(self, inline: Token, open_lists: Sequence[bool], first_of_item: bool) -> None:
        text = " ".join(inline.content.split())
        if _MEANT_AS_TABLE.match(inline.content):
            self.current.blocks.append(Broken(self.locate(inline, inline.content.split("\n")[0])))
        elif first_of_item:
            head = self.locate(inline, inline.content.split("\n")[0])
            self.current.blocks.append(Item(head, text, open_lists[-1]))
        elif not open_lists and not self.current.means and not self.current.blocks:
            self.current.means = text

    def table(self, token: Token) -> Table:
        assert token.map is not None
        first, end = token.map
        top = self.lines[first]
        marker = _LIST_MARKERS.match(top.text)
        assert marker is not None, "the expression matches the empty text"
        header = Row(split_row(top[marker.end() :]), top.strip())
        body = self.lines[first + 2 : end]
        return Table(header, tuple(Row(split_row(line), line.strip()) for line in body if line.text.strip()))

    def fence(self, token: Token) -> Fence:
        assert token.map is not None
        first = token.map[0]
        inside = []
        for offset, content in enumerate(token.content.split("\n")[:-1], 1):
            line = self.lines[first + offset]
            start = max(line.text.find(content), 0)
            inside.append(Span(content, line.file, line.line, range(start + 1, start + len(content) + 2)))
        language = token.info.split()[0].lower() if token.info.split() else ""
        return Fence(language, tuple(inside), self.lines[first].strip().origin)


def _marks(lines: Sequence[Span], tokens: Sequence[Token]) -> Iterator[tuple[Origin, str]]:
    code = {
        number
        for token in tokens
        if token.type in ("fence", "code_block", "html_block") and token.map is not None
        for number in range(*token.map)
    }
    for number, line in enumerate(lines):
        if number not in code:
            shown = re.sub(r"`[^`]*`", lambda span: " " * len(span[0]), line.text)
            for found in _QUESTION.finditer(shown):
                yield line.at(found.start()), line.text[slice(*found.span(1))] if found[1] else "(no text)"
