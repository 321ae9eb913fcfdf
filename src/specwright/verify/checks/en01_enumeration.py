"""EN01: a login does not tell who has an account."""

import re
from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.logins import Login, find_login
from specwright.verify.result import Probe, Result

_WRONG = "not the password"
#: Times, request ids and the like are others each time.
_CHANGING = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){2,}[0-9a-f]*|\d+", re.I)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """A wrong password for somebody who is known, and for somebody who is not: the same answer twice."""
    login = find_login(lab)
    known = await lab.sent(login.wrong(_WRONG))
    unknown = await lab.sent(login.unknown(_WRONG))
    await lab.sent(login.right())
    if known.succeeded or known.status is None or unknown.status is None:
        raise NotRun("a wrong password is not refused", known, unknown)
    if (known.status, _told(known, login)) == (unknown.status, _told(unknown, login)):
        yield CHECK.proved(login.label, "a wrong name is answered like a wrong password", known, unknown)
    else:
        says = "a wrong name is answered otherwise than a wrong password"
        yield CHECK.broken(login.label, says, known, unknown)


def _told(probe: Probe, login: Login) -> str:
    """The answer without what was sent, and without what is another each time."""
    text = probe.text
    for name in login.names():
        text = text.replace(f"q{name}", "").replace(name, "")
    return _CHANGING.sub("", text)


CHECK = Check(
    id="EN01",
    name="enumeration",
    sentence="A login does not tell who has an account.",
    severity=2,
    references=("OWASP API2:2023", "ASVS 6.3.8", "CWE-204"),
    remedy="Answer a wrong name and a wrong password with the same status and the same words.",
    run=run,
)
