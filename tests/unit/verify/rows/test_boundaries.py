"""Values beside the constraints of a schema."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from specwright.verify.rows.boundaries import edges

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "minLength": 1, "maxLength": 3},
    {"type": "string", "pattern": "^[a-z]{2,4}$", "maxLength": 4},
    {"type": "string", "enum": ["open", "closed"]},
    {"type": "integer", "minimum": 0, "maximum": 10},
    {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10},
    {"type": "number", "minimum": 0.5, "maximum": 2.5},
    {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.25},
    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
    {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]},
    {"type": "boolean"},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_edges_are_where_the_schema_says(schema: dict[str, Any]) -> None:
    """What is inside is valid by JSON Schema, and what is outside is not."""
    validator = Draft202012Validator(schema)
    found = list(edges(schema))
    assert found
    for edge in found:
        assert validator.is_valid(edge.value) == edge.inside, edge


def test_bounds_of_openapi_3_0_are_understood() -> None:
    """There an exclusive bound is a word on the other (JSON Schema, draft 4)."""
    found = list(edges({"type": "integer", "minimum": 3, "exclusiveMinimum": True}))
    assert [(edge.value, edge.inside) for edge in found if edge.constraint != "type"] == [
        (3, False),
        (4, True),
    ]


def test_a_member_of_several_kinds_has_no_edges() -> None:
    """What is outside of one may be inside of the other."""
    assert list(edges({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer"}]})) == []
