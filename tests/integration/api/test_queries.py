"""Filters, searches and sort keys over a socket: what they see, what they cost, and what strangers send."""

import asyncio
import random
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import pytest

from served import PREFIX, Answer, Person, Served, fresh_database, serving

SPEC = """
# Library

## Roles

| Role  | Means       |
|-------|-------------|
| staff | works there |

## Shelf (shelves)

| Field  | Type | Rules                   |
|--------|------|-------------------------|
| name   | text | required, ..80          |
| code   | text | ..20, readable by staff |
| key    | text | ..20, hidden            |
| pin    | text | ..20, write only        |
| keeper | User |                         |
| owner  | User | the caller              |

| Who   | May        |
|-------|------------|
| owner | everything |
| staff | list, read |

## Book

| Field  | Type              | Rules                         |
|--------|-------------------|-------------------------------|
| title  | text              | required, ..200, searchable   |
| blurb  | text              | searchable, ..1000000         |
| pages  | integer           |                               |
| price  | number(10,2)      |                               |
| bought | date              |                               |
| due    | timestamp         |                               |
| code   | uuid              |                               |
| state  | `in`, `out`       | default `in`                  |
| lost   | boolean           |                               |
| labels | list of text      | ..5                           |
| notes  | text              | ..9, readable by staff        |
| shelf  | Shelf             | on delete clear               |
| other  | Shelf             | on delete clear, readable by staff |
| owner  | User              | the caller                    |

| Who    | May        |
|--------|------------|
| owner  | everything |
| anyone | list, read |
"""


@pytest.fixture(scope="module")
def library(database_server: str) -> Iterator[Served]:
    """Ada's books, some on her shelf, some on bob's, which she cannot read."""
    with fresh_database(database_server) as database, serving(SPEC, database) as served:
        ada, bob, staff = served.person("ada"), served.person("bob"), served.person("root", "staff")
        hers = ada.made("/shelves", {"name": "Hers", "keeper_id": "ada"})["id"]
        his = bob.made("/shelves", {"name": "His", "keeper_id": "eve"})["id"]
        assert staff.get(f"/shelves/{his}").status == 200
        for number in range(6):
            body = {"title": f"Book {number}", "pages": number, "labels": ["a"], "lost": number == 1}
            ada.made("/books", body | {"shelf_id": hers if number < 3 else None, "price": f"{number}.50"})
        for number in range(2):
            bob.made("/books", {"title": f"His {number}", "blurb": "Secret Words", "shelf_id": his})
        yield served


def asked(person: Person, **parameters: str) -> Answer:
    """The answer to a list of books."""
    return person.get(f"/books?{urlencode(parameters)}")


def titles(person: Person, **parameters: str) -> list[str]:
    """The titles of a list of books."""
    answer = asked(person, **parameters)
    assert answer.status == 200, answer
    return [row["title"] for row in answer.json()["items"]]


@pytest.mark.parametrize("hidden", ["shelf.code", "shelf.key", "shelf.pin", "shelf.version", "shelf.nil"])
def test_what_cannot_be_read_cannot_be_named(library: Served, hidden: str) -> None:
    """Unreadable, hidden, write-only and unknown are one answer, in a filter and beyond a relation."""
    ada = library.person("ada")
    answer = asked(ada, filter=f'pages > 1 and {hidden} == "x"')
    (error,) = answer.json()["errors"]
    name = hidden.partition(".")[2]
    assert answer.status == 422
    assert (error["field"], error["code"], error["column"]) == ("filter", "bad_expression", 15)
    assert error["message"].startswith(f'Column 15: Shelf has no field "{name}".')
    for parameters in ({f"shelf__{name}": "x"}, {"sort": f"shelf__{name}"}):
        answer = asked(ada, **parameters)
        assert answer.status == 422 and len(answer.faults) == 1, answer
        assert not any(word in answer.body.decode().replace(hidden, "") for word in ("readable", "hidden"))


