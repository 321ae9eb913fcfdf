"""What json and lists hold: kept exactly, found by what they contain, refused with a place and a reason."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from served import Answer, Person, Served, fresh_database, serving
from specwright.api.plan import plan_request
from specwright.model.caller import Caller

SPEC = """# Boxes

| Role  | Means   |
|-------|---------|
| staff | works   |

## Box (boxes)

| Field   | Type                | Rules               |
|---------|---------------------|---------------------|
| name    | text                | required, ..20      |
| data    | json                | indexed             |
| hidden  | json                | readable by staff   |
| secrets | list of text        | readable by staff   |
| tags    | list of text        | indexed, ..4        |
| must    | list of integer     | required, 1..       |
| sizes   | list of integer     | indexed             |
| prices  | list of number(38,2) | indexed            |
| flags   | list of boolean     | indexed             |
| days    | list of date        | indexed             |
| moments | list of timestamp   | indexed             |
| serials | list of uuid        | indexed             |
| mails   | list of email       | indexed             |
| links   | list of url         | indexed             |
| kinds   | list of `a`, `b, c` | indexed             |
| marks   | list of text        | ..3, default [`a, "b"`, `it's \\ é`] |
| counts  | list of number(8,2) | default [1, -2.50] |
| empty   | list of `a`, `b`    | default [], immutable |
| parent  | Box                 | on delete clear     |
| owner   | User                | the caller          |

| Who   | May        |
|-------|------------|
| owner | everything |

### Rules

- `data is None or not contains(data, "{\\"state\\": \\"broken\\"}")`
"""
#: A value of each list, and how a query string spells it.
LISTS: dict[str, tuple[Any, str]] = {
    "tags": ('it\'s, 100% "x" \\ {é}', 'it\'s, 100% "x" \\ {é}'),
    "sizes": (9007199254740991, "9007199254740991"),
    "prices": ("123456789012345678901234567890123456.78", "123456789012345678901234567890123456.780"),
    "flags": (False, "false"),
    "days": ("2026-01-31", "2026-01-31"),
    "moments": ("2026-01-31T10:00:00.000001Z", "2026-01-31T12:00:00.000001+02:00"),
    "serials": ("0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c11", "0192A5C4-7F3E-7B1A-9C55-3D1F0A6B2C11"),
    "mails": ("ada@example.org", "ada@example.org"),
    "links": ("https://example.org/?a=b&c", "https://example.org/?a=b&c"),
    "kinds": ("b, c", "b, c"),
}
NUMBER = "12345678901234567890123456789012345678.000000000000000000000000000000000001"


@pytest.fixture(scope="module")
def boxes(database_server: str) -> Iterator[Served]:
    """Ada's boxes: one with everything, one with the least, and one beneath."""
    with fresh_database(database_server) as database, serving(SPEC, database) as served:
        ada = served.person("ada")
        data = {"color": "red", "size": {"w": 1, "h": 2.50}, "parts": ["a", {"n": [1, 2]}]}
        full = {name: [value] for name, (value, _) in LISTS.items()}
        made = ada.made("/boxes", full | {"name": "full", "must": [3], "data": data})
        assert {name: made[name] for name in full} == full
        assert made["data"] == data
        ada.made("/boxes", {"name": "bare", "must": [1, 2]})
        ada.made("/boxes", {"name": "beneath", "must": [1], "data": [1, "x"], "parent_id": made["id"]})
        yield served


def asked(person: Person, **parameters: str) -> Answer:
    """The answer to a list of boxes."""
    return person.get(f"/boxes?{urlencode(parameters)}")


def names(person: Person, **parameters: str) -> list[str]:
    """The names of the boxes that are found, which `count` counts too."""
    answer = asked(person, **parameters, count="exact", sort="name")
    assert answer.status == 200, answer
    found = answer.json()
    assert found["total"] == len(found["items"])
    return [row["name"] for row in found["items"]]


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ('{"color": "red"}', ["full"]),
        ('{"size": {"h": 2.5}}', ["full"]),
        ('{"size": {"w": 1.0, "h": 25e-1}, "color": "red"}', ["full"]),
        ('{"parts": [{"n": [2]}]}', ["full"]),
        ('{"parts": ["a", "a"]}', ["full"]),
        ('{"size": {}}', ["full"]),
        ("{}", ["full"]),
        ("[]", ["beneath"]),
        ('"x"', ["beneath"]),
        ("1.000", ["beneath"]),
        ('{"color": "Red"}', []),
        ('{"size": 1}', []),
        ('{"parts": "a"}', []),
        ("true", []),
        ("null", []),
    ],
)
def test_json_is_found_by_what_it_contains(boxes: Served, part: str, found: list[str]) -> None:
    """As PostgreSQL's `@>` has it: by parameter and by expression alike, and `not` finds all the others."""
    ada = boxes.person("ada")
    written = f"contains(data, {json.dumps(part)})"
    assert names(ada, data__contains=part) == found
    assert names(ada, filter=written) == found
    assert names(ada, filter=f"not {written}") == sorted({"full", "bare", "beneath"} - set(found))


