"""What grows and what does not: with resources, with depth in a list, with workers, with requests served."""

import json
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import quote

from benchmarks.checking import measure_checking
from benchmarks.dataset import Size
from benchmarks.load import Call, Measured, cpu_seconds, drive
from benchmarks.project import Place, Project, execute
from benchmarks.report import Finding, Table, findings
from benchmarks.servers import Running, children, serve

BASE = "/api/v1/tasks"
RESOURCES = (4, 30, 300)
ROWS = 1_000_000
DEPTH = 100_000
#: The last shows whether the growth before it was one that ends.
LISTS = (1_000, 10_000, 20_000)


def measure_scale(place: Place, rounds: int, seconds: int) -> Table:
    """The table of what grows."""
    million = place.make("million", Size(people=1, tasks=ROWS))
    return findings(
        "What grows",
        "The figure is that of the last to that of the first.",
        [
            *_resources(place, rounds, seconds),
            _depth(million, rounds, seconds),
            _workers(million, rounds, seconds),
            _memory(million),
            measure_checking(place.folder / "checked", rounds),
        ],
    )


@dataclass(slots=True)
class _Grown:
    """What was measured of a project with so many resources."""

    project: Project
    start_up: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    document: list[float] = field(default_factory=list)
    listed: list[float] = field(default_factory=list)
    got: list[float] = field(default_factory=list)


def _resources(place: Place, rounds: int, seconds: int) -> list[Finding]:
    size = Size(people=10, tasks=1_000)
    grown = [_Grown(place.make(f"resources_{count}", size, count)) for count in RESOURCES]
    for _ in range(rounds):
        for each in grown:
            listed, got = _list(each.project), _one(each.project)
            with serve("ours", each.project.root, each.project.environment) as running:
                each.start_up.append(running.start_up * 1000)
                each.first.append(_milliseconds(running, listed))
                each.document.append(_milliseconds(running, Call("GET", "/openapi.json", listed.token)))
                each.listed.append(_run(running, listed, seconds, place.folder).rate)
                each.got.append(_run(running, got, seconds, place.folder).rate)
    rates = [("list of 20", [each.listed for each in grown]), ("get one", [each.got for each in grown])]
    times = [
        ("start-up", [each.start_up for each in grown]),
        ("first list", [each.first for each in grown]),
        ("first OpenAPI document", [each.document for each in grown]),
    ]
    found = []
    for name, runs in rates:
        few, _, many = (median(run) for run in runs)
        shown = " → ".join(f"{median(run):,.0f}/s" for run in runs)
        found.append(_finding(f"resources: {name}", shown, many / few, "≥ 0.90", many >= 0.9 * few))
    for name, runs in times:
        few, _, many = (median(run) for run in runs)
        shown = " → ".join(f"{median(run):,.0f} ms" for run in runs)
        linear = RESOURCES[-1] / RESOURCES[0]
        found.append(
            _finding(f"resources: {name}", shown, many / few, f"< {linear:.0f}", many < linear * few)
        )
    return found


def _finding(what: str, shown: str, ratio: float, aim: str, reached: bool) -> Finding:
    return Finding(what, " → ".join(map(str, RESOURCES)), shown, f"{ratio:.2f} ×", aim, reached)


def _depth(project: Project, rounds: int, seconds: int) -> Finding:
    token = project.token("user0")
    rates: dict[str, list[float]] = {}
    with serve("ours", project.root, project.environment) as running:
        far = json.loads(_sent(running, Call("GET", f"{BASE}?limit=1&offset={DEPTH}&fields=id", token)))
        pages = {"first": "", "deep": f"&cursor={quote(far['next_cursor'])}"}
        for _ in range(rounds):
            for name, cursor in pages.items():
                call = Call("GET", f"{BASE}?limit=20{cursor}", token)
                rates.setdefault(name, []).append(_run(running, call, seconds, project.place.folder).rate)
    first, deep = median(rates["first"]), median(rates["deep"])
    return Finding(
        f"one owner's {ROWS:,} rows: page of 20",
        f"first → behind row {DEPTH:,}",
        f"{first:,.0f}/s → {deep:,.0f}/s",
        f"{first / deep:.2f} × the time",
        "≤ 1.3",
        first <= 1.3 * deep,
    )


def _workers(project: Project, rounds: int, seconds: int) -> Finding:
    """Two workers beside the database and wrk; what two processors allow is said, too."""
    call = _one(project)
    postmaster = int((project.place.server.data / "postmaster.pid").read_text().split()[0])
    runs: dict[int, list[Measured]] = {1: [], 2: []}
    database = []
    for _ in range(rounds):
        for workers, measured in runs.items():
            with serve("ours", project.root, project.environment, workers) as running:
                _run(running, call, 1, project.place.folder)
                backends = children(postmaster)
                before = cpu_seconds(backends)
                run = drive(running.port, running.pids, [call], seconds, project.place.folder)
                measured.append(run)
                if workers == 1:
                    database.append((cpu_seconds(backends) - before) * 1000 / run.count)
    one, two = (median(run.rate for run in measured) for measured in runs.values())
    ours, theirs = median(run.processor for run in runs[1]), median(database)
    client = median(run.client for run in runs[1])
    most = min(2.0, 2 * ours / (ours + theirs + client))
    return Finding(
        f"workers: get one (CPU ms: ours {ours:.2f}, database {theirs:.2f}, wrk {client:.2f})",
        "1 → 2",
        f"{one:,.0f}/s → {two:,.0f}/s",
        f"{two / one:.2f} ×",
        f"≥ 1.6; 2 processors allow {most:.2f}",
        two >= 1.6 * one,
    )


def _memory(project: Project) -> Finding:
    call = Call("GET", f"{BASE}?limit=100", project.token("user0"))
    served, resident = 0, []
    with serve("ours", project.root, project.environment) as running:
        for wanted in LISTS:
            while served < wanted:
                run = drive(running.port, running.pids, [call], 1, project.place.folder)
                assert not run.failures, f"{run.failures} lists failed"
                served += run.count
            resident.append(run.memory)
    early, late, _ = resident
    return Finding(
        "memory: lists of 100 rows answered",
        " → ".join(f"{lists:,}" for lists in LISTS),
        " → ".join(f"{size:.1f} MiB" for size in resident),
        f"{late - early:+.1f} MiB to {LISTS[1]:,}",
        "≤ +5",
        late - early <= 5,
    )


def _list(project: Project) -> Call:
    return Call("GET", f"{BASE}?limit=20", project.token("user0"))


def _one(project: Project) -> Call:
    ((key,),) = execute(project.url, "SELECT id FROM tasks WHERE owner_id = 'user0' LIMIT 1")
    return Call("GET", f"{BASE}/{key}", project.token("user0"))


def _run(running: Running, call: Call, seconds: int, folder: Path) -> Measured:
    drive(running.port, running.pids, [call], 1, folder)
    run = drive(running.port, running.pids, [call], seconds, folder)
    assert not run.failures, f"{run.failures} failures of {call.path}"
    return run


def _milliseconds(running: Running, call: Call) -> float:
    began = time.perf_counter()
    _sent(running, call)
    return (time.perf_counter() - began) * 1000


def _sent(running: Running, call: Call) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}{call.path}", headers={"Authorization": f"Bearer {call.token}"}
    )
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
        return content
