"""Fields that are somebody's: by role, by name, by owner; where the row decides, member by member."""

from collections.abc import Iterator

import pytest

from served import Person, Served, fresh_database, serving

STAFF = """
# Staff

## Roles

| Role  | Means           | Includes |
|-------|-----------------|----------|
| hr    | keeps the files |          |
| chief | runs the house  | hr       |

| Who     | Is                              |
|---------|---------------------------------|
| head    | `department.head == caller`     |
| auditor | `caller.claims.audits == True`  |
| buddy   | `friend is not None and friend.name == caller.claims.fan_of` |

## Department

| Field | Type | Rules          |
|-------|------|----------------|
| name  | text | required, ..80 |
| head  | User |                |

| Who       | May        |
|-----------|------------|
| signed in | everything |

## Person (people)

| Field      | Type       | Rules                                               |
|------------|------------|-----------------------------------------------------|
| name       | text       | required, ..80                                      |
| salary     | integer    | readable by owner and hr and head, writable by hr   |
| bonus      | integer    | readable by owner and hr and head, writable by hr and head |
| diary      | text       | ..80, readable by owner                             |
| number     | text       | ..20, readable by owner and hr, immutable           |
| remark     | text       | ..80, readable by auditor                           |
| phone      | text       | ..20, writable by owner                             |
| nick       | text       | ..20, readable by buddy                             |
| friend     | Person     | on delete clear                                     |
| department | Department | on delete clear                                     |
| owner      | User       | the caller                                          |

| Who       | May                        |
|-----------|----------------------------|
| signed in | list, read, create, update |

## File

| Field | Type | Rules                                 |
|-------|------|---------------------------------------|
| name  | text | required, ..80                        |
| mark  | text | required, ..80, readable by hr        |
| place | text | required, ..80, readable by owner     |
| owner | User | the caller                            |

| Who       | May        |
|-----------|------------|
| signed in | everything |
"""


@pytest.fixture(scope="module")
def staff(database_server: str) -> Iterator[Served]:
    """People that everyone signed in may read and change, up to some fields."""
    with fresh_database(database_server) as database, serving(STAFF, database) as served:
        yield served


@pytest.fixture(scope="module")
def department(staff: Served) -> str:
    """The department that Eve heads."""
    row = staff.person("root").made("/departments", {"name": "R&D", "head_id": "eve"})
    return str(row["id"])


@pytest.fixture
def ada(staff: Served, department: str) -> str:
    """The row of Ada, in Eve's department."""
    me, hr = staff.person("ada"), staff.person("hana", "hr")
    row = me.made("/people", {"name": "Ada", "department_id": department, "diary": "d", "number": "7"})
    answer = hr.patch(f"/people/{row['id']}", {"salary": 100, "bonus": 5})
    assert answer.status == 200 and answer.json()["salary"] == 100
    return str(row["id"])


LIMITED = {"salary", "bonus", "diary", "number", "remark", "nick"}


def seen(person: Person, key: str) -> set[str]:
    """Which of the limited members somebody sees of a row; lists and reads agree."""
    answer = person.get(f"/people/{key}")
    assert answer.status == 200
    row = answer.json()
    (listed,) = [item for item in person.items("/people?limit=100") if item["id"] == key]
    assert listed == row
    return LIMITED & set(row)


def test_the_row_decides_who_sees_a_member(staff: Served, ada: str) -> None:
    """For others it is absent, as if it did not exist; the same person sees it of one row, not of another."""
    assert seen(staff.person("ada"), ada) == {"salary", "bonus", "diary", "number"}
    assert seen(staff.person("eve"), ada) == {"salary", "bonus"}
    assert seen(staff.person("hana", "hr"), ada) == {"salary", "bonus", "number"}
    assert seen(staff.person("cleo", "chief"), ada) == {"salary", "bonus", "number"}
    assert seen(staff.person("bob"), ada) == set()
    bob = staff.person("bob").made("/people", {"name": "Bob", "diary": "b"})
    assert bob["diary"] == "b"
    assert seen(staff.person("ada"), bob["id"]) == set()


