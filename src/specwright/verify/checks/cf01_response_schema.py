"""CF01: answers are what the document says that they are."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.result import Probe, Result
from specwright.verify.surface.schemas import kinds, plain, variants
from specwright.verify.surface.surface import Operation, Schema

#: Of one operation and status, so many different answers are held against the schema.
_ENOUGH = 60
#: A longer answer may not have been kept whole.
_KEPT = 256 * 1024
#: What FastAPI declares by itself for every 422, whatever the app answers.
_BY_ITSELF = "HTTPValidationError"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Every answer so far, whatever check asked for it."""
    seen: dict[tuple[str, int], set[bytes]] = {}
    wrong: dict[tuple[str, str], tuple[str, Probe]] = {}
    right: dict[str, Probe] = {}
    for probe in lab.probes:
        if probe.operation is None or probe.status is None or not probe.operation.answers:
            continue
        answers = seen.setdefault((probe.operation.label, probe.status), set())
        if probe.method == "HEAD" or probe.answer in answers or len(answers) >= _ENOUGH:
            continue
        answers.add(probe.answer)
        found = _amiss(probe, probe.operation.answers)
        if found is not None:
            wrong.setdefault((probe.operation.label, found[0]), (found[1], probe))
        elif probe.succeeded:
            right.setdefault(probe.operation.label, probe)
    broken = {label for label, _ in wrong}
    for (_, case), (says, probe) in wrong.items():
        yield CHECK.broken(_of(probe), says, probe, case=case)
    for label, probe in right.items():
        if label not in broken:
            yield CHECK.proved(_of(probe), "its answers are what the document says", probe)


def _of(probe: Probe) -> Operation:
    assert probe.operation is not None
    return probe.operation


def _amiss(probe: Probe, answers: Mapping[str, Schema]) -> tuple[str, str] | None:
    """Where an answer is not as declared, and what is wrong with it."""
    status = str(probe.status)
    schema = answers.get(status, answers.get(f"{status[0]}XX", answers.get("default")))
    if schema is None:
        # Nobody declares every refusal; what a success is, clients have to know.
        return (status, f"{status} is not among its declared answers") if probe.succeeded else None
    if not schema or schema.get("title") == _BY_ITSELF or len(probe.answer) >= _KEPT:
        return None
    kind = dict(probe.answer_headers).get("content-type", "")
    structured = any({"object", "array"} & set(kinds(plain(each))) for each in variants(schema))
    if "json" not in kind:
        says = f"{status} comes as {kind or 'nothing'}, and is declared as JSON"
        return (f"{status} type", says) if structured else None
    try:
        body = json.loads(probe.answer)
    except ValueError:
        return f"{status} json", f"{status} is no JSON, although it says so"
    error = best_match(Draft202012Validator(dict(schema)).iter_errors(body))
    if error is None:
        return None
    path = _path(error)
    return f"{status} {path}", f"{status} is not as declared, at {path}: {error.message[:200]}"


def _path(error: ValidationError) -> str:
    """Where in an answer, the same for each row of a list."""
    steps: list[Any] = ["*" if isinstance(step, int) else step for step in error.absolute_path]
    return ".".join(steps) or "the top"


CHECK = Check(
    id="CF01",
    name="response = schema",
    sentence="Statuses, content types and bodies are those that the OpenAPI document declares.",
    severity=1,
    references=("OpenAPI 3.1 §4.8.16", "OWASP API9:2023"),
    remedy="Answer through the declared model, and declare the status that is answered.",
    run=run,
    last=True,
)
