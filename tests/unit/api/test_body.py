"""Bodies: what each field accepts, who may send what, and that everything else is refused by name."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.api import problems
from specwright.api.body import Bodies, Body
from specwright.api.problems import Problem
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.sql.scope import Scopes

NOBODY: frozenset[str] = frozenset()
RECEPTION = frozenset({"reception"})
KEY = "0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c11"
TEN_THOUSAND_DIGITS = "9" * 10_000


@pytest.fixture(scope="session")
def read(manifest: Manifest, thing: Resource) -> Any:
    """Read a body of a thing, given as text, bytes or a value."""
    bodies, scopes = Bodies(manifest), Scopes(manifest)

    def read(
        body: Any,
        action: Any = "update",
        roles: frozenset[str] = NOBODY,
        content_type: str | None = "application/json",
        resource: Resource = thing,
    ) -> Body:
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else _json(body)
        members = scopes.members(resource, Caller("ada", roles))
        return bodies.read(resource, action, members, raw, content_type)

    return read


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _faults(caught: pytest.ExceptionInfo[Problem]) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ('"title": "Buy milk"', "Buy milk"),
        ('"title": "\\ud83d\\ude00"', "\U0001f600"),
        ('"note": ""', ""),
        ('"note": null', None),
        ('"code": "A12"', "A12"),
        ('"status": "in progress"', "in progress"),
        ('"priority": 5', 5),
        ('"priority": 5.0', 5),
        ('"priority": 5e0', 5),
        ('"size": -9007199254740991', -9007199254740991),
        ('"fee": "12.50"', Decimal("12.50")),
        ('"fee": 12.5', Decimal("12.5")),
        ('"fee": 12.500', Decimal("12.50")),
        ('"fee": 5e3', Decimal(5000)),
        ('"fee": 0.1', Decimal("0.1")),
        ('"weight": 0.1000000000000000055511151231257827', Decimal("0.1000000000000000055511151231257827")),
        ('"done": true', True),
        ('"born": "2024-02-29"', date(2024, 2, 29)),
        ('"due": "2026-01-01T00:00:00.123456+02:00"', datetime(2025, 12, 31, 22, 0, 0, 123456, tzinfo=UTC)),
        ('"due": "9999-12-31t23:59:59z"', datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (f'"token": "{KEY}"', UUID(KEY)),
        (f'"token": "{KEY.upper()}"', UUID(KEY)),
        ('"mail": "ada.lovelace+x@example.co.uk"', "ada.lovelace+x@example.co.uk"),
        ('"link": "HTTPS://Example.org:443/a/../b?q=%7e#f"', "HTTPS://Example.org:443/a/../b?q=%7e#f"),
        ('"link": "http://[::1]:8000"', "http://[::1]:8000"),
        ('"labels": ["a", "b"]', ["a", "b"]),
        ('"labels": []', []),
        (f'"parent_id": "{KEY}"', UUID(KEY)),
        ('"keeper_id": "ada"', "ada"),
        ('"data": {"a": [1.50, 1e2, -0, null, true, "\\u00e9"]}', '{"a":[1.50,1E+2,0,null,true,"\\u00e9"]}'),
        ('"data": "text"', '"text"'),
        ('"data": null', None),
    ],
)
def test_values_arrive_typed_and_exact(read: Any, member: str, value: Any) -> None:
    """No float on the way, and texts as they were sent."""
    [found] = read(f"{{{member}}}").values.values()
    assert (found, type(found)) == (value, type(value))
    if isinstance(value, Decimal) and "e" not in member.partition(":")[2]:
        assert str(found) == str(value)


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ('"title": null', "not_null"),
        ('"title": 1', "wrong_type"),
        ('"title": ""', "too_short"),
        (f'"title": "{"x" * 21}"', "too_long"),
        ('"title": "\\u0000"', "invalid_character"),
        ('"title": "\\ud800"', "invalid_character"),
        (f'"note": "{"x" * 10_001}"', "too_long"),
        ('"note": ["x"]', "wrong_type"),
        ('"note": {"x": "\\u0000"}', "invalid_character"),
        ('"code": "a12"', "pattern_mismatch"),
        ('"code": "A12\\n"', "pattern_mismatch"),
        ('"code": "xA12"', "pattern_mismatch"),
        ('"status": "bought"', "not_a_choice"),
        ('"status": null', "not_null"),
        ('"status": ["todo"]', "wrong_type"),
        ('"priority": 6', "too_large"),
        ('"priority": -1', "too_small"),
        ('"priority": 1.5', "wrong_type"),
        ('"priority": "1"', "wrong_type"),
        ('"priority": true', "wrong_type"),
        ('"priority": null', "not_null"),
        ('"size": 9007199254740992', "too_large"),
        ('"size": -9007199254740992', "too_small"),
        ('"size": 1e400', "too_large"),
        ('"size": -1e99999999999999999999', "too_small"),
        (f'"size": {TEN_THOUSAND_DIGITS}', "too_large"),
        ('"fee": 5000.01', "too_large"),
        ('"fee": -0.01', "too_small"),
        ('"fee": 1000000', "too_large"),
        ('"fee": "80.555"', "too_precise"),
        ('"fee": 1e-400', "too_precise"),
        ('"fee": 1e400', "too_large"),
        ('"fee": 1e99999999999999999999', "too_large"),
        ('"fee": 1e-99999999999999999999', "too_precise"),
        (f'"fee": {TEN_THOUSAND_DIGITS}', "too_large"),
        (f'"fee": "{TEN_THOUSAND_DIGITS}"', "wrong_type"),
        ('"fee": "NaN"', "wrong_type"),
        ('"fee": "Infinity"', "wrong_type"),
        ('"fee": " 1"', "wrong_type"),
        ('"fee": "1_000"', "wrong_type"),
        ('"fee": "١"', "wrong_type"),
        ('"fee": false', "wrong_type"),
        ('"weight": 1e400', "too_large"),
        ('"done": 1', "wrong_type"),
        ('"done": "true"', "wrong_type"),
        ('"done": null', "not_null"),
        ('"born": "2026-02-30"', "bad_format"),
        ('"born": "2026-1-1"', "bad_format"),
        ('"born": "0000-01-01"', "bad_format"),
        ('"born": "10000-01-01"', "bad_format"),
        ('"born": "2026-W01-1"', "bad_format"),
        ('"born": "2026-01-01T00:00:00Z"', "bad_format"),
        ('"born": 20260101', "wrong_type"),
        ('"due": "2026-01-01T00:00:00"', "bad_format"),
        ('"due": "2026-01-01"', "bad_format"),
        ('"due": "2016-12-31T23:59:60Z"', "bad_format"),
        ('"due": "2026-01-01T24:00:00Z"', "bad_format"),
        ('"due": "2026-01-01T00:00:00.1234567Z"', "bad_format"),
        ('"due": "9999-12-31T23:59:59-01:00"', "bad_format"),
        ('"due": "0001-01-01T00:00:00+01:00"', "bad_format"),
        ('"due": "2026-01-01T00:00:00+24:00"', "bad_format"),
        ('"due": "now"', "bad_format"),
        ('"due": 1767225600', "wrong_type"),
        ('"token": "0192a5c47f3e7b1a9c553d1f0a6b2c11"', "bad_format"),
        ('"token": "{0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c}"', "bad_format"),
        ('"token": "urn:uuid:0192a5c4-7f3e-7b1a-9c55-"', "bad_format"),
        ('"token": 1', "wrong_type"),
        ('"mail": "paul at home"', "bad_format"),
        ('"mail": "paul@localhost"', "bad_format"),
        ('"mail": "paul@example.org\\n"', "bad_format"),
        (f'"mail": "{"x" * 250}@example.org"', "bad_format"),
        ('"link": "/relative"', "bad_format"),
        ('"link": "javascript:alert(1)"', "bad_format"),
        ('"link": "https://"', "bad_format"),
        ('"link": "https://example.org/a b"', "bad_format"),
        ('"labels": "a"', "wrong_type"),
        ('"labels": ["a", "b", "c", "d"]', "too_long"),
        ('"parent_id": 42', "wrong_type"),
        ('"parent_id": "42"', "bad_format"),
        ('"keeper_id": ""', "too_short"),
        (f'"keeper_id": "{"x" * 256}"', "too_long"),
        ('"data": {"a": "\\u0000"}', "invalid_character"),
        ('"data": {"\\udfff": 1}', "invalid_character"),
        ('"data": [1e400000]', "too_large"),
        (f'"data": [{TEN_THOUSAND_DIGITS}]', "too_large"),
        ('"id": "x"', "read_only"),
        ('"created_at": "2026-01-01T00:00:00Z"', "read_only"),
        ('"owner_id": "bob"', "read_only"),
        ('"colour": "red"', "unknown_member"),
        ('"owner": "bob"', "unknown_member"),
        ('"version": 1', "unknown_member"),
        ('"import_key": "x"', "unknown_member"),
        ('"insurance": "x"', "unknown_member"),
    ],
)
def test_what_a_field_cannot_hold_is_refused(read: Any, member: str, code: str) -> None:
    """422, the member's wire name, and a code of the catalogue."""
    with pytest.raises(Problem) as caught:
        read(f"{{{member}}}")
    assert caught.value.status == 422
    assert _faults(caught) == [(member.split('"')[1], code)]
    assert code in problems.FIELD_CODES
    assert len(problems.body(caught.value, "r")) < 2_000


