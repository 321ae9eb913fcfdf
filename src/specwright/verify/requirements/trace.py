"""From each requirement to what shows it: its examples, the checks that it names, the tests that name it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from specwright.model.errors import Origin
from specwright.model.manifest import Manifest
from specwright.model.requirement import Requirement
from specwright.verify.check import all_checks
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.marks import Mark
from specwright.verify.result import Result, Standing

_CHECK = re.compile(r"\b[A-Z]{2}\d{2}\b")


@dataclass(frozen=True, slots=True)
class Traced:
    """A requirement, and everything that speaks for it."""

    requirement: Requirement
    standing: Standing
    #: In one clause: "2 examples", "AZ03", "tests/test_tasks.py:12".
    shown_by: tuple[str, ...] = ()
    #: The lines that it is built in: code, and rules of the spec.
    built_in: tuple[Origin, ...] = ()
    why: str = ""

    @property
    def without_evidence(self) -> bool:
        """Whether nothing at all could show it."""
        return not self.shown_by


def named_checks(requirement: Requirement) -> tuple[str, ...]:
    """The checks that a requirement names in its text: "… takes no more statements for more rows (QP01)"."""
    known = {check.id for check in all_checks()}
    return tuple(dict.fromkeys(name for name in _CHECK.findall(requirement.text) if name in known))


def follow(
    manifest: Manifest,
    marks: Iterable[Mark],
    evidence: Mapping[str, Evidence],
    results: Sequence[Result] = (),
) -> tuple[Traced, ...]:
    """Every requirement in the order of the specs; `evidence` of its examples is by the requirement's id.

    BROKEN when anything that shows it is; PROVED when something is and nothing is missing. A test that names
    it is told, and proves nothing here: it is the project's own test run that does.
    """
    tested: dict[str, list[Mark]] = {}
    for mark in marks:
        tested.setdefault(mark.requirement, []).append(mark)
    rules: dict[str, list[Origin]] = {}
    for resource in manifest.resources:
        for rule in resource.rules:
            for key in rule.requirements:
                rules.setdefault(f"{resource.feature}/{key}", []).append(rule.origin)
    return tuple(
        _traced(requirement, tested.get(requirement.id, []), rules, evidence.get(requirement.id), results)
        for requirement in manifest.requirements
    )


def _traced(
    requirement: Requirement,
    marks: Sequence[Mark],
    rules: Mapping[str, Sequence[Origin]],
    evidence: Evidence | None,
    results: Sequence[Result],
) -> Traced:
    shown, standings = [], []
    if requirement.examples:
        count = len(requirement.examples)
        shown.append("1 example" if count == 1 else f"{count} examples")
        standings.append(Standing.NOT_RUN if evidence is None else evidence.standing)
    for name in named_checks(requirement):
        shown.append(name)
        standings.append(_verdict([result.standing for result in results if result.check == name]))
    shown += [str(mark.origin) for mark in marks if mark.tests]
    built = [mark.origin for mark in marks if not mark.tests]
    built += rules.get(requirement.id, [])
    if not shown:
        return Traced(requirement, Standing.NOT_RUN, (), tuple(built), "nothing shows it")
    why = "" if standings else "by the project's own tests"
    return Traced(requirement, _all(standings), tuple(shown), tuple(built), why)


def _verdict(standings: Sequence[Standing]) -> Standing:
    """Of one check: what is left out on one operation does not unprove the others."""
    if Standing.BROKEN in standings:
        return Standing.BROKEN
    return Standing.PROVED if Standing.PROVED in standings else Standing.NOT_RUN


def _all(standings: Sequence[Standing]) -> Standing:
    if Standing.BROKEN in standings:
        return Standing.BROKEN
    proved = bool(standings) and all(standing is Standing.PROVED for standing in standings)
    return Standing.PROVED if proved else Standing.NOT_RUN
