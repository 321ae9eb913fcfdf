"""The text corpus over a real socket: what is taken comes back byte by byte, by every way back."""

import json
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from corpora.corpus import cases, load
from served import _INTERNALS as INTERNALS
from served import Answer, Served

pytestmark = pytest.mark.any_server

LONGEST = 10_000


def _query(text: str) -> str:
    return quote(text, safe="")


def _post(served: Served, body: Any) -> Answer:
    return served.person("ada").post("/specimens", body)


@pytest.mark.parametrize(("table", "case", "text"), cases("texts", "kept"))
def test_kept(specimens: Served, table: str, case: str, text: str) -> None:
    """Answered as sent, by create, read, list, change, and found by every filter that asks for it."""
    ada = specimens.person("ada")
    # Raw and escaped are two spellings of one text.
    raw = json.dumps({"title": text, "texts": [text, text], "extra": {text: [text]}}, ensure_ascii=False)
    row = ada.made("/specimens", raw.encode())
    assert [row["title"], row["texts"], row["extra"]] == [text, [text, text], {text: [text]}]
    path = f"/specimens/{row['id']}"
    assert ada.get(path).json() == row
    changed = ada.patch(path, {"title": "x"}).json()
    assert ada.patch(path, {"title": text}).json()["title"] == text
    assert changed["texts"] == [text, text]
    (stored,) = specimens.sql("SELECT title FROM specimens WHERE id = $1::text::uuid", row["id"])
    assert stored["title"] == text
    choice = text.replace("\\", "\\\\").replace(",", "\\,")
    for asked in (
        f"title={_query(text)}",
        f"title__eq={_query(text)}",
        f"title__contains={_query(text)}",
        f"title__contains={_query(text[1:])}",
        f"title__startswith={_query(text[:1])}",
        f"title__gte={_query(text)}&title__lte={_query(text)}",
        f"title__in=x,{_query(choice)}",
        f"sort=title&title={_query(text)}",
        f"title=%{text.encode().hex('%')}" if text else "title=",
    ):
        (found,) = ada.items(f"/specimens?id={row['id']}&{asked}")
        assert found["title"] == text, asked
    for asked in ("ne", "gt", "lt"):
        assert ada.items(f"/specimens?id={row['id']}&title__{asked}={_query(text)}") == []


@pytest.mark.parametrize(("table", "case", "text"), cases("texts", "kept_long"))
def test_kept_at_length(specimens: Served, table: str, case: str, text: str) -> None:
    """Ten thousand characters are kept, one more is refused; a list sorted by them has a next page."""
    ada = specimens.person("ada")
    long = text * LONGEST
    key = ada.made("/specimens", {"title": long, "state": "in use"})["id"]
    other = ada.made("/specimens", {"title": long[:-1], "state": "in use"})["id"]
    assert ada.get(f"/specimens/{key}").json()["title"] == long
    (row,) = ada.items(f"/specimens?id={key}&title__contains={_query(text * 500)}")
    assert row["title"] == long
    assert _post(specimens, {"title": long + text}).faults == [("title", "too_long")]
    for sort in ("title", "-title"):
        first = ada.get(f"/specimens?id__in={key},{other}&sort={sort}&limit=1").json()
        following = ada.get(
            f"/specimens?id__in={key},{other}&sort={sort}&limit=1&cursor={first['next_cursor']}"
        )
        assert following.status == 200, following
        assert {first["items"][0]["id"], following.json()["items"][0]["id"]} == {key, other}


def test_a_cursor_of_what_no_compression_shortens(specimens: Served) -> None:
    """Even after ten thousand random characters beyond the first plane there is a next page."""
    ada, random = specimens.person("ada"), Random(7)
    titles = ["".join(chr(random.randrange(0x10000, 0x110000)) for _ in range(LONGEST)) for _ in range(2)]
    ids = [ada.made("/specimens", {"title": title})["id"] for title in titles]
    path = f"/specimens?id__in={','.join(ids)}&sort=title&limit=1"
    first = ada.get(path).json()
    following = ada.get(f"{path}&cursor={first['next_cursor']}").json()
    assert [first["items"][0]["title"], following["items"][0]["title"]] == sorted(titles)


@pytest.mark.parametrize(("table", "case", "text"), cases("texts", "kept", "kept_long"))
def test_where_no_text_is_expected(specimens: Served, table: str, case: str, text: str) -> None:
    """As every other member, as a member's name, a key, a parameter and a cursor: refused without a fault."""
    ada = specimens.person("ada")
    members = (
        "whole",
        "price",
        "yes",
        "day",
        "moment",
        "serial",
        "mail",
        "link",
        "state",
        "code",
        "other_id",
    )
    # A problem quotes the name of a member or parameter, and these would look like our own.
    name = "" if INTERNALS.search(text) else text
    answer = _post(specimens, dict.fromkeys(members, text) | {name + "?": 1})
    assert answer.status == 422
    refused = {field for field, _ in answer.faults}
    assert {"whole", "yes", "moment", "serial", "mail", "link", "state", "code", "other_id"} <= refused
    encoded = _query(name)
    assert ada.get(f"/specimens/{_query(text)}x").status == 404
    for asked in (
        f"{encoded}!=1",
        f"sort={encoded}!",
        f"fields={encoded}!",
        f"cursor={encoded}!",
        f"limit={encoded}!",
    ):
        assert ada.get(f"/specimens?{asked}").status in (400, 422), asked
    for member in (*members, "title__isnull"):
        assert ada.get(f"/specimens?{member}={_query(text)}&limit=1").status in (200, 422), member


