"""What a check is, and all of them: each a module of `verify/checks` that says what it proves in `CHECK`."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from specwright.verify.result import Probe, Result, Standing
from specwright.verify.surface.surface import Operation

if TYPE_CHECKING:
    from specwright.verify.lab import Lab

#: Looks at an app and says what it saw, as it sees it. `NotRun` ends it with a reason.
Run = Callable[["Lab"], AsyncIterator[Result]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that holds in a sound backend, and how to see whether it does."""

    #: As in the catalogue: AZ01.
    id: str
    #: The same word everywhere: "object read".
    name: str
    #: What holds when it passes, in one sentence.
    sentence: str
    #: 1 to 3, the gravest.
    severity: int
    #: "OWASP API1:2023", "ASVS 8.2.2", "RFC 9110 §9.3.5".
    references: tuple[str, ...]
    #: What to do when it fails, in a sentence or two.
    remedy: str
    run: Run
    #: Judges what the other checks saw, and so comes after them.
    last: bool = False
    #: Harms the app, and so comes after all others: 1 where it is to recover by itself, 2 where it ends.
    harm: int = 0

    def proved(self, subject: Operation | str, says: str, *probes: Probe, case: str = "") -> Result:
        """It holds here."""
        return self._result(Standing.PROVED, subject, says, probes, case)

    def broken(
        self, subject: Operation | str, says: str, *probes: Probe, case: str = "", cause: str = ""
    ) -> Result:
        """It does not hold here, as the probes show."""
        return self._result(Standing.BROKEN, subject, says, probes, case, cause)

    def not_run(self, subject: Operation | str, why: str, *probes: Probe, case: str = "") -> Result:
        """It could not be seen here, and why."""
        return self._result(Standing.NOT_RUN, subject, why, probes, case)

    def ask(self, subject: Operation | str, question: str, *probes: Probe, case: str = "") -> Result:
        """Whether it should hold here is for people to say."""
        return self._result(Standing.ASK, subject, question, probes, case)

    def suspected(self, subject: Operation | str, says: str, case: str = "") -> Result:
        """The code looks as if it did not hold."""
        return self._result(Standing.SUSPECTED, subject, says, (), case)

    def _result(
        self,
        standing: Standing,
        subject: Operation | str,
        says: str,
        probes: tuple[Probe, ...],
        case: str,
        cause: str = "",
    ) -> Result:
        if isinstance(subject, Operation):
            return Result(
                self.id,
                standing,
                says,
                subject.label,
                probes,
                source=subject.source,
                case=case,
                cause=cause,
            )
        return Result(self.id, standing, says, subject, probes, case=case, cause=cause)


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, in the order of the catalogue; then those that judge others' probes; then harmful ones."""
    from specwright.verify import checks

    found = []
    for module in pkgutil.iter_modules(checks.__path__):
        loaded = importlib.import_module(f"{checks.__name__}.{module.name}")
        found.append(loaded.CHECK)
    return tuple(sorted(found, key=_turn))


def _turn(check: Check) -> tuple[int, bool, int, str]:
    return check.harm, check.last, _ORDER.index(check.id[:2]), check.id


def choose_checks(names: Sequence[str]) -> tuple[list[Check], list[str]]:
    """The checks of these names, `AZ01` or `object read`, in their order; and the names that no check has."""
    wanted = {name.casefold() for name in names}
    found = [check for check in all_checks() if {check.id.casefold(), check.name} & wanted]
    known = {each for check in found for each in (check.id.casefold(), check.name)}
    return found, [name for name in names if name.casefold() not in known]


#: The groups of the catalogue.
_ORDER = (
    *("AM", "AZ", "AN", "SE", "CO", "LM", "EN", "SS", "EX", "IN", "IV", "ER", "HT", "PG", "RS"),
    *("QP", "IX", "DB", "CT", "CM", "BL", "RX", "SH", "LG", "OB", "CF", "HE", "HD", "RL", "SD"),
)
