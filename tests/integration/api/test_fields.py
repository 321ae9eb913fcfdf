"""What becomes of a field in each direction: shown, taken, kept, filled."""

from collections.abc import Callable, Iterator

import pytest

from served import Served, fresh_database, serving

FORM = """
# Form

## Roles

| Role  | Means |
|-------|-------|
| admin | all   |

## Form

| Field    | Type      | Rules                                        |
|----------|-----------|----------------------------------------------|
| title    | text      | required, ..40                               |
| note     | text      | ..40                                         |
| kind     | `a`, `b`  | default `a`                                  |
| amount   | number(8,3) | default 1.5                                |
| tags     | list of text | ..5                                       |
| sums     | list of number(6,2) | ..5                                |
| times    | list of timestamp | ..5                                  |
| days     | list of date | ..5                                       |
| flags    | list of boolean | ..5                                    |
| links    | list of uuid | ..5                                       |
| extra    | json      |                                              |
| opened   | timestamp | now                                          |
| batch    | text      | ..10, immutable                              |
| code     | text      | ..10, required, immutable                    |
| stamp    | text      | ..10, read only                              |
| pin      | text      | ..10, write only                             |
| inner    | text      | ..10, hidden, default `x`                    |
| margin   | integer   | readable by admin                            |
| grade    | integer   | default 3, writable by admin                 |
| bonus    | integer   | readable by admin, writable by admin         |
| owner    | User      | the caller                                   |
| deputy   | User      | the caller, writable by admin                |

| Who   | May        |
|-------|------------|
| admin | everything |
"""
SEEN = FORM.replace("| admin | everything |", "| admin | everything |\n| signed in | everything |")


@pytest.fixture(scope="module")
def form(database_server: str) -> Iterator[Served]:
    """Forms that everyone signed in may fill."""
    with fresh_database(database_server) as database, serving(SEEN, database) as served:
        yield served


def test_defaults_and_what_is_filled(form: Served) -> None:
    """Left out: defaults, null, the caller and now; the answer shows what is stored."""
    row = form.person("ada").made("/forms", {"title": "x", "code": "c"})
    assert list(row) == [
        "id", "title", "note", "kind", "amount", "tags", "sums", "times", "days", "flags", "links", "extra",
        "opened", "batch", "code", "stamp", "grade", "owner_id", "deputy_id", "created_at", "updated_at",
    ]  # fmt: skip
    assert (row["kind"], row["amount"], row["note"], row["grade"]) == ("a", "1.500", None, 3)
    assert (row["owner_id"], row["deputy_id"]) == ("ada", "ada")
    assert row["opened"] == row["created_at"] == row["updated_at"]


def test_who_sees_and_sets_what(form: Served) -> None:
    """`readable by`: as if it were not there; `writable by`: 403 with its name; an admin may both."""
    ada, root = form.person("ada"), form.person("root", "admin")
    row = root.made(
        "/forms",
        {"title": "x", "code": "c", "margin": 7, "grade": 5, "bonus": 1, "deputy_id": "bob", "pin": "1234"},
    )
    assert (row["margin"], row["grade"], row["bonus"], row["deputy_id"]) == (7, 5, 1, "bob")
    path = f"/forms/{row['id']}"
    assert not {"margin", "bonus", "pin", "inner", "version"} & set(ada.get(path).json())
    assert not {"pin", "inner", "version"} & set(root.get(path).json())
    for member in ("margin", "bonus", "inner", "version"):
        assert ada.patch(path, {member: 1}).faults == [(member, "unknown_member")]
        assert ada.get(f"/forms?{member}=1").faults == [(member, "unknown_parameter")]
    refused = ada.patch(path, {"grade": 1, "deputy_id": "ada"})
    assert (refused.status, sorted(refused.faults)) == (
        403,
        [("deputy_id", "forbidden"), ("grade", "forbidden")],
    )
    assert ada.patch(path, {"owner_id": "eve"}).faults == [("owner_id", "read_only")]
    assert root.items("/forms?margin=7&fields=id") == [{"id": row["id"]}]
    assert root.patch(path, {"deputy_id": None}).faults == [("deputy_id", "not_null")]
    assert form.sql("SELECT pin FROM forms WHERE id::text = $1", row["id"])[0][0] == "1234"


