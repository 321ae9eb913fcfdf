"""`make mutants`: removes one guard of the backend at a time, and shows which check misses it."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

from guards import GUARDS, Mutant, mutants
from trial import REQUIREMENTS, Verdict, tried

from specwright.db.embedded import scratch

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"

#: What is asked of a mutant that its likeliest checks do not miss.
_REST = ("AM01", "AZ03", "AZ07", "AZ04", "EX01", "HT01", "HT02", "HT03", "PG02", "IV01", REQUIREMENTS)
_AT_ONCE = 2


def main() -> int:
    """Try all mutants, or those with a word in their name; 1 when one survives."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="only mutants with this in their name")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    asked = parser.parse_args()
    chosen = [mutant for mutant in mutants(GUARDS) if asked.word in mutant.name]
    if asked.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    began = time.monotonic()
    with scratch() as server:
        return _tried(chosen, server.url, began, whole=not asked.word)


def _tried(chosen: Sequence[Mutant], server: str, began: float, *, whole: bool) -> int:
    # Each mutant has an app's process, and a verifier's beside it that nothing of another's is left in.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_AT_ONCE, mp_context=spawning) as pool:
        sound = pool.submit(tried, None, _checks(chosen), server).result()
        if sound.killer:
            print(f"Without any mutant {sound.killer} is broken: {sound.says}", file=sys.stderr)
            return 1
        print(f"{len(chosen)} mutants; without one, nothing is broken ({sound.seconds:.0f} s)", flush=True)
        waiting: dict[Future[Verdict], Mutant] = {
            pool.submit(tried, mutant, _order(mutant), server): mutant for mutant in chosen
        }
        results: dict[str, Verdict] = {}
        for done in as_completed(waiting):
            mutant, verdict = waiting[done], done.result()
            results[mutant.name] = verdict
            told = f"killed by {verdict.killer}" if verdict.killer else "SURVIVES"
            print(f"{verdict.seconds:5.1f} s  {told:24} {mutant.name}", flush=True)
    survivors = [mutant for mutant in chosen if not results[mutant.name].killer]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} killed in {time.monotonic() - began:.0f} s")
    if whole and not survivors:
        PAGE.write_text(_page(chosen, results), encoding="utf-8")
    return 1 if survivors else 0


def _order(mutant: Mutant) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*mutant.checks, *_REST)))


def _checks(chosen: Sequence[Mutant]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for mutant in chosen for name in _order(mutant)))


def _page(chosen: Sequence[Mutant], results: dict[str, Verdict]) -> str:
    """The table as it is published."""
    rows = [
        f"| {mutant.guard} | `{mutant.place}` | `{_cell(mutant.removed)}` | {killer} |"
        for mutant in chosen
        if (killer := results[mutant.name].killer)
    ]
    head, _, _ = PAGE.read_text(encoding="utf-8").partition("<!-- table -->")
    table = "| Guard | Place | Removed | Killed by |\n|---|---|---|---|\n" + "\n".join(rows)
    return f"{head}<!-- table -->\n\n{len(chosen)} mutants, all killed.\n\n{table}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
