"""OB01: who was refused stands in the log, and nobody writes lines of their own into it."""

from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.guarded import Guarded, guarded
from specwright.verify.people.logins import find_login
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation

_LINE = "specwright wrote this line"
_INJECTED = f"x\r\n{_LINE}"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Requests that are refused, with line breaks where a name or a key belongs; then the log is read."""
    if lab.inside is None:
        raise NotRun("the app's log is not to be seen from here")
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    try:
        login = find_login(lab)
    except NotRun:
        pass
    else:
        wrong = await lab.sent(login.wrong("not the password"))
        yield await _kept(lab, login.label, "a wrong password", wrong)
        yield await _judged(lab, login.label, await lab.sent(login.named(_INJECTED)))
        await lab.sent(login.right())
    async for each in guarded(lab):
        refused = await each.request.sent(lab, replace(each.person, headers={}, cookies={}))
        yield await _kept(lab, each.operation, "a request without a credential", refused)
        if each.request.place:
            yield await _judged(lab, each.operation, await _misnamed(lab, each))


async def _misnamed(lab: Lab, each: Guarded) -> Probe:
    """The request of who may, for a key with a line of its own."""
    place = dict.fromkeys(each.request.place, _INJECTED)
    return await lab.send(each.person, each.operation, place)


async def _kept(lab: Lab, subject: Operation | str, what: str, probe: Probe) -> Result:
    if await _lines(lab):
        return CHECK.proved(subject, f"{what} is logged", probe, case="logged")
    question = f"{what} is not logged: does somebody else keep a record?"
    return replace(CHECK.ask(subject, question, probe, case="logged"), cause="not logged")


async def _judged(lab: Lab, subject: Operation | str, probe: Probe) -> Result:
    lines = await _lines(lab)
    if any(line.startswith(_LINE) for line in lines):
        says = "who sends a line break writes a line into the log"
        return CHECK.broken(subject, says, probe, case="lines").because(*lines)
    if any(f"\n{_LINE}" in line for line in lines):
        says = "a line break that was sent is logged; whether it makes a line is for the log's format to say"
        return CHECK.suspected(subject, says, case="lines").because(*lines)
    return CHECK.proved(subject, "a line break that was sent makes no line in the log", probe, case="lines")


async def _lines(lab: Lab) -> tuple[str, ...]:
    """What was logged for the last request."""
    assert lab.inside is not None
    return (await lab.inside.observed(lab.probes[-1].mark)).logged


CHECK = Check(
    id="OB01",
    name="audit",
    sentence="Who was refused stands in the log, and nobody writes lines of their own into it.",
    severity=1,
    references=("OWASP API8:2023", "ASVS 16.3.1", "ASVS 16.4.1", "CWE-117"),
    remedy="Log refusals with who and what as values of a structured record, never put together as text.",
    run=run,
)
