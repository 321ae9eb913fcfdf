"""Log lines: JSON objects in production, readable ones in development; never a body, token or secret."""

import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import Any

#: What a log call may add to its line.
EXTRAS = (
    "request_id",
    "method",
    "route",
    "status",
    "milliseconds",
    "caller",
    "action",
    "resource",
    "key",
    "grant",
    "denied",
)


class RequestRecord(logging.LogRecord):
    """The record of one answered request.

    It has no place in the code, and what else `LogRecord` looks up would cost a request more than its line.
    """

    def __init__(self, logger: logging.Logger, message: str, told: Mapping[str, Any]) -> None:
        now = time.time()
        self.__dict__ = {
            **_NOWHERE,
            "name": logger.name,
            "msg": message,
            "created": now,
            "msecs": now % 1 * 1000,
            **told,
        }


_NOWHERE = logging.LogRecord("", logging.INFO, "", 0, "", None, None).__dict__


class JsonFormatter(logging.Formatter):
    """One JSON object a line; line breaks in values are escaped, so no value can forge a line."""

    _second = -1
    _time = ""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        told = record.__dict__
        line = (
            f'{{"time": "{self._stamp(record.created)}", "level": "{record.levelname.lower()}"'
            f', "logger": {_json(record.name)}, "message": {_json(record.getMessage())}'
        )
        for name in EXTRAS:
            if (value := told.get(name)) is not None:
                line += f', "{name}": {_json(value)}'
        if record.exc_info:
            line += f', "exception": {_json(self.formatException(record.exc_info))}'
        return line + "}"

    def _stamp(self, created: float) -> str:
        """RFC 3339 in UTC with milliseconds; all but those is worked out once a second."""
        second = int(created)
        if second != self._second:
            self._second = second
            self._time = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._time}.{int((created - second) * 1000):03}+00:00"


def _json(value: Any) -> str:
    # An encoder of its own for each line, as json.dumps makes, takes longer than the line.
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    return repr(value) if type(value) in (int, float) else json.dumps(value, default=str)


class ReadableFormatter(logging.Formatter):
    """`12:00:00 info  GET /api/v1/tasks 200  1.3 ms  ada`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line for a person."""
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        parts = [f"{at} {record.levelname.lower():<7} {record.getMessage()}"]
        if (milliseconds := getattr(record, "milliseconds", None)) is not None:
            parts.append(f"{milliseconds} ms")
        if (caller := getattr(record, "caller", None)) is not None:
            parts.append(_printable(caller))
        for name in ("key", "grant", "denied"):
            if (told := getattr(record, name, None)) is not None:
                parts.append(f"{name}: {_printable(told)}")
        if record.exc_info:
            parts.append("\n" + self.formatException(record.exc_info))
        return "  ".join(parts)


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]


def configure(*, development: bool, level: str) -> None:
    """Send the log of this process to standard error, in the form of its environment."""
    handler = logging.StreamHandler()
    handler.setFormatter(ReadableFormatter() if development else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # An audit log that a higher level silences is none.
    logging.getLogger("specwright.audit").setLevel(logging.INFO)
    # What no line of ours shows is not looked up for each: the switches of the logging HOWTO, "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
