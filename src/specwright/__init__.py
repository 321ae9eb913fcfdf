"""Specwright: a Markdown spec becomes a running backend, and the backend is proved."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specwright.app import Backend
    from specwright.session import CallerDep, SessionDep, UnscopedSessionDep, problem

__all__ = ["Backend", "CallerDep", "SessionDep", "UnscopedSessionDep", "__version__", "problem"]

__version__ = "0.1.0"

_PLACES = {
    "Backend": "app",
    "CallerDep": "session",
    "SessionDep": "session",
    "UnscopedSessionDep": "session",
    "problem": "session",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: a command line that prints a token needs no web framework.
    if name in _PLACES:
        return getattr(import_module(f"specwright.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
