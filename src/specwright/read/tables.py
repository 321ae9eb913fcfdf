"""Which tables are read, and their rows by column name."""

from collections.abc import Iterator
from dataclasses import dataclass

from specwright.read.cells import plain
from specwright.read.mistakes import Mistakes
from specwright.read.outline import Row, Table
from specwright.read.span import Span
from specwright.read.vocabulary import PROSE_COLUMNS, TABLES

_DASHES = ("-", "–", "—")
_STRICT = ("Field", "Who")
_COLUMNS = {
    column.lower(): column
    for needed, optional in TABLES.values()
    for column in (*needed, *optional, *PROSE_COLUMNS)
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a known table."""

    cells: dict[str, Span]
    whole: Span

    def __getitem__(self, column: str) -> Span:
        return self.cells[column]

    def get(self, column: str) -> Span | None:
        """The cell of a column that the table may leave out; None when left out or empty."""
        return self.cells.get(column) or None

    @property
    def means(self) -> str:
        """What the prose columns say."""
        return " ".join(cell.text for name in PROSE_COLUMNS[:2] if (cell := self.cells.get(name)))


def kind_of(table: Table, mistakes: Mistakes) -> str | None:
    """The key in TABLES of a table that is read; None for prose, and, with a mistake, for a wrong header."""
    header = _header(table)
    for kind, (needed, optional) in TABLES.items():
        allowed = {*needed, *optional, *PROSE_COLUMNS}
        if (
            header[0] == needed[0]
            and set(needed) <= set(header) <= allowed
            and len(set(header)) == len(header)
        ):
            return kind
    if header[0] in _STRICT:
        forms = [_form(*columns) for columns in TABLES.values() if columns[0][0] == header[0]]
        mistakes.add(
            table.header.cells[0],
            f"this table has the header {' | '.join(header)}; one that begins with {header[0]} needs "
            f"{' or '.join(forms)}. Only {', '.join(PROSE_COLUMNS)} may stand beside",
        )
    elif meant_as_fields(table):
        mistakes.add(
            table.header.cells[0],
            f"this table has the header {' | '.join(header)}; the fields of an entity need "
            f"{_form(*TABLES['fields'])}",
        )
    return None


def meant_as_fields(table: Table) -> bool:
    """Whether the header is that of a field table, or nearly."""
    header = _header(table)
    return header[0] == "Field" or {"Type", "Rules"} <= set(header)


def lines(table: Table, mistakes: Mistakes) -> Iterator[Line]:
    """The rows by column name, empty ones left out."""
    header = _header(table)
    for row in table.rows:
        if any(row.cells):
            if len(row.cells) > len(header):
                mistakes.add(
                    row.cells[len(header)],
                    f"this row has {len(row.cells)} cells, and the header {len(header)}. "
                    "A | inside a cell is written \\|",
                )
                continue
            yield Line({name: _cell(row, index) for index, name in enumerate(header)}, row.line)


def _cell(row: Row, index: int) -> Span:
    """The cell of a column; a missing one is empty, and so is a dash."""
    if index >= len(row.cells):
        return row.line[len(row.line.text) :]
    cell = row.cells[index]
    return cell[0:0] if cell.text in _DASHES else cell


def _header(table: Table) -> list[str]:
    return [_COLUMNS.get(plain(cell).text.lower(), cell.text) for cell in table.header.cells]


def _form(needed: tuple[str, ...], optional: tuple[str, ...]) -> str:
    return " | ".join(needed) + "".join(f" [| {column}]" for column in optional)
