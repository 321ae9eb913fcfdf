"""Order of judgement: of everything that is wrong with a request, the first reason is the answer."""

from collections.abc import Callable, Iterator
from itertools import combinations

import pytest

from served import PREFIX, Answer, Served, fresh_database, serving

DESK = """
# Desk

## Roles

| Role | Means |
|------|-------|
| head | leads |

## Drawer

| Field | Type | Rules |
|-------|------|-------|
| name  | text | required, ..20 |
| owner | User | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |

## Paper

| Field  | Type   | Rules                    |
|--------|--------|--------------------------|
| title  | text   | required, ..20, unique   |
| locked | boolean | default false           |
| lines  | integer | default 0               |
| due    | timestamp |                       |
| stamp  | text   | ..10, writable by head   |
| drawer | Drawer | on delete clear          |
| owner  | User   | the caller               |

| Who       | May                  | When         |
|-----------|----------------------|--------------|
| owner     | list, read, create   |              |
| owner     | update, delete       | `not locked` |

### Rules

- `due is None or due > now()` (FR-001)
- `lines >= 0` (FR-002)

### Requirements

- **FR-001** Due is ahead.
- **FR-002** Lines are counted.
"""

#: What can be wrong with a PATCH or PUT, in the order in which it is judged, and what is answered.
FAULTS = {
    "token": (401, "unauthenticated"),
    "type": (415, "unsupported_media_type"),
    "json": (400, "malformed"),
    "member": (422, "validation_failed"),
    "foreign": (404, "not_found"),
    "version": (412, "precondition_failed"),
    "granted": (403, "forbidden"),
    "field": (403, "forbidden"),
    "reference": (422, "reference_not_found"),
    "rule": (422, "FR-001"),
    "unique": (409, "conflict"),
}


@pytest.fixture(scope="module")
def desk(database_server: str) -> Iterator[Served]:
    """Papers in drawers."""
    with fresh_database(database_server) as database, serving(DESK, database) as served:
        served.person("bob").made("/papers", {"title": "taken"})
        served.person("bob").made("/drawers", {"name": "bob's"})
        yield served


def _send(desk: Served, method: str, faults: tuple[str, ...], title: str) -> Answer:
    ada, bob = desk.person("ada"), desk.person("bob")
    writer = bob if "foreign" in faults else ada
    paper = writer.made("/papers", {"title": title})
    if "granted" in faults:
        assert writer.patch(f"/papers/{paper['id']}", {"locked": True}).status == 200
    body = ['"title": "%s"' % ("taken" if "unique" in faults else title + "2")]
    if "member" in faults:
        body.append('"lines": "many"')
    if "field" in faults:
        body.append('"stamp": "x"')
    if "reference" in faults:
        drawer = bob.items("/drawers")[0]["id"]
        body.append(f'"drawer_id": "{drawer}"')
    if "rule" in faults:
        body.append('"due": "2001-01-01T00:00:00Z"')
    text = "{" + ", ".join(body) + ("" if "json" in faults else "}")
    headers = ["content-type: " + ("text/plain" if "type" in faults else "application/json")]
    if "version" in faults:
        headers.append('if-match: "77-00"')
    if "token" in faults:
        headers.append("authorization: Bearer x.y.z")
    return desk.request(
        method,
        f"{PREFIX}/papers/{paper['id']}",
        *headers,
        body=text.encode(),
        as_=None if "token" in faults else "ada",
    )


def _is(answer: Answer, fault: str) -> None:
    status, what = FAULTS[fault]
    assert answer.status == status, (fault, answer)
    assert what in answer.body.decode()
    if fault in ("granted", "field"):
        assert (fault == "field") == bool(answer.faults), answer


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_every_pair_of_faults(desk: Served, method: str) -> None:
    """Whichever two things are wrong, the earlier one is told."""
    for number, (first, second) in enumerate(combinations(FAULTS, 2)):
        _is(_send(desk, method, (first, second), f"{method} {number}"), first)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_all_faults_from_each_on(desk: Served, method: str) -> None:
    """With everything from one reason on wrong, that one is told; with nothing wrong, it is done."""
    names = list(FAULTS)
    for number, fault in enumerate(names):
        _is(_send(desk, method, tuple(names[number:]), f"{method} all {number}"), fault)
    assert _send(desk, method, (), f"{method} fine").status == 200