@pytest.mark.parametrize(("table", "case", "escaped"), cases("texts", "refused"))
def test_refused(specimens: Served, table: str, case: str, escaped: str) -> None:
    """422, wherever a text may stand; in a query a NUL is 422 and a surrogate no UTF-8, 400."""
    ada = specimens.person("ada")
    for body in (
        f'{{"title":"{escaped}"}}',
        f'{{"texts":["{escaped}"]}}',
        f'{{"extra":"{escaped}"}}',
        f'{{"extra":{{"{escaped}":1}}}}',
        f'{{"mail":"{escaped}"}}',
        f'{{"state":"{escaped}"}}',
        f'{{"{escaped}":1}}',
    ):
        assert ada.send("POST", "/specimens", body.encode()).status == 422, body
    text = json.loads(f'"{escaped}"')
    encoded = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for parameter in ("title", "title__contains", "title__in", "sort", "cursor", encoded):
        assert ada.get(f"/specimens?{parameter}={encoded}").status in (400, 422), parameter
    assert ada.get(f"/specimens/{encoded}").status == 404


@pytest.mark.parametrize(("table", "case", "twins"), cases("texts", "twins"))
def test_twins(specimens: Served, table: str, case: str, twins: list[str]) -> None:
    """Two texts of different code points are two: unique lets both in, and a filter finds one of them."""
    ada = specimens.person("ada")
    mark = f"{case}: "
    rows = [ada.made("/specimens", {"tag": mark + twin, "title": mark + twin}) for twin in twins]
    for row, twin in zip(rows, twins, strict=True):
        assert row["tag"] == mark + twin
        assert [found["id"] for found in ada.items(f"/specimens?tag={_query(mark + twin)}")] == [row["id"]]
        assert [found["id"] for found in ada.items(f"/specimens?tag__in={_query(mark + twin)}")] == [
            row["id"]
        ]
        assert _post(specimens, {"tag": mark + twin}).faults == [("tag", "unique")]
    ids = f"id__in={rows[0]['id']},{rows[1]['id']}"
    by_code_point = sorted(rows, key=lambda row: row["tag"])
    assert [found["id"] for found in ada.items(f"/specimens?{ids}&sort=tag")] == [
        row["id"] for row in by_code_point
    ]


@pytest.mark.parametrize(("table", "case", "pair"), cases("texts", "not_contained"))
def test_not_contained(specimens: Served, table: str, case: str, pair: list[str]) -> None:
    """Nothing in a filter is a wildcard."""
    ada = specimens.person("ada")
    part, text = pair
    row = ada.made("/specimens", {"title": text})
    for operator in ("contains", "startswith", "eq"):
        assert ada.items(f"/specimens?id={row['id']}&title__{operator}={_query(part)}") == []


@pytest.mark.parametrize(
    ("table", "case", "text"),
    cases("texts", "emails_taken", "emails_refused", "urls_taken", "urls_refused"),
)
def test_emails_and_urls(specimens: Served, table: str, case: str, text: str) -> None:
    """What is taken is kept as sent, nothing is normalised; what is refused is named."""
    member = {"emails": "mail", "urls": "link"}[table.split("_")[0]]
    answer = _post(specimens, {member: text})
    if table.endswith("taken"):
        assert answer.status == 201, answer
        assert answer.json()[member] == text
        (row,) = specimens.person("ada").items(f"/specimens?id={answer.json()['id']}&{member}={_query(text)}")
        assert row[member] == text
    else:
        assert answer.faults == [(member, "bad_format")]


def test_the_longest_texts_of_a_corpus_in_a_list(specimens: Served) -> None:
    """All that was kept stands in one list, page after page, each byte in its place."""
    ada = specimens.person("ada")
    texts = list(load("texts")["kept"].values())
    ids = [
        ada.made("/specimens", {"title": text, "state": "new", "whole": n})["id"]
        for n, text in enumerate(texts)
    ]
    found: list[str] = []
    path = "/specimens?state=new&sort=whole&limit=7&fields=id,title"
    page = ada.get(path).json()
    while True:
        found += [row["title"] for row in page["items"] if row["id"] in set(ids)]
        if page["next_cursor"] is None:
            break
        page = ada.get(f"{path}&cursor={page['next_cursor']}").json()
    assert found == texts
