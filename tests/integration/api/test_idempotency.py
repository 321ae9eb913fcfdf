"""`Idempotency-Key` over a socket: a POST sent again gets the first answer, and is not done again."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from fastapi import Response
from sqlmodel import select

from modules import imported
from protected import build
from served import Answer, Person, Served, fresh_database, serving
from specwright import Backend, CallerDep, SessionDep, problem
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# Shop

## Roles

| Role  | Means        |
|-------|--------------|
| clerk | takes orders |

## Order

| Field | Type | Rules           |
|-------|------|-----------------|
| what  | text | required, ..80  |
| code  | text | ..20, unique    |
| owner | User | the caller      |

| Action | Takes                    | Does     | On  |
|--------|--------------------------|----------|-----|
| copy   | mark text optional       | again    | row |
| refuse |                          |          | row |
| clear  |                          |          | all |
| raw    |                          |          | all |
| odd    |                          |          | all |

| Who   | May                                         |
|-------|---------------------------------------------|
| owner | everything, copy, refuse, clear, raw, odd   |

## Letter

| Field | Type | Rules           |
|-------|------|-----------------|
| text  | text | required, ..80  |
| owner | User | the caller      |

| Who   | May        |
|-------|------------|
| owner | everything |

## Secret

| Field | Type | Rules           |
|-------|------|-----------------|
| text  | text | required, ..80  |

| Who       | May    |
|-----------|--------|
| clerk     | create |

## Step

| Field  | Type | Rules             |
|--------|------|-------------------|
| name   | text | required, ..80    |
| before | Step | on delete cascade |
| owner  | User | the caller        |

| Who   | May        |
|-------|------------|
| owner | everything |

### Rules

- `before is None or before.name != name`
"""

MISSING = str(uuid4())


class Hook:
    """What the hook on Letter does: count, and wait where a test holds it."""

    def __init__(self) -> None:
        self.runs = 0
        self.entered = threading.Event()
        self.free = threading.Event()
        self.free.set()


HOOK = Hook()


def bind(backend: Backend, module: ModuleType) -> None:
    """The actions of the spec, and a hook."""
    Order, Letter = module.Order, module.Letter

    @backend.before(Letter, "create")
    def count(letter: Letter) -> None:
        HOOK.runs += 1
        HOOK.entered.set()
        assert HOOK.free.wait(20)
        if letter.text == "refused":
            raise problem(409, "not_this", "Not this.")

    @backend.action(Order)
    async def copy(order: Order, session: SessionDep, mark: str = "") -> Order:
        made = Order(what=f"{order.what}{mark} again", owner_id=order.owner_id)
        session.add(made)
        return made

    @backend.action(Order)
    async def refuse(order: Order, session: SessionDep) -> Response:
        order.what += "!"
        return Response(status_code=409, content=b"")

    @backend.action(Order)
    async def clear(session: SessionDep) -> None:
        for order in await session.exec(select(Order)):
            await session.delete(order)

    @backend.action(Order)
    async def raw(session: SessionDep, caller: CallerDep) -> Response:
        session.add(Order(what="raw", owner_id=caller.id))
        answer = Response(b"\x00 raw", 202, {"x-own": "\xe9"}, "application/octet-stream")
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer

    @backend.action(Order)
    async def odd(session: SessionDep) -> dict[str, int]:
        return {"runs": len((await session.exec(select(Order))).all())}

    @backend.app.post("/own")
    async def own() -> dict[str, str]:
        return {"id": str(uuid4())}


@pytest.fixture(scope="module")
def shop(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A plain resource, one with a hook, actions, and a check that needs a second statement."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    with (
        imported(tmp_path_factory.mktemp("app"), "idempotent_models", idempotent_models=written) as module,
        fresh_database(database_server) as database,
    ):
        build(database, manifest)
        with serving(SPEC, database, prepare=lambda it: bind(it, module), tables=False) as served:
            yield served


@pytest.fixture
def name() -> str:
    """The `sub` of somebody new."""
    return f"ada {uuid4()}"


@pytest.fixture
def ada(shop: Served, name: str) -> Person:
    """Somebody new."""
    return shop.person(name)


def send(who: Person, path: str, body: Any, key: str, **headers: str) -> Answer:
    """POST under a key."""
    return who.post(path, body, headers={"idempotency-key": key, **headers})


def is_replay(again: Answer, first: Answer) -> None:
    """The second answer is the first, and says so."""
    ours = {"x-request-id", "date", "idempotency-replayed"}
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status, again.body) == (first.status, first.body)
    assert {k: v for k, v in again.headers.items() if k not in ours} == {
        k: v for k, v in first.headers.items() if k not in ours
    }


