"""Regular expressions are found where they stand in the code."""

import ast
import re

from specwright.verify.code.expressions import Expression, expressions

_CODE = r"""
import re

WORD = re.compile(r"\w+", re.IGNORECASE | re.ASCII)
LINE = re.compile("^a$", flags=re.MULTILINE)

def f(text, made):
    WORD.fullmatch(text)
    LINE.sub("", text)
    re.search("b+", text)
    re.match(made, text)
    re.escape("c+")
"""


def test_expressions_and_how_they_are_used() -> None:
    """With their lines and flags; those that are made somewhere else are not known."""
    assert list(expressions(ast.parse(_CODE))) == [
        Expression(r"\w+", 4, re.IGNORECASE | re.ASCII, "fullmatch"),
        Expression("^a$", 5, re.MULTILINE, "search"),
        Expression("b+", 10, 0, "search"),
    ]
