"""The OpenAPI document is valid, complete, and says what the validators do."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from specwright.api.body import Bodies
from specwright.api.openapi import build
from specwright.api.operators import KIND_OPERATORS
from specwright.api.problems import FIELD_CODES, FieldError, Problem, body, validation
from specwright.model.manifest import Manifest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.read.spec import read_specs
from specwright.sql.members import ALL


@pytest.fixture(scope="session")
def document(manifest: Manifest) -> dict[str, Any]:
    """The document of the manifest of this folder."""
    return build(manifest, title="Things", version="1", development_people=("ada", "bob"))


def _schema(document: dict[str, Any], name: str) -> Any:
    return Draft202012Validator(document["components"]["schemas"][name])


def test_it_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    """Judged by somebody else's validator, after a trip through JSON."""
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()


def test_operation_ids_are_stable(document: dict[str, Any]) -> None:
    """Client generators name their functions by them; what nobody may do is left out."""
    found = {
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    }
    assert found == {
        *(f"things-{action}" for action in ("list", "create", "read", "update", "replace", "delete")),
        *(f"things-{action}-many" for action in ("update", "delete")),
        *(f"users-{action}" for action in ("create", "read", "update", "replace", "update-many")),
        "health-live",
        "health-ready",
    }


def test_many_rows_at_once(document: dict[str, Any]) -> None:
    """A create takes an array, too; a change of many says which, and how many they may be."""
    things = document["paths"]["/api/v1/things"]
    (content,) = things["post"]["requestBody"]["content"].values()
    one, many = content["schema"]["oneOf"]
    assert (many["type"], many["items"]) == ("array", one)
    for method in ("patch", "delete"):
        parameters = {found["name"]: found for found in things[method]["parameters"]}
        assert parameters["max_affected"]["required"]
        assert {"filter", "If-Match"} <= parameters.keys()
        assert not {"limit", "cursor", "sort", "fields"} & parameters.keys()
        assert things[method]["responses"]["200"]["content"]["application/json"]["schema"]["required"] == [
            "affected"
        ]


def test_a_credential_is_optional_where_anyone_may_go(document: dict[str, Any]) -> None:
    """Elsewhere the bearer token is needed."""
    things = document["paths"]["/api/v1/things"]
    assert {} in things["get"]["security"]
    assert "security" not in things["post"]
    assert document["security"] == [{"bearer": []}]
    assert "ada, bob" in document["components"]["securitySchemes"]["bearer"]["description"]


def test_every_route_with_a_row_in_its_answer_takes_fields(document: dict[str, Any]) -> None:
    """What may be asked of a read may be asked of a write; a delete has nothing to show."""
    items = {**document["paths"]["/api/v1/things/{id}"], "post": document["paths"]["/api/v1/things"]["post"]}
    names = {
        method: {parameter["name"] for parameter in items[method]["parameters"]}
        for method in ("get", "post", "patch", "put", "delete")
    }
    assert [method for method, found in names.items() if "fields" not in found] == ["delete"]
    assert all("If-Match" in names[method] for method in ("patch", "put", "delete"))


def test_every_filter_is_documented(document: dict[str, Any], thing: Resource) -> None:
    """Each operator of each readable field, and no field that nobody may read."""
    parameters = document["paths"]["/api/v1/things"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters}
    assert {
        "limit",
        "cursor",
        "offset",
        "sort",
        "fields",
        "count",
        "filter",
        "due__gte",
        "status__in",
        "owner_id",
    } <= names
    assert not {name for name in names if name.startswith(("secret", "import_key", "version"))}
    expected = sum(
        len(KIND_OPERATORS[field.type.kind])
        for field in thing.fields
        if field.wire not in ("secret", "import_key", "version")
    )
    assert len(parameters) == len(names) == 7 + expected


