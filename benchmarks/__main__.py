"""`make bench`: first that all give the same answers, then interleaved rounds, then the table."""

import argparse
import asyncio
import json
import secrets
import shutil
import tempfile
import urllib.request
from pathlib import Path
from statistics import median
from time import time

import jwt

from benchmarks.dataset import Size, fill, some_tasks
from benchmarks.load import Call, Measured, drive, find_wrk
from benchmarks.report import write_results
from benchmarks.servers import HERE, Running, serve
from specwright.db import embedded

APPS = ("ours", "bare", "idiomatic")
CALLERS = 100


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--only", help="one scenario")
    options.add_argument("--results", type=Path, default=HERE / "RESULTS.md")
    chosen = options.parse_args()
    find_wrk()
    with embedded.scratch() as server, tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "project"
        shutil.copytree(HERE.parent / "examples" / "tasks" / "specs", root / "specs")
        asyncio.run(fill(root, server.url, Size()))
        secret = secrets.token_urlsafe(48)
        environment = {
            "DATABASE_URL": server.url,
            "AUTH_SECRET": secret,
            "APP_SECRET": secrets.token_urlsafe(48),
            "ENVIRONMENT": "production",
        }
        scenarios = asyncio.run(make_scenarios(server.url, secret))
        if chosen.only:
            scenarios = {chosen.only: scenarios[chosen.only]}
        for calls in scenarios.values():
            compare(root, environment, calls)
        measured: dict[tuple[str, str], list[Measured]] = {}
        for _ in range(chosen.rounds):
            for app in APPS:
                with serve(app, root, environment) as running:
                    for name, calls in scenarios.items():
                        drive(running.port, running.pids, calls, 1, Path(temporary))
                        result = drive(running.port, running.pids, calls, chosen.seconds, Path(temporary))
                        assert not result.failures, f"{app} failed {result.failures} times in {name}"
                        measured.setdefault((name, app), []).append(result)
    write_results(chosen.results, middle(measured), APPS, server.version)
    print(chosen.results.read_text())


def middle(measured: dict[tuple[str, str], list[Measured]]) -> dict[tuple[str, str], Measured]:
    """The median of each figure over the rounds."""
    return {
        key: Measured(
            *(median(getattr(run, name) for run in runs) for name in ("rate", "p99", "processor", "memory")),
            failures=0,
        )
        for key, runs in measured.items()
    }


async def make_scenarios(url: str, secret: str) -> dict[str, list[Call]]:
    """The requests of each scenario, spread over a hundred callers."""
    tasks = await some_tasks(url, CALLERS)
    tokens = {
        owner: jwt.encode({"sub": owner, "exp": int(time()) + 36_000}, secret, "HS256") for owner, _ in tasks
    }
    base = "/api/v1/tasks"
    new = json.dumps({"title": "Measured", "description": "A new task.", "priority": 3})
    change = json.dumps({"title": "Changed", "priority": 4})
    filtered = f"{base}?status=todo&priority__gte=1&sort=-priority"
    return {
        "get one": [Call("GET", f"{base}/{key}", tokens[owner]) for owner, key in tasks],
        "list 20": [Call("GET", base, tokens[owner]) for owner, _ in tasks],
        "list 20, filtered and sorted": [Call("GET", filtered, tokens[owner]) for owner, _ in tasks],
        "patch": [Call("PATCH", f"{base}/{key}", tokens[owner], change) for owner, key in tasks],
        "create": [Call("POST", base, tokens[owner], new) for owner, _ in tasks],
    }


def compare(root: Path, environment: dict[str, str], calls: list[Call]) -> None:
    """Stop unless every application gives the same answer; what time and chance make is left out."""
    answers = []
    for app in APPS:
        with serve(app, root, environment) as running:
            answers.append([_answer(running, call) for call in calls[:5]])
    assert answers[0] == answers[1] == answers[2], json.dumps([given[0] for given in answers], indent=1)


def _answer(running: Running, call: Call) -> object:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}{call.path}",
        data=call.body.encode() if call.body else None,
        method=call.method,
        headers={"Authorization": f"Bearer {call.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        found = json.load(answer)
    rows = found.get("items", [found])
    return [
        {
            name: str(value).replace("+00:00", "Z").replace(".000000Z", "Z")
            for name, value in row.items()
            if name != "updated_at" and not (call.method == "POST" and name in ("id", "created_at"))
        }
        for row in rows
    ]


if __name__ == "__main__":
    main()