def test_a_relation_by_an_unreadable_field_is_unknown_too(library: Served) -> None:
    """From both ends; for those who may read it, it is there."""
    ada, staff = library.person("ada"), library.person("root", "staff")
    for parameters in ({"filter": 'other.name == "x"'}, {"other__name": "x"}, {"sort": "other__name"}):
        assert asked(ada, **parameters).status == 422
        assert asked(staff, **parameters).status == 200
    back = f"/shelves?{urlencode({'filter': 'books_by_other.pages > 0'})}"
    assert ada.get(back).status == 422
    assert staff.get(back).status == 200
    shelf = ada.items("/shelves")[0]["id"]
    assert ada.get(f"/shelves/{shelf}/books-by-other?sort=id").status == 404
    assert staff.get(f"/shelves/{shelf}/books-by-other?sort=id").status == 200
    assert asked(ada, filter='notes == "x"').status == 422
    assert asked(staff, filter='notes == "x" or shelf.code == "y"').status == 200


def test_a_hop_sees_what_its_caller_may_read(library: Served) -> None:
    """A shelf that ada cannot read is nowhere: not in a filter, not by its absence, not in an order."""
    ada, bob, staff = library.person("ada"), library.person("bob"), library.person("root", "staff")
    assert titles(bob, filter='shelf.name == "His"', sort="title") == ["His 0", "His 1"]
    assert titles(staff, shelf__name="His", sort="title") == ["His 0", "His 1"]
    assert titles(ada, filter='shelf.name == "His"') == []
    assert titles(ada, shelf__name="His") == []
    assert titles(ada, filter='shelf.keeper == "eve"') == []
    assert titles(ada, shelf__keeper_id="eve") == []
    # Whatever is asked of it, it answers as if it were not there.
    for condition in ("shelf.name is None", 'shelf.name != "His"', 'not (shelf.name == "His")'):
        assert {"His 0", "His 1"} <= set(titles(ada, filter=condition))
    assert titles(ada, filter='not (shelf.books_by_shelf.title == "Book 0")', sort="title")[:2] == [
        "Book 3",
        "Book 4",
    ]
    order = titles(ada, sort="shelf__name,title")
    assert order == ["Book 0", "Book 1", "Book 2", "Book 3", "Book 4", "Book 5", "His 0", "His 1"]
    assert titles(ada, sort="-shelf__name__nulls_last,title")[:3] == ["Book 0", "Book 1", "Book 2"]
    assert titles(staff, sort="-shelf__name__nulls_last,title")[:2] == ["His 0", "His 1"]


def test_order_tells_nothing_of_what_cannot_be_read(library: Served) -> None:
    """Renaming the other's shelf changes neither the order nor the cursor of somebody who cannot read it."""
    ada, bob = library.person("ada"), library.person("bob")
    shelf = bob.items("/shelves")[0]
    pages = []
    for name in ("AAA", "zzz", shelf["name"]):
        assert bob.patch(f"/shelves/{shelf['id']}", {"name": name}).status == 200
        page = asked(ada, sort="shelf__name,title", limit="7").json()
        pages.append(([row["title"] for row in page["items"]], page["next_cursor"]))
    assert pages[0] == pages[1] == pages[2]


