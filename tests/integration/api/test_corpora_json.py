"""The JSON corpus over a real socket: refused as it should be, or stored and answered as it was sent."""

import json
from decimal import Decimal
from typing import Any

import pytest

from corpora.corpus import cases
from served import PREFIX, Answer, Served

pytestmark = pytest.mark.any_server


def _named(tables: list[Any]) -> dict[str, Any]:
    return {"argvalues": tables, "ids": [f"{table}-{case}".replace(" ", "_") for table, case, _ in tables]}


def _send(served: Served, body: bytes) -> Answer:
    answer = served.person("ada").send("POST", "/specimens", body)
    if answer.status >= 400:
        assert {"type", "title", "status", "detail", "code", "request_id"} <= answer.json().keys()
    return answer


def _inside(text: str) -> bytes:
    return f'{{"title":"json","extra":{text}}}'.encode()


def _exact(text: bytes | str) -> Any:
    """The value with its numbers exact; Decimal knows no 1 that is not 1.0, as jsonb does not."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@pytest.mark.parametrize(("table", "case", "text"), **_named(cases("json", "refused_value")))
def test_no_json(specimens: Served, table: str, case: str, text: str) -> None:
    """400, as a member and as the whole body."""
    for body in (_inside(text), text.encode()):
        answer = _send(specimens, body)
        assert (answer.status, answer.code) == (400, "malformed"), (body, answer)


@pytest.mark.parametrize(("table", "case", "text"), **_named(cases("json", "refused_document")))
def test_no_document(specimens: Served, table: str, case: str, text: str) -> None:
    """What stands around a value makes it no JSON: 400."""
    answer = _send(specimens, text.encode())
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize(("table", "case", "text"), **_named(cases("json", "refused_hex")))
def test_no_utf_8(specimens: Served, table: str, case: str, text: str) -> None:
    """400 wherever the bytes stand: alone, in a value, in a key, behind the end."""
    raw = bytes.fromhex(text)
    for body in (raw, b'{"title":"%b"}' % raw, b'{"%b":1}' % raw, b'{"extra":["%b"]}' % raw, b"{}" + raw):
        answer = _send(specimens, body)
        assert (answer.status, answer.code) == (400, "malformed"), body


@pytest.mark.parametrize(("table", "case", "text"), **_named(cases("json", "taken_value")))
def test_json(specimens: Served, table: str, case: str, text: str) -> None:
    """Stored and answered as the same value, to the last digit; read again, the same bytes."""
    created = _send(specimens, _inside(text))
    assert created.status == 201, created
    assert _exact(created.body)["extra"] == _exact(text)
    key = created.json()["id"]
    assert specimens.person("ada").get(f"/specimens/{key}").body == created.body
    (listed,) = _exact(specimens.person("ada").get(f"/specimens?id={key}").body)["items"]
    assert listed["extra"] == _exact(text)
    whole = _send(specimens, text.encode())
    assert whole.status == (201 if text == "{}" else 422)


@pytest.mark.parametrize(("table", "case", "text"), **_named(cases("json", "refused_by_choice")))
@pytest.mark.parametrize("member", ["title", "whole", "price", "huge", "extra", "texts", "wholes", "prices"])
def test_json_that_nobody_can_keep(specimens: Served, member: str, table: str, case: str, text: str) -> None:
    """422 that names the member, or 400 for a key; zero is zero, however it is written."""
    if member.endswith("s"):
        text = f"[{text}]"
    answer = _send(specimens, f'{{"{member}":{text}}}'.encode())
    if case.startswith("zero of many zeros") and member in ("whole", "price", "huge", "wholes", "prices"):
        assert answer.status == 201
    else:
        assert answer.status == 422, answer
        assert answer.faults[0][0].split(".")[0] == member


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth(specimens: Served, opening: str, closing: str) -> None:
    """32 levels with the body around them are taken, one more is 400, and a hundred thousand are too."""
    levels = 31 // (len(opening) - opening.count('"a":') * 4)
    for depth, status in ((levels, 201), (levels + 2, 400), (100_000, 400)):
        answer = _send(specimens, _inside(opening * depth + "1" + closing * depth))
        assert answer.status == status, depth
    for unclosed in (opening * 100_000, opening * 100_000 + "1", closing * 100_000):
        assert _send(specimens, unclosed.encode()).status == 400


@pytest.mark.parametrize("member", ["title", "whole", "price", "huge", "extra", "day", "texts", "nothing"])
def test_a_megabyte_of_one_thing(specimens: Served, member: str) -> None:
    """Long numbers, strings, keys and lists are refused or taken, and never a fault."""
    n = 900_000
    for text in (
        "1" * n,
        "-" + "1" * n,
        "0." + "1" * n,
        "1." + "0" * n,
        "0." + "0" * n,
        "1e" + "1" * n,
        "1e-" + "1" * n,
        "1e" + "0" * n + "1",
        '"' + "x" * n + '"',
        '"' + "\\u0041" * (n // 6) + '"',
        "[" + ",".join("1" * (n // 2)) + "]",
        "[" + ",".join(["[]"] * (n // 3)) + "]",
        "{" + ",".join(f'"{number}":1' for number in range(n // 10)) + "}",
    ):
        answer = _send(specimens, f'{{"{member}":{text}}}'.encode())
        assert answer.status in (201, 400, 422), (text[:20], answer.status)
        assert len(answer.body) < 20_000 or answer.status == 201


def test_every_body_of_every_method(specimens: Served) -> None:
    """PATCH and PUT read bodies as POST does, and a refused one changes nothing."""
    ada = specimens.person("ada")
    made = ada.made("/specimens", {"title": "stays"})
    for _, case, text in cases("json", "refused_value", "refused_document", "refused_by_choice"):
        for method in ("PATCH", "PUT"):
            answer = ada.send(method, f"/specimens/{made['id']}", _inside(text))
            assert answer.status in (400, 422), (method, case)
    assert ada.get(f"/specimens/{made['id']}").json() == made
    assert specimens.request("GET", f"{PREFIX}/specimens?limit=1", body=b"\xff{").status == 200


def test_faults_in_a_list(specimens: Served) -> None:
    """Each faulty item is named, and of a list longer than a problem can tell, the first."""
    assert _send(specimens, b'{"texts":[1,"x",2]}').faults == [
        ("texts.0", "wrong_type"),
        ("texts.2", "wrong_type"),
    ]
    assert _send(specimens, b'{"texts":["x"%b]}' % (b",1" * 1000)).faults == [("texts.1", "wrong_type")]
