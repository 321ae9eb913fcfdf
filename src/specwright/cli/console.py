"""The lines that `up` and `serve` print."""

import os
import sys
from typing import TextIO

_WIDTH = 47


def done(what: str, where: str = "") -> None:
    """A step that worked, and the place it left its result in."""
    _print(sys.stdout, "32", "✓", f"{what:<{_WIDTH}}{where}".rstrip())


def note(what: str) -> None:
    """Something to know or to do next."""
    _print(sys.stdout, "36", "→", what)


def failed(what: str) -> None:
    """Something that did not work; lines after the first are shown as they are."""
    _print(sys.stderr, "31", "✗", what)


def _print(stream: TextIO, colour: str, mark: str, text: str) -> None:
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    print(
        f"  \033[{colour}m{mark}\033[0m {text}" if coloured else f"  {mark} {text}", file=stream, flush=True
    )


def ask(question: str) -> None:
    """A question; the answer is typed on the same line."""
    print(f"  ? {question}", end="", flush=True)


def plain(text: str) -> None:
    """Lines for people and editors alike, such as `file:line:column: message`, as they are."""
    print(text, file=sys.stderr, flush=True)