def test_the_caller_in_a_filter(library: Served) -> None:
    """`caller` is whoever asks; nobody is nobody."""
    mine = {"filter": "owner == caller", "sort": "title"}
    assert len(titles(library.person("ada"), **mine)) == 6
    assert titles(library.person("bob"), **mine) == ["His 0", "His 1"]
    assert titles(library.anonymous, **mine) == []
    assert titles(library.person("ada", team="x"), filter='caller.claims.team == "x"', limit="1") != []
    for odd in (1, None, True, ["a"], {"a": 1}, 1e300):
        for condition in (
            "caller.claims.odd == title",
            "caller.claims.odd in labels",
            "pages > caller.claims.odd",
        ):
            assert asked(library.person("eve", odd=odd), filter=condition).status == 200


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ("pages", 1, "not a condition"),
        ("pages = 3", 7, '"=="'),
        ("pages > 3 &", 12, "at the end"),
        ("pages > 3 and", 14, "at the end"),
        ("  pages > titel", 11, "Did you mean"),
        ("pages >\n 'x'", 10, "is not integer"),
        ('"é😀" == title and nope', 19, 'no field "nope"'),
        ("due < '2026-01-01'", 7, "not a timestamp"),
        ("due < bought", 1, "a date and a timestamp do not compare"),
        ("bought == '2026-02-30'", 11, "not date"),
        ("code == 'x'", 9, "not uuid"),
        ("state == 'lost'", 10, "not one of the literals"),
        ("shelf == 5", 10, "not Shelf"),
        ("books", 1, 'no field "books"'),
        ("shelf.books_by_shelf.pages == 1 or shelf.nope.pages == 1", 36, 'no field "nope"'),
        ("title + 1 == 2", 1, "arithmetic needs numbers"),
        ("open('x')", 1, 'unknown function "open"'),
        ("__import__('os')", 1, "unknown function"),
        ("title.upper() == 'A'", 1, "only the language's own functions"),
        ("pages == 1e999999", 10, "digits"),
        ("pages == 1e99999999999999999999999", 10, "digits"),
        ("(lambda: 1)()", 1, "functions"),
        ("[x for x in labels]", 1, "not part of the language"),
        ("title == f'{pages}'", 10, "not part of the language"),
        ("title == b'a'", 10, "one pair of quotes"),
        ("title == '\\x00'", 10, "cannot be stored"),
        ("title == '\\ud800'", 10, "cannot be stored"),
        ("pages / 0 == 1", 1, "arithmetic knows"),
        ("pages ** 9 == 1", 1, "arithmetic knows"),
    ],
)
def test_what_is_no_filter_is_told_where(library: Served, text: str, column: int, told: str) -> None:
    """422 with the column, counted in characters from 1, and never a fault of the server."""
    answer = asked(library.person("ada"), filter=text)
    assert answer.status == 422, answer
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == ("filter", "bad_expression"), error
    assert (error["column"], told in error["message"]) == (column, True), error


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2001,
        "pages == " + "9" * 1992,
        "not " * 60 + "lost",
        "-" * 100 + "1 == pages",
        "(" * 900 + "1" + ")" * 900,
        ".".join(["shelf"] * 300) + ".name == 'x'",
        " or ".join(["pages == 1"] * 60),
        f"pages in {list(range(101))}".replace(" ", ""),
        "shelf.books_by_shelf.shelf.books_by_shelf.shelf.name == 'x'",
        " or ".join(["shelf.books_by_shelf.shelf.name == 'x'"] * 5),
        "+".join(["pages"] * 60) + " == 1",
    ],
    ids=lambda text: text[:24],
)
def test_a_filter_has_a_size(library: Served, text: str) -> None:
    """Length, depth, parts, values and relations are bounded; so is the time to say no."""
    answer = asked(library.person("ada"), filter=text)
    assert answer.status == 422, answer
    assert answer.json()["errors"][0]["code"] in ("too_complex", "bad_expression")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pages in []", 0),
        ("pages in [1, 2, 2, 99999999999999999999, 2.5]", 2),
        ("pages < 99999999999999999999999999", 6),
        ("pages > -1e900 and pages < 1e900", 6),
        ("pages * 1e900 * 1e900 > 1e999", 5),
        ("pages == 1.0", 1),
        ("price == 1.50 or price == 2.5", 2),
        ("price * 2 + 1 == 4", 1),
        ("lost", 1),
        ("not lost and lost is not None", 5),
        ("lost == True", 1),
        ("True", 8),
        ("1 == 2", 0),
        ("'a' in labels and len(labels) == 1", 6),
        ("startswith(lower(title), 'his')", 2),
        ("contains(title, '%') or contains(title, '_')", 0),
        ("title == 'ſ' or title == '😀\\u2028\\u202e'", 0),
        ("coalesce(pages, 99999999999999999999999) > 100", 2),
        ("now() > created_at and today() >= date(created_at)", 8),
        ("shelf is None", 3),
        ("shelf.id is None", 3),
        ("shelf.books_by_shelf.pages == pages and shelf.books_by_shelf.lost", 3),
        ("id != '01890000-0000-7000-8000-000000000000'", 8),
        ("'; DROP TABLE books; --' == title or title == \"' OR 1=1 --\"", 0),
        ("title == $1", None),
        ("caller.claims.a.b.c.d == title", 0),
        ("caller.roles == title", None),
        ("title in caller.roles", 0),
    ],
)
def test_odd_filters_are_answered(library: Served, text: str, found: int | None) -> None:
    """Numbers of any size, empty lists, wild cards and quotes mean what they say."""
    answer = asked(library.person("ada"), filter=text)
    assert answer.status == (422 if found is None else 200), answer
    assert found is None or len(answer.json()["items"]) == found


