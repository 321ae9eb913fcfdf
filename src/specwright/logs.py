"""Log lines: JSON objects in production, readable ones in development; never a body, token or secret."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

#: What a log call may add to its line.
EXTRAS = ("request_id", "method", "route", "status", "milliseconds", "caller")


_ENCODE = json.JSONEncoder(ensure_ascii=True, default=str).encode


class JsonFormatter(logging.Formatter):
    """One JSON object a line; line breaks in values are escaped, so no value can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told = record.__dict__
        line |= {name: told[name] for name in EXTRAS if told.get(name) is not None}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _ENCODE(line)


class ReadableFormatter(logging.Formatter):
    """`12:00:00 info  GET /api/v1/tasks 200  1.3 ms  ada`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line for a person."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        parts = [f"{time} {record.levelname.lower():<7} {record.getMessage()}"]
        if (milliseconds := getattr(record, "milliseconds", None)) is not None:
            parts.append(f"{milliseconds} ms")
        if (caller := getattr(record, "caller", None)) is not None:
            parts.append(caller if caller.isprintable() else ascii(caller)[1:-1])
        if record.exc_info:
            parts.append("\n" + self.formatException(record.exc_info))
        return "  ".join(parts)


def configure(*, development: bool, level: str) -> None:
    """Send the log of this process to standard error, in the form of its environment."""
    handler = logging.StreamHandler()
    handler.setFormatter(ReadableFormatter() if development else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What no line of ours shows is not looked up for each: the switches of the logging HOWTO, "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
