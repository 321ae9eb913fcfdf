"""`RESULTS.md`: the figures of one run, with what they were measured on."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.load import CONNECTIONS

_PACKAGES = ("specwright", "fastapi", "starlette", "uvicorn", "asyncpg", "sqlalchemy", "sqlmodel", "pydantic")


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its heading; columns from `right` on hold figures."""

    title: str
    about: str
    header: Sequence[str]
    right: int
    rows: Iterable[Sequence[str]]

    def lines(self) -> list[str]:
        """The table as Markdown."""
        rule = "".join("---|" if place < self.right else "---:|" for place in range(len(self.header)))
        rows = [f"| {' | '.join(row)} |" for row in (self.header, *self.rows)]
        return [f"## {self.title}", "", self.about, "", rows[0], f"|{rule}", *rows[1:]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure, and what it should be; `reached` is None where nothing was aimed at."""

    what: str
    between: str
    measured: str
    figure: str
    aim: str = ""
    reached: bool | None = None

    @property
    def row(self) -> tuple[str, ...]:
        """As the row of a table."""
        verdict = {True: "yes", False: "no", None: ""}[self.reached]
        return (self.what, self.between, self.measured, self.figure, self.aim, verdict)


def findings(title: str, about: str, found: Iterable[Finding]) -> Table:
    """A table of findings."""
    header = ("what", "between", "measured", "figure", "aim", "reached")
    return Table(title, about, header, 3, [finding.row for finding in found])


def write_results(path: Path, tables: Iterable[Table], postgres: str, rounds: int, seconds: int) -> None:
    """Write the tables, and what they were measured on."""
    lines = [
        "# Results",
        "",
        f"Written by `make bench`: medians of {rounds} interleaved rounds of {seconds} s in one run. The"
        " ratios are what counts; the figures of another machine are others.",
        "",
        f"{os.cpu_count()} processors, Python {platform.python_version()}, PostgreSQL {postgres} on the same"
        f" machine with `fsync` off, wrk with {CONNECTIONS} connections.",
        ", ".join(f"{name} {version(name)}" for name in _PACKAGES) + ".",
    ]
    for table in tables:
        lines += ["", *table.lines()]
    path.write_text("\n".join(lines) + "\n")