def test_raw_bytes_in_a_filter(library: Served) -> None:
    """NUL, broken UTF-8 and broken escapes are refused before they are read."""
    for raw, status in (("%00", 422), ("%ff", 400), ("%", 400), ("title=='%00'", 422), ("%ED%A0%80", 400)):
        answer = library.request("GET", f"{PREFIX}/books?filter={raw}")
        assert answer.status == status, raw
    assert library.request("GET", f"{PREFIX}/books?filter=True&filter=True").status == 422
    assert library.request("GET", f"{PREFIX}/books?{quote('filter')}=True").status == 200


def test_any_text_is_a_filter_or_none(library: Served) -> None:
    """A thousand texts made of the language's own pieces: 200 or 422, never a fault."""
    chance = random.Random(11)
    pieces = [
        *(
            "title",
            "pages",
            "shelf",
            "books",
            ".",
            "name",
            "caller",
            "claims",
            "(",
            ")",
            "[",
            "]",
            ",",
            "==",
            "<",
        ),
        *(
            "in",
            "not",
            "and",
            "or",
            "is",
            "None",
            "True",
            "'a'",
            '"',
            "'",
            "1",
            "1e9",
            "-",
            "+",
            "*",
            "lower",
        ),
        *(
            "coalesce",
            "date",
            "now",
            "()",
            "due",
            "labels",
            "\\",
            "é",
            "😀",
            "#",
            ";",
            "lambda",
            ":",
            "{",
            "x",
        ),
    ]
    ada = library.person("ada")
    for _ in range(1000):
        text = " ".join(chance.choices(pieces, k=chance.randint(1, 12)))
        assert asked(ada, filter=text, limit="1").status in (200, 422), text


def test_relations_in_parameters(library: Served) -> None:
    """Wire names, operators, many rows, the reference itself; what is not there is named."""
    ada = library.person("ada")
    hers = ada.items("/shelves")[0]["id"]
    assert len(titles(ada, shelf__name__contains="er")) == 3
    assert len(titles(ada, shelf__id=hers)) == len(titles(ada, shelf_id=hers)) == 3
    assert titles(ada, shelf__books_by_shelf__title="Book 2", sort="title") == ["Book 0", "Book 1", "Book 2"]
    assert len(titles(ada, shelf__name__isnull="true")) == 5
    assert len(titles(ada, shelf__name__in="Hers,His")) == 3
    for name, code in (
        ("shelf__nope", "unknown_parameter"),
        ("shelf__owner", "unknown_parameter"),
        ("shelf_id__name", "unknown_parameter"),
        ("shelf__name__like", "unknown_parameter"),
        ("shelf__", "unknown_parameter"),
        ("__", "unknown_parameter"),
        ("shelf__books_by_shelf__shelf__books_by_shelf__shelf__name", "too_complex"),
    ):
        answer = asked(ada, **{name: "x"})
        assert answer.faults == [(name, code)] and b"Column" not in answer.body
    for sort in (
        "shelf__books_by_shelf__pages",
        "shelf__nope",
        "shelf",
        "title__nulls",
        "title__nulls_first__nulls_last",
    ):
        assert asked(ada, sort=sort).faults == [("sort", "not_a_choice")], sort
    assert asked(ada, sort="title,title__nulls_first").faults == [("sort", "repeated")]
    assert asked(ada, sort="shelf_id,shelf__id").faults == [("sort", "repeated")]


def test_search(library: Served) -> None:
    """Words in any case, in any searchable field, with filters, order, pages and count."""
    ada = library.person("ada")
    assert titles(ada, q="secret words", sort="title") == ["His 0", "His 1"]
    assert titles(ada, q='"words secret"') == []
    assert titles(ada, q="BOOK -5", sort="-title", filter="pages > 2") == ["Book 4", "Book 3"]
    assert sorted(titles(ada, q="his or book", limit="100")) == sorted(titles(ada, limit="100"))
    page = asked(ada, q="book", sort="pages", limit="4", count="exact").json()
    assert page["total"] == 6
    rest = asked(ada, q="book", sort="pages", limit="4", cursor=page["next_cursor"]).json()["items"]
    assert [row["pages"] for row in page["items"] + rest] == list(range(6))
    for text in ("", "   ", "!!!", '"', "'", "&|!():*<->", "\\", "%", "😀", "or", "-", "a" * 1000, "the"):
        assert asked(ada, q=text).status == 200, text
    assert asked(ada, q="a" * 1001).faults == [("q", "too_long")]
    assert library.request("GET", f"{PREFIX}/books?q=%00").faults == [("q", "invalid_character")]
    assert ada.get("/shelves?q=x").faults == [("q", "unknown_parameter")]


