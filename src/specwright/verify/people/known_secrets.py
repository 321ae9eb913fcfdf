"""Secrets that are no secrets: those that everybody uses, and those that stand in a project's files."""

import asyncio
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from specwright.model.errors import Origin
from specwright.verify.people.tokens import Token

#: From documentation, templates and answers on the web: one a line.
_COMMON = Path(__file__).with_name("common_secrets.txt")
#: What is never part of the project, or too large to be written by hand.
_SKIPPED = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache"})
_LARGEST = 512 * 1024
#: A literal in quotes, or what follows `=` or `:` to the end of the line.
_LITERAL = re.compile(r"""(["'])((?:(?!\1)[^\\\n]){1,512})\1|(?:=|:[ \t])[ \t]*([^\s"'#][^\n#]{0,511})""")


@cache
def common_secrets() -> tuple[str, ...]:
    """Secrets that an attacker tries first, "" among them, as they are and shouted."""
    words = _COMMON.read_text(encoding="utf-8").splitlines()
    shapes = [(word, word.upper(), word.capitalize()) for word in words]
    found = (word + ending for shape in shapes for word in shape for ending in ("", "!", "1", "123"))
    return ("", *dict.fromkeys(found))


def common_secret(token: Token) -> str | None:
    """The common secret that has signed a token; None where none has."""
    return next((word for word in common_secrets() if token.signed_with(word.encode())), None)


async def written_secret(token: Token, folder: Path) -> tuple[str, Origin] | None:
    """The text in a project's files that has signed a token, and where it stands; None where none has."""
    tried: set[str] = set()
    for file in await project_files(folder):
        for line, text in await asyncio.to_thread(_literals, file):
            if text not in tried and token.signed_with(text.encode()):
                return text, Origin(str(file.relative_to(folder)), line)
            tried.add(text)
    return None


async def project_files(folder: Path) -> list[Path]:
    """What git keeps of a folder, or would; everything where there is no git. A people.toml is ours."""
    names = await _kept(folder)
    if names is None:
        files: list[Path] = await asyncio.to_thread(lambda: list(_walked(folder)))
    else:
        files = [folder / name for name in names]
    return sorted(file for file in files if file.is_file() and file.name != "people.toml")


async def _kept(folder: Path) -> list[str] | None:
    try:
        git = await asyncio.create_subprocess_exec(
            "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
            cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return None
    said, _ = await git.communicate()
    return [name for name in said.decode().split("\0") if name] if git.returncode == 0 else None


def _walked(folder: Path) -> Iterator[Path]:
    for each in folder.iterdir():
        if each.is_dir():
            if each.name not in _SKIPPED and not each.is_symlink():
                yield from _walked(each)
        elif not each.name.startswith(".env"):
            # Without git nothing says whether it is kept; most often it is not.
            yield each


def _literals(file: Path) -> list[tuple[int, str]]:
    """Texts that stand in a file, with their lines."""
    if file.stat().st_size > _LARGEST:
        return []
    content = file.read_bytes()
    if b"\0" in content:
        return []
    found = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        for match in _LITERAL.finditer(line):
            text = (match[2] or match[3] or "").strip()
            found += [(number, text), *([(number, text[1:-1])] if text[:1] in "\"'" else [])]
    return found
