"""What grows and what does not: with resources, with depth in a list, with workers, with requests served."""

import asyncio
import json
import secrets
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from time import time

import asyncpg
import jwt

from benchmarks.dataset import Size, fill
from benchmarks.load import Call, drive
from benchmarks.servers import Running, serve
from specwright.db.url import normalise

ROWS = 1_000_000
DEPTH = 100_000
PAGE = 100
BASE = "/api/v1/tasks"

_ENTITY = """
## Thing {number}

| Field | Type | Rules            |
|-------|------|------------------|
| title | text | required, 1..200 |
| owner | User | the caller       |

| Who   | May        |
|-------|------------|
| owner | everything |
"""


def measure_scale(spec: str, server: str, seconds: int, folder: Path) -> list[str]:
    """The second table of the results, line by line."""
    lines = ["", "| what grows | from → to | figure | ratio |", "|---|---|---|---:|"]
    secret = secrets.token_urlsafe(48)
    many = [_resources(spec, server, count, secret, seconds, folder) for count in (3, 30, 300)]
    shown = " → ".join(f"{rate:,.0f}/s" for rate in many)
    lines.append(f"| resources, list of 20 | 3 → 30 → 300 | {shown} | {many[2] / many[0]:.2f} × |")
    root, environment = _project(spec, server, 1, secret, folder, Size(people=1, tasks=ROWS))
    token = _token(secret, "user0")
    first = Call("GET", f"{BASE}?limit=20", token)
    with serve("ours", root, environment) as running:
        deep = Call("GET", f"{BASE}?limit=20&cursor={_cursor_at(running, token)}", token)
        rates = [_rate(running, call, seconds, folder) for call in (first, deep)]
    lines.append(
        f"| depth of a cursor in {ROWS:,} rows | first page → row {DEPTH:,}"
        f" | {rates[0]:,.0f}/s → {rates[1]:,.0f}/s | {rates[0] / rates[1]:.2f} × the time |"
    )
    hundred = Call("GET", f"{BASE}?limit={PAGE}", token)
    with serve("ours", root, environment) as running:
        early, late = (_memory_after(running, hundred, count, folder) for count in (1_000, 9_000))
    lines.append(
        f"| lists of 100 rows answered | 1,000 → 10,000 | {early:.0f} MiB → {late:.0f} MiB"
        f" | {late - early:+.1f} MiB |"
    )
    rates = []
    for workers in (1, 2):
        with serve("ours", root, environment, workers) as running:
            rates.append(_rate(running, first, seconds, folder))
    lines.append(f"| workers | 1 → 2 | {rates[0]:,.0f}/s → {rates[1]:,.0f}/s | {rates[1] / rates[0]:.2f} × |")
    return lines


def _project(
    spec: str, server: str, resources: int, secret: str, folder: Path, size: Size
) -> tuple[Path, Mapping[str, str]]:
    """A project with so many more entities than the spec has, on a database of its own."""
    name = f"scale_{resources}_{size.tasks}"
    root = folder / name
    (root / "specs" / "tasks").mkdir(parents=True)
    extra = "".join(_ENTITY.format(number=number) for number in range(resources - 3))
    head, _, tail = spec.partition("\n## Requirements")
    (root / "specs" / "tasks" / "spec.md").write_text(f"{head}{extra}\n## Requirements{tail}")
    url = asyncio.run(_database(server, name))
    asyncio.run(fill(root, url, size))
    return root, {
        "DATABASE_URL": url,
        "AUTH_SECRET": secret,
        "APP_SECRET": secret,
        "ENVIRONMENT": "production",
    }


async def _database(server: str, name: str) -> str:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    dsn = normalise(server)
    address, _, query = server.partition("?")
    assert dsn.database in address
    return f"{address.rpartition('/')[0]}/{name}?{query}"


def _resources(spec: str, server: str, count: int, secret: str, seconds: int, folder: Path) -> float:
    root, environment = _project(spec, server, count, secret, folder, Size(people=10, tasks=1_000))
    with serve("ours", root, environment) as running:
        return _rate(running, Call("GET", BASE, _token(secret, "user0")), seconds, folder)


def _rate(running: Running, call: Call, seconds: int, folder: Path) -> float:
    drive(running.port, running.pids, [call], 1, folder)
    return drive(running.port, running.pids, [call], seconds, folder).rate


def _memory_after(running: Running, call: Call, requests: int, folder: Path) -> float:
    """MiB of the server after at least so many requests."""
    served = 0.0
    while True:
        run = drive(running.port, running.pids, [call], 2, folder)
        served += run.rate * 2
        if served >= requests:
            return run.memory


def _cursor_at(running: Running, token: str) -> str:
    """The cursor after row 100,000, page by page."""
    cursor = ""
    for _ in range(DEPTH // PAGE):
        request = urllib.request.Request(
            f"http://127.0.0.1:{running.port}{BASE}?limit={PAGE}&fields=id{cursor}",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request) as answer:
            cursor = f"&cursor={urllib.parse.quote(json.load(answer)['next_cursor'])}"
    return cursor.removeprefix("&cursor=")


def _token(secret: str, owner: str) -> str:
    return jwt.encode({"sub": owner, "exp": int(time()) + 36_000}, secret, "HS256")
