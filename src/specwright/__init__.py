"""Specwright: a Markdown spec becomes a running backend, and the backend is proved."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specwright.app import Backend

__all__ = ["Backend", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Only when asked for: a command line that prints a token needs no web framework.
    if name == "Backend":
        from specwright.app import Backend

        return Backend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
