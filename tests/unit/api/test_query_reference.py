"""docs/http.md against the query parameters that lists take."""

from pathlib import Path

import pytest

from specwright.api.parameters import LIST_PARAMETERS
from specwright.sql.query import OPERATORS

REFERENCE = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LIST_PARAMETERS)
def test_every_parameter_is_documented(name: str) -> None:
    """What a list takes besides filters is in the reference, in code."""
    assert f"`{name}" in REFERENCE


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_documented(operator: str) -> None:
    """What may stand behind a field's name is in the reference."""
    assert f"`__{operator}`" in REFERENCE or f"__{operator}=" in REFERENCE or f"__{operator} " in REFERENCE
