"""A report as Markdown, for a pull request."""

from collections.abc import Iterator

from specwright.verify.reports import text
from specwright.verify.reports.report import Finding, Report
from specwright.verify.result import Standing


def markdown(report: Report) -> str:
    """Requirements, findings with their requests, questions, and what was looked at."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {report.target}: {'sound' if not report.exit else 'not sound'}"
    yield ""
    for line in text.summary(report):
        yield f"- {' '.join(line.split())}"
    if report.requirements:
        yield from ("", "## Requirements", "", "| Requirement | Stands |", "|---|---|")
        for evidence in report.requirements:
            said = _cell(evidence.requirement.text.strip().partition("\n")[0])
            why = f" ({_cell(evidence.why)})" if evidence.why else ""
            yield f"| **{evidence.requirement.key}** {said} | {evidence.standing.value}{why} |"
    if report.findings:
        yield from ("", "## Findings")
        for found in report.findings:
            yield from _finding(found)
    if report.questions:
        yield from ("", "## Questions", "")
        for found in report.questions:
            yield f"- `{found.first.subject}`: {found.first.says}"
    yield from ("", "## Checks", "", "| Check | Proved | Broken | Not run |", "|---|---|---|---|")
    for check in report.checks:
        counted = (Standing.PROVED, Standing.BROKEN, Standing.NOT_RUN)
        numbers = " | ".join(str(len(report.standing(standing, check))) for standing in counted)
        yield f"| {check.id} {check.name} | {numbers} |"


def _finding(found: Finding) -> Iterator[str]:
    first = found.first
    yield ""
    yield f"### {found.check.id} {first.says}"
    yield ""
    place = f", {first.source}" if first.source is not None else ""
    yield f"`{first.subject}`{place}. {', '.join(found.check.references)}."
    yield f"Replay: `{found.replay}`"
    yield ""
    yield f"{first.remedy or found.check.remedy}"
    if found.accepted is not None:
        yield from ("", f"Accepted until {found.accepted.until}: {found.accepted.reason}")
    shown = [line for probe in first.probes for line in text.exchange(probe)]
    if shown or first.details:
        yield from ("", "````text", *shown, *first.details, "````")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
