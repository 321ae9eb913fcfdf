"""The table of docs/mutants.md: each mutant, and which check kills it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from guards import GUARDS, Mutant
from trial import Verdict

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"
_BEGINS = "<!-- table -->"
_HEAD = "| Guard | Module | Removed | Killed by |\n|---|---|---|---|"
_LEFT = "Left out, since nobody could see it:\n\n| Guard | Removed | Why |\n|---|---|---|"
SURVIVES = "**survives**"
UNTRIED = "**not tried**"


def page(text: str, mutants: Sequence[Mutant], results: Mapping[str, Verdict]) -> str:
    """The document with what has become of mutants now; what was seen of the others before stays."""
    before = dict(rows(text))
    found: dict[str, str] = {}
    for mutant in mutants:
        tried = results.get(mutant.name)
        known = before.get(cells(mutant), UNTRIED)
        found[cells(mutant)] = known if tried is None else tried.killer or SURVIVES
    killed = sum(killer not in (SURVIVES, UNTRIED) for killer in found.values())
    table = "\n".join(f"{row} {killer} |" for row, killer in found.items())
    left = "\n".join(
        f"| {guard.name} | `{removed}` | {why} |" for guard in GUARDS for removed, why in guard.unseen.items()
    )
    head = text.partition(_BEGINS)[0]
    said = f"{killed} of {len(mutants)} mutants are killed."
    return f"{head}{_BEGINS}\n\n{said}\n\n{_HEAD}\n{table}\n\n{_LEFT}\n{left}\n"


def cells(mutant: Mutant) -> str:
    """The row of a mutant but for the last cell; without its line, which code above it may move."""
    removed = mutant.removed.replace("|", "\\|").replace("\n", " ")
    again = mutant.words.removeprefix(mutant.removed)
    return f"| {mutant.guard} | `{mutant.module}` | `{removed}`{again} |"


def rows(text: str) -> Iterator[tuple[str, str]]:
    """The rows of a document: the cells of each mutant, and the last."""
    for line in text.partition(_BEGINS)[2].partition(_LEFT)[0].splitlines():
        if line.startswith("| ") and not _HEAD.startswith(line):
            row, _, killer = line.removesuffix(" |").rpartition("| ")
            yield f"{row}|", killer
