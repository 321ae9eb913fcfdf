"""Lists against Python: every filter on every kind, every order, page by page in both directions."""

import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from served import Served, fresh_database, serving

STOCK = """
# Stock

## Thing

| Field  | Type                  | Rules |
|--------|-----------------------|-------|
| name   | text                  | ..40  |
| mail   | email                 |       |
| link   | url                   |       |
| amount | integer               |       |
| price  | number(8,2)           |       |
| weight | number(30,9)          |       |
| sold   | boolean               |       |
| made   | date                  |       |
| due    | timestamp             |       |
| serial | uuid                  |       |
| state  | `new`, `in use`, `a,b` |      |
| parent | Thing                 | on delete clear |
| extra  | json                  |       |
| labels | list of text          | ..5   |
| owner  | User                  | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |
"""

VALUES: dict[str, list[Any]] = {
    "name": ["", "a", "A", "Zebra", "apple", "é", "😀", "a%", "a_b", "a,b", "a\\b", "b'c", "ab", "\u2028"],
    "mail": ["a@b.cd", "B@b.cd", "x+y@b.cd"],
    "link": ["https://a.example", "https://a.example/?q=1&r=%20"],
    "amount": [0, -1, 7, 7, 2**53 - 1, -(2**53) + 1],
    "price": ["0.00", "0.10", "-0.10", "7.00", "999999.99"],
    "weight": ["0", "0.1", "100.000000000", "12345678901234567890.123456789"],
    "sold": [True, False],
    "made": ["0001-01-01", "2026-01-01", "2026-01-02", "9999-12-31"],
    "due": ["0001-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999999Z"],
    "serial": ["01a1fb4a-9299-714f-9210-30d2911da5bb", "f1a1fb4a-9299-714f-9210-30d2911da5bb"],
    "state": ["new", "in use", "a,b"],
}
NUMBERS = {"price", "weight"}


@pytest.fixture(scope="module")
def stock(database_server: str) -> Iterator[Served]:
    """Sixty things of ada's with every value there is, many nulls, and some of bob's."""
    chance = random.Random(7)
    with fresh_database(database_server) as database, serving(STOCK, database) as served:
        ada = served.person("ada")
        previous: list[str] = []
        for number in range(60):
            body = {
                field: chance.choice([None, *values]) if number % 3 else values[number // 3 % len(values)]
                for field, values in VALUES.items()
            }
            body["parent_id"] = chance.choice([None, *previous[:3]])
            body["extra"] = chance.choice([None, {"a": 1}])
            body["labels"] = chance.choice([None, [], ["a"]])
            previous.append(ada.made("/things", body)["id"])
        served.person("bob").made("/things", {"name": "a"})
        yield served


@pytest.fixture(scope="module")
def rows(stock: Served) -> list[dict[str, Any]]:
    """What ada has."""
    return stock.person("ada").items("/things?limit=100")


def _key(field: str, value: Any) -> Any:
    return Decimal(value) if field in NUMBERS else value


def _holds(field: str, operator: str, stored: Any, asked: Any) -> bool:
    if operator == "isnull":
        return (stored is None) is asked
    if operator == "ne":
        return stored is None or _key(field, stored) != _key(field, asked)
    if stored is None:
        return False
    stored = _key(field, stored)
    if operator == "in":
        return stored in [_key(field, one) for one in asked]
    asked = _key(field, asked)
    match operator:
        case "eq":
            return bool(stored == asked)
        case "gt":
            return bool(stored > asked)
        case "gte":
            return bool(stored >= asked)
        case "lt":
            return bool(stored < asked)
        case "lte":
            return bool(stored <= asked)
        case "contains":
            return asked in stored
        case _:
            return bool(stored.startswith(asked))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _operators(field: str) -> list[str]:
    if field == "sold":
        return ["eq", "ne", "isnull"]
    if field in ("serial", "state", "parent_id", "id", "owner_id"):
        return ["eq", "ne", "in", "isnull"]
    ordered = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "isnull"]
    return [*ordered, "contains", "startswith"] if field in ("name", "mail", "link") else ordered


CASES = [
    (field, operator)
    for field in (*VALUES, "parent_id", "id", "owner_id", "created_at")
    for operator in _operators(field)
]


@pytest.mark.parametrize(("field", "operator"), CASES)
def test_filters(stock: Served, rows: list[dict[str, Any]], field: str, operator: str) -> None:
    """Each operator on each kind finds what Python finds."""
    ada = stock.person("ada")
    values: list[Any] = (
        VALUES.get(field) or sorted({row[field] for row in rows if row[field] is not None})[:3]
    )
    asked: list[Any]
    match operator:
        case "isnull":
            asked = [True, False]
        case "in":
            asked = [values, values[:1], values[1:]]
        case "contains" | "startswith":
            asked = [*values, "%", "_", "\\", "e", "://"]
        case _:
            asked = values
    for value in asked:
        if operator == "in":
            text = ",".join(_text(one).replace("\\", "\\\\").replace(",", "\\,") for one in value)
        else:
            text = _text(value)
        name = field if operator == "eq" else f"{field}__{operator}"
        found = ada.items(f"/things?limit=100&{name}={quote(text, safe='')}")
        if field == "id" and operator == "isnull":
            assert len(found) == (0 if value else len(rows))
            continue
        expected = [row["id"] for row in rows if _holds(field, operator, row[field], value)]
        assert [row["id"] for row in found] == expected, (name, value)


