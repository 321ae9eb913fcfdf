"""In the app's process: where in the app's own folder something is written, or goes on."""

import functools
import inspect
import os
from types import CodeType, FrameType, TracebackType
from typing import Any

from specwright.model.errors import Origin

#: Folders inside of an app's that hold other people's code.
_FOREIGN = {"site-packages", "dist-packages", ".venv", "venv", "node_modules", ".tox", ".nox"}


class Sources:
    """The app's folder."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.realpath(folder)
        self._names: dict[str, str | None] = {}

    def relative(self, file: str) -> str | None:
        """A file's name within the folder; None where it is not the app's own."""
        if file not in self._names:
            self._names[file] = self._relative(file)
        return self._names[file]

    def _relative(self, file: str) -> str | None:
        if file.startswith("<"):  # frozen, or made of a string
            return None
        if not os.path.isabs(file) and not os.path.isfile(file):  # of a C extension, as its author called it
            return None
        path = os.path.realpath(file)
        if not path.startswith(self.folder + os.sep):
            return None
        name = path[len(self.folder) + 1 :]
        return None if _FOREIGN & set(name.split(os.sep)) else name

    def of(self, thing: Any) -> Origin | None:
        """Where a function, a class, or an object that is called, is defined."""
        while True:
            if isinstance(thing, functools.partial):
                thing = thing.func
            elif hasattr(thing, "__wrapped__"):
                thing = thing.__wrapped__
            elif inspect.ismethod(thing):
                thing = thing.__func__
            else:
                break
        code = getattr(thing, "__code__", None)
        if isinstance(code, CodeType):
            file, line = code.co_filename, code.co_firstlineno
        else:
            cls = thing if inspect.isclass(thing) else type(thing)
            try:
                file = inspect.getsourcefile(cls) or ""
                line = inspect.getsourcelines(cls)[1]
            except (OSError, TypeError):
                return None
        name = self.relative(file)
        return Origin(name, line) if name is not None else None

    def at(self, frame: FrameType | None) -> str | None:
        """The innermost place of the app's in a stack: `app/orders.py:12`."""
        while frame is not None:
            name = self.relative(frame.f_code.co_filename)
            if name is not None:
                return f"{name}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def raised_at(self, trace: TracebackType | None) -> str | None:
        """The innermost place of the app's that an exception came through."""
        found = None
        while trace is not None:
            name = self.relative(trace.tb_frame.f_code.co_filename)
            found = f"{name}:{trace.tb_lineno}" if name is not None else found
            trace = trace.tb_next
        return found

    def sentence(self, error: BaseException) -> str:
        """`ValueError: no such thing at app/orders.py:12`, on one line."""
        message = " ".join(str(error).split()).rstrip(".")
        said = f"{type(error).__name__}: {message}" if message else type(error).__name__
        place = self.raised_at(error.__traceback__)
        return f"{said} at {place}" if place else said
