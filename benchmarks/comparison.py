"""Side by side: first that all applications give the same answers, then interleaved rounds."""

import asyncio
import json
import urllib.request
from statistics import median

from benchmarks.dataset import Size, some_tasks
from benchmarks.load import Call, Measured, drive
from benchmarks.project import Place, Project
from benchmarks.report import Table
from benchmarks.servers import Running, serve

APPS = ("ours", "bare", "idiomatic")
CALLERS = 100
SIZE = Size()


def compare(place: Place, rounds: int, seconds: int, only: str | None) -> Table:
    """The table of Specwright, a bare application and idiomatic code."""
    project = place.make("comparison", SIZE)
    scenarios = make_scenarios(project)
    if only is not None:
        scenarios = {only: scenarios[only]}
    for calls in scenarios.values():
        agree(project, calls)
    measured: dict[tuple[str, str], list[Measured]] = {}
    for _ in range(rounds):
        for app in APPS:
            with serve(app, project.root, project.environment) as running:
                for name, calls in scenarios.items():
                    drive(running.port, running.pids, calls, 1, place.folder)
                    result = drive(running.port, running.pids, calls, seconds, place.folder)
                    assert not result.failures, f"{app} failed {result.failures} times in {name}"
                    measured.setdefault((name, app), []).append(result)
    return Table(
        "Side by side",
        f"One worker, {SIZE.people:,} people, {SIZE.tasks:,} tasks.",
        ("scenario", "app", "requests/s", "p99 ms", "CPU ms/request", "RSS MiB", "ours is"),
        2,
        list(_rows(measured)),
    )


def _rows(measured: dict[tuple[str, str], list[Measured]]) -> list[tuple[str, ...]]:
    rows = []
    for (name, app), runs in sorted(measured.items(), key=lambda item: list(measured).index(item[0])):
        rate, p99, processor, memory = (
            median(getattr(run, figure) for run in runs) for figure in ("rate", "p99", "processor", "memory")
        )
        ours = median(run.rate for run in measured[name, APPS[0]])
        ratio = "" if app == APPS[0] else f"{ours / rate:.2f} ×"
        rows.append((name, app, f"{rate:,.0f}", f"{p99:.1f}", f"{processor:.3f}", f"{memory:.0f}", ratio))
    return rows


def make_scenarios(project: Project) -> dict[str, list[Call]]:
    """The requests of each scenario, spread over a hundred callers."""
    tasks = asyncio.run(some_tasks(project.url, CALLERS))
    tokens = {owner: project.token(owner) for owner, _ in tasks}
    base = "/api/v1/tasks"
    new = json.dumps({"title": "Measured", "description": "A new task.", "priority": 3})
    change = json.dumps({"title": "Changed", "priority": 4})
    filtered = f"{base}?status=todo&priority__gte=1&sort=-priority"
    included = f"{base}?include=project,tags"
    return {
        "get one": [Call("GET", f"{base}/{key}", tokens[owner]) for owner, key in tasks],
        "list 20": [Call("GET", base, tokens[owner]) for owner, _ in tasks],
        "list 20, filtered and sorted": [Call("GET", filtered, tokens[owner]) for owner, _ in tasks],
        "list 20, with project and tags": [Call("GET", included, tokens[owner]) for owner, _ in tasks],
        "patch": [Call("PATCH", f"{base}/{key}", tokens[owner], change) for owner, key in tasks],
        "create": [Call("POST", base, tokens[owner], new) for owner, _ in tasks],
    }


def agree(project: Project, calls: list[Call]) -> None:
    """Stop unless every application gives the same answer; what time and chance make is left out."""
    answers = []
    for app in APPS:
        with serve(app, project.root, project.environment) as running:
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
            name: _plain(value)
            for name, value in row.items()
            if name != "updated_at" and not (call.method == "POST" and name in ("id", "created_at"))
        }
        for row in rows
    ]


def _plain(value: object) -> str:
    """A member as all write it: moments alike, and of rows that are related those alone."""
    rows = value.get("items", value) if isinstance(value, dict) else value
    return json.dumps(rows, sort_keys=True).replace("+00:00", "Z").replace(".000000Z", "Z")
