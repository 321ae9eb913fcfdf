"""Bodies that nobody should send: each is refused with the fault named, over a real socket."""

import json
from typing import Any

import pytest

from served import PREFIX, Served, token

pytestmark = pytest.mark.any_server

TOO_BIG = 2**53


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"name": "x",}',
        b"{'name': 'x'}",
        b'{"name": "x"} {}',
        b'{"name": "x" "amount": 1}',
        b'{"amount": 01}',
        b'{"amount": +1}',
        b'{"amount": .5}',
        b'{"amount": 0x10}',
        b'{"name": "a\nb"}',
        b'{"name": "\\x41"}',
        b"\xef\xbb\xbf{}",
        b'{"name": "\xff"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\xc0\x80"}',
        '{"name": "x"}'.encode("utf-16"),
        b"name=x",
        b"[" * 100_000,
        b'{"extra": ' + b"[" * 40 + b"]" * 40 + b', "name": "x"}',
    ],
)
def test_malformed_json(shop: Served, body: bytes) -> None:
    """What is not JSON in UTF-8 without a byte order mark, or is nested too deeply, is 400."""
    answer = shop.person("ada").send("POST", "/things", body)
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "nan", "1e", "--1"])
@pytest.mark.parametrize("member", ["amount", "price", "extra"])
def test_what_only_python_takes_for_a_number(shop: Served, member: str, number: str) -> None:
    """NaN and the infinities are no JSON."""
    body = b'{"name": "x", "%s": %s}' % (member.encode(), number.encode())
    answer = shop.person("ada").send("POST", "/things", body)
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize(
    "body",
    ['{"name": "a", "name": "b"}', '{"name": "a", "extra": {"k": 1, "k": 1}}', '{"x": 1, "\\u0078": 2}'],
)
def test_duplicate_keys(shop: Served, body: str) -> None:
    """Two members of one name, at any depth and however spelled, are 400: two readers might differ."""
    answer = shop.person("ada").send("POST", "/things", body.encode())
    assert (answer.status, answer.code) == (400, "malformed")
    assert "twice" in answer.json()["detail"]


@pytest.mark.parametrize("body", ["1", "null", '"x"', "true"])
def test_not_an_object(shop: Served, body: str) -> None:
    """A body of one row is an object."""
    answer = shop.person("ada").send("POST", "/things", body.encode())
    assert answer.status == 422
    assert answer.faults == [("", "wrong_type")]


@pytest.mark.parametrize(
    "header",
    [
        [],
        ["content-type: text/plain"],
        ["content-type: application/x-www-form-urlencoded"],
        ["content-type: multipart/form-data; boundary=x"],
        ["content-type: application/jsonp"],
        ["content-type: application/merge-patch+json"],
        ["content-type: application/json; charset=latin-1"],
        ["content-type: application/json, text/plain"],
        ["content-type:"],
        ["content-type: application/json", "content-encoding: br"],
    ],
)
def test_wrong_content_type(shop: Served, header: list[str]) -> None:
    """Only JSON in UTF-8, as it is or in gzip; a merge patch is for PATCH alone."""
    answer = shop.request("POST", f"{PREFIX}/things", *header, body=b'{"name": "x"}')
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "header",
    [
        "application/json",
        "Application/JSON",
        'application/json;charset="UTF-8"',
        "application/json ; charset=utf-8",
    ],
)
def test_right_content_type(shop: Served, header: str) -> None:
    """Media types know no case, and UTF-8 may be named."""
    answer = shop.request("POST", f"{PREFIX}/things", f"content-type: {header}", body=b'{"name": "x"}')
    assert answer.status == 201


