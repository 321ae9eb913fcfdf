"""Moves: a state goes where the spec lets it go, and by whom; whatever way it is changed."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from served import Person, Served, fresh_database, serving
from specwright.model.caller import Caller
from specwright.sql.explanation import explain_row, judged

DESK = """
# Desk

## Roles

| Role     | Means              |
|----------|--------------------|
| reviewer | looks at articles  |
| chief    | may do everything  |

## Article

| Field  | Type                                  | Rules            |
|--------|---------------------------------------|------------------|
| title  | text                                  | required, ..80   |
| status | `draft`, `review`, `live`, `gone away` | default `draft`  |
| mood   | `calm`, `cross`                       | default `calm`   |
| length | integer                               | default 0        |
| owner  | User                                  | the caller       |

| Field  | Moves                              | Who      |
|--------|------------------------------------|----------|
| status | draft → review, review → draft     | owner    |
| status | review -> `live`, review → draft   | reviewer |
| status | live → gone away                   |          |
| mood   | calm → cross, cross → calm         |          |

| Who      | May                        | When                    |
|----------|----------------------------|-------------------------|
| owner    | list, read, create, delete |                         |
| owner    | update                     | `status != "review"`    |
| reviewer | list, read                 |                         |
| chief    | everything                 | `title != "sealed"`     |

### Rules

- `status != "live" or length > 0`
"""


@pytest.fixture(scope="module")
def desk(database_server: str) -> Iterator[Served]:
    """Articles, their owners and their reviewers."""
    with fresh_database(database_server) as database, serving(DESK, database) as served:
        yield served


@pytest.fixture
def ada(desk: Served) -> Person:
    """An owner."""
    return desk.person("ada")


@pytest.fixture
def rita(desk: Served) -> Person:
    """A reviewer."""
    return desk.person("rita", "reviewer")


def article(person: Person, **rest: Any) -> str:
    """The path of a new article."""
    return f"/articles/{person.made('/articles', {'title': 'News', **rest})['id']}"


def test_a_new_row_is_in_its_first_state(ada: Person) -> None:
    """A create may leave the state out, or name the first one; any other is refused."""
    assert ada.made("/articles", {"title": "x"})["status"] == "draft"
    assert ada.made("/articles", {"title": "x", "status": "draft"})["status"] == "draft"
    answer = ada.post("/articles", {"title": "x", "status": "live"})
    assert (answer.status, answer.faults) == (422, [("status", "not_a_choice")])


def test_a_move_that_is_listed(ada: Person, rita: Person) -> None:
    """The owner hands in, and the reviewer publishes, without the right to update anything."""
    place = article(ada, length=9)
    assert ada.patch(place, {"status": "review"}).json()["status"] == "review"
    assert rita.patch(place, {"length": 10}).status == 403
    assert rita.patch(place, {"status": "live"}).json()["status"] == "live"
    assert ada.patch(place, {"status": "gone away", "title": "Old news"}).json()["status"] == "gone away"


def test_a_move_that_is_not_listed(ada: Person) -> None:
    """It is 409, and the answer names the states that there is a way to."""
    place = article(ada)
    for state in ("live", "gone away"):
        answer = ada.patch(place, {"status": state})
        assert (answer.status, answer.code) == (409, "move_not_allowed")
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"], error["allowed"]) == ("status", "move_not_allowed", ["review"])
    place = article(ada, length=1)
    ada.patch(place, {"status": "review"})
    answer = ada.patch(place, {"status": "gone away"})
    assert answer.json()["errors"][0]["allowed"] == ["draft", "live"]
    assert answer.json()["detail"] == "status is review, and goes to draft or live from there."


def test_nowhere_to_go(desk: Served, ada: Person, rita: Person) -> None:
    """Of a last state it is said that it is one."""
    place = article(ada, length=1)
    ada.patch(place, {"status": "review"})
    rita.patch(place, {"status": "live"})
    ada.patch(place, {"status": "gone away"})
    answer = ada.patch(place, {"status": "draft"})
    assert (answer.status, answer.json()["errors"][0]["allowed"]) == (409, [])
    assert "nowhere" in answer.json()["detail"]


def test_to_stay_is_no_move(ada: Person, rita: Person) -> None:
    """The same state is accepted, alone, among other members and in a PUT."""
    place = article(ada)
    assert ada.patch(place, {"status": "draft"}).status == 200
    row = ada.patch(place, {"status": "draft", "title": "Other"}).json()
    assert ada.put(place, row).status == 200
    ada.patch(place, {"status": "review"})
    assert ada.patch(place, {"status": "review"}).status == 200
    assert rita.patch(place, {"status": "review"}).status == 200


def test_a_put_that_leaves_the_state_out(ada: Person, rita: Person) -> None:
    """A PUT sets the default of what it leaves out, and that is a move like any other."""
    place = article(ada, length=1)
    assert ada.put(place, {"title": "x", "mood": "cross", "length": 1}).status == 200
    ada.patch(place, {"status": "review"})
    assert rita.patch(place, {"status": "live"}).status == 200
    answer = ada.put(place, {"title": "x", "mood": "calm", "length": 1})
    assert (answer.status, answer.json()["errors"][0]["allowed"]) == (409, ["gone away"])


def test_whose_a_move_is(desk: Served, ada: Person, rita: Person) -> None:
    """A move is made by those it is given to, whatever else they may; alone, they need nothing else."""
    place = article(ada, length=1)
    # The reviewer has no grant to hand in, though there is a move that she could make of another state.
    answer = rita.patch(place, {"status": "review"})
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "status" in answer.json()["detail"]
    assert ada.patch(place, {"status": "review"}).status == 200
    # While it is in review, its owner may not update it, but take it back.
    assert ada.patch(place, {"title": "x"}).status == 403
    assert ada.patch(place, {"status": "draft", "title": "x"}).status == 403
    assert ada.patch(place, {"status": "live"}).status == 403
    assert ada.patch(place, {"status": "draft"}).status == 200
    stranger = desk.person("bob")
    assert stranger.patch(place, {"status": "review"}).status == 404
    assert desk.anonymous.patch(place, {"status": "review"}).status == 401


def test_together_with_other_members(desk: Served, ada: Person) -> None:
    """Among other members a move needs the right to update, and to be the caller's all the same."""
    place = article(ada, length=1)
    both = {"status": "review", "title": "Ready"}
    assert ada.patch(place, both).status == 200
    boss = desk.person("carl", "chief")
    assert boss.patch(place, {"status": "live", "title": "Out", "mood": "cross"}).status == 200
    # Without a Who it is an update like any other.
    assert desk.person("rita", "reviewer").patch(place, {"status": "gone away"}).status == 403
    assert desk.person("rita", "reviewer").patch(place, {"mood": "calm"}).status == 403
    assert ada.patch(place, {"mood": "calm", "status": "gone away"}).status == 200


