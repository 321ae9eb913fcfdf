"""Specwright: a Markdown spec becomes a running backend, and the backend is proved."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specwright.app import Backend
    from specwright.read.declared import allow, anyone, named, owner, role, signed_in
    from specwright.session import CallerDep, SessionDep, UnscopedSessionDep, after_commit, problem

__all__ = [
    "Backend",
    "CallerDep",
    "SessionDep",
    "UnscopedSessionDep",
    "__version__",
    "after_commit",
    "allow",
    "anyone",
    "named",
    "owner",
    "problem",
    "role",
    "signed_in",
]

__version__ = "0.1.0"

_PLACES = {
    "Backend": "app",
    "CallerDep": "session",
    "SessionDep": "session",
    "UnscopedSessionDep": "session",
    "after_commit": "session",
    "allow": "read.declared",
    "anyone": "read.declared",
    "named": "read.declared",
    "owner": "read.declared",
    "problem": "session",
    "role": "read.declared",
    "signed_in": "read.declared",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: a command line that prints a token needs no web framework.
    if name in _PLACES:
        return getattr(import_module(f"specwright.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
