"""A report as one JSON document, for programs."""

import json
from collections.abc import Mapping
from typing import Any

from specwright.verify.reports.report import Finding, Report
from specwright.verify.reports.requirements import evidence_document
from specwright.verify.requirements.evidence import tally
from specwright.verify.result import Probe, Result, Standing

_LONGEST = 4000


def document(report: Report) -> str:
    """Everything: requirements, findings, questions, coverage, and each result."""
    return json.dumps(
        {
            "target": report.target,
            "seed": report.seed,
            "exit": int(report.exit),
            "requirements": [evidence_document(evidence) for evidence in report.requirements],
            "findings": [_finding(found) for found in report.findings],
            "questions": [_finding(found) for found in report.questions],
            "suspected": [_finding(found) for found in report.suspicions],
            "results": [_result(result, whole=False) for result in report.results],
            "coverage": {label: list(names) for label, names in report.coverage.items()},
            "people": list(report.people),
            "notes": list(report.notes),
            "summary": {
                "requirements": _counts(tally(report.requirements)),
                "checks": _counts({each: len(report.standing(each)) for each in Standing}),
            },
        },
        indent=2,
        ensure_ascii=False,
    )


def _counts(counts: Mapping[Standing, int]) -> dict[str, int]:
    return {standing.name.lower(): count for standing, count in counts.items()}


def _finding(found: Finding) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": found.id,
        "check": found.check.id,
        "name": found.check.name,
        "severity": found.check.severity,
        "references": list(found.check.references),
        "says": found.first.says,
        "subject": found.first.subject,
        "source": None if found.first.source is None else str(found.first.source),
        "mend": found.first.remedy or found.check.remedy,
        "replay": found.replay,
        "results": [_result(result, whole=True) for result in found.results],
    }
    if found.accepted is not None:
        shown["accepted"] = {"reason": found.accepted.reason, "until": found.accepted.until.isoformat()}
    return shown


def _result(result: Result, *, whole: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": result.id,
        "check": result.check,
        "standing": result.standing.value,
        "subject": result.subject,
        "case": result.case,
        "says": result.says,
    }
    if whole:
        shown["details"] = list(result.details)
        shown["exchanges"] = [_probe(probe) for probe in result.probes]
    return shown


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "as": None if probe.person.anonymous else probe.person.name,
        "request": {
            "method": probe.method,
            "path": probe.path,
            "headers": dict(probe.headers),
            "body": None if probe.body is None else probe.body[:_LONGEST].decode("utf-8", "replace"),
        },
        "answer": None
        if probe.status is None
        else {
            "status": probe.status,
            "headers": dict(probe.answer_headers),
            "body": probe.text[:_LONGEST],
        },
        "trouble": probe.trouble,
        "statements": None if probe.statements is None else list(probe.statements),
    }
