"""HE01: what is for one person is kept by no cache, and no header tells which software it is."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.people.credentials import find_credential
from specwright.verify.people.guarded import guarded
from specwright.verify.result import Probe, Result

_BANNERS = ("server", "x-powered-by", "x-aspnet-version")
_VERSION = re.compile(r"/\s*v?\d|\d+\.\d+")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The headers of answers that are refused without a credential."""
    async for each in guarded(lab):
        probe = each.accepted
        caching = _header(probe, "cache-control").lower()
        if _shared(lab, caching):
            says = f"a cache may keep it for others: {caching}"
            yield replace(CHECK.broken(each.operation, says, probe, case="cache-control"), cause="caching")
        banner = next((name for name in _BANNERS if _VERSION.search(_header(probe, name))), None)
        if banner is not None:
            says = f"{banner} tells the version of the software: {_header(probe, banner)}"
            yield replace(CHECK.broken(each.operation, says, probe, case=banner), cause=banner)
        missing = [
            wanted
            for wanted, there in (
                ("X-Content-Type-Options: nosniff", _header(probe, "x-content-type-options") == "nosniff"),
                ("Cache-Control: no-store", bool(caching)),
            )
            if not there
        ]
        if missing:
            question = f"{' and '.join(missing)} is missing: does a proxy add it?"
            yield replace(CHECK.ask(each.operation, question, probe), cause="missing headers")
        elif not _shared(lab, caching) and banner is None:
            yield CHECK.proved(each.operation, "it is kept by nobody and says what it is", probe)


def _shared(lab: Lab, caching: str) -> bool:
    """Whether a shared cache may keep it (RFC 9111 §3, §3.5)."""
    directives = [each.strip().partition("=") for each in caching.split(",")]
    said = {name for name, _, value in directives if value != "0"}
    if said & {"no-store", "private", "no-cache"}:
        return False
    credential = find_credential(lab.people.owner)
    if credential is not None and credential.name.lower() == "authorization":
        return bool(said & {"public", "s-maxage"})
    return bool(said & {"public", "s-maxage", "max-age"})


def _header(probe: Probe, name: str) -> str:
    return next((value for each, value in probe.answer_headers if each.lower() == name), "")


CHECK = Check(
    id="HE01",
    name="headers",
    sentence="What is for one person is kept by no cache, and no header tells which software answers.",
    severity=1,
    references=("OWASP API8:2023", "ASVS 14.3.2", "RFC 9111 §3.5", "CWE-525"),
    remedy="Answer with Cache-Control: no-store and X-Content-Type-Options: nosniff, and no version.",
    run=run,
)