def test_a_name_on_the_caller_alone_is_like_a_role(staff: Served, ada: str) -> None:
    """No row is asked: whoever it holds for sees the field of every row, and may filter and sort by it."""
    auditor = staff.person("odo", audits=True)
    assert seen(auditor, ada) == {"remark"}
    assert auditor.get("/people?sort=remark&remark__isnull=true").status == 200
    assert staff.person("ada").get("/people?remark__isnull=true").faults == [
        ("remark__isnull", "unknown_parameter")
    ]


def test_a_condition_over_the_table_itself(staff: Served, ada: str) -> None:
    """It is judged on what is stored: the answer to the write that makes it true has the member."""
    fan = staff.person("bea", fan_of="Ada")
    row = fan.made("/people", {"name": "Bea", "friend_id": ada})
    assert "nick" in row
    assert "nick" not in fan.patch(f"/people/{row['id']}", {"friend_id": row["id"]}).json()
    assert "nick" in fan.patch(f"/people/{row['id']}", {"name": "Ada"}).json()
    assert fan.patch(f"/people/{row['id']}", {"nick": "B"}).json()["nick"] == "B"
    assert "nick" not in staff.person("bea").get(f"/people/{row['id']}").json()


def test_nobody_filters_by_what_they_may_not_see_of_every_row(staff: Served, ada: str) -> None:
    """In filters and sort keys the field does not exist, where the row decides; in `fields` it does."""
    me = staff.person("ada")
    for query in ("salary=100", "salary__gte=1", "sort=salary", "filter=salary%20%3E%201"):
        assert me.get(f"/people?{query}").status == 422, query
    hr = staff.person("hana", "hr")
    for query in ("salary=100", "sort=-salary", "filter=salary%20%3E%201"):
        assert [row["id"] for row in hr.items(f"/people?{query}") if row["id"] == ada], query
    assert me.get(f"/people/{ada}?fields=salary,diary").json() == {"salary": 100, "diary": "d"}
    assert staff.person("bob").get(f"/people/{ada}?fields=salary,diary").json() == {}
    assert staff.person("bob").get(f"/people/{ada}?fields=id,salary").json() == {"id": ada}
    assert me.get(f"/people/{ada}?fields=remark").status == 422


def test_who_may_not_set_a_member_of_this_row_is_told_its_name(staff: Served, ada: str) -> None:
    """403 names it, once the row was found and is theirs to change; nothing of the body is stored."""
    bob, eve = staff.person("bob"), staff.person("eve")
    answer = bob.patch(f"/people/{ada}", {"phone": "1", "bonus": 9, "name": "X"})
    assert (answer.status, sorted(answer.faults)) == (403, [("bonus", "forbidden"), ("phone", "forbidden")])
    assert staff.person("ada").get(f"/people/{ada}").json()["name"] == "Ada"
    assert bob.patch(f"/people/{ada}", {"salary": 1}).faults == [("salary", "forbidden")]
    assert eve.patch(f"/people/{ada}", {"bonus": 9}).json()["bonus"] == 9
    assert eve.patch(f"/people/{ada}", {"salary": 9}).faults == [("salary", "forbidden")]
    assert staff.person("cleo", "chief").patch(f"/people/{ada}", {"salary": 9}).json()["salary"] == 9
    assert bob.patch(f"/people/{ada}", {"name": "Ada L"}).status == 200
    missing = "0190a000-0000-7000-8000-000000000000"
    assert bob.patch(f"/people/{missing}", {"bonus": 1}).status == 404
    assert bob.patch(f"/people/{ada}", {"bonus": 1}, headers={"if-match": '"0-x"'}).status == 412
    assert bob.patch(f"/people/{ada}", {"remark": "x"}).faults == [("remark", "unknown_member")]