def test_a_text_of_any_words_can_be_stored(library: Served) -> None:
    """However many different words it has: the first of them are searched."""
    ada = library.person("eve")
    chance = random.Random(3)
    letters = "abcdefghijklmnopqrstuvwxyzäöüßéèñçøåæœ一二三四五六七八九十"
    words = " ".join("".join(chance.choices(letters, k=chance.randint(2, 6))) for _ in range(120_000))
    for text in (words, words.replace(" ", "-"), words.replace(" ", "/x."), "a" * 900_000):
        row = ada.made("/books", {"title": "Long", "blurb": text[:150_000]})
        assert len(row["blurb"]) == 150_000
        assert ada.delete(f"/books/{row['id']}").status == 204


def test_a_change_is_found_at_once(library: Served) -> None:
    """The words follow the row."""
    eve = library.person("eve")
    row = eve.made("/books", {"title": "Quagga"})
    assert titles(eve, q="quagga") == ["Quagga"]
    assert "_search" not in row
    assert eve.patch(f"/books/{row['id']}", {"title": "Zebra"}).status == 200
    assert titles(eve, q="quagga") == []
    assert titles(eve, q="zebra") == ["Zebra"]
    assert eve.delete(f"/books/{row['id']}").status == 204
    assert titles(eve, q="zebra") == []


def test_a_cursor_belongs_to_its_query(library: Served) -> None:
    """Another filter, search or place of the nulls, and another caller, make it invalid; blanks do not."""
    ada = library.person("ada")
    same = {"filter": "pages >= 0", "q": "book", "sort": "shelf__name,pages", "limit": "2"}
    cursor = asked(ada, **same).json()["next_cursor"]
    assert titles(ada, **same | {"filter": " pages>=0 "}, cursor=cursor) == ["Book 2", "Book 3"]
    for other in (
        {"filter": "pages > 0"},
        {"filter": "pages >= 0.0"},
        {"q": "books"},
        {"sort": "shelf__name__nulls_first,pages"},
        {"sort": "shelf_id,pages"},
        {"sort": "-shelf__name,pages"},
        {"shelf__name": "Hers"},
    ):
        assert asked(ada, **same | other, cursor=cursor).code == "invalid_cursor", other
    assert asked(library.person("bob"), **same, cursor=cursor).code == "invalid_cursor"


def test_one_statement_for_all_of_it(library: Served) -> None:
    """Filter, search, order over a relation, page and count cost one round trip."""
    ada = library.person("ada")
    query = {"filter": 'shelf.name == "Hers"', "q": "book", "sort": "-shelf__name,title", "count": "exact"}
    asked(ada, **query)
    with library.statements() as sent:
        assert asked(ada, **query).status == 200
    assert len([text for text in sent if "FROM books" in text]) == 1