def test_searches_and_orders_are_documented(manifest: Manifest, thing: Resource) -> None:
    """`q` where something is searchable; a sort key may go on beyond a reference and say where nulls go."""
    searched = replace(
        thing, fields=tuple(replace(each, searchable=each.name == "note") for each in thing.fields)
    )
    hop = Relation("parent", "Thing", "Thing", "parent", many=False)
    others = (each for each in manifest.resources if each.name != "Thing")
    changed = replace(manifest, resources=(*others, replace(searched, relations=(hop,))))
    document = build(changed, title="Things", version="1")
    parameters = {each["name"]: each for each in document["paths"]["/api/v1/things"]["get"]["parameters"]}
    assert "note" in parameters["q"]["description"]
    assert parameters["filter"]["schema"]["maxLength"] == 2000
    pattern = parameters["sort"]["schema"]["items"]["anyOf"][1]["pattern"]
    for key in ("title", "-due__nulls_last", "parent__title", "-parent__owner_id__nulls_first"):
        assert re.search(pattern, key), key
    for key in ("labels", "secret", "parent", "--title", "title__nulls"):
        assert not re.search(pattern, key), key


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("title", {"type": "string", "minLength": 1, "maxLength": 20, "description": "What it is called."}),
        ("note", {"type": ["string", "null"], "maxLength": 10_000}),
        ("status", {"type": "string", "enum": ["todo", "in progress", "done"], "default": "todo"}),
        ("priority", {"type": "integer", "minimum": 0, "maximum": 5, "default": 0}),
        ("due", {"type": ["string", "null"], "format": "date-time"}),
        (
            "labels",
            {"type": ["array", "null"], "items": {"type": "string", "maxLength": 10000}, "maxItems": 3},
        ),
        ("secret", {"type": ["string", "null"], "maxLength": 10_000, "writeOnly": True}),
    ],
)
def test_schemas_are_exact(document: dict[str, Any], name: str, schema: dict[str, Any]) -> None:
    """Bounds, choices, defaults and nulls stand where generators look for them."""
    assert document["components"]["schemas"]["ThingCreate"]["properties"][name] == schema


def test_what_each_body_may_hold(document: dict[str, Any]) -> None:
    """Nothing read-only in create and update, all that was read in replace, no secret in the answer."""
    schemas = document["components"]["schemas"]
    create, update, replace, public = (
        schemas[f"Thing{name}"]["properties"] for name in ("Create", "Update", "Replace", "Public")
    )
    assert not {"id", "created_at", "owner_id", "import_key"} & set(create)
    assert set(update) == set(create)
    assert replace["id"]["readOnly"] and replace["owner_id"]["readOnly"]
    assert "secret" not in public and "import_key" not in public
    assert schemas["ThingCreate"]["required"] == ["title"]
    assert "required" not in schemas["ThingUpdate"]
    assert "insurance" not in schemas["ThingPublic"]["required"]
    assert schemas["UserCreate"]["required"] == ["id", "name"]


@pytest.mark.parametrize(
    "member",
    [
        {"title": "x" * 20},
        {"title": "x" * 21},
        {"title": ""},
        {"title": None},
        {"note": None},
        {"code": "A12"},
        {"status": "done"},
        {"status": "bought"},
        {"priority": 5},
        {"priority": 6},
        {"priority": 1.0},
        {"priority": 1.5},
        {"size": 2**53},
        {"fee": "12.50"},
        {"fee": "12.505"},
        {"fee": 12.5},
        {"fee": 5001},
        {"fee": -1},
        {"fee": "1234567"},
        {"done": 1},
        {"labels": ["a"] * 4},
        {"labels": ["a", None]},
        {"keeper_id": ""},
        {"colour": "red"},
        {"id": "x"},
        {"data": [1, {"a": None}]},
    ],
)
def test_schema_and_validator_agree(
    manifest: Manifest, thing: Resource, document: dict[str, Any], member: Any
) -> None:
    """What the document says is valid is accepted, and what it says is not is refused."""
    sent = {"title": "x"} | member
    try:
        Bodies(manifest).read(thing, "create", ALL, json.dumps(sent).encode(), "application/json")
        accepted = True
    except Problem:
        accepted = False
    assert _schema(document, "ThingCreate").is_valid(sent) == accepted


def test_problems_are_as_documented(document: dict[str, Any]) -> None:
    """A problem with every field code fits the schema."""
    problem = validation([FieldError("title", code, "No.") for code in FIELD_CODES])
    _schema(document, "Problem").validate(json.loads(body(problem, "r")))


