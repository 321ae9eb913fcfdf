"""An app that wants us to slow down, or to come back, is given the time that it asks for, within reason."""

import asyncio
from collections.abc import Awaitable, Callable

from specwright.verify.result import Probe

#: Seconds that are waited, and how often.
_LONGEST = 10.0
_TIMES = 3


async def patiently(send: Callable[[], Awaitable[Probe]]) -> Probe:
    """The answer to a request, which is sent again after the app's `Retry-After` (RFC 9110 §10.2.3)."""
    probe = await send()
    for _ in range(_TIMES):
        seconds = _asked_for(probe)
        if seconds is None:
            break
        await asyncio.sleep(seconds)
        probe = await send()
    return probe


def _asked_for(probe: Probe) -> float | None:
    """The seconds to wait; None where there is nothing to wait for, or it is too long."""
    told = next((value for name, value in probe.answer_headers if name.lower() == "retry-after"), None)
    if probe.status != 429 and (probe.status != 503 or told is None):
        return None
    said = told or "1"
    seconds = float(said) if said.strip().isdecimal() else 1.0
    return seconds if seconds <= _LONGEST else None
