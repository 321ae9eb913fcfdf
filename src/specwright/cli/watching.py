"""Which of a project's files change: its specs, its app and its settings, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from specwright.cli import console
from specwright.read.project import FILES

_FOLDERS = ("specs", "app")
_FILES = (".env",)
#: Milliseconds of quiet that end a burst of changes, and the longest that a burst is waited for.
_QUIET, _LONGEST = 50, 400


class Changes:
    """The files that changed and were not asked for yet, relative to the root."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._there = asyncio.Event()

    def add(self, names: set[str]) -> None:
        """These changed, too."""
        self._names |= names
        self._there.set()

    async def arrive(self) -> None:
        """Wait until something has changed, and leave it to be taken."""
        await self._there.wait()

    async def take(self) -> list[str]:
        """Wait until something has changed; a storm of changes is taken at once."""
        await self._there.wait()
        self._there.clear()
        names, self._names = self._names, set()
        return sorted(names)


class _Read(DefaultFilter):
    """What is read: of the specs their own files alone, and folders; of the app all but editors' leavings."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._specs = root / "specs"

    def __call__(self, change: Change, path: str) -> bool:
        """Whether a change counts."""
        file = Path(path)
        if self._specs in file.parents and file.name not in FILES:
            # A folder that is gone can be told from a file by its name alone.
            folder = not file.suffix if change is Change.deleted else file.is_dir()
            return folder and super().__call__(change, path)
        return super().__call__(change, path)


def lasting(root: Path, names: list[str]) -> list[str]:
    """The changed files without those that an editor made and removed; all, if there are no others."""
    return [name for name in names if (root / name).is_file()] or names


@asynccontextmanager
async def watching(root: Path) -> AsyncIterator[Changes]:
    """Watch the project for as long as the context lasts."""
    changes = Changes()
    anew = asyncio.Event()
    tasks = [
        asyncio.create_task(_told(_watch_top, root, changes, anew)),
        asyncio.create_task(_told(_watch_folders, root, changes, anew)),
    ]
    try:
        yield changes
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Watch = Callable[[Path, Changes, asyncio.Event], Awaitable[None]]


async def _told(watch: Watch, root: Path, changes: Changes, anew: asyncio.Event) -> None:
    """A system that can watch no more files, as they have a limit, does not end what is served."""
    try:
        await watch(root, changes, anew)
    except (OSError, RuntimeError) as error:
        console.failed(f"the files cannot be watched ({error}): after a change, start specwright up again")


async def _watch_top(root: Path, changes: Changes, anew: asyncio.Event) -> None:
    """The files of the root itself, and the coming and going of the folders."""

    def relevant(_change: Change, path: str) -> bool:
        return Path(path).parent == root and Path(path).name in (*_FOLDERS, *_FILES)

    async for found in awatch(root, watch_filter=relevant, recursive=False, step=_QUIET, debounce=_LONGEST):
        come_or_gone = {Path(path).name for change, path in found if change is not Change.modified}
        if come_or_gone & {*_FOLDERS}:
            anew.set()
        if names := come_or_gone | {name for name in _names(root, found) if name in _FILES}:
            changes.add(names)


async def _watch_folders(root: Path, changes: Changes, anew: asyncio.Event) -> None:
    while True:
        if folders := [folder for name in _FOLDERS if (folder := root / name).is_dir()]:
            watch = awatch(
                *folders, watch_filter=_Read(root), stop_event=anew, step=_QUIET, debounce=_LONGEST
            )
            async for found in watch:
                changes.add(_names(root, found))
        await anew.wait()
        anew.clear()


def _names(root: Path, found: set[tuple[Change, str]]) -> set[str]:
    return {Path(path).relative_to(root).as_posix() for _, path in found}