def test_immutable(form: Served) -> None:
    """Set on create; later only an equal value is accepted, null included."""
    ada = form.person("ada")
    row = ada.made("/forms", {"title": "x", "code": "c", "batch": "b1"})
    path = f"/forms/{row['id']}"
    assert ada.patch(path, {"batch": "b1", "title": "y"}).status == 200
    assert ada.patch(path, {"batch": "b2"}).faults == [("batch", "immutable")]
    assert ada.patch(path, {"batch": None}).faults == [("batch", "immutable")]
    empty = ada.made("/forms", {"title": "x", "code": "c"})
    assert ada.patch(f"/forms/{empty['id']}", {"batch": None}).status == 200
    assert ada.patch(f"/forms/{empty['id']}", {"batch": "late"}).faults == [("batch", "immutable")]


def test_patch_merges(form: Served) -> None:
    """What is not sent stays; null clears; a list and a json value are replaced."""
    ada = form.person("ada")
    row = ada.made(
        "/forms", {"title": "x", "code": "c", "note": "n", "tags": ["a"], "extra": {"a": 1, "b": [1]}}
    )
    path = f"/forms/{row['id']}"
    changed = ada.patch(path, {"note": None, "tags": ["b", "c"], "extra": {"b": None}}).json()
    assert (changed["title"], changed["note"], changed["tags"]) == ("x", None, ["b", "c"])
    assert changed["extra"] == {"b": None}
    assert changed["updated_at"] > row["updated_at"]
    same = ada.patch(path, {})
    assert same.status == 200
    assert ada.patch(path, {"extra": None}).json()["extra"] is None


def test_put_replaces(form: Served) -> None:
    """What its sender sees and may write is reset when left out; read-only members only when equal."""
    ada, root = form.person("ada"), form.person("root", "admin")
    row = root.made(
        "/forms",
        {
            "title": "x",
            "code": "c",
            "note": "n",
            "kind": "b",
            "margin": 7,
            "grade": 5,
            "pin": "1",
            "amount": 2,
        },
    )
    path = f"/forms/{row['id']}"
    seen = ada.get(path).json()
    assert ada.put(path, seen).status == 403, "grade is not ada's to set, not even to what it is"
    del seen["grade"], seen["deputy_id"]
    again = ada.put(path, seen)
    assert again.status == 200, again
    changing = {"updated_at"}
    assert {k: v for k, v in again.json().items() if k not in changing | {"grade", "deputy_id"}} == {
        k: v for k, v in seen.items() if k not in changing
    }
    assert ada.put(path, seen).faults == [("updated_at", "read_only")]
    reset = ada.put(path, {"title": "y", "code": "c"}).json()
    assert (reset["note"], reset["kind"], reset["amount"], reset["grade"]) == (None, "a", "1.500", 5)
    assert root.get(path).json()["margin"] == 7
    assert form.sql("SELECT pin FROM forms WHERE id::text = $1", row["id"])[0][0] == "1"
    assert ada.put(path, {"code": "c"}).faults == [("title", "required")]
    assert ada.put(path, {"title": "y", "code": "d"}).faults == [("code", "immutable")]
    assert ada.put(
        path, {"title": "y", "code": "c", "id": "01a1fb4a-9299-714f-9210-30d2911da5bb"}
    ).faults == [("id", "read_only")]
    assert ada.put(path, {"title": "y", "code": "c", "owner_id": "eve"}).faults == [("owner_id", "read_only")]
    assert ada.put(path, {"title": "y", "code": "c", "owner_id": "root", "id": row["id"]}).status == 200
    missing = path[:-4] + "0000"
    assert ada.put(missing, {"title": "y", "code": "c"}).status == 404
    assert ada.get(missing).status == 404


def test_lists_on_the_wire(form: Served) -> None:
    """The items of a list are written as a field of their type: numbers as text, timestamps in UTC."""
    ada = form.person("ada")
    body = {
        "title": "x",
        "code": "c",
        "tags": ["a,b", '"', "", "NULL", "{\\}"],
        "sums": ["0.10", "-9999.99"],
        "times": ["2026-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"],
        "days": ["2026-01-01", "9999-12-31", "0001-01-01"],
        "flags": [True, False],
        "links": ["01a1fb4a-9299-714f-9210-30d2911da5bb"],
    }
    row = ada.made("/forms", body)
    assert {name: row[name] for name in body} == body
    assert ada.get(f"/forms/{row['id']}").json() == row
    assert ada.items(f"/forms?id={row['id']}") == [row]
    empty = ada.made("/forms", {"title": "x", "code": "c", "sums": [], "times": []})
    assert (empty["sums"], empty["times"], empty["tags"]) == ([], [], None)
    again = ada.put(f"/forms/{row['id']}", body)
    assert again.json()["times"] == body["times"]


