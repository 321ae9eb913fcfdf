"""The tour of examples/tasks/README.md: typed again, command by command, in one shell."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import PATIENCE, SPECWRIGHT, Running, environment, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "tasks"
BLOCKS = re.findall(
    r"^```console\n(.*?)^```$", (EXAMPLE / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
END = "--- the next command"


def steps(block: str) -> list[tuple[str, str]]:
    """Each command of a block, and what is printed below it."""
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def pattern(printed: str) -> str:
    """What a command may print: a line of `…` is any lines, a `…` within a line anything."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\s*?\n"
        for line in printed.splitlines()
    ]
    return "".join(lines) + r"\s*"


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Running]]:
    """A copy of the example, and the backend that runs there."""
    root = tmp_path_factory.mktemp("tour") / "tasks"
    state = shutil.ignore_patterns("__pycache__", ".specwright", "migrations", ".env")
    shutil.copytree(EXAMPLE, root, ignore=state)
    with running("up", cwd=root) as backend:
        yield root, backend


def test_the_tour_begins_as_it_says(tour: tuple[Path, Running]) -> None:
    """The first block is what `specwright up` prints."""
    ((command, printed),) = steps(BLOCKS[0])
    assert command == "specwright up"
    spaced = re.sub(r" {2,}", "  ", printed.replace(":8000", "…"))
    _, backend = tour
    assert re.match(pattern(spaced), re.sub(r" {2,}", "  ", backend.output)), backend.output


def test_the_tour_goes_on_as_it_says(tour: tuple[Path, Running]) -> None:
    """Every other command prints what stands below it."""
    typed = [step for block in BLOCKS[1:] for step in steps(block)]
    assert len(typed) > 20
    root, backend = tour
    address = backend.url.removeprefix("http://")
    script = "".join(f"{command}\necho; echo '{END}'\n" for command, _ in typed)
    ran = subprocess.run(
        ["bash", "-c", script.replace("localhost:8000", address)],
        cwd=root,
        env=environment(PATH=f"{SPECWRIGHT.parent}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE,
    )
    printed = ran.stdout.split(f"{END}\n")[:-1]
    assert len(printed) == len(typed), ran.stderr
    for (command, expected), found in zip(typed, printed, strict=True):
        assert re.fullmatch(pattern(expected), found), f"$ {command}\n{found}"
    assert ran.stderr == ""
