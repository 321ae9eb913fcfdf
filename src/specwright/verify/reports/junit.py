"""A report as JUnit XML: a suite for the requirements and one for each check, a case for each result."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from specwright.verify.reports import text
from specwright.verify.reports.report import Report
from specwright.verify.reports.requirements import lines
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.result import Result, Standing


def junit(report: Report) -> str:
    """The XML; what is to ask, only suspected, or accepted does not fail."""
    root = Element("testsuites", name=f"specwright verify {report.target}")
    if report.requirements:
        _suite(root, "requirements", [_requirement(evidence) for evidence in report.requirements])
    excused = {result.id for found in report.findings if found.accepted for result in found.results}
    for check in report.checks:
        cases = [_case(result, result.id in excused) for result in report.results if result.check == check.id]
        if cases:
            _suite(root, f"{check.id} {check.name}", cases)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, cases: Iterable[Element]) -> None:
    suite = SubElement(root, "testsuite", name=name)
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))


def _requirement(evidence: Evidence) -> Element:
    requirement = evidence.requirement
    case = Element(
        "testcase", classname=requirement.feature, name=f"{requirement.key} {_line(requirement.text)}"
    )
    if evidence.standing is Standing.BROKEN:
        failure = SubElement(case, "failure", message=f"{requirement.key} is broken")
        failure.text = _clean("\n".join(lines(evidence)))
    elif evidence.standing is Standing.NOT_RUN:
        SubElement(case, "skipped", message=_clean(evidence.why))
    return case


def _case(result: Result, excused: bool) -> Element:
    name = f"{result.subject} {result.case}".strip()
    case = Element("testcase", classname=result.check, name=_clean(name))
    if result.standing is Standing.BROKEN and not excused:
        failure = SubElement(case, "failure", message=_clean(result.says), type=result.id)
        shown = [line for probe in result.probes for line in text.exchange(probe)]
        failure.text = _clean("\n".join([*shown, *result.details]))
    elif result.standing is not Standing.PROVED:
        SubElement(case, "skipped", message=_clean(f"{result.standing.value}: {result.says}"))
    return case


def _line(text: str) -> str:
    return _clean(text.strip().partition("\n")[0])


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 has no way to write (§2.2)."""
    return "".join(
        c if c in "\t\n" or (" " <= c < "\ufffe" and not "\ud800" <= c <= "\udfff") else "·" for c in text
    )