@pytest.mark.parametrize(
    "value", [None, True, 0, "", "text", [], {}, [None, {"a": [1.5, "é", {"b": False}]}], 10**30]
)
def test_json_values(form: Served, value: object) -> None:
    """Any JSON value comes back as it was; null is no value."""
    row = form.person("ada").made("/forms", {"title": "x", "code": "c", "extra": value})
    assert row["extra"] == value


WIDE = """
# Wide

## Order

| Field | Type | Rules |
|-------|------|-------|
| column | text | ..20 |
| user  | text | ..20 |
| table | text | ..20 |
| to    | Group | on delete clear |
{fields}

| Who       | May        | When |
|-----------|------------|------|
| signed in | everything | `user is None or user == caller.id` |
| signed in | list       | `to.select == "x"` |

### Rules

- `column is None or column != table` (FR-001)

## Group

| Field  | Type | Rules |
|--------|------|-------|
| select | text | ..20, unique |
| where  | integer | default 1 |

| Who       | May        |
|-----------|------------|
| signed in | everything |

### Requirements

- **FR-001** Column is not table.
"""


def test_sixty_fields_and_reserved_words(serve: Callable[..., Served]) -> None:
    """Words of SQL are names like others, and so many fields still take one statement."""
    wide = "\n".join(f"| field {n} | integer | 0..100, default {n} |" for n in range(60))
    served = serve(WIDE.format(fields=wide))
    ada = served.person("ada")
    group = ada.made("/groups", {"select": "x"})
    row = ada.made("/orders", {"column": "a", "user": "ada", "table": "t", "to_id": group["id"]})
    assert row["field_59"] == 59
    with served.statements() as sent:
        assert ada.patch(f"/orders/{row['id']}", {f"field_{n}": 7 for n in range(60)}).json()["field_0"] == 7
    assert len(sent) == 1
    query = "&".join(f"field_{n}=7" for n in range(30))
    sort = ",".join(f"-field_{n}" for n in range(60))
    (found,) = ada.items(f"/orders?{query}&sort={sort}&column=a&user=ada&table__gt=s&count=exact")
    assert found["field_30"] == 7
    page = ada.made("/orders", {}) and ada.get(f"/orders?limit=1&sort={sort}").json()
    assert len(ada.items(f"/orders?sort={sort}&cursor={page['next_cursor']}")) == 1
    assert ada.post("/orders", {"column": "a", "table": "a"}).status == 422
    assert ada.items("/groups?where__gte=1&select__in=x,y&sort=-where,select") == [group]
    assert ada.delete(f"/groups/{group['id']}").status == 204


def test_the_longest_names(serve: Callable[..., Served]) -> None:
    """Names as long as PostgreSQL takes, in every place where a refusal speaks of them."""
    entity, reference, fixed = "Very long " + "x" * 44, "r" * 60, "f" * 63
    spec = f"""
# Long

## {entity}

| Field | Type | Rules |
|-------|------|-------|
| {reference} | {entity} | on delete clear |
| {fixed} | text | ..20, immutable |
| due | timestamp | |

| Who       | May        |
|-----------|------------|
| signed in | everything |

### Rules

- `due is None or due > now()` (FR-001)

### Requirements

- **FR-001** Due is ahead.
"""
    ada = serve(spec).person("ada")
    path = "/very-long-" + "x" * 44 + "es"
    row = ada.made(path, {fixed: "a"})
    place = f"{path}/{row['id']}"
    wire = f"{reference}_id"
    assert ada.patch(place, {wire: row["id"][:-4] + "0000"}).faults == [(wire, "reference_not_found")]
    assert ada.patch(place, {wire: row["id"]}).json()[wire] == row["id"]
    assert ada.patch(place, {fixed: "b"}).faults == [(fixed, "immutable")]
    assert "FR-001" in ada.patch(place, {"due": "2001-01-01T00:00:00Z"}).body.decode()
    assert ada.items(f"{path}?{wire}={row['id']}&sort={wire},{fixed}&fields={fixed}") == [{fixed: "a"}]
