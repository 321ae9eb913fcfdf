"""Manifests without the places they were read from, to be compared."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from specwright.model.errors import Origin


def bare(node: Any) -> Any:
    """The node without its origins."""
    if isinstance(node, tuple):
        return tuple(map(bare, node))
    if isinstance(node, Origin):
        return None
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{known.name: bare(getattr(node, known.name)) for known in fields(node)})
    return node
