"""In the app's process: what is logged and printed, line by line, with the request it belongs to."""

import io
import logging
import sys
import threading
from typing import Any, TextIO

from specwright.verify.stage.record import Record
from specwright.verify.stage.source import Sources


def listen(record: Record, sources: Sources) -> None:
    """Hear every logger, whatever handlers the app gives or takes from it, and what is printed."""
    call = logging.Logger.callHandlers
    written = logging.Formatter("%(levelname)s %(name)s %(message)s")

    def heard(self: logging.Logger, entry: logging.LogRecord) -> Any:
        place = sources.at(sys._getframe())
        try:
            record.log(written.format(entry), place)
        except Exception as error:  # the arguments do not fit the message: logging itself only prints that
            record.log(f"{entry.levelname} {entry.name} {entry.msg} ({error})", place)
        _logging.now = True
        try:
            return call(self, entry)
        finally:
            _logging.now = False

    logging.Logger.callHandlers = heard  # type: ignore[method-assign, assignment]
    sys.stdout = _Heard(sys.stdout, record, sources)
    sys.stderr = _Heard(sys.stderr, record, sources)


#: Whether a handler of this thread is at work: what it prints has been heard already.
_logging = threading.local()


class _Heard(io.TextIOBase):
    """A stream that is listened to."""

    def __init__(self, stream: TextIO, record: Record, sources: Sources) -> None:
        self._stream = stream
        self._record = record
        self._sources = sources
        #: By thread: the two halves of a line belong together.
        self._begun = threading.local()

    def write(self, text: str) -> int:
        *lines, self._begun.line = (getattr(self._begun, "line", "") + text).split("\n")
        for line in lines:
            if line.strip() and not getattr(_logging, "now", False):
                self._record.log(line, self._sources.at(sys._getframe()))
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def buffer(self) -> Any:
        """Bytes go past us, to the parent's ears only."""
        return self._stream.buffer
