"""EX01: no answer, and no schema of one, holds a password, a hash or a column of the app's own."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, parse
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation

_NAMES = re.compile(
    r"(?:hashed_?|encrypted_?)?passw(?:or)?d(?:_?hash(?:ed)?)?|password_?salt|secret_?key|salt", re.I
)
_HASHES = re.compile(
    r"\$2[aby]\$\d\d\$[./\w]{20}|\$argon2(?:id|i|d)\$|\$scrypt\$|pbkdf2[_:]sha\d+|\$5\$|\$6\$"
)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Every answer that gave something, and every schema that says what is given."""
    seen: dict[str, tuple[str, Probe]] = {}
    clean: dict[str, Probe] = {}
    for probe in lab.probes:
        if not probe.succeeded or probe.operation is None:
            continue
        label = probe.operation.label
        found = next(_exposed(parse(probe)), "")
        if found and label not in seen:
            seen[label] = found, probe
        elif not found:
            clean.setdefault(label, probe)
    for found, probe in seen.values():
        assert probe.operation is not None
        yield CHECK.broken(probe.operation, f"an answer holds {found}", probe, case="answer")
    for operation in lab.surface.operations:
        for status, schema in operation.answers.items():
            name = next(_declared(schema, 0), "") if status.startswith("2") else ""
            if name and operation.label not in seen:
                yield CHECK.broken(operation, f"its answer is declared to hold {name}", case="schema")
    for label, probe in clean.items():
        if label not in seen:
            yield CHECK.proved(_of(probe), "its answers hold nothing of the kind", probe)


def _of(probe: Probe) -> Operation:
    assert probe.operation is not None
    return probe.operation


def _exposed(value: Any) -> Iterator[str]:
    """What an answer should not hold, by what it is called, or what it looks like."""
    if isinstance(value, dict):
        for name, inner in value.items():
            # A schema in an answer has members of such names, too; what they hold is no text.
            if _NAMES.fullmatch(name) and inner and isinstance(inner, str | int):
                yield name
            yield from _exposed(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _exposed(inner)
    elif isinstance(value, str) and _HASHES.search(value):
        yield "the hash of a password"


def _declared(schema: Any, depth: int) -> Iterator[str]:
    if not hasattr(schema, "get") or depth > 6:
        return
    for name, inner in (schema.get("properties") or {}).items():
        if _NAMES.fullmatch(name) and not inner.get("writeOnly"):
            yield name
        yield from _declared(inner, depth + 1)
    for inner in (schema.get("items"), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _declared(inner, depth + 1)


CHECK = Check(
    id="EX01",
    name="exposure",
    sentence="No answer, and no schema of one, holds a password, a hash or a salt.",
    severity=3,
    references=("OWASP API3:2023", "ASVS 14.2.6", "CWE-200"),
    remedy="Answer with a schema of its own (response_model) that has what callers need, and nothing else.",
    run=run,
    last=True,
)