def test_json_is_found_beyond_relations(boxes: Served) -> None:
    """To one row and to many, by parameter and by expression."""
    ada = boxes.person("ada")
    assert names(ada, parent__data__contains='{"color":"red"}') == ["beneath"]
    assert names(ada, filter="contains(boxes.data, '[1]')") == ["full"]
    assert names(ada, parent__tags__contains=LISTS["tags"][1]) == ["beneath"]


@pytest.mark.parametrize("field", LISTS)
def test_a_list_is_found_by_an_item(boxes: Served, field: str) -> None:
    """Of every type that a list can hold, read as a value of that type."""
    ada = boxes.person("ada")
    spelled = LISTS[field][1]
    literal = spelled if field in ("sizes", "prices") else json.dumps(spelled)
    literal = "False" if field == "flags" else literal
    assert names(ada, **{f"{field}__contains": spelled}) == ["full"]
    assert names(ada, filter=f"{literal} in {field}") == ["full"]
    assert names(ada, filter=f"{literal} not in {field}") == ["bare", "beneath"]
    assert names(ada, filter=f"len({field}) > 0") == ["full"]
    assert names(ada, **{f"{field}__isnull": "true"}) == ["bare", "beneath"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"data__contains": '{"color":"red"}'}, "ix_boxes_data"),
        ({"filter": """contains(data, '{"color":"red"}')"""}, "ix_boxes_data"),
        *(({f"{name}__contains": spelled}, f"ix_boxes_{name}") for name, (_, spelled) in LISTS.items()),
        ({"filter": '"x" in tags'}, "ix_boxes_tags"),
        ({"filter": "12.50 in prices"}, "ix_boxes_prices"),
    ],
)
def test_what_is_indexed_is_found_by_its_index(boxes: Served, query: dict[str, str], index: str) -> None:
    """The statement of the list can use it, with the parameters that the driver sends."""
    plan = plan_request(boxes.backend.dispatch, "GET", f"/boxes?{urlencode(query)}", Caller("ada"))

    async def explained() -> str:
        connection = await asyncpg.connect(boxes.database)
        try:
            await connection.execute("BEGIN; SET LOCAL enable_seqscan = off")
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            # Three rows are read fastest by any other way.
            for (other,) in await connection.fetch(
                "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_boxes%' AND indexname <> $1", index
            ):
                await connection.execute(f"DROP INDEX {other}")
            rows = await connection.fetch(f"EXPLAIN {plan.statement.text}", *plan.arguments)
            await connection.execute("ROLLBACK")
            return "\n".join(row[0] for row in rows)
        finally:
            await connection.close()

    assert f"Bitmap Index Scan on {index}" in asyncio.run(explained())


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "bad_format"),
        ("{", "bad_format"),
        ("red", "bad_format"),
        ("{'a': 1}", "bad_format"),
        ('{"a": NaN}', "bad_format"),
        ('{"a": 01}', "bad_format"),
        ("1 2", "bad_format"),
        ('{"a": 1, "a": 1}', "repeated"),
        ('{"a\\u0000": 1}', "invalid_character"),
        ('["\\u0000"]', "invalid_character"),
        ('"\\ud800"', "invalid_character"),
        ("[" * 33 + "]" * 33, "too_complex"),
        ("[" * 5000 + "]" * 5000, "too_complex"),
        ("1e400", "too_large"),
        ("1.5e-400", "too_large"),
        ("1e999999999999999999999", "too_large"),
        ("[" + "9" * 401 + "]", "too_large"),
    ],
)
def test_what_is_no_json_is_refused(boxes: Served, value: str, code: str) -> None:
    """With the parameter's name and the reason; in a filter with the column."""
    ada = boxes.person("ada")
    answer = asked(ada, data__contains=value)
    assert (answer.status, answer.faults) == (422, [("data__contains", code)])
    if len(value) < 1000:
        answer = asked(ada, filter=f"name == 'x' or contains(data, {json.dumps(value)})")
        assert (answer.status, answer.faults) == (422, [("filter", "bad_expression")])
        assert answer.json()["errors"][0]["column"] == 31


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"data": "{}"}, ("data", "unknown_parameter")),
        ({"data__in": "{}"}, ("data__in", "unknown_parameter")),
        ({"tags": "x"}, ("tags", "unknown_parameter")),
        ({"tags__startswith": "x"}, ("tags__startswith", "unknown_parameter")),
        ({"sizes__contains": "x"}, ("sizes__contains", "wrong_type")),
        ({"sizes__contains": "9007199254740992"}, ("sizes__contains", "too_large")),
        ({"prices__contains": "1,5"}, ("prices__contains", "wrong_type")),
        ({"flags__contains": "yes"}, ("flags__contains", "wrong_type")),
        ({"days__contains": "2026-02-30"}, ("days__contains", "bad_format")),
        ({"moments__contains": "2026-01-31T12:00:00"}, ("moments__contains", "bad_format")),
        ({"serials__contains": "1"}, ("serials__contains", "bad_format")),
        ({"kinds__contains": "c"}, ("kinds__contains", "not_a_choice")),
        ({"tags__contains": "\0"}, ("tags__contains", "invalid_character")),
        ({"hidden__contains": "{}"}, ("hidden__contains", "unknown_parameter")),
        ({"secrets__contains": "x"}, ("secrets__contains", "unknown_parameter")),
        ({"parent__hidden__contains": "{}"}, ("parent__hidden__contains", "unknown_parameter")),
        ({"filter": "contains(hidden, '{}')"}, ("filter", "bad_expression")),
        ({"filter": "'x' in secrets"}, ("filter", "bad_expression")),
        ({"filter": "contains(data, name)"}, ("filter", "bad_expression")),
        ({"filter": "contains(name, data)"}, ("filter", "bad_expression")),
        ({"filter": "contains(data, 1)"}, ("filter", "bad_expression")),
        ({"filter": "contains(data, caller.claims.x)"}, ("filter", "bad_expression")),
        ({"filter": "contains(tags, 'x')"}, ("filter", "bad_expression")),
        ({"filter": "'c' in kinds"}, ("filter", "bad_expression")),
        ({"filter": "data == '{}'"}, ("filter", "bad_expression")),
    ],
)
def test_what_cannot_be_asked_is_refused(
    boxes: Served, query: dict[str, str], fault: tuple[str, str]
) -> None:
    """An operator that there is not, a value of another type, and what the caller cannot read."""
    answer = asked(boxes.person("ada"), **query)
    assert (answer.status, answer.faults) == (422, [fault])


