"""ER02: whoever reads errors has one shape to read."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, parse
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation

_NOWHERE = Operation("GET", "/no-such-path-7f3a")
#: Members that an error may have or lack: what is more to say of it.
_MORE = {"errors", "request_id", "instance", "code", "retry_after", "detail", "headers", "body"}


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Every refusal so far, and the two that a router makes by itself: no such path, no such method."""
    await lab.send(ANONYMOUS, _NOWHERE)
    if lab.surface.operations:
        first = lab.surface.operations[0]
        await lab.send(ANONYMOUS, Operation("TRACE", first.path))
    shapes: dict[str, Probe] = {}
    for probe in lab.probes:
        # A 500 is a fault by itself, and told by whoever met it.
        if (probe.status or 0) >= 400 and probe.status != 500 and not _of_others(probe):
            shapes.setdefault(_shape(probe), probe)
    if len(shapes) == 1:
        (shape,) = shapes
        yield CHECK.proved("the app", f"every error is {shape}", *shapes.values())
    elif shapes:
        says = f"errors come in {len(shapes)} shapes: {'; '.join(shapes)}"
        yield CHECK.broken("the app", says, *list(shapes.values())[:4])


def _of_others(probe: Probe) -> bool:
    """Whether browsers alone read it (a preflight, Fetch §4.8), nobody does, or the server wrote it."""
    return probe.method in ("HEAD", "OPTIONS") or probe.answer == b"Invalid HTTP request received."


def _shape(probe: Probe) -> str:
    kind = {name.lower(): value for name, value in probe.answer_headers}.get("content-type", "")
    kind = kind.partition(";")[0] or "nothing"
    found = parse(probe)
    if not isinstance(found, dict):
        return kind if kind != "application/json" else f"{kind} that is no object"
    names = sorted(set(found) - _MORE) or sorted(set(found) & {"detail"}) or sorted(found)
    return f"{kind} with {', '.join(names) or 'no member'}"


CHECK = Check(
    id="ER02",
    name="one error shape",
    sentence="Every refusal has one shape, the router's own too.",
    severity=2,
    references=("RFC 9457", "ASVS 16.5.1"),
    remedy="Register handlers for HTTPException and RequestValidationError that write one format.",
    run=run,
    last=True,
)
