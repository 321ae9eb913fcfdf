"""Query strings that nobody should send, and cursors that were not made for the list they are used on."""

import base64
import json

import pytest

from served import PREFIX, Served

pytestmark = pytest.mark.any_server


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "too_small"),
        ("limit=101", "limit", "too_large"),
        ("limit=-1", "limit", "too_small"),
        ("limit=x", "limit", "wrong_type"),
        ("limit=", "limit", "wrong_type"),
        ("limit", "limit", "wrong_type"),
        ("limit=1.0", "limit", "wrong_type"),
        ("limit=%D9%A1", "limit", "wrong_type"),
        ("limit=99999999999999999999999999", "limit", "too_large"),
        ("offset=-1", "offset", "too_small"),
        ("offset=2147483648", "offset", "too_large"),
        ("cursor=x&offset=0", "offset", "not_together"),
        ("count=all", "count", "not_a_choice"),
        ("limit=1&limit=1", "limit", "repeated"),
        ("name=x&name=y", "name", "repeated"),
        ("sort=name&sort=name", "sort", "repeated"),
        ("sort=nope", "sort", "not_a_choice"),
        ("sort=", "sort", "not_a_choice"),
        ("sort=-", "sort", "not_a_choice"),
        ("sort=--name", "sort", "not_a_choice"),
        ("sort=name,-name", "sort", "repeated"),
        ("sort=extra", "sort", "not_a_choice"),
        ("sort=labels", "sort", "not_a_choice"),
        ("sort=secret", "sort", "not_a_choice"),
        ("sort=pin", "sort", "not_a_choice"),
        ("sort=margin", "sort", "not_a_choice"),
        ("sort=version", "sort", "not_a_choice"),
        ("sort=owner", "sort", "not_a_choice"),
        ("sort=name;DROP TABLE things", "sort", "not_a_choice"),
        ("fields=", "fields", "not_a_choice"),
        ("fields=name,", "fields", "not_a_choice"),
        ("fields=name,name", "fields", "repeated"),
        ("fields=secret", "fields", "not_a_choice"),
        ("fields=pin", "fields", "not_a_choice"),
        ("fields=margin", "fields", "not_a_choice"),
        ("nmae=x", "nmae", "unknown_parameter"),
        ("secret=x", "secret", "unknown_parameter"),
        ("pin=x", "pin", "unknown_parameter"),
        ("pin__isnull=true", "pin__isnull", "unknown_parameter"),
        ("margin__gt=1", "margin__gt", "unknown_parameter"),
        ("owner=ada", "owner", "unknown_parameter"),
        ("owner__name=ada", "owner__name", "unknown_parameter"),
        ("name__like=x", "name__like", "unknown_parameter"),
        ("name__=x", "name__", "unknown_parameter"),
        ("__eq=x", "__eq", "unknown_parameter"),
        ("=x", "", "unknown_parameter"),
        ("Name=x", "Name", "unknown_parameter"),
        ("filter=name==1", "filter", "bad_expression"),
        ("extra=1", "extra", "unknown_parameter"),
        ("labels=x", "labels", "unknown_parameter"),
        ("sold__gt=true", "sold__gt", "unknown_parameter"),
        ("state__contains=n", "state__contains", "unknown_parameter"),
        ("amount__contains=1", "amount__contains", "unknown_parameter"),
        ("serial__gt=01a1fb4a-9299-714f-9210-30d2911da5bb", "serial__gt", "unknown_parameter"),
        ("name=%00", "name", "invalid_character"),
        ("name__contains=a%00", "name__contains", "invalid_character"),
        ("amount=x", "amount", "wrong_type"),
        ("amount=1.5", "amount", "wrong_type"),
        ("amount=", "amount", "wrong_type"),
        ("amount=9007199254740992", "amount", "too_large"),
        ("amount=99999999999999999999", "amount", "too_large"),
        ("amount__in=1,,2", "amount__in", "wrong_type"),
        ("amount__in=", "amount__in", "wrong_type"),
        ("amount__in=" + ",".join("1" * 101), "amount__in", "too_long"),
        ("price=NaN", "price", "wrong_type"),
        ("price=1e9999", "price", "wrong_type"),
        ("sold=yes", "sold", "wrong_type"),
        ("sold=True", "sold", "wrong_type"),
        ("made=2026-02-30", "made", "bad_format"),
        ("made=infinity", "made", "bad_format"),
        ("due__gt=2026-01-01T00:00:00", "due__gt", "bad_format"),
        ("due__gt=2026-01-01", "due__gt", "bad_format"),
        ("serial=x", "serial", "bad_format"),
        ("shelf_id=x", "shelf_id", "bad_format"),
        ("state=old", "state", "not_a_choice"),
        ("state__in=new,old", "state__in", "not_a_choice"),
        ("name__isnull=1", "name__isnull", "wrong_type"),
        ("name__isnull=", "name__isnull", "wrong_type"),
    ],
)
def test_a_bad_parameter_is_named(shop: Served, query: str, field: str, code: str) -> None:
    """422, and the one parameter at fault."""
    answer = shop.request("GET", f"{PREFIX}/things?{query.replace(' ', '+')}")
    assert answer.status == 422, answer
    assert answer.faults == [(field, code)]


