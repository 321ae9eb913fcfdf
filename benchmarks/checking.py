"""How long `specwright check` takes, beside what no FastAPI application starts without."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.report import Finding

_ENTITIES, _GRANTS = 50, 20
_ROLES = ("clerk", "editor", "auditor", "manager", "guest")
_ENTITY = """
## Thing {number}

| Field | Type            | Rules            |
|-------|-----------------|------------------|
| title | text            | required, 1..200 |
| size  | integer         | 0..99, default 0 |
| state | `a`, `b`, `c`   | default `a`      |
| owner | User            | the caller       |

| Who | May | When |
|-----|-----|------|
| owner | everything | |
"""


def measure_checking(root: Path, rounds: int) -> Finding:
    """`specwright check` of fifty entities with twenty grants each, and the import of FastAPI, in turn."""
    (root / "specs" / "big").mkdir(parents=True)
    (root / "specs" / "big" / "spec.md").write_text(_spec())
    commands = {"fastapi": ["-c", "import fastapi"], "check": ["-m", "specwright", "check", str(root)]}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(2 * rounds + 1):
        for name, arguments in commands.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            taken[name].append(time.perf_counter() - began)
    fastapi, check = (median(runs) for runs in taken.values())
    return Finding(
        f"`specwright check` of {_ENTITIES} entities with {_GRANTS} grants each",
        "`import fastapi` → check",
        f"{fastapi * 1000:,.0f} ms → {check * 1000:,.0f} ms",
        f"{check / fastapi:.2f} ×",
        "≤ 1.5",
        check <= 1.5 * fastapi,
    )


def _spec() -> str:
    roles = "".join(f"| {role} | |\n" for role in _ROLES)
    grants = "".join(
        f'| {_ROLES[place % len(_ROLES)]} | list, read | `size > {place} and state != "c"` |\n'
        for place in range(_GRANTS - 1)
    )
    entities = "".join(_ENTITY.format(number=number) + grants for number in range(_ENTITIES))
    return f"# Big\n\n## Roles\n\n| Role | Means |\n|------|-------|\n{roles}{entities}"