BAD_VALUES: list[tuple[str, Any, str]] = [
    ("name", None, "not_null"),
    ("name", 1, "wrong_type"),
    ("name", True, "wrong_type"),
    ("name", ["x"], "wrong_type"),
    ("name", {"x": 1}, "wrong_type"),
    ("name", "", "too_short"),
    ("name", "x" * 41, "too_long"),
    ("name", "a\0b", "invalid_character"),
    ("name", "\ud800", "invalid_character"),
    ("name", "\udc00\ud800", "invalid_character"),
    ("code", "ab1", "pattern_mismatch"),
    ("code", "AB1\n", "pattern_mismatch"),
    ("code", "XAB1", "pattern_mismatch"),
    ("amount", None, "not_null"),
    ("amount", -1, "too_small"),
    ("amount", 1001, "too_large"),
    ("amount", 1.5, "wrong_type"),
    ("amount", "1", "wrong_type"),
    ("amount", True, "wrong_type"),
    ("amount", [], "wrong_type"),
    ("big", TOO_BIG, "too_large"),
    ("big", -TOO_BIG, "too_small"),
    ("big", 2**63, "too_large"),
    ("big", 10**400, "too_large"),
    ("price", "1.234", "too_precise"),
    ("price", "123456789.00", "too_large"),
    ("price", "-123456789", "too_small"),
    ("price", "NaN", "wrong_type"),
    ("price", "Infinity", "wrong_type"),
    ("price", "1,5", "wrong_type"),
    ("price", "0x10", "wrong_type"),
    ("price", " 1", "wrong_type"),
    ("price", "1_0", "wrong_type"),
    ("price", "١", "wrong_type"),
    ("price", True, "wrong_type"),
    ("sold", "true", "wrong_type"),
    ("sold", 1, "wrong_type"),
    ("sold", None, "not_null"),
    ("made", "2026-02-30", "bad_format"),
    ("made", "2026-2-3", "bad_format"),
    ("made", "0000-01-01", "bad_format"),
    ("made", "10000-01-01", "bad_format"),
    ("made", "-0001-01-01", "bad_format"),
    ("made", "20260101", "bad_format"),
    ("made", "2026-W01-1", "bad_format"),
    ("made", "2026-01-01T00:00:00Z", "bad_format"),
    ("made", "infinity", "bad_format"),
    ("made", "today", "bad_format"),
    ("made", 20260101, "wrong_type"),
    ("due", "2026-01-01T00:00:00", "bad_format"),
    ("due", "2026-01-01 00:00", "bad_format"),
    ("due", "2026-01-01", "bad_format"),
    ("due", "2026-01-01T24:00:00Z", "bad_format"),
    ("due", "2026-01-01T00:00:60Z", "bad_format"),
    ("due", "2026-01-01T00:00:00+24:00", "bad_format"),
    ("due", "2026-01-01T00:00:00.1234567Z", "bad_format"),
    ("due", "0001-01-01T00:00:00+14:00", "bad_format"),
    ("due", "9999-12-31T23:59:59-01:00", "bad_format"),
    ("due", "infinity", "bad_format"),
    ("due", "now", "bad_format"),
    ("due", 1735689600, "wrong_type"),
    ("serial", "not-a-uuid", "bad_format"),
    ("serial", "{01a1fb4a-9299-714f-9210-30d2911da5bb}", "bad_format"),
    ("serial", "01a1fb4a9299714f921030d2911da5bb", "bad_format"),
    ("serial", "urn:uuid:01a1fb4a-9299-714f-9210-30d2911da5bb", "bad_format"),
    ("serial", 1, "wrong_type"),
    ("mail", "nobody", "bad_format"),
    ("mail", "a@b", "bad_format"),
    ("mail", "a@b.c\n", "bad_format"),
    ("mail", "a" * 250 + "@b.cd", "bad_format"),
    ("link", "javascript:alert(1)", "bad_format"),
    ("link", "/relative", "bad_format"),
    ("link", "https://example.org/a b", "bad_format"),
    ("link", "https://example.org/\n", "bad_format"),
    ("state", "old", "not_a_choice"),
    ("state", "New", "not_a_choice"),
    ("state", "new ", "not_a_choice"),
    ("state", None, "not_null"),
    ("state", 1, "wrong_type"),
    ("labels", "x", "wrong_type"),
    ("labels", ["x", 1], "wrong_type"),
    ("labels", ["x", None], "not_null"),
    ("labels", ["x"] * 6, "too_long"),
    ("labels", ["a\0"], "invalid_character"),
    ("labels", [["x"]], "wrong_type"),
    ("extra", {"a": "\0"}, "invalid_character"),
    ("extra", {"\ud800": 1}, "invalid_character"),
    ("checked", None, "not_null"),
    ("shelf_id", "x", "bad_format"),
    ("shelf_id", 1, "wrong_type"),
    ("shelf_id", "01a1fb4a-9299-714f-9210-30d2911da5bb", "reference_not_found"),
    ("stamp", "x", "read_only"),
    ("id", "01a1fb4a-9299-714f-9210-30d2911da5bb", "read_only"),
    ("created_at", "2026-01-01T00:00:00Z", "read_only"),
    ("owner_id", "bob", "read_only"),
    ("owner_id", "ada", "read_only"),
    ("owner", "bob", "unknown_member"),
    ("shelf", "01a1fb4a-9299-714f-9210-30d2911da5bb", "unknown_member"),
    ("secret", "x", "unknown_member"),
    ("version", 7, "unknown_member"),
    ("margin", 1, "unknown_member"),
    ("nmae", "x", "unknown_member"),
    ("", "x", "unknown_member"),
    ("__proto__", {}, "unknown_member"),
    ("x" * 100_000, 1, "unknown_member"),
    ("\r\nset-cookie: a=b\0\ud800", 1, "unknown_member"),
]