@pytest.mark.parametrize("path", ["/orders", "/letters", "/steps"])
def test_a_create_is_replayed(shop: Served, ada: Person, path: str) -> None:
    """Status, body, Location and ETag are those of the first time; plainly, with a hook, and late."""
    body = {"/orders": {"what": "x"}, "/letters": {"text": "é"}, "/steps": {"name": "x"}}[path]
    runs = HOOK.runs
    first = send(ada, path, body, "a")
    assert first.status == 201, first
    for _ in range(2):
        is_replay(send(ada, path, body, "a"), first)
    assert ada.items(path) == [first.json()]
    assert HOOK.runs == runs + (path == "/letters")
    assert (
        ada.get(f"{path}/{first.json()['id']}", headers={"if-none-match": first.headers["etag"]}).status
        == 304
    )
    assert send(ada, path, body, "b").json()["id"] != first.json()["id"]
    assert ada.post(path, body).json()["id"] != first.json()["id"]


def test_the_stored_answer_is_of_its_time(ada: Person) -> None:
    """A row that was changed or deleted meanwhile is answered as it was made."""
    first = send(ada, "/orders", {"what": "x"}, "a")
    path = f"/orders/{first.json()['id']}"
    assert ada.patch(path, {"what": "y"}).status == 200
    is_replay(send(ada, "/orders", {"what": "x"}, "a"), first)
    assert ada.delete(path).status == 204
    is_replay(send(ada, "/orders", {"what": "x"}, "a"), first)
    assert ada.items("/orders") == []


def test_what_may_not_be_read_is_not_replayed_either(shop: Served) -> None:
    """A create that answers no members answers none the second time."""
    clerk = shop.person(f"clerk {uuid4()}", "clerk")
    first = send(clerk, "/secrets", {"text": "x"}, "a")
    assert (first.status, first.body) == (201, b"{}")
    is_replay(send(clerk, "/secrets", {"text": "x"}, "a"), first)


def test_rights_that_were_lost(shop: Served) -> None:
    """Whoever may create no more still learns what their own request has done, and can do no other."""
    name = f"clerk {uuid4()}"
    first = send(shop.person(name, "clerk"), "/secrets", {"text": "x"}, "a")
    is_replay(send(shop.person(name), "/secrets", {"text": "x"}, "a"), first)
    assert send(shop.person(name), "/secrets", {"text": "x"}, "b").status == 403


def test_actions_are_replayed(ada: Person) -> None:
    """On a row and on all of them: what they answer, whatever it is, and what they do is done once."""
    order = ada.made("/orders", {"what": "x"})
    path = f"/orders/{order['id']}/copy"
    first = send(ada, path, {"mark": "!"}, "a")
    assert first.status == 200 and first.json()["what"] == "x! again"
    is_replay(send(ada, path, {"mark": "!"}, "a"), first)
    assert len(ada.items("/orders")) == 2
    raw = send(ada, "/orders/raw", None, "a")
    assert (raw.status, raw.body, raw.headers["x-own"]) == (202, b"\x00 raw", "é")
    is_replay(send(ada, "/orders/raw", None, "a"), raw)
    assert len(ada.items("/orders")) == 3
    counted = send(ada, "/orders/odd", None, "a")
    assert counted.json() == {"runs": 3}
    cleared = send(ada, "/orders/clear", None, "a")
    assert (cleared.status, cleared.body) == (204, b"")
    ada.made("/orders", {"what": "y"})
    is_replay(send(ada, "/orders/clear", None, "a"), cleared)
    is_replay(send(ada, "/orders/odd", None, "a"), counted)
    assert [row["what"] for row in ada.items("/orders")] == ["y"]


def test_a_key_is_one_callers_for_one_path(shop: Served, ada: Person) -> None:
    """The same key of somebody else, or on another path, is another key."""
    bob = shop.person(f"bob {uuid4()}")
    mine, theirs = (send(who, "/orders", {"what": "x"}, "a") for who in (ada, bob))
    assert mine.json()["id"] != theirs.json()["id"]
    assert theirs.json()["owner_id"] != mine.json()["owner_id"]
    assert "idempotency-replayed" not in theirs.headers
    assert send(ada, "/steps", {"name": "x"}, "a").status == 201
    other = ada.made("/orders", {"what": "y"})["id"]
    copies = [send(ada, f"/orders/{key}/copy", {}, "a") for key in (mine.json()["id"], other)]
    assert [copy.json()["what"] for copy in copies] == ["x again", "y again"]


