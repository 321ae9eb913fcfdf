"""What befalls an app while it is asked: its process ends, or nobody is answered any more.

Checks need not look for either: whatever they ask, it is on record here, and the engine tells it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from specwright.model.errors import Origin
from specwright.verify.inside import Inside
from specwright.verify.result import Probe

#: Why a request is not sent that has done harm twice.
SPARED = "not asked again: twice was harm enough"
_TWICE = 2
#: Seconds in which a server that has gone may come back.
_RETURN = 5.0


@dataclass(frozen=True, slots=True)
class Incident:
    """A request, and what became of the app."""

    probe: Probe
    #: How its process ended: "it ended with exit code 7"; "" where it runs.
    death: str = ""
    #: Where its event loop stands still, `app/orders.py:12`.
    place: str = ""

    @property
    def subject(self) -> str:
        """The label of the operation."""
        return _subject(self.probe)

    @property
    def says(self) -> str:
        """What happened, in a sentence."""
        if self.death:
            return f"the app's process ends: {self.death}"
        if self.place:
            return f"the event loop stands still at {self.place}: there is {self.probe.trouble}"
        return f"there is {self.probe.trouble}"

    @property
    def source(self) -> Origin | None:
        """The line at which the loop stands still."""
        file, _, line = self.place.rpartition(":")
        return Origin(file, int(line)) if file else None

    @property
    def kind(self) -> str:
        """The same for the same harm."""
        return "death" if self.death else "standstill" if self.place else "silence"


@dataclass(slots=True)
class Incidents:
    """All that there were."""

    seen: list[Incident] = field(default_factory=list)
    #: Why nothing more can be asked; "" while the app answers.
    down: str = ""
    #: Whether harm is done on purpose, so that no answer is no incident.
    harm: bool = False
    #: Subjects and kinds that are told already.
    told: set[tuple[str, str]] = field(default_factory=set)

    def untold(self) -> list[Incident]:
        """The first of each subject and kind that nobody has told."""
        first = {(each.subject, each.kind): each for each in reversed(self.seen)}
        return [each for about, each in reversed(first.items()) if about not in self.told]

    def of(self, subject: str) -> list[Incident]:
        """Those of one operation."""
        return [each for each in self.seen if each.subject == subject]

    def spares(self, probe: Probe) -> bool:
        """Whether a request would only do again what is known."""
        return bool(self.down) or len(self.of(_subject(probe))) >= _TWICE

    def by(self, probe: Probe) -> list[Incident]:
        """Those that a request of ours led to."""
        return [each for each in self.seen if each.probe is probe]

    async def look(self, probe: Probe, base: str, inside: Inside | None, stuck: str) -> Probe:
        """The probe with what became of the app; `stuck` is where its loop stands still."""
        death = ""
        if inside is not None:
            death = await inside.death()
            death = f"it {death}" if death else ""
        elif "broke" in probe.trouble:
            death = await self._gone(base)
        if death:
            probe = replace(probe, trouble=f"the app's process ends: {death}")
        elif self.harm or not probe.trouble.startswith("no answer"):
            return probe
        self.seen.append(Incident(probe, death, stuck))
        return probe

    async def look_after(self, probes: Sequence[Probe], inside: Inside | None) -> bool:
        """Whether the app has died while many were asked, or none; one without an answer stands for all."""
        if inside is None or self.down or not probes or not (how := await inside.death()):
            return False
        unanswered = (each for each in probes if each.status is None)
        self.seen.append(Incident(next(unanswered, probes[-1]), f"it {how}"))
        return True

    async def _gone(self, base: str) -> str:
        """That nobody listens there, for good or for a moment; "" where somebody does."""
        if await _listens(base):
            return ""
        until = asyncio.get_running_loop().time() + _RETURN
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.1)
            if await _listens(base):
                return f"for a moment nobody listens at {base}"
        self.down = f"nobody listens at {base} any more"
        return self.down


def _subject(probe: Probe) -> str:
    if probe.operation is not None:
        return probe.operation.label
    return f"{probe.method} {probe.path.partition('?')[0]}"


async def _listens(base: str) -> bool:
    at = urlsplit(base)
    port = at.port or (443 if at.scheme == "https" else 80)
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_RETURN):
            _, writer = await asyncio.open_connection(at.hostname, port)
        writer.close()
        return True
    return False
