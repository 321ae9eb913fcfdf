"""LG01: nothing secret is in the logs."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from specwright.model.errors import Origin
from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.known_secrets import common_secrets
from specwright.verify.result import Probe, Result

_SECRETS = ("password", "passwd", "secret", "token", "api_key", "card")
_SHORTEST = 8


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Passwords and tokens that were really sent, looked for in everything that the app logged or printed.

    Raises:
        NotRun: the app does not run here, or nothing secret was sent.
    """
    if lab.inside is None:
        raise NotRun("the app's log is not to be seen from here")
    secrets = _sent(lab)
    if not secrets:
        raise NotRun("nothing secret was sent")
    seen = await lab.inside.everything()
    lines = seen.logged
    found: dict[str, tuple[str, Origin | None]] = {}
    for line in lines:
        for secret, what in secrets.items():
            if secret in line:
                found.setdefault(what, (line.replace(secret, "•••"), _place(seen.places.get(line, ""))))
    for what, (line, place) in found.items():
        broken = CHECK.broken("the log", f"{what} is in the log", case=what, cause=str(place or what))
        yield replace(broken, source=place).because(line[:300])
    if not found:
        says = f"{len(secrets)} passwords and tokens are in none of {len(lines)} lines"
        yield CHECK.proved("the log", says)


def _place(said: str) -> Origin | None:
    file, _, line = said.rpartition(":")
    return Origin(file, int(line)) if file else None


def _sent(lab: Lab) -> dict[str, str]:
    """Each secret, and what it is."""
    secrets = {}
    common = frozenset(common_secrets())
    for person in lab.people.signed_in:
        for value in (*person.headers.values(), *person.cookies.values()):
            credential = value.rpartition(" ")[2]
            if len(credential) >= _SHORTEST:
                secrets[credential] = "a credential"
    plain: set[str] = set()
    for probe in lab.probes:
        for name, value in _members(probe):
            if not any(word in name.lower() for word in _SECRETS):
                plain.add(value)
            elif probe.succeeded and len(value) >= _SHORTEST:
                secrets.setdefault(value, f"what was sent as {name}")
    # What everybody uses, or was sent as something else, too, may be in a log for another reason.
    return {value: what for value, what in secrets.items() if value not in plain | common}


def _members(probe: Probe) -> list[tuple[str, str]]:
    """The texts of a body, by the names they were sent under."""
    if not probe.body:
        return []
    try:
        body: Any = json.loads(probe.body)
    except (ValueError, RecursionError):
        return parse_qsl(probe.body.decode("utf-8", "replace"))
    found: list[tuple[str, str]] = []
    waiting = [("", body)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, str):
            found.append((name, value))
    return found


CHECK = Check(
    id="LG01",
    name="log secrets",
    sentence="No password and no token is in what the app logs or prints.",
    severity=2,
    references=("OWASP API8:2023", "ASVS 16.2.5", "CWE-532"),
    remedy="Log names and ids, not bodies and headers; keep secrets in SecretStr, which prints as stars.",
    run=run,
    last=True,
)