@pytest.mark.parametrize(("field", "type_"), [("data", "json"), ("tags", "list of text")])
def test_there_is_no_order_of_them(boxes: Served, field: str, type_: str) -> None:
    """The message says so, and does not pretend that there is no such field."""
    answer = asked(boxes.person("ada"), sort=f"-{field}")
    assert (answer.status, answer.faults) == (422, [("sort", "not_a_choice")])
    assert answer.json()["errors"][0]["message"] == f"{field} is {type_}: json and lists have no order."


def test_staff_finds_by_what_staff_reads(boxes: Served) -> None:
    """The same parameters, of whom they exist."""
    ada = boxes.person("ada", "staff")
    for query in ({"hidden__contains": "{}"}, {"secrets__contains": "x"}, {"filter": "'x' in secrets"}):
        assert asked(ada, **query).status == 200


def test_numbers_in_json_are_kept_exactly(boxes: Served) -> None:
    """Beyond every double, in and out, found by the number and not by its neighbour."""
    eve = boxes.person("eve")
    big, small = "1e399", "0." + "0" * 200 + "1"
    body = f'{{"name": "exact", "must": [1], "data": {{"n": [{NUMBER}, {big}, {small}, 9007199254740993]}}}}'
    made = eve.post("/boxes", body.encode())
    assert made.status == 201
    text = eve.get(f"/boxes/{made.json()['id']}?fields=data").body.decode()
    assert text == f'{{"data":{{"n": [{NUMBER}, 1{"0" * 399}, {small}, 9007199254740993]}}}}'
    for number in (NUMBER, big, small, "9007199254740993"):
        assert names(eve, data__contains=f'{{"n": [{number}]}}') == ["exact"]
        assert names(eve, filter=f"contains(data, '{{\"n\": [{number}]}}')") == ["exact"]
    for number in (NUMBER[:-1] + "2", "9007199254740992", "0"):
        assert names(eve, data__contains=f'{{"n": [{number}]}}') == []


