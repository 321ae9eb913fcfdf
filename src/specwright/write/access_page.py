"""The access matrix as a page: one file that needs no other, and no script."""

from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from specwright.write.matrix import NOTHING, WIDER, Cell, Matrix


def as_html(matrices: tuple[Matrix, ...]) -> str:
    """A table a resource. A cell unfolds to the lines of the spec that grant it."""
    links = "\n".join(
        f'<li><a href="#{_anchor(number)}">{escape(matrix.resource)}</a></li>'
        for number, matrix in enumerate(matrices)
    )
    sheets = "\n".join(_sheet(number, matrix) for number, matrix in enumerate(matrices))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Who may do what</title>
<style>{_style()}</style>
</head>
<body>
<h1>Who may do what</h1>
<p>{escape(WIDER)} What is not granted is denied. Open a cell to see the lines of the spec that grant it.</p>
<nav aria-label="Resources">
<ul>
{links}
</ul>
</nav>
<main>
{sheets}
</main>
</body>
</html>
"""


def content_security_policy() -> str:
    """What the page may do where it is served: show its own style, and nothing else."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"


@cache
def _style() -> str:
    return (files("specwright.write") / "access.css").read_text("utf-8")


def _anchor(number: int) -> str:
    return f"resource-{number + 1}"


def _sheet(number: int, matrix: Matrix) -> str:
    # A table that a narrow screen shows as a list stays a table to whoever hears it, by its roles.
    actions = "".join(
        f'<th role="columnheader" scope="col">{escape(action)}</th>' for action in matrix.actions
    )
    rows = "\n".join(_row(who, matrix.actions, cells) for who, cells in matrix.rows)
    return f"""<div class="sheet" id="{_anchor(number)}">
<table role="table">
<caption>{escape(matrix.resource)}{_notes(matrix)}</caption>
<thead role="rowgroup">
<tr role="row"><th role="columnheader" scope="col">Who</th>{actions}</tr>
</thead>
<tbody role="rowgroup">
{rows}
</tbody>
</table>
</div>"""


def _notes(matrix: Matrix) -> str:
    return "".join(f"<br><small>{escape(note)}</small>" for note in matrix.notes)


def _row(who: str, actions: tuple[str, ...], cells: tuple[Cell, ...]) -> str:
    told = "".join(
        f'<td role="cell" data-action="{escape(action)}">{"".join(_cell(cell))}</td>'
        for action, cell in zip(actions, cells, strict=True)
    )
    return f'<tr role="row"><th role="rowheader" scope="row">{escape(who)}</th>{told}</tr>'


def _cell(cell: Cell) -> Iterator[str]:
    if not cell.granted:
        yield f'<span class="no" role="img" aria-label="no">{NOTHING}</span>'
        return
    kind = "when" if cell.conditions else "yes"
    words = " <em>or</em> ".join(f"<code>{escape(each)}</code>" for each in cell.conditions) or "yes"
    lines = "".join(f"<li>{escape(origin)}</li>" for origin in cell.origins)
    yield f'<details class="{kind}"><summary title="{escape(", ".join(cell.origins))}">{words}</summary>'
    yield f"<ul>{lines}</ul></details>"