def test_of_a_new_row_the_new_row_decides(staff: Served, department: str) -> None:
    """The head of the department that a row is made in may set what a head may; others may not."""
    body = {"name": "Zoe", "department_id": department, "bonus": 1}
    assert staff.person("eve").post("/people", body).json()["bonus"] == 1
    refused = staff.person("bob").post("/people", body)
    assert (refused.status, refused.faults) == (403, [("bonus", "forbidden")])
    assert staff.person("bob").post("/people", body | {"bonus": None}).faults == [("bonus", "forbidden")]
    del body["bonus"]
    assert staff.person("bob").post("/people", body).status == 201


def test_who_cannot_see_what_is_required_creates_nothing(staff: Served) -> None:
    """403, and not a word of the field; what the new row decides about must be sent, and its owner may."""
    for body in ({"name": "x", "place": "p"}, {"name": "x", "place": "p", "mark": "m"}, {}):
        answer = staff.person("ada").post("/files", body)
        assert answer.status == 403 and b"mark" not in answer.body
    hr = staff.person("hana", "hr")
    assert hr.post("/files", {"name": "x", "mark": "m"}).faults == [("place", "required")]
    row = hr.made("/files", {"name": "x", "mark": "m", "place": "p"})
    path = f"/files/{row['id']}"
    assert set(staff.person("ada").get(path).json()).isdisjoint({"mark", "place"})
    assert staff.person("ada").put(path, {"name": "y"}).status == 200
    assert hr.get(path).json() == row | {"name": "y", "updated_at": hr.get(path).json()["updated_at"]}


def test_the_stored_value_of_an_unseen_member_is_not_guessed(staff: Served, ada: str) -> None:
    """An immutable member may be sent when equal: whoever does not see it is refused, equal or not."""
    bob = staff.person("bob")
    for guess in ("7", "8"):
        answer = bob.patch(f"/people/{ada}", {"number": guess})
        assert (answer.status, answer.faults) == (403, [("number", "forbidden")])
    assert staff.person("ada").patch(f"/people/{ada}", {"number": "7"}).status == 200
    assert staff.person("ada").patch(f"/people/{ada}", {"number": "8"}).faults == [("number", "immutable")]


def test_a_replacement_leaves_what_the_row_decides_about(staff: Served, ada: str) -> None:
    """A PUT sets what is sent; a member that is only sometimes the sender's stays when it is left out."""
    whole = {"name": "Ada", "department_id": None, "friend_id": None}
    assert staff.person("bob").put(f"/people/{ada}", whole).status == 200
    row = staff.person("ada").get(f"/people/{ada}").json()
    assert (row["salary"], row["diary"], row["number"], row["department_id"]) == (100, "d", "7", None)
    answer = staff.person("ada").put(f"/people/{ada}", whole | {"diary": None})
    assert answer.json()["diary"] is None
    assert staff.person("bob").put(f"/people/{ada}", whole | {"diary": "x"}).faults == [
        ("diary", "forbidden")
    ]


def test_callers_of_whom_no_row_decides_get_the_plain_statement(staff: Served, ada: str) -> None:
    """Who sees all there is of every row is asked nothing."""
    person = staff.person("ada")
    assert person.get("/departments").status == 200
    with staff.statements() as sent:
        person.get("/departments")
    (statement,) = [each for each in sent if "departments" in each]
    assert "concat_ws" not in statement and "CASE" not in statement


def test_the_document_does_not_promise_such_members(staff: Served) -> None:
    """They are described, with whose they are, and not required; filters are what someone may ask."""
    document = staff.anonymous.get("//openapi.json").json()
    schema = document["components"]["schemas"]["PersonPublic"]
    assert set(schema["properties"]) >= LIMITED and not LIMITED & set(schema["required"])
    assert "`owner` or `hr` or `head`" in schema["properties"]["salary"]["description"]
    operation = document["paths"]["/api/v1/people"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"salary", "remark"} <= names and not {"diary", "nick"} & names