def test_another_request_with_the_key(ada: Person) -> None:
    """Another body, or another query, is 422, however alike; nothing is done."""
    first = send(ada, "/orders", {"what": "x"}, "a")
    for answer in (
        send(ada, "/orders", {"what": "y"}, "a"),
        send(ada, "/orders?fields=id", {"what": "x"}, "a"),
        send(ada, "/orders", b'{ "what":"x"}', "a"),
        # Not even understood: the key comes first.
        send(ada, "/orders", {"nothing": 1}, "a"),
    ):
        assert (answer.status, answer.code) == (422, "idempotency_key_reused"), answer
    assert ada.items("/orders") == [first.json()]


@pytest.mark.parametrize(
    ("path", "refused", "status", "right"),
    [
        ("/orders", {"what": 1}, 422, {"what": "x"}),
        ("/orders", {"what": "x", "code": "taken"}, 409, {"what": "x"}),
        ("/letters", {"text": "refused"}, 409, {"text": "x"}),
        ("/steps", {"name": "x", "before_id": MISSING}, 422, {"name": "x"}),
    ],
)
def test_a_refusal_is_not_stored(
    shop: Served, ada: Person, path: str, refused: Any, status: int, right: Any
) -> None:
    """What was refused is judged anew, and its key is free for another body."""
    shop.person("first").post("/orders", {"what": "x", "code": "taken"})
    for _ in range(2):
        answer = send(ada, path, refused, "a")
        assert (answer.status, "idempotency-replayed" in answer.headers) == (status, False)
    assert send(ada, path, right, "a").status == 201
    assert len(ada.items(path)) == 1


def test_a_refusal_by_a_late_check(ada: Person) -> None:
    """A create that is judged after it was stored, and taken back, leaves no key either."""
    before = ada.made("/steps", {"name": "x"})["id"]
    for _ in range(2):
        assert send(ada, "/steps", {"name": "x", "before_id": before}, "a").status == 422
    assert send(ada, "/steps", {"name": "y", "before_id": before}, "a").status == 201


def test_a_refusal_that_an_action_answers(ada: Person, name: str) -> None:
    """An action that answers 409 by itself, and so keeps what it did, is run again."""
    path = f"/orders/{ada.made('/orders', {'what': 'x'})['id']}"
    for _ in range(2):
        assert (
            ada.served.request(
                "POST", f"/api/v1{path}/refuse", "idempotency-key: a", as_=name, judge=False
            ).status
            == 409
        )
    assert ada.get(path).json()["what"] == "x!!"


@pytest.mark.parametrize(
    "key",
    [
        "",
        '""',
        " ",
        "a b",
        '"a b"',
        '"a',
        'a"b',
        "a\\b",
        '"\\a"',
        "é",
        "x" * 256,
        '"a";b=1',
        "a, b",
        '"a"b',
    ],
)
def test_what_is_no_key(ada: Person, name: str, key: str) -> None:
    """1 to 255 visible ASCII characters, as they are or as a string of RFC 8941; anything else is 400."""
    answer = ada.served.request(
        "POST",
        "/api/v1/orders",
        f"idempotency-key: {key}",
        "content-type: application/json",
        body=b'{"what": "x"}',
        as_=name,
    )
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key"), answer
    assert ada.items("/orders") == []


def test_two_spellings_of_one_key(ada: Person) -> None:
    """Quoted, as the draft has it, and bare are the same key; quotes within are escaped."""
    first = send(ada, "/orders", {"what": "x"}, "8e03978e-40d5-43dd-bc93-6894a57f9324")
    is_replay(send(ada, "/orders", {"what": "x"}, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'), first)
    longest = "~" * 255
    first = send(ada, "/orders", {"what": "x"}, longest)
    is_replay(send(ada, "/orders", {"what": "x"}, f'"{longest}"'), first)
    escaped = send(ada, "/orders", {"what": "x"}, r'"\"a\\"')
    is_replay(send(ada, "/orders", {"what": "x"}, r'"\"a\\"'), escaped)


def test_two_keys_at_once(ada: Person) -> None:
    """Sent twice, the header is 400."""
    answer = ada.served.request("POST", "/api/v1/orders", "idempotency-key: a", "idempotency-key: a")
    assert (answer.status, answer.code) == (400, "malformed")


def test_a_key_of_nobody(shop: Served) -> None:
    """Somebody who is not signed in has none."""
    answer = send(shop.anonymous, "/orders", {"what": "x"}, "a")
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


def test_where_the_header_says_nothing(ada: Person) -> None:
    """Other methods are idempotent by themselves, and hand-written routes are people's own."""
    path = f"/orders/{ada.made('/orders', {'what': 'x'})['id']}"
    for n in range(2):
        answer = ada.patch(path, {"what": f"{n}"}, headers={"idempotency-key": "a b"})
        assert (answer.status, answer.json()["what"]) == (200, f"{n}")
    first, second = (send(ada, "//own", None, "a") for _ in range(2))
    assert first.status == second.status == 200 and first.body != second.body


@pytest.mark.parametrize("path", ["/orders", "/letters", "/steps"])
def test_twenty_at_once(ada: Person, path: str) -> None:
    """One is done; the others get its answer, or are told that it is still running."""
    body = {"/orders": {"what": "x", "code": str(uuid4())[:20]}, "/letters": {"text": "x"}}.get(
        path, {"name": "x"}
    )
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: send(ada, path, body, "a"), range(20)))
    (row,) = ada.items(path)
    told = [answer for answer in answers if answer.status == 201]
    assert told and all(answer.json() == row and answer.body == told[0].body for answer in told)
    assert len([answer for answer in told if "idempotency-replayed" not in answer.headers]) == 1
    for answer in answers:
        if answer.status != 201:
            assert (answer.status, answer.code) == (409, "still_running"), answer
            assert int(answer.headers["retry-after"]) >= 1


