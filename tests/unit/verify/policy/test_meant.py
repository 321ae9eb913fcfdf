"""What is meant is what people.toml says and the app shows, and nothing besides."""

import pytest

from specwright.verify.lab import Row
from specwright.verify.people.declared import Declared
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.meant import Meant, Shown
from specwright.verify.rows.exploring import owns
from specwright.verify.surface.surface import Collection, Operation, Surface

ADA = Person("ada", headers={"authorization": "a"}, known_as=frozenset({"ada", "7"}))
BOB = Person("bob", headers={"authorization": "b"})
BOSS = Person("boss", headers={"authorization": "c"}, privileged=True)

READ = Operation("GET", "/orders/{id}")
CHANGE = Operation("PATCH", "/orders/{id}")
ORDERS = Collection("orders", read=READ, update=CHANGE)
LINES = Collection("lines", read=Operation("GET", "/orders/{id}/lines/{line}"), parent="orders")
SURFACE = Surface((), (ORDERS, LINES))


def _row(collection: Collection = ORDERS) -> Row:
    return Row(collection, ADA, {"id": "1"}, {"id": 1})


def test_nothing_is_guessed() -> None:
    """Where nobody has said anything, nothing is known."""
    meant = Meant(SURFACE)
    for person in (ADA, BOB, BOSS, ANONYMOUS):
        assert meant.may(person, READ, _row()) is None


def test_private_rows_are_their_makers() -> None:
    """Others are not meant to see them, or rows below; of privileged people nothing is known."""
    meant = Meant(SURFACE, shown={"orders": Shown(private=True)})
    for row in (_row(), _row(LINES)):
        operation = row.collection.operations[0]
        assert [meant.may(each, operation, row) for each in (ADA, BOB, BOSS, ANONYMOUS)] == [
            None, False, None, False,
        ]  # fmt: skip


def test_owned_rows_are_changed_by_their_owners() -> None:
    """Everybody may be meant to see them, nobody else to change them."""
    meant = Meant(SURFACE, shown={"orders": Shown(owned=True)})
    assert (meant.may(BOB, READ, _row()), meant.may(BOB, CHANGE, _row())) == (None, False)


def test_what_is_done_beneath_an_owned_row_is_asked_about() -> None:
    """An article is liked by others: unless nobody else is meant to see it, nothing is known of that."""
    like = Operation("POST", "/orders/{id}/like")
    orders = Collection("orders", read=READ, others=(like,))
    owned = Meant(SURFACE, shown={"orders": Shown(owned=True)})
    private = Meant(SURFACE, shown={"orders": Shown(private=True)})
    assert (owned.may(BOB, like, _row(orders)), private.may(BOB, like, _row(orders))) == (None, False)


def test_what_is_said_counts_before_what_is_shown() -> None:
    """Shared rows may be read by all; public routes are everybody's, an admin's nobody else's."""
    said = Declared(public=("GET /open*", "/health"), admin=("GET /stats",), shared=("orders",))
    meant = Meant(SURFACE, said, shown={"orders": Shown(private=True)})
    assert meant.may(BOB, READ, _row()) is True
    assert meant.may(ANONYMOUS, Operation("GET", "/open/door", secured=True), None) is True
    assert meant.may(ANONYMOUS, Operation("HEAD", "/health", hidden=True), None) is True
    assert meant.may(BOB, Operation("GET", "/stats"), None) is False
    assert meant.may(BOSS, Operation("GET", "/stats"), None) is True


@pytest.mark.parametrize(
    ("operation", "meant"),
    [
        (Operation("GET", "/a", secured=True), False),
        (Operation("GET", "/a", secured=False), None),
        (Operation("GET", "/debug/users", hidden=True), False),
        (Operation("GET", "/", hidden=True), None),
        (Operation("GET", "/healthz", hidden=True), None),
        (Operation("GET", "/docs", hidden=True, name="swagger_ui_html"), None),
        (Operation("POST", "/login"), True),
    ],
)
def test_nobody(operation: Operation, meant: bool | None) -> None:
    """What declares a credential, or hides, is not meant for nobody; a way in is."""
    assert Meant(SURFACE, doors=frozenset({"POST /login"})).may(ANONYMOUS, operation, None) is meant


@pytest.mark.parametrize(
    ("body", "hers"),
    [
        ({"owner": "ada"}, True),
        ({"user_id": 7}, True),
        ({"author": {"username": "ada"}}, True),
        ({"author": {"id": 7}}, True),
        ({"by": "ada"}, True),
        ({"count": 7}, False),
        ({"id": 7}, False),
        ({"box": {"id": 7}}, False),
        ({"grade": "7"}, False),
        ({"owner": "bob"}, False),
        ({"owner": True}, False),
    ],
)
def test_whose_a_row_is(body: dict[str, object], hers: bool) -> None:
    """A name tells anywhere; a bare number only where a member says that it is somebody's."""
    assert owns(ADA, body) is hers
