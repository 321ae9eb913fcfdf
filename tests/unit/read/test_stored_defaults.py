"""Defaults of lists as databases and classes have them."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from specwright.model.expression import ListOf, Literal
from specwright.model.types import BOOLEAN, NUMBER, TEXT, Kind, Type
from specwright.read.storeddefault import Unclear, stored_default


def column(default: str) -> sa.Column[list[str]]:
    """A column with a default in SQL."""
    return sa.Column("x", ARRAY(sa.Text), server_default=sa.text(default))


@pytest.mark.parametrize(
    ("default", "item", "values"),
    [
        ("'{}'::text[]", TEXT, ()),
        ("'{}'", TEXT, ()),
        ("ARRAY[]::text[]", TEXT, ()),
        (r"""'{a,"b, c","it''s \\ \" so"}'::text[]""", TEXT, ("a", "b, c", "it's \\ \" so")),
        ("'{1.50,-2}'::numeric(8,2)[]", NUMBER, (Decimal("1.50"), Decimal(-2))),
        ("'{t,f}'::boolean[]", BOOLEAN, (True, False)),
    ],
)
def test_a_list_of_constants_is_understood(default: str, item: Type, values: tuple[object, ...]) -> None:
    """As PostgreSQL writes an array, with or without quotes around its items."""
    found = stored_default(column(default), Type(Kind.LIST, item=item))
    assert found == ListOf(tuple(map(Literal, values)))  # type: ignore[arg-type] # values of the language


def test_a_list_that_python_has_is_one() -> None:
    """Of a class, where the column has it in Python."""
    told = sa.Column("x", ARRAY(sa.Text), default=["a"])
    assert stored_default(told, Type(Kind.LIST, item=TEXT)) == ListOf((Literal("a"),))


@pytest.mark.parametrize(
    "default", ["'{{a},{b}}'::text[]", "'{a,NULL}'::text[]", "ARRAY[now()::text]", "f()"]
)
def test_another_is_told_as_unclear(default: str) -> None:
    """Nested, with an item without a value, or worked out."""
    with pytest.raises(Unclear):
        stored_default(column(default), Type(Kind.LIST, item=TEXT))
