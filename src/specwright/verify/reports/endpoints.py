"""How the operations behaved under everything that was sent: how slow, how talkative with the database."""

from collections.abc import Iterable
from dataclasses import dataclass

from specwright.verify.result import Probe


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation; times are of this machine under this load, for comparing operations with each other."""

    operation: str
    requests: int
    #: Seconds of its median and its slowest answer.
    median: float
    slowest: float
    #: Statements of its most talkative answer; None where they cannot be seen.
    statements: int | None


def endpoints(probes: Iterable[Probe]) -> tuple[Endpoint, ...]:
    """Every operation that something was sent to while nothing else was, the slowest first."""
    sent: dict[str, list[Probe]] = {}
    for probe in probes:
        if probe.operation is not None and probe.status is not None and not probe.crowded:
            sent.setdefault(probe.operation.label, []).append(probe)
    found = []
    for label, answered in sent.items():
        seconds = sorted(probe.seconds for probe in answered)
        counts = [len(probe.statements) for probe in answered if probe.statements is not None]
        found.append(
            Endpoint(
                label, len(answered), seconds[len(seconds) // 2], seconds[-1], max(counts) if counts else None
            )
        )
    return tuple(sorted(found, key=lambda endpoint: -endpoint.median))
