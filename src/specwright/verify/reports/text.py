"""A report as lines for a terminal, as it comes."""

from collections.abc import Iterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.policy.matrix import told
from specwright.verify.reports.report import Finding, Report
from specwright.verify.reports.requirements import lines
from specwright.verify.requirements.evidence import tally
from specwright.verify.result import Probe, Result, Standing

_WIDE = 1000


def written(report: Report) -> str:
    """Everything that stands on the terminal in the end."""
    several = len({evidence.requirement.feature for evidence in report.requirements}) > 1
    said = [line for each in report.requirements for line in lines(each, by_id=several)]
    for check in report.checks:
        results = [result for result in report.results if result.check == check.id]
        said += judged(replace(report, checks=[check], results=results))
    return "\n".join([*said, "", *summary(report)]) + "\n"


def judged(report: Report) -> Iterator[str]:
    """The lines of a report of one check."""
    (check,) = report.checks
    if not report.findings and (report.standing(Standing.PROVED) or not report.questions):
        yield from passed(check, tuple(report.results))
    for found in report.findings:
        yield from finding(found)
    for found in (*report.questions, *report.suspicions):
        yield question(found)


def passed(check: Check, results: tuple[Result, ...]) -> Iterator[str]:
    """The line of a check that found nothing wrong."""
    proved = sum(1 for result in results if result.standing is Standing.PROVED)
    left = [result for result in results if result.standing is Standing.NOT_RUN]
    if proved:
        rest = f" · {len(left)} not run" if left else ""
        yield f"  ✓ {check.id}  {check.name}: {proved} proved{rest}"
    else:
        yield f"  – {check.id}  {check.name}: not run, {left[0].says if left else 'nothing to look at'}"


def finding(found: Finding, *, whole: bool = False) -> Iterator[str]:
    """What is broken: what, where, how it was seen, how to see it again, what to do."""
    first, check = found.first, found.check
    place = f"    {first.source}" if first.source is not None else ""
    mark = "✗" if found.accepted is None else "~"
    yield f"  {mark} {check.id}  {first.says}    {first.subject}{place}    {', '.join(check.references)}"
    others = len(found.results) - 1
    if others:
        yield f"          and {others} more with the same cause"
    if first.probes:
        yield "          " + "; ".join(map(str, first.probes[:3]))
    for detail in first.details:
        yield f"          {detail}"
    if whole:
        for result in found.results:
            for probe in result.probes:
                for line in exchange(probe):
                    yield f"          {line}"
    if found.accepted is not None:
        yield f"          accepted until {found.accepted.until}: {found.accepted.reason}"
        return
    yield f"          replay: {found.replay}"
    yield f"          mend: {first.remedy or check.remedy}"


def question(found: Finding) -> str:
    """What only people can say."""
    return f"  ? {found.check.id}  {found.first.subject}: {found.first.says}"


def exchange(probe: Probe) -> Iterator[str]:
    """A request and its answer, without the credential."""
    who = "nobody" if probe.person.anonymous else str(probe.person)
    yield f"> {probe.method} {probe.path}"
    yield f"> As: {who}"
    for name, value in probe.headers:
        yield f"> {name}: {value}"
    if probe.body:
        yield f"> {_cut(probe.body.decode('utf-8', 'replace'))}"
    if probe.status is None:
        yield f"< {probe.trouble}"
    else:
        yield f"< {probe.status} {_cut(probe.text)}".rstrip()
    for statement in probe.statements or ():
        yield f"  sql: {_cut(' '.join(statement.split()))}"


def summary(report: Report) -> Iterator[str]:
    """The last lines: what stands where, and what was really looked at."""
    if report.requirements:
        counts = tally(report.requirements)
        yield (
            f"  requirements  {counts[Standing.PROVED]} proved · {counts[Standing.BROKEN]} broken"
            f" · {counts[Standing.NOT_RUN]} not run"
        )
    if cells := told(report.results):
        yield f"  access        {cells}"
    if report.results:
        accepted = len(report.findings) - len(report.open)
        yield (
            f"  checks        {len(report.standing(Standing.PROVED))} proved · {len(report.open)} broken"
            f" · {len(report.questions)} to ask · {len(report.standing(Standing.NOT_RUN))} not run"
            + (f" · {accepted} accepted" if accepted else "")
        )
    if report.coverage:
        unused = [label for label, names in report.coverage.items() if not names]
        rest = f"; never: {', '.join(unused[:5])}{' …' if len(unused) > 5 else ''}" if unused else ""
        whom = f" to one of {', '.join(report.people)}" if report.people else ""
        yield (
            f"  coverage      {report.covered} of {len(report.coverage)} operations answered with a 2xx"
            f"{whom}{rest}"
        )
    for note in report.notes:
        yield f"  note          {note}"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
