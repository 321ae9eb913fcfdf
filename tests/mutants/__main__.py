"""`make mutants`: removes one guard of the backend at a time, and shows which check misses it."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from multiprocessing.queues import Queue
from queue import Empty

from guards import GUARDS, Mutant, mutants
from page import PAGE, page
from trial import REQUIREMENTS, Case, Verdict, sit

from specwright.db.embedded import scratch

#: What is asked of a mutant that its likeliest checks do not miss.
_REST = (
    *("AZ01", "AZ02", "AZ03", "AZ04", "AZ05", "AZ06", "AZ07", "AZ09", "EX01"),
    *("HT01", "HT02", "HT03", "PG01", "PG02", "IV02", "IX01", REQUIREMENTS),
)
_AT_ONCE = 2


def main() -> int:
    """Try all mutants, or those with one of some words in their name; 1 when one survives."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants with one of these in their name")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--write", action="store_true", help=f"write what is seen into {PAGE.name}")
    asked = parser.parse_args()
    made = mutants(GUARDS)
    chosen = [each for each in made if not asked.words or any(word in each.name for word in asked.words)]
    if asked.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    began = time.monotonic()
    with scratch() as server:
        results = _tried(chosen, server.url)
    if results is None:
        return 1
    seconds = time.monotonic() - began
    survivors = [mutant for mutant in chosen if not results[mutant.name].killer]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} killed in {seconds:.0f} s")
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), made, results), encoding="utf-8")
    return 1 if survivors else 0


def _tried(chosen: Sequence[Mutant], server: str) -> dict[str, Verdict] | None:
    """What becomes of each mutant, by its name; None where the backend as it is does not pass."""
    # Each court has an app's process, and a verifier's beside it.
    spawning = multiprocessing.get_context("spawn")
    waiting: Queue[Case | None] = spawning.Queue()
    told: Queue[tuple[str, Verdict]] = spawning.Queue()
    orders = {mutant.name: _order(mutant) for mutant in chosen}
    waiting.put((None, tuple(dict.fromkeys(check for order in orders.values() for check in order))))
    for mutant in chosen:
        waiting.put((mutant, orders[mutant.name]))
    courts = [spawning.Process(target=sit, args=(server, waiting, told)) for _ in range(_AT_ONCE)]
    for each in courts:
        waiting.put(None)
        each.start()
    results: dict[str, Verdict] = {}
    try:
        while len(results) <= len(chosen):
            try:
                name, verdict = told.get(timeout=1)
            except Empty:
                if any(each.exitcode for each in courts):
                    return None
                continue
            results[name] = verdict
            if not name:
                if verdict.killer or verdict.says:
                    why = verdict.killer or "what it is tried with"
                    print(f"Without any mutant {why} is broken: {verdict.says}", file=sys.stderr)
                    return None
                print(f"{len(chosen)} mutants; without one, nothing is broken ({verdict.seconds:.0f} s)")
                continue
            killed = f"killed by {verdict.killer}" if verdict.killer else "SURVIVES"
            print(f"{verdict.seconds:5.1f} s  {killed:22} {name}")
            print(f"{'':9}{verdict.says[:300]}" if verdict.says else "", flush=True)
        return results
    finally:
        for each in courts:
            # After a fault the others have no reason to go on.
            if len(results) <= len(chosen):
                each.terminate()
            each.join()


def _order(mutant: Mutant) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*mutant.checks, *_REST)))


if __name__ == "__main__":
    sys.exit(main())