def test_shapes_are_shared_and_forgotten(library: Served) -> None:
    """Literals make no new statement, and any number of shapes takes no more than their share of memory."""
    statements = library.backend.service.statements
    ada = library.person("ada")
    before = statements._written.cache_info()  # type: ignore[attr-defined]
    for number in range(40):
        assert asked(ada, filter=f'pages in [{number}, 7] and title != "t{number}"', limit="1").status == 200
    after = statements._written.cache_info()  # type: ignore[attr-defined]
    assert after.misses - before.misses == 1
    plain = statements._lists.cache_info().currsize  # type: ignore[attr-defined]
    names = ["pages", "price", "lost", "title", "bought", "due", "code", "state", "labels", "shelf"]
    for number in range(1024):
        chosen = [name for bit, name in enumerate(names) if number >> bit & 1]
        text = " and ".join(f"{name} is None" for name in chosen) or "True"
        assert asked(ada, filter=text, limit="1").status == 200
    held = statements._written.cache_info()  # type: ignore[attr-defined]
    assert held.misses - after.misses >= 1000
    assert held.currsize <= held.maxsize == 256
    assert statements._lists.cache_info().currsize == plain  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "-pages,title"},
        {"sort": "shelf__name,-pages__nulls_first", "filter": "pages >= 0"},
        {"sort": "price", "q": "flow"},
    ],
)
def test_pages_while_others_write(library: Served, query: dict[str, str]) -> None:
    """Rows that are there all the time come once each, in order, whatever comes and goes between pages."""
    flo, gus = library.person("flo"), library.person("gus")
    stay = set()
    for number in range(30):
        body = {"title": f"flow {number}", "pages": number % 4, "price": None if number % 3 else "1.00"}
        stay.add(flo.made("/books", body)["id"])
    stop = threading.Event()

    def write() -> None:
        chance = random.Random(5)
        while not stop.is_set():
            body = {
                "title": "flow",
                "pages": chance.choice([0, 1, 2, 3]),
                "price": chance.choice([None, "1.00"]),
            }
            row = gus.made("/books", body)
            if chance.random() < 0.7:
                gus.delete(f"/books/{row['id']}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = asked(flo, **query, limit="5", **cursor).json()
            seen += [row["id"] for row in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
    finally:
        stop.set()
        writer.join()
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
    for key in stay:
        assert flo.delete(f"/books/{key}").status == 204


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO shelves (name, owner_id) SELECT 'Shelf ' || n, 'ada' FROM generate_series(1, 200) n"
        )
        await connection.execute(
            "INSERT INTO books (title, pages, owner_id, shelf_id)"
            " SELECT 'Book ' || n || CASE WHEN n % 5000 = 0 THEN ' rare' ELSE ' usual' END, n % 500,"
            " CASE WHEN n % 400 = 0 THEN 'ada' ELSE 'p' || n % 1000 END,"
            " (SELECT id FROM shelves OFFSET n % 200 LIMIT 1) FROM generate_series(1, 30000) n"
        )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _explained(url: str, text: str, arguments: Any) -> str:
    connection = await asyncpg.connect(url)
    try:
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}", *arguments))
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def many(database_server: str) -> Iterator[Served]:
    """Thirty thousand books, of which ada has 75."""
    spec = SPEC.replace("| anyone | list, read |", "| staff  | list, read |")
    with fresh_database(database_server) as database, serving(spec, database) as served:
        asyncio.run(_fill(database))
        yield served


@pytest.mark.parametrize(
    ("roles", "query", "index"),
    [
        ((), {}, "ix_books_owner_id_created_at_id"),
        ((), {"filter": "pages > 400"}, "ix_books_owner_id_created_at_id"),
        ((), {"filter": 'shelf.name == "Shelf 3" or pages == 1'}, "ix_books_owner_id_created_at_id"),
        ((), {"sort": "shelf__name,pages"}, "ix_books_owner_id_created_at_id"),
        ((), {"shelf__name": "Shelf 3"}, "ix_books_owner_id_created_at_id"),
        (("staff",), {"q": "rare"}, "ix_books__search"),
        (("staff",), {"q": "rare", "filter": "pages >= 0", "sort": "title"}, "ix_books__search"),
        (("staff",), {"filter": 'owner == "p7"'}, "ix_books_owner_id_created_at_id"),
        (("staff",), {"filter": 'owner in ["p7", "p9"]', "sort": "pages"}, "ix_books_owner_id_created_at_id"),
        (("staff",), {"filter": "id == '01890000-0000-7000-8000-000000000000'"}, "pk_books"),
    ],
)
def test_lists_read_through_indexes(
    many: Served, roles: tuple[str, ...], query: dict[str, str], index: str
) -> None:
    """Where there is an index for what is asked, no page looks at every row."""
    from specwright.api.plan import plan_request
    from specwright.model.caller import Caller

    caller = Caller("ada", frozenset(roles))
    target = f"/books?{urlencode(query)}"
    planned = plan_request(many.backend.dispatch, "GET", target, caller)
    told = asyncio.run(_explained(many.database, planned.statement.text, planned.arguments))
    assert "Seq Scan on books" not in told, told
    assert index in told, told


def test_the_statements_of_a_search_wait_for_nobody(many: Served) -> None:
    """A search of many rows, sorted and counted, is answered."""
    staff = many.person("root", "staff")
    answer = staff.get("/books?q=usual&sort=-shelf__name,title&count=exact&limit=100")
    assert answer.status == 200
    assert answer.json()["total"] == 29_994
