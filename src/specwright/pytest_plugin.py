"""`pytest specs/`: the examples of each requirement as a test, named by its key.

They run in a process of their own, all that were chosen at once, as `specwright verify --requirements` runs
them: the tests around them keep their settings, their app and their database.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

_SPECS, _SPEC = "specs", "spec.md"


class Broken(Exception):
    """A requirement does not hold; the message shows the example and how its answer differs."""


class Spec(pytest.File):
    """A `spec.md` below `specs/`."""

    def collect(self) -> Iterable["Requirement"]:
        """The requirements in it that have examples.

        Raises:
            CollectError: the spec has mistakes, or is none; the message has a line for each.
        """
        from specwright.model.errors import SpecwrightError
        from specwright.read.project import read_project

        root = _root(self.path)
        assert root is not None
        file = self.path.relative_to(root).as_posix()
        try:
            manifest = read_project(root)
        except SpecwrightError as error:
            raise self.CollectError(str(error)) from None
        for requirement in manifest.requirements:
            if requirement.origin.file == file and requirement.examples:
                yield Requirement.from_parent(
                    self, name=requirement.key, project=root, key=requirement.id, line=requirement.origin.line
                )


class Requirement(pytest.Item):
    """One requirement, which its examples prove."""

    def __init__(self, *, project: Path, key: str, line: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.project = project
        self.key = key
        self._line = line

    def runtest(self) -> None:
        """Judge what the examples showed.

        Raises:
            Broken: one was not answered as the spec says.
        """
        found = self._evidence()[self.key]
        if found["standing"] != "PROVED":
            raise Broken("\n".join(_told(found)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The example and the differences; where in this plugin they were found helps nobody."""
        return str(excinfo.value) if isinstance(excinfo.value, Broken) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the requirement is written."""
        return self.path, self._line - 1, self.key.replace("/", "#", 1)

    def _evidence(self) -> dict[str, Any]:
        """What the run showed, by requirement; the first that asks makes it run."""
        known: dict[Path, dict[str, Any]] = self.session.stash.setdefault(_EVIDENCE, {})
        if self.project not in known:
            known[self.project] = _run(self.project, self.session.items)
        return known[self.project]


_EVIDENCE = pytest.StashKey[dict[Path, dict[str, Any]]]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take each `spec.md` below a project's `specs/`."""
    if file_path.name == _SPEC and _root(file_path) is not None:
        collected: pytest.Collector = Spec.from_parent(parent, path=file_path)
        return collected
    return None


def _root(file: Path) -> Path | None:
    """The project whose spec this is; of folders called specs, the outermost holds them all."""
    folders = [folder for folder in file.parents if folder.name == _SPECS]
    return folders[-1].parent if folders else None


def _run(project: Path, items: Iterable[pytest.Item]) -> dict[str, Any]:
    wanted = [item.key for item in items if isinstance(item, Requirement) and item.project == project]
    command = [
        sys.executable,
        "-m",
        "specwright",
        "verify",
        str(project),
        "--requirements",
        "--format",
        "json",
    ]
    for name in wanted:
        command += ["--only", name]
    # Exit code 1 is the answer that something is broken; anything worse has no answer.
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if ended.returncode > 1 or not ended.stdout:
        raise Broken(ended.stderr.strip() or f"specwright verify ended with {ended.returncode}.")
    return {found["id"]: found for found in json.loads(ended.stdout)["requirements"]}


def _told(found: dict[str, Any]) -> Iterator[str]:
    failure = found.get("failure")
    yield f"{found['key']}  {found['text'].strip().partition(chr(10))[0]}"
    if failure is None:
        yield f"{found['standing']}: {found.get('why', '')}"
        return
    yield failure["origin"]
    if found["exchanges"]:
        last = found["exchanges"][-1]
        request, answer = last["request"], last["answer"]
        yield f"> {request['method']} {request['path']}"
        if request["as"]:
            yield f"> As: {request['as']}"
        if request["body"]:
            yield f"> {request['body']}"
        if answer is not None:
            yield f"< {answer['status']} {answer['body']}"
    for difference in failure["differences"]:
        yield f"- {difference['at']}: {difference['expected']}"
        yield f"+ {difference['at']}: {difference['got']}"
    if failure["reason"]:
        yield failure["reason"]
