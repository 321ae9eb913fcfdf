"""Which of a project's files change: its specs, its app and its settings, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

_FOLDERS = ("specs", "app")
_FILES = (".env",)
#: Milliseconds of quiet that end a burst of changes, and the longest that a burst is waited for.
_QUIET, _LONGEST = 50, 400


async def changes(root: Path) -> AsyncIterator[list[str]]:
    """The changed files, relative to the root; a storm of changes comes as one batch.

    What changes while a batch is being worked on comes with the next one.
    """
    queue: asyncio.Queue[set[str]] = asyncio.Queue()
    anew = asyncio.Event()
    async with asyncio.TaskGroup() as watchers:
        tasks = [
            watchers.create_task(_watch_top(root, queue, anew)),
            watchers.create_task(_watch_folders(root, queue, anew)),
        ]
        try:
            while True:
                batch = await queue.get()
                while not queue.empty():
                    batch |= queue.get_nowait()
                yield sorted(batch)
        finally:
            for task in tasks:
                task.cancel()


async def _watch_top(root: Path, queue: asyncio.Queue[set[str]], anew: asyncio.Event) -> None:
    """The files of the root itself, and the coming and going of the folders."""

    def relevant(_change: Change, path: str) -> bool:
        return Path(path).parent == root and Path(path).name in (*_FOLDERS, *_FILES)

    async for found in awatch(root, watch_filter=relevant, recursive=False, step=_QUIET, debounce=_LONGEST):
        if any(Path(path).name in _FOLDERS and change is not Change.modified for change, path in found):
            anew.set()
        queue.put_nowait(_names(root, found))


async def _watch_folders(root: Path, queue: asyncio.Queue[set[str]], anew: asyncio.Event) -> None:
    while True:
        folders = [folder for name in _FOLDERS if (folder := root / name).is_dir()]
        if folders:
            async for found in awatch(
                *folders, watch_filter=DefaultFilter(), stop_event=anew, step=_QUIET, debounce=_LONGEST
            ):
                queue.put_nowait(_names(root, found))
        await anew.wait()
        anew.clear()


def _names(root: Path, found: set[tuple[Change, str]]) -> set[str]:
    return {Path(path).relative_to(root).as_posix() for _, path in found}