@pytest.mark.parametrize(("member", "value", "code"), BAD_VALUES, ids=lambda part: ascii(part)[:40])
def test_a_bad_member_is_named(shop: Served, member: str, value: Any, code: str) -> None:
    """On create and on change alike: 422 and the one member at fault."""
    ada = shop.person("ada", "buyer")
    if member == "checked":
        ada = shop.person("ada", "admin")
    body = {"name": "x", member: value}
    created = ada.post("/things", body)
    assert created.status == 422, created
    ((field, found),) = created.faults
    assert found == code
    assert len(member) > 100 or field.split(".")[0] == member.translate(
        {0: 0xFFFD, 10: 0xFFFD, 13: 0xFFFD, 0xD800: 0xFFFD}
    )
    row = ada.made("/things", {"name": "x"})
    changed = ada.patch(f"/things/{row['id']}", {member: value})
    assert (changed.status, changed.faults) == (422, [(field, code)]), changed


def test_every_fault_at_once(shop: Served) -> None:
    """A form is corrected in one go; more than fifty faults are cut."""
    answer = shop.person("ada").post("/things", {"amount": -1, "state": "old", "nmae": "x"})
    assert sorted(answer.faults) == [
        ("amount", "too_small"),
        ("name", "required"),
        ("nmae", "unknown_member"),
        ("state", "not_a_choice"),
    ]
    assert "Did you mean name?" in answer.body.decode()
    many = shop.person("ada").post("/things", {f"m{n}": n for n in range(1000)})
    assert len(many.faults) == 50


@pytest.mark.parametrize("number", ["1e401", "-1e401", "1e9999999999999999999", "1" * 5000])
@pytest.mark.parametrize("member", ["amount", "big", "price", "extra"])
def test_numbers_beyond_every_type(shop: Served, member: str, number: str) -> None:
    """They are JSON, and too large; none is read as infinity, and none costs time."""
    answer = shop.person("ada").send("POST", "/things", f'{{"name": "x", "{member}": {number}}}'.encode())
    assert answer.status == 422
    assert answer.faults in ([(member, "too_large")], [(member, "too_small")])


@pytest.mark.parametrize("number", ["1e-400", "1E-2", "100e-2"])
def test_exact_numbers(shop: Served, number: str) -> None:
    """A number is judged by its digits, not by what a float makes of it."""
    answer = shop.person("ada").send("POST", "/things", f'{{"name": "x", "price": {number}}}'.encode())
    expected = {"1e-400": 422, "1E-2": "0.01", "100e-2": "1.00"}[number]
    assert (answer.json().get("price") or answer.status) == expected


def test_no_float_anywhere(shop: Served) -> None:
    """number(p,s) comes back digit by digit, as a string; numbers in json keep their digits too."""
    ada = shop.person("ada")
    answer = ada.send(
        "POST",
        "/things",
        b'{"name": "x", "price": 12345678.91, "extra": {"n": 0.1000000000000000055511151231257827}}',
    )
    assert answer.json()["price"] == "12345678.91"
    assert b"0.1000000000000000055511151231257827" in answer.body
    row = ada.made("/things", {"name": "x", "price": "99999999.99"})
    assert ada.items(f"/things?price=99999999.99&id={row['id']}") == [row]
    assert ada.items(f"/things?price__gt=99999999.98&id={row['id']}") == [row]
    assert ada.items(f"/things?price__lt=99999999.99&id={row['id']}") == []
    assert ada.items(f"/things?price__lt=99999999.9900000000001&id={row['id']}") == [row]


def test_the_largest_values(shop: Served) -> None:
    """The ends of every range are values."""
    ada = shop.person("ada")
    body = {
        "name": "😀" * 40,
        "big": TOO_BIG - 1,
        "price": "-99999999.99",
        "made": "0001-01-01",
        "due": "9999-12-31T23:59:59.999999Z",
        "labels": ["", "a,b", '"', "{}"],
        "extra": {"deep": [None, True, {"": "\u2028</script>"}]},
        "serial": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    }
    row = ada.made("/things", body)
    assert {name: row[name] for name in body} == body | {"serial": body["serial"].lower()}
    assert ada.get(f"/things/{row['id']}").json() == row