def test_problems_of_the_apps_own_code_are_as_documented(document: dict[str, Any]) -> None:
    """A code that only the app knows fits the schema, of the whole and of a field."""
    problem = Problem("never_due", "No.", errors=[FieldError("due", "never_due", "No.")], status=409)
    _schema(document, "Problem").validate(json.loads(body(problem, "r")))


MOVING = """
## Case

| Field | Type                     | Rules          |
|-------|--------------------------|----------------|
| state | `open`, `held`, `closed` | default `open` |
| due   | timestamp                |                |
| taken | integer                  | count of steps |
| late  | boolean                  | = `due < now()` |

| Field | Moves                        | Who       |
|-------|------------------------------|-----------|
| state | open → held, held → closed   | signed in |

| Who       | May                |
|-----------|--------------------|
| signed in | list, read, create |

## Step

| Field | Type | Rules             |
|-------|------|-------------------|
| case  | Case | on delete cascade |
"""


def test_moves_and_calculated_fields() -> None:
    """A PATCH that only moves is an operation; a body says where a state begins and where it goes."""
    document = build(read_specs({"specs/cases/spec.md": MOVING}), title="Cases", version="1")
    assert set(document["paths"]["/api/v1/cases/{id}"]) >= {"get", "patch"}
    assert "put" not in document["paths"]["/api/v1/cases/{id}"]
    schemas = document["components"]["schemas"]
    create, update = (schemas[f"Case{name}"]["properties"] for name in ("Create", "Update"))
    assert create["state"]["enum"] == ["open"]
    assert update["state"]["enum"] == ["open", "held", "closed"]
    assert update["state"]["description"] == "Stays, or moves: open → held, held → closed."
    assert "taken" not in create and "late" not in update
    public = schemas["CasePublic"]["properties"]
    assert public["taken"] == {
        "type": "integer",
        "readOnly": True,
        "description": "Worked out whenever it is asked for.",
    }
    assert public["late"]["type"] == "boolean"
    parameters = {known["name"]: known for known in document["paths"]["/api/v1/cases"]["get"]["parameters"]}
    assert {"taken__gte", "late"} <= set(parameters)
    sortable = parameters["sort"]["schema"]["items"]["anyOf"][0]["enum"]
    assert "-taken" in sortable and "late" not in sortable


def test_relations_are_described() -> None:
    """Their lists, their links where a row has them, what may be included, and ids in bodies alone."""
    spec = (
        "## Tag\n\n| Field | Type | Rules |\n|--|--|--|\n| name | text | ..9 |\n\n| Who | May |\n|--|--|\n"
        "| anyone | list, read |\n\n## Task\n\n| Field | Type | Rules |\n|--|--|--|\n| tags | many Tag | |\n"
        "| below | many Task | |\n\n| Who | May |\n|--|--|\n| anyone | read |\n| signed in | update |\n"
    )
    document = build(read_specs({"specs/it/spec.md": spec}), title="It", version="1")
    OpenAPIV31SpecValidator(document).validate()
    beneath = {path: set(found) - {"parameters"} for path, found in document["paths"].items() if "}/" in path}
    assert beneath == {
        "/api/v1/tags/{id}/tasks": {"get"},
        "/api/v1/tasks/{id}/tags": {"get"},
        "/api/v1/tasks/{id}/tags/{tag_id}": {"put", "delete"},
        "/api/v1/tasks/{id}/below": {"get"},
        "/api/v1/tasks/{id}/below/{task_id}": {"put", "delete"},
        "/api/v1/tasks/{id}/tasks": {"get"},
    }
    schemas = document["components"]["schemas"]
    assert schemas["TaskUpdate"]["properties"]["tag_ids"]["writeOnly"]
    assert "tag_ids" not in schemas["TaskPublic"]["properties"]
    assert schemas["TaskPublic"]["properties"].keys() > {"tags", "below", "tasks"}
    read = document["paths"]["/api/v1/tags/{id}"]["get"]["parameters"]
    assert [known["name"] for known in read if known["name"] == "include"] == ["include"]
