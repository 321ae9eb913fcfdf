"""Numbers, dates, timestamps and UUIDs: the boundaries of each type, in bodies and in queries."""

import json
from decimal import Decimal
from urllib.parse import quote

import pytest

from corpora.corpus import SPEC, cases, load
from served import Answer, Served
from specwright.api.problems import FIELD_CODES
from specwright.read.spec import read_specs

pytestmark = pytest.mark.any_server

MEMBERS = ("whole", "price", "ratio", "day", "moment", "serial")
LISTS = {"whole": "wholes", "price": "prices", "day": "days", "moment": "moments", "serial": "serials"}


def _post(served: Served, member: str, text: str) -> Answer:
    return served.person("ada").send("POST", "/specimens", f'{{"{member}":{text}}}'.encode())


def _parameter(text: str) -> str | None:
    """A JSON scalar as it would stand in a query string."""
    value = json.loads(text, parse_float=str, parse_int=str)
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(
    ("table", "text", "stored"), [case for member in MEMBERS for case in cases("values", f"{member}_taken")]
)
def test_taken(specimens: Served, table: str, text: str, stored: str) -> None:
    """Taken exactly, answered in its type's one form, found by every filter, taken again as answered."""
    ada, member = specimens.person("ada"), table.removesuffix("_taken")
    answer = _post(specimens, member, text)
    assert answer.status == 201, answer
    row = answer.json()
    assert row[member] == (int(stored) if member == "whole" else stored)
    assert json.loads(ada.get(f"/specimens/{row['id']}").body) == row
    assert ada.patch(f"/specimens/{row['id']}", {member: row[member]}).json()[member] == row[member]
    for operator in ("", "__eq", "__in", "__gte", "__lte"):
        if member == "serial" and operator in ("__gte", "__lte"):
            continue
        (found,) = ada.items(f"/specimens?id={row['id']}&{member}{operator}={quote(stored)}")
        assert found[member] == row[member]
    if (list_ := LISTS.get(member)) is not None:
        made = _post(specimens, list_, f"[{text},{text}]")
        assert made.status == 201, made
        assert made.json()[list_] == [row[member]] * 2
    if (parameter := _parameter(text)) is not None and len(parameter) < 30:
        answer = ada.get(f"/specimens?id={row['id']}&{member}={quote(parameter)}")
        assert answer.status == 422 if member == "whole" and not parameter.lstrip("-").isdigit() else 200


@pytest.mark.parametrize(
    ("table", "case", "text"), [case for member in MEMBERS for case in cases("values", f"{member}_refused")]
)
def test_refused(specimens: Served, table: str, case: str, text: str) -> None:
    """422 that names the member; in a list, the item too; in a query, refused or found to be nothing."""
    member = table.removesuffix("_refused")
    answer = _post(specimens, member, text)
    assert answer.status == 422, answer
    assert [field for field, _ in answer.faults] == [member]
    if (list_ := LISTS.get(member)) is not None:
        answer = _post(specimens, list_, f"[{text}]")
        assert answer.status == 422, answer
        assert [field for field, _ in answer.faults] == [f"{list_}.0"]
    if (parameter := _parameter(text)) is not None:
        for operator in ("", "__ne", "__in", "__gt"):
            found = specimens.person("ada").get(f"/specimens?{member}{operator}={quote(parameter)}&limit=1")
            assert found.status in (200, 422), found


def test_a_number_of_a_thousand_digits(specimens: Served) -> None:
    """It is kept to the last digit, as a JSON number and as a string, and what is answered is taken again."""
    ada = specimens.person("ada")
    for text in ("9" * 500 + "." + "9" * 500, "-" + "9" * 500 + "." + "9" * 500, "0." + "0" * 499 + "1"):
        for sent in (text, f'"{text}"'):
            answer = _post(specimens, "huge", sent)
            assert answer.status == 201, answer
            row = answer.json()
            assert Decimal(row["huge"]) == Decimal(text)
            assert ada.patch(f"/specimens/{row['id']}", {"huge": row["huge"]}).status == 200
            (found,) = ada.items(f"/specimens?id={row['id']}&huge={row['huge']}")
            assert found["huge"] == row["huge"]
    assert _post(specimens, "huge", "1" + "0" * 500).status == 422
    assert _post(specimens, "huge", f'"{"1" + "0" * 500}"').status == 422


@pytest.mark.parametrize("member", ["price", "huge", "ratio"])
@pytest.mark.parametrize(
    "number",
    [
        "1e999",
        "-1e999",
        "1e-999",
        "0e999",
        "0e-999",
        "-0",
        "1" * 1000,
        "0." + "1" * 1000,
        "1e1000",
        "1" * 1001,
    ],
)
def test_numbers_in_a_query(specimens: Served, member: str, number: str) -> None:
    """A filter may ask beyond what the column can hold."""
    for operator in ("", "__ne", "__gt", "__lte", "__in"):
        answer = specimens.person("ada").get(f"/specimens?{member}{operator}={number}&limit=1&sort={member}")
        assert answer.status in (200, 422), answer


FIELDS = [
    field.wire
    for field in read_specs({"specs/it/spec.md": SPEC}).resource("Specimen").fields
    if not field.built_in
]


@pytest.mark.parametrize("field", FIELDS)
def test_every_shape_for_every_field(specimens: Served, field: str) -> None:
    """Taken, and then read again as answered, or refused with the field named."""
    ada = specimens.person("ada")
    for text in load("values")["shapes"]:
        answer = _post(specimens, field, text)
        assert answer.status in (201, 422), (text, answer)
        if answer.status == 201:
            row = answer.json()
            assert ada.get(f"/specimens/{row['id']}").json() == row
            same = text if field == "extra" else json.dumps(row[field])
            again = ada.send("PUT", f"/specimens/{row['id']}", f'{{"{field}":{same}}}'.encode())
            assert again.json()[field] == row[field], text
        else:
            assert {name.split(".")[0] for name, _ in answer.faults} == {field}
            assert {code for _, code in answer.faults} <= FIELD_CODES.keys()
