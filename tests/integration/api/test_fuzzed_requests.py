"""The backend against its own OpenAPI document: what that invites to, and what it does not, is sent."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from served import Served, token

pytestmark = pytest.mark.any_server

ACTIONS = ("list", "create", "read", "update", "replace", "delete")
#: A value of every type, as it is answered.
FULL = {
    "title": "\U0001f600",
    "whole": -9007199254740991,
    "price": "-99999999.99",
    "ratio": "0.9999",
    "huge": "9" * 500 + "." + "9" * 500,
    "yes": True,
    "day": "2024-02-29",
    "moment": "9999-12-31T23:59:59.999999Z",
    "serial": "0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c11",
    "mail": "ada@example.org",
    "link": "https://example.org/",
    "extra": {"a": [None, 1.5]},
    "state": "in use",
    "code": "AB1",
    "texts": ["", "x"],
    "wholes": [0],
    "prices": ["1.50"],
    "days": ["0001-01-01"],
    "moments": ["0001-01-01T00:00:00.000000Z"],
    "serials": [],
    "answers": [True, False],
}


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("action", ACTIONS)
def test_as_documented(shop: Served, action: str, mode: str) -> None:
    """Whatever is sent: a documented status, content type, header and body; never a fault."""
    # Not at the top: every other run of tests would wait for it.
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as conformance

    checks = [
        not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_headers_conformance,
        conformance.response_schema_conformance,
    ]
    document = schemathesis.openapi.from_dict(shop.backend.app.openapi())
    operation = document.find_operation_by_id(f"things-{action}")
    key = shop.person("ada").made("/things", {"name": f"{action} {mode}"})["id"]
    credential = f"Bearer {token('ada', roles=['admin'])}"
    # A list has a hundred parameters to make up.
    examples = 5 if action == "list" else 20

    @settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(
        case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)), existing=st.booleans()
    )
    def send(case: Any, existing: bool) -> None:
        if existing and "id" in case.path_parameters and action != "delete":
            case.path_parameters["id"] = key
        response = case.call(base_url=shop.url, headers={"authorization": credential})
        # `fields` leaves members out that are required otherwise; no schema can say so.
        shortened = "fields" in case.query and response.status_code in (200, 201)
        excluded = [conformance.response_schema_conformance] if shortened else []
        case.validate_response(response, checks=checks, excluded_checks=excluded)

    send()


def test_the_document_itself(specimens: Served) -> None:
    """Strict JSON and valid OpenAPI, however many digits a number has; its schemas take what is answered."""
    document = specimens.anonymous.get("//openapi.json").json()
    json.dumps(document, allow_nan=False)
    validate(document)
    components = {"components": document["components"]}
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name.startswith(("Specimen", "Problem"))
    answered = Draft202012Validator(components | {"$ref": "#/components/schemas/SpecimenPublic"})
    row = specimens.person("ada").made("/specimens", FULL)
    answered.validate(row)
    answered.validate(specimens.person("ada").made("/specimens", {}))
    Draft202012Validator(components | {"$ref": "#/components/schemas/SpecimenCreate"}).validate(FULL)
    assert {name: row[name] for name in FULL} == FULL
