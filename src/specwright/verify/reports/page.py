"""A report as one page that needs no other file and no script."""

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files

from specwright.verify.reports import text
from specwright.verify.reports.endpoints import Endpoint
from specwright.verify.reports.report import Finding, Report
from specwright.verify.requirements.trace import Traced
from specwright.verify.result import Result, Standing

#: The checks whose results say who may do what.
_ACCESS = ("AM", "AZ", "AN")
#: The worst first: a cell shows the worst of what was seen.
_WORST = (Standing.BROKEN, Standing.ASK, Standing.SUSPECTED, Standing.PROVED, Standing.NOT_RUN)
_MARKS = {
    Standing.BROKEN: "✗",
    Standing.ASK: "?",
    Standing.SUSPECTED: "!",
    Standing.PROVED: "✓",
    Standing.NOT_RUN: "–",
}
_SHOWN = 15


def page(report: Report) -> str:
    """The HTML: findings, questions, the access matrix, the trace, checks, and how operations behaved."""
    verdict, kind = ("not sound", "broken") if report.exit else ("nothing broken", "proved")
    parts = [
        _section("Findings", _findings(report.findings)),
        _section("Questions", _questions(report)),
        _section("Suspected in the code", _findings(report.suspicions)),
        _section("Who can do what", _matrix(report)),
        _section("Requirements", _requirements(report.trace)),
        _section("Checks", _checks(report)),
        _section("Operations", _endpoints(report)),
    ]
    summary = "".join(f"<li>{escape(' '.join(line.split()))}</li>" for line in text.summary(report))
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.target)}: {verdict}</title>
<style>{_style()}</style>
</head>
<body>
<h1>{escape(report.target)} <span class="verdict {kind}">{verdict}</span></h1>
<ul class="summary">{summary}{notes}</ul>
<main>
{"".join(parts)}
</main>
</body>
</html>
"""


@cache
def _style() -> str:
    return (files("specwright.verify.reports") / "page.css").read_text("utf-8")


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>\n" if content else ""


def _findings(findings: Iterable[Finding]) -> str:
    return "".join(_finding(found) for found in findings)


def _finding(found: Finding) -> str:
    first, check = found.first, found.check
    place = f" <code>{escape(str(first.source))}</code>" if first.source is not None else ""
    exchanges = "".join(
        f"<pre>{escape(chr(10).join(text.exchange(probe)))}</pre>"
        for result in found.results
        for probe in result.probes
    )
    details = "".join(f"<li><code>{escape(detail)}</code></li>" for detail in first.details)
    accepted = ""
    if found.accepted is not None:
        reason = escape(found.accepted.reason)
        accepted = f'<p class="quiet">Accepted until {found.accepted.until}: {reason}</p>'
    more = len(found.results) - 1
    others = f'<p class="quiet">and {more} more with the same cause</p>' if more else ""
    return f"""<details class="finding {first.standing.name.lower()}" id="{found.id}">
<summary><b>{check.id}</b> {escape(first.says)} <code>{escape(first.subject)}</code>{place}</summary>
{accepted}{others}<p>{escape(first.remedy or check.remedy)}</p>
<p class="quiet">{escape(check.sentence)} {escape(", ".join(check.references))}.
Again: <code>{escape(found.replay)}</code></p>
<ul>{details}</ul>{exchanges}
</details>"""


def _questions(report: Report) -> str:
    asked = "".join(
        f"<li><code>{escape(found.first.subject)}</code> {escape(found.first.says)}</li>"
        for found in report.questions
    )
    return f"<ul>{asked}</ul>" if asked else ""


def _matrix(report: Report) -> str:
    people = [*report.people, "nobody"]
    rows: dict[str, dict[str, list[Result]]] = {}
    for result in report.results:
        if result.check.startswith(_ACCESS) and result.case in people:
            rows.setdefault(result.subject, {}).setdefault(result.case, []).append(result)
    if not rows:
        return ""
    body = [
        [f"<code>{escape(subject)}</code>", *(_cell(seen.get(person, [])) for person in people)]
        for subject, seen in rows.items()
    ]
    return _table(["Operation", *map(escape, people)], body)


def _cell(results: Iterable[Result]) -> str:
    worst = min(results, key=lambda result: _WORST.index(result.standing), default=None)
    if worst is None:
        return ""
    says = escape(worst.says, quote=True)
    kind = worst.standing.name.lower()
    return (
        f'<span class="{kind}" role="img" aria-label="{says}" title="{says}">{_MARKS[worst.standing]}</span>'
    )


def _requirements(traced: Iterable[Traced]) -> str:
    body = [
        [
            f"<b>{escape(each.requirement.key)}</b> {escape(_line(each.requirement.text))}",
            f'<span class="{each.standing.name.lower()}">{each.standing.value}</span>',
            escape(", ".join(each.shown_by) or "nothing"),
            escape(", ".join(map(str, each.built_in))),
        ]
        for each in traced
    ]
    return _table(["Requirement", "Stands", "Shown by", "Built in"], body) if body else ""


def _line(said: str) -> str:
    return said.strip().partition("\n")[0]


def _checks(report: Report) -> str:
    counted = (Standing.PROVED, Standing.BROKEN, Standing.ASK, Standing.NOT_RUN)
    body = [
        [
            f"<b>{check.id}</b> {escape(check.sentence)}",
            *(str(len(report.standing(standing, check)) or "") for standing in counted),
        ]
        for check in report.checks
    ]
    return _table(["Check", "Proved", "Broken", "To ask", "Not run"], body) if body else ""


def _endpoints(report: Report) -> str:
    body = [
        [
            f"<code>{escape(endpoint.operation)}</code>",
            str(endpoint.requests),
            f"{endpoint.median * 1000:.1f}",
            f"{endpoint.slowest * 1000:.1f}",
            "" if endpoint.statements is None else str(endpoint.statements),
        ]
        for endpoint in _telling(report)
    ]
    head = ["Operation", "Requests", "Median ms", "Slowest ms", "Most statements"]
    return _table(head, body) if body else ""


def _telling(report: Report) -> Iterator[Endpoint]:
    """The slowest and the most talkative."""
    slow = report.endpoints[:_SHOWN]
    yield from slow
    talkative = sorted(report.endpoints, key=lambda endpoint: -(endpoint.statements or 0))[:_SHOWN]
    yield from (endpoint for endpoint in talkative if endpoint not in slow)


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    rows = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in body
    )
    return f'<div class="sheet"><table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table></div>'