def test_a_plain_create_that_is_still_running(shop: Served, ada: Person) -> None:
    """Who comes meanwhile is told so, and once it is done gets its answer."""
    code = str(uuid4())[:20]
    body = {"what": "x", "code": code}
    with ThreadPoolExecutor(1) as pool, held(shop, code) as waits:
        first = pool.submit(send, ada, "/orders", body, "a")
        waits()
        again = send(ada, "/orders", body, "a")
        assert (again.status, again.code) == (409, "still_running")
        assert send(ada, "/orders", {"what": "y"}, "b").status == 201
    done = first.result()
    is_replay(send(ada, "/orders", body, "a"), done)


def test_a_hook_that_is_still_running(ada: Person) -> None:
    """The second request does not even begin the hook."""
    runs = HOOK.runs
    HOOK.entered.clear()
    HOOK.free.clear()
    with ThreadPoolExecutor(1) as pool:
        try:
            first = pool.submit(send, ada, "/letters", {"text": "x"}, "a")
            assert HOOK.entered.wait(20)
            again = send(ada, "/letters", {"text": "x"}, "a")
            assert (again.status, again.code) == (409, "still_running")
        finally:
            HOOK.free.set()
        done = first.result()
    is_replay(send(ada, "/letters", {"text": "x"}, "a"), done)
    assert HOOK.runs == runs + 1


def test_a_day_later(shop: Served, ada: Person) -> None:
    """An answer is kept for 24 hours; then its key is free, and old rows go with whoever comes by."""
    first = send(ada, "/orders", {"what": "x"}, "a")
    for _ in range(20):
        send(ada, "/orders", {"what": "x"}, str(uuid4()))
    shop.sql("UPDATE specwright.idempotency_keys SET at = at - interval '23 hours 59 minutes'")
    is_replay(send(ada, "/orders", {"what": "x"}, "a"), first)
    shop.sql("UPDATE specwright.idempotency_keys SET at = at - interval '2 minutes'")
    ((before,),) = shop.sql("SELECT count(*) FROM specwright.idempotency_keys")
    again = send(ada, "/orders", {"what": "y"}, "a")
    assert (again.status, "idempotency-replayed" in again.headers) == (201, False)
    ((after,),) = shop.sql("SELECT count(*) FROM specwright.idempotency_keys")
    # Sixteen and its own at most, and one new.
    assert before - after in (15, 16)
    for _ in range(before):
        send(ada, "/orders", {"what": "z"}, "z")
    assert shop.sql("SELECT FROM specwright.idempotency_keys WHERE at < now() - interval '1 day'") == []


def test_nothing_of_a_key_can_be_read_from_its_row(shop: Served, ada: Person) -> None:
    """Caller, path, key and request are digests; sessions of people see none of the rows."""
    send(ada, "/orders", {"what": "x"}, "very secret")
    for row in shop.sql("SELECT id, request FROM specwright.idempotency_keys"):
        assert [len(value) for value in row] == [32, 32]


@contextmanager
def held(shop: Served, code: str) -> Iterator[Any]:
    """Somebody is about to take the code, so that others wait for it; call to know when they do."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(shop.database))
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    taken = "INSERT INTO orders (id, what, code, owner_id) VALUES (gen_random_uuid(), 'x', $1, 'nobody')"

    def waits() -> None:
        while not loop.run_until_complete(connection.fetchval(waiting)):
            loop.run_until_complete(asyncio.sleep(0.02))

    try:
        transaction = connection.transaction()
        loop.run_until_complete(transaction.start())
        loop.run_until_complete(connection.execute(taken, code))
        yield waits
        loop.run_until_complete(transaction.rollback())
    finally:
        loop.run_until_complete(connection.close())
        loop.close()
