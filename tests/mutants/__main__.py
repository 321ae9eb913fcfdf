"""`make mutants`: removes one guard of the backend at a time, and shows which check misses it."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.queues import Queue
from queue import Empty

from guards import GUARDS, Mutant, mutants
from page import PAGE, page
from trial import REQUIREMENTS, Case, Verdict, sit

from specwright.db.embedded import scratch

#: What is asked of a mutant that its likeliest checks do not miss.
_REST = (
    *(REQUIREMENTS, "AZ01", "AZ02", "AZ03", "AZ04", "AZ05", "AZ06", "AZ07", "AZ09", "EX01"),
    *("HT01", "HT02", "HT03", "PG01", "PG02", "IV01", "IV02", "IX01"),
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
    killed = 0
    with scratch() as server:
        for name, verdict in _tried(chosen, server.url):
            killed += verdict.killer != ""
            if asked.write:
                # At once: what has been seen is not lost with what comes after it.
                written = page(PAGE.read_text(encoding="utf-8"), made, {name: verdict})
                PAGE.write_text(written, encoding="utf-8")
    print(f"{killed} of {len(chosen)} killed in {time.monotonic() - began:.0f} s")
    return 0 if killed == len(chosen) else 1


def _tried(chosen: Sequence[Mutant], server: str) -> Iterator[tuple[str, Verdict]]:
    """What becomes of each mutant, by its name; of none where the backend as it is does not pass."""
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
    seen = 0
    try:
        while seen <= len(chosen):
            try:
                name, verdict = told.get(timeout=1)
            except Empty:
                if any(each.exitcode for each in courts):
                    return
                continue
            seen += 1
            if not name:
                if verdict.killer or verdict.says:
                    why = verdict.killer or "what it is tried with"
                    print(f"Without any mutant {why} is broken: {verdict.says}", file=sys.stderr)
                    return
                print(
                    f"{len(chosen)} mutants; without one, nothing is broken ({verdict.seconds:.0f} s)",
                    flush=True,
                )
                continue
            killed = f"killed by {verdict.killer}" if verdict.killer else "SURVIVES"
            print(f"{verdict.seconds:5.1f} s  {killed:22} {name}")
            print(f"{'':9}{verdict.says[:300]}" if verdict.says else "", flush=True)
            yield name, verdict
    finally:
        for each in courts:
            # After a fault the others have no reason to go on.
            if seen <= len(chosen):
                each.terminate()
            each.join()


def _order(mutant: Mutant) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*mutant.checks, *_REST)))


if __name__ == "__main__":
    sys.exit(main())
