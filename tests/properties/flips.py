"""Mutants of a module: one operator or SQL function at a time means something else."""

import ast
import inspect
from collections.abc import Iterator
from itertools import count
from types import ModuleType

from sqlalchemy import all_

_NAMES = {
    "and_": "or_",
    "or_": "and_",
    "true": "false",
    "false": "true",
    "any_": "all_",
    "any": "all",
    "all": "any",
    "max": "min",
    "is_": "is_not",
    "is_not": "is_",
    "is_distinct_from": "is_not_distinct_from",
    "is_not_distinct_from": "is_distinct_from",
    "char_length": "octet_length",
    "cardinality": "array_ndims",
    "lower": "upper",
    "upper": "lower",
    "abs": "sign",
    "starts_with": "strpos",
    "right": "left",
    "coalesce": "greatest",
}
_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
}


class _Flip(ast.NodeTransformer):
    """Flips the operator at one position, counting those that can be flipped."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.seen = 0
        self.flipped = ""

    def _here(self, node: ast.AST) -> bool:
        self.seen += 1
        if self.seen - 1 != self.position:
            return False
        self.flipped = ast.unparse(node)
        return True

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if type(node.ops[0]) in _OPERATORS and self._here(node):
            node.ops[0] = _OPERATORS[type(node.ops[0])]()  # type: ignore[call-overload]
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if type(node.op) in _OPERATORS and self._here(node):
            node.op = _OPERATORS[type(node.op)]()  # type: ignore[assignment]
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        if self._here(node):
            node.op = _OPERATORS[type(node.op)]()  # type: ignore[assignment]
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if self._here(node):
            return self.generic_visit(node.operand)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func
        if isinstance(called, ast.Name) and called.id in _NAMES and self._here(node):
            called.id = _NAMES[called.id]
        elif isinstance(called, ast.Attribute) and called.attr in _NAMES and self._here(node):
            called.attr = _NAMES[called.attr]
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        if self._here(node):
            node.body, node.orelse = node.orelse, node.body
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        return node


def flipped(module: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    """The module once for each operator in it, with that one flipped, and how it was written before."""
    source = inspect.getsource(module)
    for position in count():
        flip = _Flip(position)
        tree = ast.fix_missing_locations(flip.visit(ast.parse(source)))
        if not flip.flipped:
            return
        mutant = ModuleType(module.__name__)
        mutant.__dict__["all_"] = all_
        exec(compile(tree, "flipped", "exec"), mutant.__dict__)  # noqa: S102 # our own module
        yield flip.flipped, mutant
