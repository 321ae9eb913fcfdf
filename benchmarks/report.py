"""`RESULTS.md`: the figures of one run, with what they were measured on."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.load import CONNECTIONS, Measured

_PACKAGES = ("specwright", "fastapi", "starlette", "uvicorn", "asyncpg", "sqlalchemy", "sqlmodel", "pydantic")


def write_results(
    path: Path, measured: dict[tuple[str, str], Measured], apps: Sequence[str], postgres: str
) -> None:
    """Write the medians and the ratios of the first application to the others."""
    lines = [
        "# Results",
        "",
        "Written by `make bench`: medians of interleaved rounds in one run. The ratios are what counts;"
        " the figures of another machine are others.",
        "",
        f"{os.cpu_count()} processors, Python {platform.python_version()}, PostgreSQL {postgres} on the same"
        f" machine with `fsync` off, wrk with {CONNECTIONS} connections, one worker, 1,000 people,"
        " 100,000 tasks.",
        ", ".join(f"{name} {version(name)}" for name in _PACKAGES) + ".",
        "",
        "| scenario | app | requests/s | p99 ms | CPU ms/request | RSS MiB | ours is |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name in dict.fromkeys(name for name, _ in measured):
        ours = measured[name, apps[0]]
        for app in apps:
            run = measured[name, app]
            ratio = "" if app == apps[0] else f"{ours.rate / run.rate:.2f} ×"
            lines.append(
                f"| {name} | {app} | {run.rate:,.0f} | {run.p99:.1f} | {run.processor:.3f}"
                f" | {run.memory:.0f} | {ratio} |"
            )
    path.write_text("\n".join(lines) + "\n")
