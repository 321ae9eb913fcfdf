"""ER01: no answer tells how the app is made."""

import re
from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.result import Probe, Result

_INTERNALS = {
    "a stack trace": re.compile(r'Traceback \(most recent call last\)|File \\?"[^"]+\.py\\?", line \d+'),
    "a path of its files": re.compile(r"(?:/[\w.-]+)+/(?:site-packages/|[\w-]+\.py\b)"),
    "the words of its database driver": re.compile(
        r"sqlalchemy\.|asyncpg\.|psycopg2?\.|sqlite3\.|sqlalche\.me|UniqueViolation|IntegrityError"
        r"|duplicate key value violates|violates (?:foreign key|check|not-null|unique) constraint"
        r"|UNIQUE constraint failed|syntax error at or near|DETAIL:  "
    ),
    "SQL": re.compile(
        r"\b(?:SELECT\s.+?\sFROM\s|INSERT INTO \S+ \(|UPDATE \S+ SET \S+ ?=|DELETE FROM \S+)", re.S
    ),
}


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Every answer that says no or fails, whatever check asked for it."""
    told: dict[tuple[str, str], Probe] = {}
    clean: dict[str, Probe] = {}
    for probe in lab.probes:
        if probe.status is None or probe.status < 400:
            continue
        label = probe.operation.label if probe.operation is not None else f"{probe.method} {probe.path}"
        found = next((what for what, sign in _INTERNALS.items() if sign.search(_unasked(probe))), None)
        if found is None:
            clean.setdefault(label, probe)
        else:
            told.setdefault((label, found), probe)
    for (label, found), probe in told.items():
        clean.pop(label, None)
        says = f"an answer tells {found}"
        yield CHECK.broken(probe.operation or label, says, probe, case=found, cause=found)
    for label, probe in clean.items():
        yield CHECK.proved(probe.operation or label, "its refusals tell nothing of how it is made", probe)


def _unasked(probe: Probe) -> str:
    """The answer, if it does not only say again what was sent."""
    sent = (probe.body or b"").decode("utf-8", "replace")
    return "" if any(sign.search(sent + probe.path) for sign in _INTERNALS.values()) else probe.text


CHECK = Check(
    id="ER01",
    name="no internals",
    sentence="No answer tells how the app is made: no trace, no path, no SQL, no words of its driver.",
    severity=3,
    references=("OWASP API8:2023", "ASVS 16.5.1", "CWE-209"),
    remedy="Answer unexpected errors with one sentence and a request id, and log the rest under that id.",
    run=run,
    last=True,
)
