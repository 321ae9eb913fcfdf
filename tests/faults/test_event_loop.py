"""F21: whatever one request asks for, the others are served meanwhile.

Work is measured in processor time of the loop's thread, which a busy machine does not lengthen. Waiting is
found by Python's audit events: a file opened, a name resolved, a connection made, a process started, a sleep.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.clients import Told
from faults.servers import App, Postgres, serving

pytestmark = pytest.mark.anyio

#: The catalogue's bound, in seconds.
LAG = 0.05

WATCHED = """
import asyncio, sys, threading, time
from specwright import Backend

backend = Backend()
app = backend.app
thread, blocking, longest = 0, [], 0.0
EVENTS = {"time.sleep", "open", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "os.system",
          "subprocess.Popen", "urllib.Request", "sqlite3.connect", "import"}

def audit(event, arguments):
    if event in EVENTS and threading.get_ident() == thread:
        if event == "socket.connect" and arguments[0].gettimeout() == 0:
            return
        frame = sys._getframe(1)
        blocking.append(f"{event} {frame.f_code.co_filename}:{frame.f_lineno}")

sys.addaudithook(audit)

# Python itself tells of this one since 3.13.
_sleep = time.sleep
time.sleep = lambda seconds: (sys.audit("time.sleep"), _sleep(seconds))

async def beat():
    global longest
    before = time.thread_time()
    while True:
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, before = max(longest, now - before), now
        await asyncio.sleep(0.001)

@app.get("/watch")
async def watch():
    global thread, longest, blocking
    if not thread:
        app.state.beat = asyncio.create_task(beat())
        thread = threading.get_ident()
    seen = {"longest": longest, "blocking": blocking}
    longest, blocking = 0.0, []
    return seen

@app.get("/stall")
async def stall():
    sum(range(10_000_000))
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def watched(root: Path, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The same backend with a watch in its loop."""
    project = shutil.copytree(root, tmp_path_factory.mktemp("watched") / "project")
    main = project / "app" / "main.py"
    main.parent.mkdir()
    main.write_text(WATCHED)
    with serving(project, postgres) as running:
        yield running


async def test_no_endpoint_stalls_the_loop(watched: App) -> None:
    """Every route, with as much work as its limits allow: below 50 ms, and nothing waits."""
    person = watched.person("watched")
    for n in range(100):
        told = await person.told("POST", "/notes", {"text": f"{n}" + "x" * 3900})
    note = told.json()["id"]
    folder = (await person.told("POST", "/folders", {"name": "f"})).json()["id"]
    huge = "[" + "1," * 400_000 + "1]"
    many = {f"member {n}": n for n in range(40_000)}
    calls: list[tuple[str, str, Any]] = [
        ("GET", "//health/live", None),
        ("GET", "//health/ready", None),
        ("GET", "/notes?limit=100&sort=-text,number&count=exact", None),
        ("GET", "/notes?limit=100&text__contains=x&number__in=" + ",".join(map(str, range(100))), None),
        ("GET", "/notes?" + "&".join(f"x{n}=1" for n in range(500)), None),
        ("GET", "/notes?fields=" + ",".join(f"f{n}" for n in range(2000)), None),
        ("GET", "/notes?filter=" + "(" * 2000, None),
        ("GET", f"/notes/{note}", None),
        ("PATCH", f"/notes/{note}", {"number": 3, "folder_id": folder}),
        ("PUT", f"/notes/{note}", {"text": "y" * 4000}),
        ("POST", "/notes", {"text": "z" * 900_000}),
        ("POST", "/notes", {"text": huge}),
        ("POST", "/notes", many),
        ("POST", "/notes", [1] * 300_000),
        ("DELETE", f"/notes/{note}", None),
        ("GET", "//openapi.json", None),
        ("GET", "//docs", None),
        ("GET", "//nowhere", None),
    ]
    # What is built when it is first asked for is built.
    for method, path, body in calls:
        if method != "DELETE":
            await person.told(method, path, body)
    await _watch(person)
    stalls = {}
    for method, path, body in calls:
        for _ in range(2):
            told = await person.told(method, path, body)
            assert told.status < 500, (path[:40], told)
        seen = (await _watch(person)).json()
        assert seen["blocking"] == [], (method, path)
        print(f"{method} {path[:40]} {told.status} {seen['longest'] * 1000:.1f} ms")
        if seen["longest"] >= LAG:
            stalls[f"{method} {path[:60]} ({told.status})"] = seen["longest"]
    assert not stalls, stalls


async def test_the_watch_sees(watched: App) -> None:
    """A route that computes and sleeps in the loop is caught at both."""
    person = watched.person("watched")
    await _watch(person)
    assert (await person.told("GET", "//stall")).status == 200
    seen = (await _watch(person)).json()
    assert seen["longest"] > LAG
    assert any(event.startswith("time.sleep") for event in seen["blocking"])


async def _watch(person: Any) -> Told:
    told: Told = await person.told("GET", "//watch")
    assert told.status == 200, told
    return told
