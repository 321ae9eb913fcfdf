"""The catalogue of checks, and `docs/checks.md`, which tells of each."""

import re
from pathlib import Path

import pytest

from specwright.verify.check import Check, all_checks

_PAGE = (Path(__file__).parents[3] / "docs" / "checks.md").read_text(encoding="utf-8")
_SECTIONS = {
    title: text.strip()
    for title, text in re.findall(r"^## ([A-Z]{2}\d\d .+)\n((?:(?!^## ).*\n?)*)", _PAGE, re.MULTILINE)
}
_ROW = re.compile(r"^\| \[([A-Z]{2}\d\d)\]\(#([\w-]+)\) *\| (.+?) *\| (\d) *\|$", re.MULTILINE)

each_check = pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.id)


@each_check
def test_a_check_has_its_section(check: Check) -> None:
    """A section says what the code says: sentence, severity, references, remedy; and how it is seen."""
    title = f"{check.id} {check.name}"
    assert title in _SECTIONS, f"docs/checks.md has no section `## {title}`"
    sentence, facts, how, *_more, mend = re.split(r"\n\n+", _SECTIONS[title])
    assert _line(sentence) == check.sentence
    assert _line(facts) == " · ".join((f"Severity {check.severity}", *check.references))
    assert how.startswith("**How.** ")
    assert _line(mend) == f"**Mend.** {check.remedy}"


@each_check
def test_a_check_has_one_module_of_its_own(check: Check) -> None:
    """The module is named after the check: `az01_object_read`."""
    module = re.sub(r"\W+", "_", f"{check.id} {check.name}".lower())
    assert check.run.__module__ == f"specwright.verify.checks.{module}"


@each_check
def test_a_check_is_told_completely(check: Check) -> None:
    """A sentence and a remedy that end, a severity, and a standard that asks for it."""
    assert re.fullmatch(r"[A-Z]{2}\d\d", check.id)
    assert check.severity in (1, 2, 3)
    assert check.references
    assert check.sentence.endswith(".")
    assert check.remedy.endswith(".")


def test_harm_comes_last() -> None:
    """Checks that harm the app come after all others, those that end it after those that do not."""
    harm = [check.harm for check in all_checks()]
    assert harm == sorted(harm)
    assert {check.id for check in all_checks() if check.harm == 2} == {"RL01", "SD01"}


def test_the_table_has_a_row_for_each_check() -> None:
    """The table and the sections have every check once, by their ids, and no other."""
    rows = _ROW.findall(_PAGE)
    order = sorted(check.id for check in all_checks())
    told = {id: (anchor, name, int(severity)) for id, anchor, name, severity in rows}
    known = {check.id: (_anchor(check), check.name, check.severity) for check in all_checks()}
    assert told == known
    assert [id for id, *_ in rows] == order
    assert [title[:4] for title in _SECTIONS] == order


def _line(text: str) -> str:
    """A paragraph as one line."""
    return " ".join(text.split())


def _anchor(check: Check) -> str:
    """The heading as GitHub links to it."""
    return re.sub(r"[^\w -]", "", f"{check.id} {check.name}".lower()).replace(" ", "-")
