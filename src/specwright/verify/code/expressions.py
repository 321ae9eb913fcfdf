"""The regular expressions that stand in a module."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_METHODS = {"match", "fullmatch", "search", "findall", "finditer", "sub", "subn", "split"}


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression as it stands in the code."""

    pattern: str
    line: int
    flags: int = 0
    method: str = "match"


def expressions(tree: ast.Module) -> Iterator[Expression]:
    """Those that are given to `re` as they stand: `re.compile("…")`, `re.search("…", text)`."""
    used = dict(_used(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=name),
                args=[ast.Constant(value=str(pattern)), *rest],
            ) if name == "compile" or name in _METHODS:
                given = {each.arg: each.value for each in node.keywords}
                flags = given.get("flags") or (rest[0] if name == "compile" and rest else None)
                method = used.get((node.lineno, node.col_offset), "match") if name == "compile" else name
                yield Expression(
                    pattern,
                    node.lineno,
                    _flags(flags),
                    method if method in ("match", "fullmatch") else "search",
                )


def _used(tree: ast.Module) -> Iterator[tuple[tuple[int, int], str]]:
    """By the place of a `re.compile` that a name is given to, by which method the name is used."""
    compiled = {
        node.targets[0].id: (node.value.lineno, node.value.col_offset)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if (
                name in compiled and method in _METHODS
            ):
                yield compiled[name], method


def _flags(given: ast.expr | None) -> int:
    names = [each.attr for each in ast.walk(given) if isinstance(each, ast.Attribute)] if given else []
    return int(sum({int(getattr(re, name, 0)) for name in names}))
