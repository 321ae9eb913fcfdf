"""Values that are made up meet their schema."""

import re
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from specwright.verify.rows.bodies import CANARY, Bodies, Unfit

_texts = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={"minLength": st.integers(0, 30), "maxLength": st.integers(0, 60)},
)
_formats = st.builds(
    lambda form: {"type": "string", "format": form},
    st.sampled_from(["email", "uuid", "date", "date-time", "uri", "ipv4", "ipv6", "time"]),
)
_patterns = st.builds(
    lambda pattern: {"type": "string", "pattern": pattern},
    st.sampled_from(
        [
            r"^[A-Z]{3}-\d{4}$",
            r"^\+?[0-9][0-9 ]{4,}$",
            r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$",
            r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
            r"^#(?:[0-9a-fA-F]{3}){1,2}$",
            r"^\d{4}-\d{2}$",
            r"\S",
            "",
        ]
    ),
)
_integers = st.fixed_dictionaries(
    {"type": st.just("integer")},
    optional={
        "minimum": st.integers(-500, 500),
        "maximum": st.integers(-500, 500),
        "exclusiveMinimum": st.integers(-500, 500),
        "exclusiveMaximum": st.integers(-500, 500),
        "multipleOf": st.integers(1, 20),
    },
)
_numbers = st.fixed_dictionaries(
    {"type": st.just("number")},
    optional={
        "minimum": st.integers(-50, 50),
        "maximum": st.integers(-50, 50),
        "exclusiveMinimum": st.integers(-50, 50),
        "exclusiveMaximum": st.integers(-50, 50),
        "multipleOf": st.sampled_from([0.5, 0.25, 1, 2]),
    },
)
_plain = st.one_of(
    _texts,
    _formats,
    _patterns,
    _integers,
    _numbers,
    st.just({"type": "boolean"}),
    st.just({"const": "only"}),
    st.just({"enum": [None, "a", "b"]}),
)


def _composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.builds(
        lambda properties, some: {
            "type": "object",
            "properties": properties,
            "required": sorted(properties)[: len(properties) // 2 + some],
            "additionalProperties": False,
        },
        st.dictionaries(st.sampled_from(["name", "email", "count", "kids", "born_on"]), inner, max_size=4),
        st.integers(0, 4),
    )
    arrays = st.builds(
        lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3)
    )
    any_of = st.builds(lambda one: {"anyOf": [{"type": "null"}, one]}, inner)
    all_of = st.builds(lambda one: {"allOf": [one], "description": "said beside it"}, inner)
    return st.one_of(objects, arrays, any_of, all_of)


@given(st.recursive(_plain, _composed, max_leaves=6), st.integers(0, 3), st.booleans())
def test_every_value_meets_its_schema(schema: dict[str, Any], seed: int, full: bool) -> None:
    """Whatever a schema says, the value that is made up for it is valid; or none is found."""
    try:
        value = Bodies(Random(seed)).value(schema, full=full)
    except Unfit:
        assume(False)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 3, "maxLength": 3},
        {"type": "string", "pattern": "^[A-Z]{2}$"},
        {"type": "string", "pattern": "^(?=.*[A-Z])(?=.*\\d)(?=.*[^\\w]).+$", "minLength": 8},
        {"type": "integer", "exclusiveMinimum": 0, "multipleOf": 7},
        {"type": "integer", "minimum": 3, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
        {
            "oneOf": [
                {"type": "object", "required": ["a"], "properties": {"a": {"const": 1}}},
                {"type": "null"},
            ]
        },
        {"allOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
        {"type": ["string", "null"], "format": "uuid"},
    ],
)
def test_values_are_found_for_usual_schemas(schema: dict[str, Any]) -> None:
    """None of these is given up."""
    value = Bodies(Random(0)).value(schema)
    draft3 = schema.get("exclusiveMinimum") is True
    assert (value > 3) if draft3 else Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "string", "pattern": "^(?!)$"},
        {"type": "string", "pattern": "("},
        {"type": "string", "format": "uuid", "maxLength": 3},
    ],
)
def test_what_cannot_be_is_said_so(schema: dict[str, Any]) -> None:
    """No value is invented for a schema that allows none."""
    with pytest.raises(Unfit):
        Bodies(Random(0)).value(schema)


def test_a_schema_that_needs_itself_is_given_up() -> None:
    """A required member of its own kind has no end."""
    schema: dict[str, Any] = {"type": "object", "required": ["kid"], "properties": {}}
    schema["properties"]["kid"] = schema
    with pytest.raises(Unfit):
        Bodies(Random(0)).value(schema)


def test_texts_are_canaries_and_differ() -> None:
    """A text that turns up elsewhere is known for what it is."""
    bodies = Bodies(Random(0))
    texts = [bodies.value({"type": "string"}) for _ in range(50)]
    assert all(text.startswith(CANARY) for text in texts)
    assert len(set(texts)) == 50


def test_a_members_name_tells_what_is_meant() -> None:
    """Where the schema is silent, an address is an address."""
    bodies = Bodies(Random(0))
    assert "@" in bodies.value({"type": "string"}, "contactEmail")
    assert bodies.value({}, "website").startswith("https://")
    password = bodies.value({"type": "string"}, "new_password")
    assert all(re.search(kind, password) for kind in ("[A-Z]", "[a-z]", "[0-9]", r"\W"))


def test_the_same_seed_makes_the_same() -> None:
    """A run can be repeated."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert Bodies(Random(7)).minimal(schema) == Bodies(Random(7)).minimal(schema)


def test_numbers_are_of_everyday_life_within_the_bounds_of_a_type() -> None:
    """What is below zero, or too much to be added up, may be refused: the verdict would be luck."""
    wide = {"minimum": -(2**53), "maximum": 2**53}
    bodies = Bodies(Random(0))
    for kind in ("integer", "number"):
        assert all(0 < bodies.value({"type": kind, **wide}) < 2_000_000 for _ in range(100))
    assert -9 <= bodies.value({"type": "integer", "minimum": -9, "maximum": -3}) <= -3