def test_everything_includes_moves(desk: Served, ada: Person) -> None:
    """Who may everything makes every move that there is, on the rows that the grant is for, and no other."""
    boss = desk.person("carl", "chief")
    place = article(ada, length=1)
    assert boss.patch(place, {"status": "live"}).status == 409
    for state in ("review", "live", "gone away"):
        assert boss.patch(place, {"status": state}).status == 200
    sealed = article(ada, title="sealed")
    assert boss.patch(sealed, {"status": "review"}).status == 404


def test_the_order_of_judgement(ada: Person, rita: Person) -> None:
    """403, then the move, then the rules."""
    place = article(ada)
    assert ada.patch(place, {"status": "gone away", "length": 0}).status == 409
    ada.patch(place, {"status": "review"})
    answer = rita.patch(place, {"status": "live"})
    assert (answer.status, answer.faults) == (422, [("", "rule_violated")])
    assert ada.patch(place, {"status": "gone away", "length": 0}).status == 403


@pytest.mark.parametrize("state", ["\x00", "", "Draft", None, 1, ["draft"]])
def test_hostile_states(ada: Person, state: Any) -> None:
    """What is no state at all is refused before any move is looked at."""
    answer = ada.patch(article(ada), {"status": state})
    assert (answer.status, answer.code) == (422, "validation_failed")


def test_who_could_not_read_it_then_gets_403(desk: Served, ada: Person) -> None:
    """That comes before whether there is the move at all."""
    boss = desk.person("carl", "chief")
    place = article(ada)
    assert boss.patch(place, {"status": "live"}).status == 409
    assert boss.patch(place, {"status": "live", "title": "sealed"}).status == 403


def test_two_moves_at_once(desk: Served, ada: Person, rita: Person) -> None:
    """Of two moves away from one state one is made, and the other is told where it can go now."""
    for _ in range(8):
        place = article(ada, length=1)
        ada.patch(place, {"status": "review"})

        async def race(place: str = place) -> list[int]:
            back = asyncio.to_thread(ada.patch, place, {"status": "draft"})
            out = asyncio.to_thread(rita.patch, place, {"status": "live"})
            return sorted(answer.status for answer in await asyncio.gather(back, out))

        assert asyncio.run(race()) == [200, 409]
        assert ada.get(place).json()["status"] in ("draft", "live")


def test_why_a_move_is_or_is_not_somebody_s(desk: Served, ada: Person) -> None:
    """The explanation of a move says, of the row itself, from where and by whom it can be made."""
    place = article(ada)
    statements = desk.backend.service.statements
    resource = desk.backend.manifest.resource("Article")
    key = place.rpartition("/")[2]

    def explained(name: str, action: str, *roles: str) -> tuple[bool, list[str]]:
        caller = Caller(name, frozenset(roles))
        reasons, statement = explain_row(statements, resource, action, caller)
        arguments = statement.arguments(desk.backend.manifest, caller, {"key": UUID(key)})
        (found,) = desk.sql(statement.text, *arguments)
        return found["allowed"], [verdict.lacks(caller) for verdict in judged(reasons, dict(found))]

    assert explained("ada", "status → review") == (True, ["", "ada is not chief"])
    assert explained("bob", "status → review")[0] is False
    allowed, lacks = explained("rita", "status → live", "reviewer")
    assert not allowed
    assert lacks[0] == 'status == "review" does not hold'