def test_faults_in_a_list_name_the_item(read: Any) -> None:
    """By its index, from 0."""
    with pytest.raises(Problem) as caught:
        read({"labels": ["a", 1, None]})
    assert _faults(caught) == [("labels.1", "wrong_type"), ("labels.2", "not_null")]
    with pytest.raises(Problem) as caught:
        read({"labels": ["a", "b\0", "\ud800"]})
    assert _faults(caught) == [("labels.1", "invalid_character"), ("labels.2", "invalid_character")]


def test_all_faults_come_at_once(read: Any) -> None:
    """What is missing, wrong and unknown, in one answer, with the likely name."""
    with pytest.raises(Problem) as caught:
        read({"priority": 6, "statu": "todo"}, "create")
    assert _faults(caught) == [("priority", "too_large"), ("statu", "unknown_member"), ("title", "required")]
    assert "Did you mean status?" in caught.value.errors[1].message


@pytest.mark.parametrize("message", ["at most 20 characters", "at most 5", "at least 1 character"])
def test_messages_name_the_limit(read: Any, message: str) -> None:
    """The client need not look it up."""
    with pytest.raises(Problem) as caught:
        read({"title": "" if "least" in message else "x" * 21, "priority": 6})
    assert any(message in error.message for error in caught.value.errors)


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"title": "x",}', "not JSON"),
        (b"{'title': 'x'}", "not JSON"),
        (b'{"title": "a\nb"}', "not JSON"),
        (b'{"size": 01}', "not JSON"),
        (b'{"size": NaN}', "NaN"),
        (b'{"size": -Infinity}', "-Infinity"),
        (b'{"title": "x", "title": "y"}', "'title' twice"),
        (b'{"data": {"a": 1, "a": 1}}', "'a' twice"),
        (b'{"title": "\xff"}', "byte 12"),
        (b'{"title": "\xed\xa0\x80"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"[" * 200_000, "deeper than 32"),
        (b'{"data":' + b"[" * 32 + b"]" * 32 + b"}", "deeper than 32"),
    ],
)
def test_what_is_not_json_is_malformed(read: Any, raw: bytes, detail: str) -> None:
    """400, saying what and where."""
    with pytest.raises(Problem) as caught:
        read(raw)
    assert (caught.value.status, caught.value.code) == (400, "malformed")
    assert detail in caught.value.detail