@pytest.mark.parametrize("number", ["9.9e399", "-1e399", "1.5e-399", "1e-400", f"{'9' * 400}.{'9' * 400}"])
def test_the_longest_numbers_come_back(boxes: Served, number: str) -> None:
    """400 digits before the point and as many behind it; the answer may be sent again, and asked for."""
    eve = boxes.person("eve")
    made = eve.post("/boxes", f'{{"name": "long", "must": [1], "data": {number}}}'.encode())
    assert made.status == 201
    place = f"/boxes/{made.json()['id']}"
    data = eve.get(f"{place}?fields=data").body
    assert eve.send("PATCH", place, data).status == 200
    assert names(eve, data__contains=number) == ["long"]
    assert eve.delete(place).status == 204


@pytest.mark.parametrize("number", ["1e400", "12e399", "-99e399", "1.5e-400", "1" + "0" * 400])
def test_one_digit_more_is_refused_everywhere(boxes: Served, number: str) -> None:
    """In a body and in a query, however it is written."""
    eve = boxes.person("eve")
    body = f'{{"name": "long", "must": [1], "data": {number}}}'.encode()
    assert eve.post("/boxes", body).faults == [("data", "too_large")]
    assert asked(eve, data__contains=number).faults == [("data__contains", "too_large")]


def test_a_rule_may_speak_of_json(boxes: Served) -> None:
    """It is held by the statement, which says so, and by the table."""
    ada = boxes.person("ada")
    answer = ada.post("/boxes", {"name": "x", "must": [1], "data": {"state": "broken", "why": "fell"}})
    assert (answer.status, [code for _, code in answer.faults]) == (422, ["rule_violated"])
    with pytest.raises(asyncpg.CheckViolationError):
        boxes.sql('UPDATE boxes SET data = \'{"state": "broken"}\'')


@pytest.mark.parametrize(
    ("members", "faults"),
    [
        ({"must": None}, [("must", "not_null")]),
        ({"must": []}, [("must", "too_short")]),
        ({"tags": ["a"] * 5}, [("tags", "too_long")]),
        ({"tags": "a"}, [("tags", "wrong_type")]),
        ({"tags": {"0": "a"}}, [("tags", "wrong_type")]),
        ({"tags": ["a", None, "b", 1]}, [("tags.1", "not_null"), ("tags.3", "wrong_type")]),
        ({"tags": [["a"]]}, [("tags.0", "wrong_type")]),
        ({"tags": ["ж" * 626]}, [("tags.0", "too_long")]),
        ({"tags": ["a", "\0"]}, [("tags.1", "invalid_character")]),
        ({"sizes": [1, 2, 3, 1.5, 2**53]}, [("sizes.3", "wrong_type"), ("sizes.4", "too_large")]),
        ({"prices": ["1.001"]}, [("prices.0", "too_precise")]),
        ({"prices": ["1" + "0" * 36]}, [("prices.0", "too_large")]),
        ({"flags": [0]}, [("flags.0", "wrong_type")]),
        ({"days": ["2026-02-30"]}, [("days.0", "bad_format")]),
        ({"moments": ["2026-01-31T12:00:00"]}, [("moments.0", "bad_format")]),
        ({"serials": ["x"]}, [("serials.0", "bad_format")]),
        ({"mails": ["x"]}, [("mails.0", "bad_format")]),
        ({"links": ["ftp://x"]}, [("links.0", "bad_format")]),
        ({"kinds": ["c"]}, [("kinds.0", "not_a_choice")]),
    ],
)
def test_a_list_is_refused_by_the_item(boxes: Served, members: Any, faults: list[tuple[str, str]]) -> None:
    """Each faulty item at its place; the list as a whole for its length."""
    answer = boxes.person("ada").post("/boxes", {"name": "x", "must": [1]} | members)
    assert (answer.status, answer.faults) == (422, faults)


