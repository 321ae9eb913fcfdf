"""A report as SARIF 2.1.0, which code-scanning services show beside the code (OASIS, 27 March 2020)."""

import json
from typing import Any

from specwright.verify.check import Check
from specwright.verify.reports.report import Finding, Report

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {3: "error", 2: "warning", 1: "note"}


def sarif(report: Report) -> str:
    """The document: a rule for each check that was run, a result for each finding."""
    found = [*report.findings, *report.suspicions]
    return json.dumps(
        {
            "$schema": _SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "specwright verify",
                            "rules": [_rule(check) for check in report.checks],
                        }
                    },
                    "results": [_result(finding) for finding in found],
                }
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.name.split()),
        "shortDescription": {"text": check.sentence},
        "help": {"text": f"{check.remedy} {', '.join(check.references)}"},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }


def _result(found: Finding) -> dict[str, Any]:
    first = found.first
    shown: dict[str, Any] = {
        "ruleId": found.check.id,
        "level": _LEVELS[found.check.severity] if first.source or first.probes else "note",
        "message": {"text": f"{first.says} ({first.subject})"},
        "partialFingerprints": {"specwright/v1": found.id},
        "locations": [_location(found)],
    }
    if found.accepted is not None:
        reason = f"{found.accepted.reason} (until {found.accepted.until})"
        shown["suppressions"] = [{"kind": "external", "justification": reason}]
    return shown


def _location(found: Finding) -> dict[str, Any]:
    source, subject = found.first.source, found.first.subject
    logical = {"logicalLocations": [{"name": subject, "kind": "resource"}]}
    if source is None:
        return logical
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": source.file},
            "region": {"startLine": source.line, "startColumn": source.column},
        },
        **logical,
    }