def test_thirty_two_levels_are_not_too_deep(read: Any) -> None:
    """The limit itself is allowed."""
    assert read(b'{"data":' + b"[" * 31 + b"]" * 31 + b"}").values["data"] == "[" * 31 + "]" * 31


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1", b"[{}]"])
def test_only_an_object_is_a_body(read: Any, raw: bytes) -> None:
    """Well-formed, and still not what is needed."""
    with pytest.raises(Problem) as caught:
        read(raw)
    assert (caught.value.status, _faults(caught)) == (422, [("", "wrong_type")])


@pytest.mark.parametrize(
    ("action", "content_type", "accepted"),
    [
        ("create", "application/json", True),
        ("create", "Application/JSON; charset=UTF-8", True),
        ("create", 'application/json;charset="utf-8"', True),
        ("update", "application/merge-patch+json", True),
        ("create", "application/merge-patch+json", False),
        ("replace", "application/merge-patch+json", False),
        ("create", None, False),
        ("create", "", False),
        ("create", "text/plain", False),
        ("create", "application/x-www-form-urlencoded", False),
        ("create", "application/json; charset=latin-1", False),
        ("create", "application/jsonp", False),
    ],
)
def test_media_types(read: Any, action: str, content_type: str | None, accepted: bool) -> None:
    """JSON in UTF-8, for PATCH under either name; the refusal lists what is taken."""
    if accepted:
        assert read({"title": "x"}, action, content_type=content_type).values["title"] == "x"
        return
    with pytest.raises(Problem) as caught:
        read({"title": "x"}, action, content_type=content_type)
    assert caught.value.status == 415
    assert "application/json" in dict(caught.value.headers)["accept"]


