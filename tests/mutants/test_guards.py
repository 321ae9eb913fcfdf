"""The mutants of `make mutants`: there are enough, and each still applies. The command runs them."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guards import GUARDS, SOURCE, Guard, Mutant, mutants
from page import PAGE, cells, rows

_MUTANTS = mutants(GUARDS)


def test_there_are_enough() -> None:
    """Forty at least, of all kinds of guards, and no two are the same."""
    assert len(_MUTANTS) >= 40
    assert {mutant.guard for mutant in _MUTANTS} >= {
        "scope in a statement", "named check of a write", "part of a scope", "field visibility",
        "token claim", "entity tag", "cursor signature", "cursor binding", "idempotency", "limit",
        "policy", "index",
    }  # fmt: skip
    assert len({(mutant.module, mutant.text) for mutant in _MUTANTS}) == len(_MUTANTS)
    assert len({mutant.name for mutant in _MUTANTS}) == len(_MUTANTS)


@pytest.mark.parametrize("mutant", _MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_a_module_without_the_guard(mutant: Mutant) -> None:
    """It is Python, it differs from the module, and in the lines of the guard alone."""
    source = (SOURCE / mutant.module).read_text(encoding="utf-8")
    assert mutant.text != source
    compile(mutant.text, mutant.module, "exec")
    before = source.splitlines()[: mutant.line - 1]
    assert mutant.text.splitlines()[: mutant.line - 1] == before


def test_a_guard_that_has_moved_is_missed() -> None:
    """What is found less often than it must be is named, and with it where that is said."""
    first = GUARDS[0]
    moved = Guard(first.name, ("api/etag.py",), first.find, first.checks, 1)
    with pytest.raises(LookupError, match="has it moved, or been renamed"):
        mutants([moved])


def test_what_is_left_out_is_there() -> None:
    """A place that is left out, or tried without its second guard, is a place; and it is said why."""
    for guard in GUARDS:
        found = {
            each for mutant in mutants([replace(guard, unseen={})]) for each in (mutant.words, mutant.removed)
        }
        assert guard.unseen.keys() | guard.twice.keys() <= found
        assert all(guard.unseen.values())


def test_the_document_has_each_guard_once() -> None:
    """Its table has a row for each mutant, in their order, and no other; what is left out is named."""
    text = PAGE.read_text(encoding="utf-8")
    assert [row for row, _ in rows(text)] == [cells(mutant) for mutant in _MUTANTS], (
        "make mutants ARGS=--write"
    )
    for guard in GUARDS:
        for removed, why in guard.unseen.items():
            assert f"| {guard.name} | `{removed}` | {why} |" in text