def test_the_longest_item_of_an_indexed_list_is_kept(boxes: Served) -> None:
    """Of four bytes a character, which cannot be compressed: what the API takes, the index holds."""
    longest = "".join(chr(0x10000 + number * 7919 % 0xFFFFF) for number in range(625))
    made = boxes.person("eve").made("/boxes", {"name": "long", "must": [1], "tags": [longest]})
    assert made["tags"] == [longest]
    assert names(boxes.person("eve"), tags__contains=longest) == ["long"]


def test_a_list_is_empty_or_null_as_it_was_sent(boxes: Served) -> None:
    """An empty list is a list without items; left out of a POST it is null, of a PATCH it stays."""
    eve = boxes.person("eve")
    made = eve.made("/boxes", {"name": "x", "must": [1], "tags": []})
    assert (made["tags"], made["sizes"]) == ([], None)
    path = f"/boxes/{made['id']}"
    assert eve.patch(path, {"name": "y"}).json()["tags"] == []
    assert eve.patch(path, {"tags": None}).json()["tags"] is None
    eve.delete(path)


def test_a_list_that_is_left_out_has_its_default(boxes: Served) -> None:
    """In a POST of one or many and in a PUT, over the driver and in the column itself; null is refused."""
    eve = boxes.person("defaulted")
    marks, counts = ['a, "b"', "it's \\ é"], ["1.00", "-2.50"]
    body = {"name": "x", "must": [1]}
    one = eve.made("/boxes", body)
    many = eve.post("/boxes", [body, body | {"marks": [], "empty": ["b", "a"]}]).json()["items"]
    boxes.sql("INSERT INTO boxes (name, must, owner_id) VALUES ('by hand', '{1}', 'defaulted')")
    for made in (one, many[0], eve.items("/boxes?name=by hand")[0]):
        assert (made["marks"], made["counts"], made["empty"]) == (marks, counts, [])
    assert (many[1]["marks"], many[1]["empty"]) == ([], ["b", "a"])
    path = f"/boxes/{one['id']}"
    assert eve.patch(path, {"marks": ["c"], "counts": []}).json()["marks"] == ["c"]
    assert eve.put(path, body).json()["counts"] == counts
    assert eve.patch(path, {"marks": None}).faults == [("marks", "not_null")]
    assert eve.patch(path, {"empty": ["a"]}).faults == [("empty", "immutable")]
    assert names(eve, marks__contains='a, "b"') == ["by hand", "x", "x"]


def test_a_document_describes_what_they_are_asked(boxes: Served) -> None:
    """Filters of json and lists as parameters of the list, none of them a sort key."""
    document = boxes.anonymous.get("//openapi.json").json()
    listed = document["paths"]["/api/v1/boxes"]["get"]["parameters"]
    schemas = {each["name"]: each.get("schema") for each in listed}
    assert schemas["data__contains"] == {"type": "string", "contentMediaType": "application/json"}
    assert schemas["tags__contains"] == {"type": "string"}
    assert schemas["sizes__contains"]["type"] == "integer"
    assert schemas["kinds__contains"] == {"type": "string", "enum": ["a", "b, c"]}
    assert not {"data", "tags"} & set(json.dumps(schemas["sort"]).replace("|", '"').split('"'))
    box = document["components"]["schemas"]["BoxCreate"]["properties"]
    assert box["tags"]["items"] == {"type": "string", "maxLength": 625}
    assert (box["counts"]["default"], box["empty"]["default"]) == (["1", "-2.50"], [])
    assert "marks" not in document["components"]["schemas"]["BoxCreate"]["required"]
    assert box["must"] == {
        "type": "array",
        "items": {"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1},
        "minItems": 1,
    }


def test_what_leads_too_far_is_told_where_it_does(boxes: Served) -> None:
    """Of the parameter that passes the limit, not of a filter that nobody sent."""
    ada, far = boxes.person("ada"), "parent__parent__parent__parent__"
    sort = ",".join(far + wire for wire in ("name", "owner_id", "created_at", "updated_at"))
    assert asked(ada, sort=sort).faults == [("sort", "too_complex")]
    sort = sort.rpartition(",")[0]
    assert asked(ada, sort=sort, parent__name="x").faults == [("parent__name", "too_complex")]