def test_a_create_holds_what_was_sent(read: Any) -> None:
    """Defaults are the database's to fill."""
    assert read({"title": "x", "kind": "a", "secret": "s"}, "create") == Body(
        {"title": "x", "kind": "a", "secret": "s"}, {}
    )


def test_an_update_accepts_an_immutable_member_as_unchanged(read: Any) -> None:
    """The statement compares it with what is stored; read-only members are refused."""
    assert read({"kind": "a", "title": "x"}) == Body({"title": "x"}, {"kind": "a"})


def test_a_replace_takes_a_row_back_as_it_was_read(read: Any) -> None:
    """Read-only members are accepted as unchanged; what is left out gets its default; the unseen stays."""
    body = read({"id": KEY, "created_at": "2026-01-01T00:00:00Z", "owner_id": "ada", "title": "x"}, "replace")
    assert body.unchanged == {
        "id": UUID(KEY),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "owner": "ada",
    }
    assert body.values["title"] == "x"
    assert body.values["status"] == "todo"
    assert body.values["done"] is False
    assert body.values["note"] is None
    assert not {"kind", "secret", "insurance", "price", "signed", "owner", "version"} & set(body.values)


def test_a_member_that_needs_a_role_is_told_apart(read: Any) -> None:
    """It is a 403, not a 422, and only once the row is known to be readable."""
    assert read({"price": "not even looked at", "title": "x"}).forbidden == ("price",)
    assert read({"price": 3}, roles=RECEPTION) == Body({"price": 3}, {})
    assert read({"signed": "2026-01-01T00:00:00Z"}).forbidden == ("signed",)
    assert "signed" in read({"signed": "2026-01-01T00:00:00Z"}, roles=RECEPTION).values


def test_a_hidden_member_is_as_unknown_as_one_that_never_was(read: Any) -> None:
    """The two answers differ in nothing but the name that was sent."""
    messages = set()
    for name in ("insurance", "qqqqqqqqq"):
        with pytest.raises(Problem) as caught:
            read({name: 1})
        messages.add((caught.value.errors[0].code, caught.value.errors[0].message))
    assert len(messages) == 1
    assert read({"insurance": "A1"}, roles=RECEPTION).values == {"insurance": "A1"}


def test_a_stored_user_is_created_under_its_text_key(read: Any, manifest: Manifest) -> None:
    """The key must be sent, and never changes."""
    users = manifest.resource("User")
    assert read({"id": "ada", "name": "Ada"}, "create", resource=users).values["id"] == "ada"
    with pytest.raises(Problem) as caught:
        read({"name": "Ada"}, "create", resource=users)
    assert _faults(caught) == [("id", "required")]
    assert read({"id": "ada"}, "update", resource=users).unchanged == {"id": "ada"}


_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
_WIRES = st.sampled_from(
    [
        "title",
        "code",
        "status",
        "priority",
        "fee",
        "weight",
        "done",
        "born",
        "due",
        "token",
        "mail",
        "link",
        "data",
        "labels",
        "owner_id",
        "parent_id",
        "keeper_id",
        "kind",
        "price",
        "id",
    ]
)


@given(
    st.binary() | st.dictionaries(_WIRES | st.text(), _VALUES).map(_json),
    st.sampled_from(["create", "update", "replace"]),
)
def test_no_body_raises_anything_but_a_problem(read: Any, raw: bytes, action: str) -> None:
    """Whatever is sent, the answer is a readable body or a readable problem."""
    try:
        for value in read(raw, action).values.values():
            if isinstance(value, str):
                value.encode()
    except Problem as problem:
        json.loads(problems.body(problem, "r"))
