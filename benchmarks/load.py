"""Load on one server by wrk, and what it cost: requests, latency, memory, processor time."""

import os
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

_SCRIPT = """
local requests = {{}}
for line in io.lines("{file}") do
  local method, path, token, body = line:match("^(%S+)\\t(%S+)\\t(%S+)\\t(.*)$")
  local headers = {{["Authorization"] = "Bearer " .. token}}
  if body ~= "" then headers["Content-Type"] = "application/json" else body = nil end
  requests[#requests + 1] = wrk.format(method, path, headers, body)
end
local at = 0
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(99), errors.status + errors.read + errors.write + errors.timeout + errors.connect))
end
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a scenario."""

    method: str
    path: str
    token: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: requests, and of them a second, the 99th percentile in ms, MiB, failures."""

    count: int
    rate: float
    p99: float
    #: CPU ms a request, of the server and of wrk.
    processor: float
    client: float
    memory: float
    failures: int


def find_wrk() -> str:
    """The load generator; a client in Python would be slower than what it measures."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("make bench needs wrk: install it with your package manager (apt install wrk).")
    return found


def drive(port: int, pids: list[int], calls: list[Call], seconds: int, folder: Path) -> Measured:
    """Send calls in turn over 16 connections for some seconds."""
    file, script = folder / "calls.tsv", folder / "calls.lua"
    file.write_text("".join(f"{c.method}\t{c.path}\t{c.token}\t{c.body}\n" for c in calls))
    script.write_text(_SCRIPT.format(file=file))
    before, own = cpu_seconds(pids), _children()
    shown = subprocess.run(
        [
            find_wrk(),
            "--threads=1",
            f"--connections={CONNECTIONS}",
            f"--duration={seconds}s",
            "--timeout=10s",
            f"--script={script}",
            f"http://127.0.0.1:{port}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used, client = cpu_seconds(pids) - before, _children() - own
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", shown)
    assert found is not None, shown
    count, microseconds, p99, failures = map(int, found.groups())
    memory = sum(map(_resident, pids)) / 2**20
    each = 1000 / max(count, 1)
    rate = count / microseconds * 1e6
    return Measured(count, rate, p99 / 1000, used * each, client * each, memory, failures)


def cpu_seconds(pids: list[int]) -> float:
    """The processor time that processes have used."""
    return sum(map(_ticks, pids)) / _TICKS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _children() -> float:
    """The processor time of processes that we have waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