@pytest.mark.parametrize(
    "query", ["name=%", "name=%zz", "name=%ff", "%ff=1", "name=%ed%a0%80", "name=%c0%80"]
)
def test_a_query_that_is_no_text(shop: Served, query: str) -> None:
    """A stray percent sign, or bytes that are not UTF-8, are 400."""
    answer = shop.request("GET", f"{PREFIX}/things?{query}")
    assert (answer.status, answer.code) == (400, "malformed")


def test_raw_bytes_in_the_target(shop: Served) -> None:
    """Bytes that no URL may hold are refused by whoever reads them first, and break nothing."""
    for target in ("/things?name=\xff", "/things?name=\xe9", "/th\xefngs", "/things/\xff"):
        assert shop.request("GET", PREFIX + target).status in (400, 404), target


@pytest.mark.parametrize("parts", [51, 20_000])
def test_too_many_parameters(shop: Served, parts: int) -> None:
    """More than fifty parameters are refused before they are looked at."""
    answer = shop.request("GET", f"{PREFIX}/things?" + "&".join(["a=1"] * parts)[:60_000])
    assert (answer.status, answer.code) == (400, "malformed")


def test_every_faulty_parameter_at_once(shop: Served) -> None:
    """Like a body, a query is corrected in one go."""
    answer = shop.person("ada").get("/things?limit=0&nmae=x&amount=y&sort=nope")
    assert sorted(name for name, _ in answer.faults) == ["amount", "limit", "nmae", "sort"]
    assert "Did you mean name?" in answer.body.decode()


def test_parameters_that_a_route_does_not_take(shop: Served) -> None:
    """A row takes `fields` alone, a delete nothing; a refused parameter changes nothing."""
    ada = shop.person("ada")
    row = ada.made("/things", {"name": "x"})
    path = f"/things/{row['id']}"
    assert ada.get(f"{path}?fields=name").json() == {"name": "x"}
    assert ada.get(f"{path}?limit=1").faults == [("limit", "unknown_parameter")]
    assert ada.patch(f"{path}?feilds=name", {"name": "y"}).status == 422
    assert ada.delete(f"{path}?fields=name").faults == [("fields", "unknown_parameter")]
    assert ada.post("/things?dry_run=true", {"name": "z"}).status == 422
    assert ada.get(path).json() == row
    assert ada.post("/things?fields=name", {"name": "short"}).json() == {"name": "short"}
    assert ada.patch(f"{path}?fields=name,amount", {"name": "y"}).json() == {"name": "y", "amount": 0}


def _cursor(served: Served, person: str, query: str = "") -> str:
    somebody = served.person(person)
    for number in range(3):
        somebody.made("/things", {"name": f"c{number}"})
    return str(somebody.get(f"/things?limit=1{query}").json()["next_cursor"])


def _refused(served: Served, person: str, query: str) -> None:
    answer = served.person(person).get(f"/things?{query}")
    assert (answer.status, answer.code) == (400, "invalid_cursor"), answer


def test_a_cursor_belongs_to_one_list(shop: Served) -> None:
    """Another caller, sort, filter or resource makes it invalid; limit, fields and count may change."""
    cursor = _cursor(shop, "carla", "&sort=name&amount__gte=0")
    same = "sort=name&amount__gte=0"
    carla = shop.person("carla")
    assert [row["name"] for row in carla.items(f"/things?{same}&cursor={cursor}")] == ["c1", "c2"]
    page = carla.get(f"/things?{same}&cursor={cursor}&limit=1&fields=amount&count=exact").json()
    assert page["items"] == [{"amount": 0}]
    assert page["total"] == 3
    _refused(shop, "bob", f"{same}&cursor={cursor}")
    for other in (
        "sort=name",
        "sort=-name&amount__gte=0",
        "sort=name,-id&amount__gte=0",
        "amount__gte=0",
        "sort=name&amount__gte=1",
        "sort=name&amount__gt=0",
        "sort=name&amount__gte=0&state=new",
    ):
        _refused(shop, "carla", f"{other}&cursor={cursor}")
    answer = carla.get(f"/shelves?sort=name&cursor={cursor}")
    assert answer.code == "invalid_cursor"
    assert shop.anonymous.get(f"/things?{same}&cursor={cursor}").status == 401


def test_a_tampered_cursor(shop: Served) -> None:
    """No byte of it may change, and nothing that was not signed here passes."""
    cursor = _cursor(shop, "carlo")
    for at in range(0, len(cursor), 5):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        _refused(shop, "carlo", f"cursor={changed}")
    forged = base64.urlsafe_b64encode(b"\0" * 32 + json.dumps(["' OR 1=1"]).encode()).decode()
    for text in (
        "",
        "x",
        "====",
        cursor + "=",
        cursor[:-1],
        cursor + "A",
        "%F0%9F%98%80",
        "null",
        forged,
        "A" * 60_000,
    ):
        _refused(shop, "carlo", f"cursor={text}")


def test_a_very_long_url(shop: Served) -> None:
    """It is refused or answered, never a fault; the next request is served."""
    for length in (5_000, 60_000):
        answer = shop.request("GET", f"{PREFIX}/things?name={'x' * length}")
        assert answer.status in (200, 400, 414, 422)
    assert shop.person("ada").get("/things").status == 200
