"""`make bench`: everything that is measured, into one file."""

import argparse
import tempfile
from pathlib import Path

from benchmarks.access import measure_access
from benchmarks.comparison import compare
from benchmarks.load import find_wrk
from benchmarks.project import Place
from benchmarks.report import Table, write_results
from benchmarks.scale import measure_scale
from benchmarks.servers import HERE
from specwright.db import embedded

TABLES = ("comparison", "scale", "access")


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--table", choices=TABLES, help="one table instead of all")
    options.add_argument("--only", help="one scenario of the comparison")
    options.add_argument("--results", type=Path, default=HERE / "RESULTS.md")
    chosen = options.parse_args()
    find_wrk()
    tables: list[Table] = []
    with embedded.scratch() as server, tempfile.TemporaryDirectory() as temporary:
        place = Place(Path(temporary), server)
        for name in TABLES if chosen.table is None else (chosen.table,):
            match name:
                case "comparison":
                    tables.append(compare(place, chosen.rounds, chosen.seconds, chosen.only))
                case "scale":
                    tables.append(measure_scale(place, chosen.rounds, chosen.seconds))
                case _:
                    tables.append(measure_access(place, chosen.rounds, chosen.seconds))
    write_results(chosen.results, tables, server.version, chosen.rounds, chosen.seconds)
    print(chosen.results.read_text())


if __name__ == "__main__":
    main()