def test_filters_on_what_has_no_order(stock: Served, rows: list[dict[str, Any]]) -> None:
    """json and lists are null or not."""
    for field, wanted in product(("extra", "labels"), (True, False)):
        found = stock.person("ada").items(f"/things?limit=100&{field}__isnull={_text(wanted)}")
        assert [row["id"] for row in found] == [row["id"] for row in rows if (row[field] is None) is wanted]


def test_filters_are_joined_by_and(stock: Served, rows: list[dict[str, Any]]) -> None:
    """All must hold, two on one field too."""
    found = stock.person("ada").items("/things?limit=100&amount__gte=0&amount__lt=8&sold=true&name__ne=a")
    expected = [
        row["id"]
        for row in rows
        if row["amount"] is not None and 0 <= row["amount"] < 8 and row["sold"] and row["name"] != "a"
    ]
    assert [row["id"] for row in found] == expected


SORTS = [
    *VALUES,
    *("-" + name for name in VALUES),
    "parent_id",
    "-id",
    "created_at",
    "sold,amount",
    "-sold,amount",
    "sold,-amount,name",
    "-price,-made",
    "state,-name,made",
    "-parent_id,state,-amount",
]


@pytest.mark.parametrize(
    ("sort", "limit"), [*((sort, 7) for sort in SORTS), ("-due", 1), ("sold,-amount,name", 1)]
)
def test_orders_and_cursors(stock: Served, rows: list[dict[str, Any]], sort: str, limit: int) -> None:
    """Text by code point, null greater than all; the pages are the whole, without a gap or a repetition."""
    ada = stock.person("ada")
    expected = [row["id"] for row in _nulls_last(rows, sort)]
    assert [row["id"] for row in ada.items(f"/things?limit=100&sort={sort}")] == expected
    seen: list[str] = []
    cursor = ""
    while True:
        page = ada.get(f"/things?limit={limit}&sort={sort}&fields=id&count=exact{cursor}").json()
        assert page["total"] == len(rows)
        seen += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        assert len(seen) <= len(rows)
    assert seen == expected
    for offset in (0, 5, 59, 60, 1000):
        page = ada.get(f"/things?limit=100&sort={sort}&offset={offset}&count=exact").json()
        assert [row["id"] for row in page["items"]] == expected[offset:]
        assert page["total"] == len(rows)


def _nulls_last(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    names = sort.split(",")
    if names[-1].lstrip("-") != "id":
        names.append("-id" if names[-1].startswith("-") else "id")
    for name in reversed(names):
        field = name.lstrip("-")
        present = [row for row in rows if row[field] is not None]
        absent = [row for row in rows if row[field] is None]
        present.sort(key=lambda row: _key(field, row[field]), reverse=name.startswith("-"))
        rows = [*absent, *present] if name.startswith("-") else [*present, *absent]
    return rows


def test_the_key_of_a_row_far_away(stock: Served, rows: list[dict[str, Any]]) -> None:
    """`parent__parent__id` is the reference of the row that is referred to, in a sort and in a filter."""
    ada = stock.person("ada")
    by_id = {row["id"]: row for row in rows}
    far = {row["id"]: by_id.get(row["parent_id"], {}).get("parent_id") or "" for row in rows}
    asked = ada.items("/things?limit=100&sort=parent__parent__id__nulls_first,id")
    assert [row["id"] for row in asked] == sorted(far, key=lambda key: (far[key], key))
    found = {reference for reference in far.values() if reference}
    assert found
    for reference in found:
        listed = ada.items(f"/things?limit=100&parent__parent__id={reference}")
        assert {row["id"] for row in listed} == {key for key in far if far[key] == reference}


def test_a_page_past_the_end(stock: Served, rows: list[dict[str, Any]]) -> None:
    """It is empty, and the total is still told."""
    ada = stock.person("ada")
    assert ada.get("/things?offset=2000&count=exact").json() == {
        "items": [],
        "next_cursor": None,
        "total": len(rows),
    }
    assert ada.get("/things?name=nothing-like-it&count=exact").json()["total"] == 0
    assert stock.person("nobody").get("/things?count=exact").json() == {
        "items": [],
        "next_cursor": None,
        "total": 0,
    }


def test_exactly_a_page(stock: Served, rows: list[dict[str, Any]]) -> None:
    """The last full page has no next one."""
    ada = stock.person("ada")
    assert ada.get("/things?limit=60").json()["next_cursor"] is None
    assert ada.get("/things?limit=59").json()["next_cursor"] is not None


def test_rows_that_come_and_go(stock: Served) -> None:
    """A cursor goes on from its place, even when the row it stood on is gone."""
    eve = stock.person("eve")
    keys = [eve.made("/things", {"amount": number})["id"] for number in range(6)]
    page = eve.get("/things?sort=amount&limit=3").json()
    eve.delete(f"/things/{keys[2]}")
    eve.delete(f"/things/{keys[0]}")
    eve.made("/things", {"amount": -5})
    rest = eve.items(f"/things?sort=amount&limit=3&cursor={page['next_cursor']}")
    assert [row["amount"] for row in rest] == [3, 4, 5]


def test_chosen_fields(stock: Served, rows: list[dict[str, Any]]) -> None:
    """Exactly what is asked, in the spec's order, whatever the sort needs besides."""
    found = stock.person("ada").items("/things?fields=price,name&sort=-due&limit=2")
    assert [list(row) for row in found] == [["name", "price"]] * 2
