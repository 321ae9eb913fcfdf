"""`# Spec: tasks#FR-003` in Python code and tests: which requirement a line is there for."""

import os
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from specwright.model.errors import Mistake, Origin
from specwright.model.manifest import Manifest

_MARK = re.compile(r"#\s*Spec:\s*(.*)", re.IGNORECASE)
_ELSEWHERE = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A comment that names a requirement, by its id: `tasks/FR-003`."""

    requirement: str
    origin: Origin

    @property
    def tests(self) -> bool:
        """Whether it stands in a test, and so is evidence; else it only says where something is built."""
        path = Path(self.origin.file)
        return "tests" in path.parts or path.name.startswith("test_") or path.stem.endswith("_test")


def find_marks(root: Path, manifest: Manifest) -> tuple[Sequence[Mark], Sequence[Mistake]]:
    """The marks of a project's Python files in reading order, and the comments that point nowhere.

    Folders whose names begin with a dot, virtual environments and installed packages are left out; a file
    that is not Python is none that could carry a mark.
    """
    ids = {requirement.id for requirement in manifest.requirements}
    by_key: dict[str, list[str]] = {}
    for requirement in manifest.requirements:
        by_key.setdefault(requirement.key, []).append(requirement.id)
    marks, mistakes = [], []
    for file in _files(root):
        for origin, said in _comments(root, file):
            for name in (part.strip() for part in said.split(",")):
                wanted = name.replace("#", "/", 1)
                found = [wanted] if wanted in ids else by_key.get(name, [])
                if len(found) == 1:
                    marks.append(Mark(found[0], origin))
                else:
                    mistakes.append(Mistake(origin, _nowhere(name, found, ids)))
    return marks, mistakes


def _nowhere(name: str, found: Sequence[str], ids: set[str]) -> str:
    spelled = [each.replace("/", "#", 1) for each in found]
    if spelled:
        return f"{name} is a requirement of several features: write {' or '.join(spelled)}."
    close = get_close_matches(name.replace("#", "/", 1), sorted(ids), 1)
    hint = f" Did you mean {close[0].replace('/', '#', 1)}?" if close else ""
    return f"No requirement is called {name or 'nothing'}: write # Spec: FEATURE#FR-001.{hint}"


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _ELSEWHERE
            and not (Path(folder) / name / "pyvenv.cfg").exists()
        )
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".py"))


def _comments(root: Path, file: Path) -> Iterator[tuple[Origin, str]]:
    try:
        with tokenize.open(file) as lines:
            for token in tokenize.generate_tokens(lines.readline):
                found = _MARK.match(token.string) if token.type == tokenize.COMMENT else None
                if found is not None:
                    place = Origin(file.relative_to(root).as_posix(), token.start[0], token.start[1] + 1)
                    yield place, found[1]
    except (OSError, SyntaxError, UnicodeDecodeError, tokenize.TokenError):
        return