def test_a_create_has_the_same_order(desk: Served) -> None:
    """401, the body, 403, references, rules, constraints."""
    bobs = desk.person("bob").items("/drawers")[0]["id"]
    ada = desk.person("ada")
    everything = {"title": "taken", "stamp": "x", "drawer_id": bobs, "due": "2001-01-01T00:00:00Z"}
    assert desk.anonymous.post("/papers", {**everything, "lines": "x"}).status == 401
    assert ada.post("/papers", {**everything, "lines": "x"}).faults == [("lines", "wrong_type")]
    assert (answer := ada.post("/papers", everything)).status == 403
    assert answer.faults == [("stamp", "forbidden")]
    del everything["stamp"]
    assert ada.post("/papers", everything).faults == [("drawer_id", "reference_not_found")]
    del everything["drawer_id"]
    assert "FR-001" in ada.post("/papers", everything).body.decode()
    del everything["due"]
    assert ada.post("/papers", everything).code == "conflict"
    assert ada.post("/papers", {"title": "free"}).status == 201


def test_a_rule_of_the_row_comes_before_a_constraint(desk: Served) -> None:
    """A rule held by a CHECK and a unique value at once: the rule is told."""
    ada = desk.person("ada")
    both = ada.post("/papers", {"title": "taken", "lines": -1})
    assert both.status == 422
    assert "FR-002" in both.body.decode()


def test_delete_is_judged_alike(desk: Served) -> None:
    """404 before 412 before 403."""
    ada, bob = desk.person("ada"), desk.person("bob")
    paper = ada.made("/papers", {"title": "gone soon"})
    path = f"/papers/{paper['id']}"
    ada.patch(path, {"locked": True})
    stale = {"if-match": '"77-00"'}
    assert bob.delete(path, headers=stale).status == 404
    assert ada.delete(path, headers=stale).status == 412
    assert ada.delete(path).status == 403
    assert desk.anonymous.delete(path, headers=stale).status == 401


def test_a_foreign_row_and_a_missing_one(desk: Served) -> None:
    """Byte for byte the same answer, but for the request's own id."""
    bobs = desk.person("bob").items("/papers")[0]["id"]
    missing = bobs[:-6] + "abcdef"
    ada = desk.person("ada")
    sends: list[Callable[[str], Answer]] = [
        lambda path: ada.get(path),
        lambda path: ada.get(f"{path}?fields=id"),
        lambda path: ada.patch(path, {"title": "x"}),
        lambda path: ada.patch(path, {}),
        lambda path: ada.patch(path, {"stamp": "x"}),
        lambda path: ada.patch(path, {"title": "taken"}, headers={"if-match": '"1-00"'}),
        lambda path: ada.put(path, {"title": "x"}),
        lambda path: ada.delete(path),
        lambda path: ada.delete(path, headers={"if-match": '"1-00"'}),
    ]
    for send in sends:
        foreign = send(f"/papers/{bobs}")
        absent = send(f"/papers/{missing}")
        nonsense = send("/papers/nonsense")
        for answer in (foreign, absent, nonsense):
            assert answer.status == 404
            own = answer.headers.pop("x-request-id").encode()
            answer.headers.pop("date")
            assert own in answer.body
        bodies = [answer.body.split(b'"request_id"')[0] for answer in (foreign, absent, nonsense)]
        assert bodies[0] == bodies[1] == bodies[2]
        assert foreign.headers == absent.headers == nonsense.headers


def test_collections_that_are_closed(desk: Served) -> None:
    """Where no grant could ever apply: 401 to the anonymous, 403 to others, before the body is read."""
    assert desk.anonymous.get("/papers").status == 401
    assert desk.anonymous.get("/papers?limit=0").status == 401
    assert desk.anonymous.post("/papers", b"{").status == 401
    assert desk.anonymous.get(f"/papers/{'x' * 36}").status == 401


CLOSED = """
# Closed

## Roles

| Role | Means |
|------|-------|
| boss | may |

## Box

| Field | Type | Rules |
|-------|------|-------|
| name  | text | required, ..20 |

| Who       | May        |
|-----------|------------|
| boss      | everything |
| anyone    | read       |
"""


def test_a_closed_collection_with_an_open_row(serve: Callable[..., Served]) -> None:
    """Each action is judged on its own: anyone reads a row by its id, only the boss lists and writes."""
    served = serve(CLOSED)
    boss, ada, nobody = served.person("b", "boss"), served.person("ada"), served.anonymous
    box = boss.made("/boxes", {"name": "x"})
    path = f"/boxes/{box['id']}"
    assert nobody.get(path).json() == box
    assert (nobody.get("/boxes").status, ada.get("/boxes").status) == (401, 403)
    assert (nobody.post("/boxes", b"{").status, ada.post("/boxes", b"{").status) == (401, 403)
    assert (nobody.patch(path, {"name": "y"}).status, ada.patch(path, {"name": "y"}).status) == (401, 403)
    assert (nobody.delete(path).status, ada.delete(path).status) == (401, 403)
    assert ada.patch(path, {"nope": 1}).status == 422
    assert ada.delete(path.replace(box["id"][-4:], "0000")).status == 404
    assert ada.patch(path, {"name": "y"}, headers={"if-match": '"9-00"'}).status == 412