def test_references_lead_to_readable_rows_only(shop: Served) -> None:
    """Another's row and no row get the same answer, on create, PATCH and PUT."""
    ada, bob = shop.person("ada"), shop.person("bob")
    foreign = bob.made("/shelves", {"name": "bob's"})["id"]
    missing = foreign[:-4] + "0000"
    row = ada.made("/things", {"name": "x"})
    for send in (
        lambda key: ada.post("/things", {"name": "x", "shelf_id": key}),
        lambda key: ada.patch(f"/things/{row['id']}", {"shelf_id": key}),
        lambda key: ada.put(f"/things/{row['id']}", {"name": "x", "shelf_id": key}),
    ):
        one, other = (send(key).json() for key in (foreign, missing))
        assert one.pop("request_id") != other.pop("request_id")
        assert one == other
        assert one["errors"][0]["code"] == "reference_not_found"
    own = ada.made("/shelves", {"name": "ada's"})["id"]
    assert ada.patch(f"/things/{row['id']}", {"shelf_id": own}).json()["shelf_id"] == own
    assert ada.patch(f"/things/{row['id']}", {"shelf_id": None}).json()["shelf_id"] is None


def test_a_reference_that_stays_is_not_asked_again(shop: Served) -> None:
    """Only changed references are checked: a row with another's shelf can still be edited."""
    ada, bob, admin = shop.person("ada"), shop.person("bob"), shop.person("root", "admin")
    foreign = bob.made("/shelves", {"name": "shared"})["id"]
    row = ada.made("/things", {"name": "x"})
    shop.sql("UPDATE things SET shelf_id = $1::text::uuid WHERE id = $2::text::uuid", foreign, row["id"])
    assert ada.patch(f"/things/{row['id']}", {"name": "y", "shelf_id": foreign}).status == 200
    assert ada.patch(f"/things/{row['id']}", {"shelf_id": foreign[:-4] + "0000"}).status == 422
    assert admin.patch(f"/things/{row['id']}", {"name": "z"}).status == 200


def test_a_unique_value_is_taken_once(shop: Served) -> None:
    """409 names the field; `unique` ignores null, and `unique per owner` asks within the owner."""
    ada, bob = shop.person("ada"), shop.person("bob")
    ada.made("/things", {"name": "x", "code": "UQ1"})
    row = bob.made("/things", {"name": "x", "code": "UQ2"})
    for answer in (
        bob.post("/things", {"name": "x", "code": "UQ1"}),
        bob.patch(f"/things/{row['id']}", {"code": "UQ1"}),
    ):
        assert (answer.status, answer.code, answer.faults) == (409, "conflict", [("code", "unique")])
    ada.made("/shelves", {"name": "top"})
    bob.made("/shelves", {"name": "top"})
    again = ada.post("/shelves", {"name": "top"})
    assert (again.status, again.faults) == (409, [("name", "unique")])


def test_rules_of_the_spec(shop: Served) -> None:
    """A broken rule is 422 with the requirement's key; rules that ask for the time hold as well."""
    ada = shop.person("ada")
    early = ada.post("/things", {"name": "x", "due": "2001-01-01T00:00:00Z"})
    assert early.status == 422
    assert early.json()["errors"][0]["code"] == "rule_violated"
    assert "FR-004" in early.body.decode()
    future = ada.post("/things", {"name": "x", "made": "9999-12-31"})
    assert future.status == 422
    assert "FR-005" in future.body.decode()


@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_limit(shop: Served, chunked: bool) -> None:
    """A body over the limit is 413, whether its length is declared or not, and is not read to the end."""
    body = json.dumps({"name": "x", "extra": "x" * shop.backend.service.max_body}).encode()
    if chunked:
        pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        header = "transfer-encoding: chunked"
    else:
        header = f"content-length: {len(body)}"
    answer = shop.request("POST", f"{PREFIX}/things", "content-type: application/json", header, body=body)
    assert (answer.status, answer.code) == (413, "too_large")


def test_a_body_of_exactly_the_limit(shop: Served) -> None:
    """The last byte allowed is allowed."""
    room = shop.backend.service.max_body - len('{"name":"x","extra":""}')
    answer = shop.person("ada").send("POST", "/things", b'{"name":"x","extra":"%b"}' % (b"x" * room))
    assert answer.status == 201
    more = shop.person("ada").send("POST", "/things", b'{"name":"x","extra":"%b"}' % (b"x" * (room + 1)))
    assert more.status == 413


def test_a_declared_length_is_judged_before_the_body_arrives(shop: Served) -> None:
    """Nobody has to send a gigabyte to hear that it is too much."""
    request = (
        f"POST {PREFIX}/things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token('ada')}\r\n"
        "content-type: application/json\r\ncontent-length: 9999999999\r\n\r\n"
    )
    assert shop.raw(request.encode()).status == 413
