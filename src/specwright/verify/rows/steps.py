"""Places within a body, by the steps that lead there: names of members, and numbers of items."""

from typing import Any

from specwright.verify.surface.schemas import element, members
from specwright.verify.surface.surface import Schema

Steps = tuple[str | int, ...]


def schema_at(schema: Schema, steps: Steps) -> Schema:
    for step in steps:
        inner = element(schema) if isinstance(step, int) else members(schema).get(step)
        schema = inner if inner is not None else {}
    return schema


def at(body: Any, steps: Steps) -> Any:
    for step in steps:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def put(body: Any, steps: Steps, value: Any) -> bool:
    """Whether there is such a place."""
    inner = at(body, steps[:-1])
    if isinstance(inner, dict) and isinstance(steps[-1], str):
        inner[steps[-1]] = value
        return True
    if isinstance(inner, list) and isinstance(steps[-1], int) and steps[-1] < len(inner):
        inner[steps[-1]] = value
        return True
    return False


def remove(body: Any, steps: Steps) -> bool:
    inner = at(body, steps[:-1])
    if isinstance(inner, dict) and steps[-1] in inner:
        del inner[steps[-1]]
        return True
    return False
