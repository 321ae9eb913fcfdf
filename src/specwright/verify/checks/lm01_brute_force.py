"""LM01: passwords cannot be tried one after the other for as long as one likes."""

from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.logins import Login, find_login
from specwright.verify.result import Probe, Result

#: Wrong passwords for one account. Accounts are locked after five or ten; NIST SP 800-63B allows a hundred.
_TRIES = 20
#: An answer that takes so many times as long, and so many seconds, is one that was held back.
_TIMES, _SECONDS = 5, 1.0
#: Too many, or locked (RFC 6585 §4, RFC 4918 §11.3).
_STOPPED = (429, 423)
_ADDRESSES = ("x-forwarded-for", "x-real-ip", "forwarded")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Wrong passwords for one account, until they are no longer looked at; then from other addresses."""
    login = find_login(lab)
    first = await lab.sent(login.wrong("not the password 0"))
    own = await lab.sent(login.right())
    if own.status in _STOPPED:
        yield CHECK.proved(
            login.label, f"few wrong passwords have stopped even the right one: {own.status}", own
        )
        return
    if not own.succeeded:
        raise NotRun("nobody can sign in a second time", own)
    if first.succeeded:
        raise NotRun("a wrong password lets in, too", first)
    stopped = await _stopped(lab, login, first)
    if stopped is None:
        after = await lab.sent(login.right())
        says = f"{_TRIES} wrong passwords in a row are answered alike, and then the right one lets in"
        if after.succeeded:
            yield CHECK.broken(login.label, says, own, first, lab.probes[-2], after)
        else:
            yield CHECK.proved(login.label, f"after {_TRIES} wrong passwords the right one is refused", after)
        return
    yield CHECK.proved(login.label, f"wrong passwords are stopped: {stopped.status}", own, first, stopped)
    yield await _elsewhere(lab, login, first, stopped)
    if (answered := await _by_address(lab, login, first)) is not None:
        question = f"{_TRIES} names, each with a wrong password, are not stopped: does a proxy do it?"
        yield CHECK.ask(login.label, question, answered, case="names")


async def _stopped(lab: Lab, login: Login, first: Probe) -> Probe | None:
    """The first answer that is another, or is held back; None where none is."""
    for number in range(1, _TRIES):
        probe = await lab.sent(login.wrong(f"not the password {number}"))
        held_back = probe.seconds > max(_SECONDS, _TIMES * first.seconds)
        if probe.status != first.status or held_back:
            return probe
    return None


async def _by_address(lab: Lab, login: Login, first: Probe) -> Probe | None:
    """The last of many names with a wrong password each; None where these are stopped, too."""
    probe = None
    for number in range(_TRIES):
        probe = await lab.sent(login.unknown("not the password", f"q{number}"))
        if probe.status != first.status:
            return None
    return probe


async def _elsewhere(lab: Lab, login: Login, first: Probe, stopped: Probe) -> Result:
    """Whether who was stopped goes on by saying that they are somewhere else."""
    probes = []
    for number, name in enumerate(_ADDRESSES):
        address = f"203.0.113.{number + 1}"
        said = f"for={address}" if name == "forwarded" else address
        probe = login.wrong("not the password at all")
        probe = await lab.sent(replace(probe, headers=(*probe.headers, (name, said))))
        if probe.status == first.status and probe.seconds <= max(_SECONDS, _TIMES * first.seconds):
            says = f"who is stopped goes on with another {name}"
            return CHECK.broken(login.label, says, first, stopped, probe, case="address")
        probes.append(probe)
    return CHECK.proved(login.label, "no header helps who is stopped", *probes, case="address")


CHECK = Check(
    id="LM01",
    name="brute force",
    sentence="Passwords cannot be tried for as long as one likes.",
    severity=2,
    references=("OWASP API2:2023", "OWASP API4:2023", "ASVS 6.3.1", "CWE-307"),
    remedy="Count wrong passwords for each account and each address, and answer 429 after some; "
    "believe X-Forwarded-For from your own proxy only.",
    run=run,
    # It may lock the account that it tries, and so comes when nobody signs in any more.
    last=True,
)
