"""Expressions in cells: parsed when read, type-checked once the whole manifest is known."""

from collections.abc import Collection
from dataclasses import dataclass

from specwright.model.errors import Origin
from specwright.model.expression import Expr, Path, walk
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import ExpressionError, parse
from specwright.model.typecheck import check_computed, check_condition, check_counted
from specwright.model.types import Type
from specwright.read.cells import expression_text
from specwright.read.mistakes import Mistakes
from specwright.read.span import Span


@dataclass(frozen=True, slots=True)
class Written:
    """An expression and where it stands."""

    text: Span
    expr: Expr

    def place(self, error: ExpressionError) -> Origin:
        """Where in the file a mistake in the expression is."""
        return self.text.at(error.column - 1)


def read_expression(cell: Span, mistakes: Mistakes, fields: Collection[str] = ()) -> Written | None:
    """The expression of a cell; None when the cell is empty or, with a mistake, not understood."""
    if not cell:
        return None
    text = expression_text(cell, mistakes)
    return parse_span(text, mistakes, fields) if text is not None else None


def parse_span(text: Span, mistakes: Mistakes, fields: Collection[str] = ()) -> Written | None:
    """The expression that a span is; None, with a mistake that may suggest a field, when it is none."""
    try:
        return Written(text, parse(text.text, fields))
    except ExpressionError as error:
        mistakes.add(text.at(error.column - 1), error.message)
        return None


def judge_condition(
    manifest: Manifest, resource: Resource, written: Written, broken: Collection[str], mistakes: Mistakes
) -> None:
    """Check that the expression is a condition on a row; fields whose own row is broken are let be."""
    if not _mentions(written.expr, broken):
        for error in check_condition(manifest, resource, written.expr):
            mistakes.add(written.place(error), error.message)


def judge_computed(
    manifest: Manifest,
    resource: Resource,
    written: Written,
    expected: Type,
    broken: Collection[str],
    mistakes: Mistakes,
) -> None:
    """Check that the expression computes a value of the type."""
    if not _mentions(written.expr, broken):
        for error in check_computed(manifest, resource, written.expr, expected):
            mistakes.add(written.place(error), error.message)


def judge_counted(
    manifest: Manifest, resource: Resource, written: Written, broken: Collection[str], mistakes: Mistakes
) -> None:
    """Check that the expression is a condition on the rows of an aggregate."""
    if not _mentions(written.expr, broken):
        for error in check_counted(manifest, resource, written.expr):
            mistakes.add(written.place(error), error.message)


def _mentions(expr: Expr, names: Collection[str]) -> bool:
    return any(name in names for node in walk(expr) if isinstance(node, Path) for name in node.names)
