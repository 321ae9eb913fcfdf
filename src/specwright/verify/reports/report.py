"""Everything that a run of the verifier has to say, in one value that every format is written from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from specwright.verify.baseline import Accepted
from specwright.verify.check import Check
from specwright.verify.reports.endpoints import Endpoint
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.trace import Traced
from specwright.verify.result import Result, Standing


class Exit(IntEnum):
    """What the command says to the shell."""

    SOUND = 0
    BROKEN = 1
    #: Nothing could be proved, or the command was called wrongly.
    NOTHING = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Results of one check that have one cause."""

    check: Check
    results: tuple[Result, ...]
    accepted: Accepted | None = None
    #: The run's command, without what it chose.
    command: str = "specwright verify"

    @property
    def first(self) -> Result:
        """The result that stands for all."""
        return self.results[0]

    @property
    def id(self) -> str:
        """By which it is replayed, and accepted."""
        return self.first.id

    @property
    def replay(self) -> str:
        """The command that shows it once more."""
        return f"{self.command} --replay {self.id}"


@dataclass(frozen=True)
class Report:
    """One run."""

    target: str
    seed: int = 0
    #: How the run was called, without what it chose: target, people, seed.
    command: str = "specwright verify"
    requirements: Sequence[Evidence] = ()
    checks: Sequence[Check] = ()
    results: Sequence[Result] = ()
    #: By operation, the people whose requests were answered with a 2xx.
    coverage: Mapping[str, Sequence[str]] = field(default_factory=dict)
    people: Sequence[str] = ()
    #: What was done to make the app run, a sentence each.
    notes: Sequence[str] = ()
    accepted: Mapping[str, Accepted] = field(default_factory=dict)
    trace: Sequence[Traced] = ()
    endpoints: Sequence[Endpoint] = ()
    #: Why the run could not go on to its end; "" where it has.
    obstacle: str = ""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is broken, the gravest first; what is accepted too."""
        return tuple(self._grouped(Standing.BROKEN))

    @cached_property
    def open(self) -> tuple[Finding, ...]:
        """What is broken and nobody has accepted."""
        return tuple(finding for finding in self.findings if finding.accepted is None)

    @cached_property
    def questions(self) -> tuple[Finding, ...]:
        """What only people can say."""
        return tuple(self._grouped(Standing.ASK))

    @cached_property
    def suspicions(self) -> tuple[Finding, ...]:
        """What looks wrong in the code, and was not seen to happen."""
        return tuple(self._grouped(Standing.SUSPECTED))

    def standing(self, standing: Standing, check: Check | None = None) -> list[Result]:
        """The results of one standing, of all checks or of one."""
        return [
            result
            for result in self.results
            if result.standing is standing and (check is None or result.check == check.id)
        ]

    @property
    def exit(self) -> Exit:
        """What the command says to the shell."""
        if self.open or any(evidence.standing is Standing.BROKEN for evidence in self.requirements):
            return Exit.BROKEN
        if self.obstacle:
            return Exit.NOTHING
        if self.findings or self.standing(Standing.PROVED):
            return Exit.SOUND
        if any(evidence.standing is Standing.PROVED for evidence in self.requirements):
            return Exit.SOUND
        return Exit.NOTHING

    @property
    def covered(self) -> int:
        """How many operations somebody has really used."""
        return sum(1 for names in self.coverage.values() if names)

    def _grouped(self, standing: Standing) -> Iterator[Finding]:
        for check in sorted(self.checks, key=lambda check: -check.severity):
            groups: dict[str, list[Result]] = {}
            for result in self.standing(standing, check):
                groups.setdefault(result.cause or result.subject, []).append(result)
            for results in groups.values():
                accepted = next(
                    (self.accepted[result.id] for result in results if result.id in self.accepted), None
                )
                yield Finding(check, tuple(results), accepted, self.command)
