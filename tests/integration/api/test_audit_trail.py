"""`audited`: each change of a row leaves one in `specwright.audit`, whoever makes it and however."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from modules import imported
from protected import build, migrate
from served import Served, fresh_database, serving
from specwright import Backend, SessionDep, UnscopedSessionDep, problem
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# Safe

## Roles

| Role   | Means   |
|--------|---------|
| warden | watches |

## Vault

| Field | Type | Rules                  |
|-------|------|------------------------|
| name  | text | required, 1..40        |
| owner | User | the caller             |

| Who    | May        |
|--------|------------|
| owner  | everything |
| warden | everything |

## Coin

| Field | Type    | Rules                       |
|-------|---------|-----------------------------|
| name  | text    | required, 1..40, searchable |
| worth | integer | default 1                   |
| code  | text    | ..40, write only            |
| mark  | text    | ..40, hidden                |
| extra | json    |                             |
| vault | Vault   | on delete cascade           |
| spare | Vault   | on delete clear             |
| owner | User    | the caller                  |

| Who    | May        | When | Then |
|--------|------------|------|------|
| owner  | everything |      | `worth < 100` |
| anyone | create     |      | `worth == 7` |
| warden | list, read, update | | |

| Action | Takes | Does |
|--------|-------|------|
| polish |       | adds one |

| Who   | May    |
|-------|--------|
| owner | polish |

### Rules

- audited

## Paper

| Field | Type | Rules           |
|-------|------|-----------------|
| name  | text | required, 1..40 |
| owner | User | the caller      |

| Who   | May        |
|-------|------------|
| owner | everything |

### Rules

- audited
- soft delete

## User

| Field | Type | Rules |
|-------|------|-------|
| nick  | text | ..40  |

| Who   | May    |
|-------|--------|
| owner | read, update |

### Rules

- audited
"""


def add_routes(backend: Backend, module: ModuleType) -> None:
    """Ways around the derived routes."""
    app, Coin = backend.app, module.Coin

    @app.post("/by-session")
    async def by_session(session: SessionDep, fail: bool = False) -> int:
        changed = await session.execute(text("UPDATE coins SET worth = worth + 1"))
        if fail:
            raise problem(409, "enough", "Enough.")
        return changed.rowcount  # type: ignore[attr-defined]

    @app.post("/unscoped")
    async def unscoped(session: UnscopedSessionDep) -> int:
        return (await session.execute(text("UPDATE coins SET worth = 50"))).rowcount  # type: ignore[attr-defined]

    @backend.action(Coin)
    async def polish(coin: Coin) -> None:
        coin.worth += 1


@pytest.fixture(scope="module")
def safe(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Coins, whose changes are recorded; vaults, whose changes are not."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    written = models(manifest, constrained(manifest).metadata)
    folder = tmp_path_factory.mktemp("app")
    with (
        fresh_database(database_server) as database,
        imported(folder, "safe_models", safe_models=written) as module,
    ):
        build(database, manifest)
        with serving(
            SPEC, database, tables=False, prepare=lambda backend: add_routes(backend, module)
        ) as served:
            yield served


@pytest.fixture(autouse=True)
def nobody(safe: Served) -> None:
    """Each test has coins of its own alone."""
    safe.sql("DELETE FROM coins")


def trail(safe: Served, key: str) -> list[dict[str, Any]]:
    """What is recorded of a row, in order."""
    rows = safe.sql("SELECT * FROM specwright.audit WHERE key = $1 ORDER BY number", key)
    return [
        {**row, "before": json.loads(row["before"]), "after": json.loads(row["after"])}
        for row in map(dict, rows)
    ]


def test_who_changed_what_when(safe: Served) -> None:
    """Create, update and delete: caller, roles, request, and the values that changed."""
    ada, warden = safe.person("ada"), safe.person("wim", "warden", "other")
    coin = ada.post("/coins", {"name": "a"}, headers={"x-request-id": "first"})
    key = coin.json()["id"]
    assert warden.patch(f"/coins/{key}", {"worth": 5}, headers={"x-request-id": "second"}).status == 200
    assert ada.delete(f"/coins/{key}", headers={"x-request-id": "third"}).status == 204
    made, changed, gone = trail(safe, key)
    assert [row["action"] for row in (made, changed, gone)] == ["create", "update", "delete"]
    assert [row["caller"] for row in (made, changed, gone)] == ["ada", "wim", "ada"]
    assert [row["request"] for row in (made, changed, gone)] == ["first", "second", "third"]
    assert changed["roles"] == ["other", "warden"] and made["roles"] == []
    assert {row["entity"] for row in (made, changed, gone)} == {"Coin"}
    assert set(made["after"]) == {
        "id",
        "created_at",
        "name",
        "worth",
        "extra",
        "vault_id",
        "spare_id",
        "owner_id",
    }
    assert made["before"] == {} and made["after"]["name"] == "a" and made["after"]["owner_id"] == "ada"
    assert (changed["before"], changed["after"]) == ({"worth": 1}, {"worth": 5})
    assert gone["before"]["worth"] == 5 and gone["after"] == {}
    assert made["at"] < changed["at"] < gone["at"]


def test_nobody_is_nobody(safe: Served) -> None:
    """SQL by hand has no caller, only a login; nothing of an earlier caller clings to a connection."""
    key = safe.person("ada").made("/coins", {"name": "a"})["id"]
    safe.sql("UPDATE coins SET name = 'b'")
    *_, by_hand = trail(safe, key)
    assert (by_hand["caller"], by_hand["roles"], by_hand["request"]) == (None, [], None)
    assert by_hand["login"] == safe.sql("SELECT session_user::text AS login")[0]["login"]


def test_what_no_client_sees_no_trail_repeats(safe: Served) -> None:
    """Of a write only or hidden field it is told that it changed, never the value."""
    key = safe.person("ada").made("/coins", {"name": "a", "code": "s3cret"})["id"]
    safe.person("ada").patch(f"/coins/{key}", {"code": "0ther"})
    safe.sql("UPDATE coins SET mark = 'm4rk'")
    made, changed, marked = trail(safe, key)
    assert "code" in made["withheld"]
    assert (changed["before"], changed["after"], changed["withheld"]) == ({}, {}, ["code"])
    assert marked["withheld"] == ["mark"]
    whole = safe.sql("SELECT string_agg(audit::text, '') AS text FROM specwright.audit AS audit")[0]["text"]
    assert not {"s3cret", "0ther", "m4rk"} & set(whole.split('"')) and "s3cret" not in whole


def test_what_goes_along(safe: Served) -> None:
    """Deleting a vault, not audited itself, takes coins along and empties others: all by its caller."""
    ada = safe.person("ada")
    vault, other = (ada.made("/vaults", {"name": name})["id"] for name in "vo")
    inside = ada.made("/coins", {"name": "in", "vault_id": vault})["id"]
    cleared = ada.made("/coins", {"name": "out", "vault_id": other, "spare_id": vault})["id"]
    assert safe.person("wim", "warden").delete(f"/vaults/{vault}").status == 204
    assert [(row["action"], row["caller"]) for row in trail(safe, inside)][1:] == [("delete", "wim")]
    *_, last = trail(safe, cleared)
    assert (last["action"], last["caller"]) == ("update", "wim")
    assert (last["before"], last["after"]) == ({"spare_id": vault}, {"spare_id": None})


def test_what_is_deleted_softly_and_comes_back(safe: Served) -> None:
    """A soft deletion and a restore are changes of `deleted_at`, each by its caller."""
    ada = safe.person("ada")
    key = ada.made("/papers", {"name": "p"})["id"]
    assert ada.delete(f"/papers/{key}").status == 204
    assert ada.post(f"/papers/{key}/restore", None, headers={"x-request-id": "back"}).status == 200
    _, gone, back = trail(safe, key)
    assert (gone["action"], gone["caller"], set(gone["before"])) == ("update", "ada", {"deleted_at"})
    assert gone["before"] == back["after"] == {"deleted_at": None}
    assert gone["after"] == back["before"] != {"deleted_at": None}
    assert (back["caller"], back["request"]) == ("ada", "back")


def test_hand_written_code_is_recorded(safe: Served) -> None:
    """Sessions, unscoped sessions and actions: their caller, and the id of their request."""
    ada = safe.person("ada")
    key = ada.made("/coins", {"name": "a"})["id"]
    assert ada.post("//by-session", None, headers={"x-request-id": "s"}).json() == 1
    assert safe.person("eve").post("//unscoped", None, headers={"x-request-id": "u"}).json() == 1
    assert ada.post(f"/coins/{key}/polish", {}, headers={"x-request-id": "p"}).status < 300
    _, by_session, unscoped, polished = trail(safe, key)
    assert (by_session["caller"], by_session["request"], by_session["after"]) == ("ada", "s", {"worth": 2})
    assert (unscoped["caller"], unscoped["request"], unscoped["after"]) == ("eve", "u", {"worth": 50})
    assert (polished["caller"], polished["request"], polished["after"]) == ("ada", "p", {"worth": 51})


def test_what_is_rolled_back_leaves_nothing(safe: Served) -> None:
    """A refusal of a write, and one after it."""
    ada = safe.person("ada")
    key = ada.made("/coins", {"name": "a"})["id"]
    assert ada.post("//by-session?fail=true", None).status == 409
    assert ada.patch(f"/coins/{key}", {"worth": 100}).status == 403
    assert safe.person("bob").patch(f"/coins/{key}", {"worth": 2}).status == 404
    assert safe.person("bob").delete(f"/coins/{key}").status == 404
    assert len(trail(safe, key)) == 1


def test_the_callers_own_row_is_theirs(safe: Served) -> None:
    """It comes with their first write, even when that is refused, and is recorded once."""
    zoe = safe.person("zoe")
    assert zoe.post("/vaults", {"name": "v"}).status == 201
    zoe.post("/vaults", {"name": "w"})
    (made,) = trail(safe, "zoe")
    assert (made["entity"], made["action"], made["caller"]) == ("User", "create", "zoe")


def test_two_at_once_leave_two_rows_in_order(safe: Served) -> None:
    """Each has as its old value what the one before it left."""
    ada = safe.person("ada")
    key = ada.made("/coins", {"name": "a"})["id"]
    with ThreadPoolExecutor(8) as pool:
        worths = list(range(2, 26))
        answers = list(pool.map(lambda worth: _patched(safe, key, worth), worths))
    assert {answer.status for answer in answers} == {200}
    rows = trail(safe, key)[1:]
    assert sorted(row["after"]["worth"] for row in rows) == worths
    assert [row["before"]["worth"] for row in rows[1:]] == [row["after"]["worth"] for row in rows[:-1]]


def _patched(safe: Served, key: str, worth: int) -> Any:
    # A token of its own is a connection of its own.
    return safe.person("ada", n=worth).patch(f"/coins/{key}", {"worth": worth})


def test_hostile_names_are_names(safe: Served) -> None:
    """Quotes, braces and SQL in a caller's id and roles are recorded as they are."""
    name, role = "o'hara\"; DROP TABLE coins--{},\\", 'a"b\\,{}'
    person = safe.person(name, role, "NULL")
    key = person.made("/coins", {"name": "\\u0000 ' \" {}", "extra": {"a": ["'", '"']}})["id"]
    (made,) = trail(safe, key)
    assert made["caller"] == name
    assert sorted(made["roles"]) == sorted([role, "NULL"])
    assert made["after"]["extra"] == {"a": ["'", '"']}


def test_the_trail_is_append_only(safe: Served) -> None:
    """Even its owner cannot change, delete or truncate it by mistake; nor truncate what it is about."""
    safe.person("ada").made("/coins", {"name": "a"})
    for statement in (
        "UPDATE specwright.audit SET caller = 'bob'",
        "DELETE FROM specwright.audit",
        "TRUNCATE specwright.audit",
        "TRUNCATE coins",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is refused"):
            safe.sql(statement)


def test_its_owner_can_forget(safe: Served) -> None:
    """As docs/audit.md says: the trigger off, old rows away, the trigger on."""
    key = safe.person("ada").made("/coins", {"name": "a"})["id"]
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    recipe = page.partition("BEGIN;\n")[2].partition("COMMIT;")[0].strip().splitlines()
    assert "interval '1 year'" in recipe[1]

    async def forget() -> None:
        connection = await asyncpg.connect(safe.database)
        try:
            async with connection.transaction():
                for statement in recipe:
                    await connection.execute(statement.replace("'1 year'", "'0'"))
        finally:
            await connection.close()

    asyncio.run(forget())
    assert trail(safe, key) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is refused"):
        safe.sql("DELETE FROM specwright.audit")


def test_a_write_is_one_statement_still(safe: Served) -> None:
    """The name goes along with the write."""
    ada = safe.person("ada")
    key = ada.made("/coins", {"name": "a"})["id"]
    vault = ada.made("/vaults", {"name": "v"})["id"]
    for send in (
        lambda: ada.post("/coins", {"name": "b"}),
        lambda: ada.patch(f"/coins/{key}", {"worth": 3}),
        lambda: ada.delete(f"/coins/{key}"),
        lambda: ada.delete(f"/vaults/{vault}"),
    ):
        with safe.statements() as sent:
            assert send().status < 300
        assert len([each for each in sent if "pg_catalog" not in each]) == 1


def test_the_app_cannot_tamper(safe: Served) -> None:
    """A login that owns nothing cannot change the trail, add to it, or make its trigger write at will."""
    safe.person("ada").made("/coins", {"name": "a"})
    role = safe.sql("SELECT name FROM specwright.database_roles WHERE suffix = 'derived'")[0]["name"]
    made = "CREATE TEMP TABLE t (id int); CREATE TRIGGER t AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION "
    for statement in (
        "UPDATE specwright.audit SET caller = 'bob'",
        "DELETE FROM specwright.audit",
        "TRUNCATE specwright.audit",
        "INSERT INTO specwright.audit (at, entity, key, action, roles, login, before, after, withheld)"
        " VALUES (now(), 'Coin', 'x', 'create', '{}', 'x', '{}', '{}', '{}')",
        "DROP TABLE specwright.audit",
        "ALTER TABLE specwright.audit DISABLE TRIGGER ALL",
        "ALTER TABLE coins DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        made + "specwright.record_change('Coin', 'id', '{}')",
        "TRUNCATE coins",
    ):
        assert asyncio.run(refused(safe.database, role, statement)), statement
    for statement in ("SELECT FROM specwright.audit", "UPDATE coins SET worth = 9"):
        assert not asyncio.run(refused(safe.database, role, statement)), statement


def test_sessions_cannot_see_the_trail(safe: Served) -> None:
    """It holds the rows of everybody."""
    roles = safe.sql("SELECT name FROM specwright.database_roles WHERE suffix <> 'derived'")
    assert roles
    for row in roles:
        assert asyncio.run(refused(safe.database, row["name"], "SELECT FROM specwright.audit")), row


def test_migrations_turn_it_off_and_on(database_server: str) -> None:
    """What was recorded stays; changes meanwhile leave nothing, and those afterwards do."""
    on = read_specs({"specs/it/spec.md": SPEC})
    off = read_specs({"specs/it/spec.md": SPEC.replace("- audited\n", "")})
    with fresh_database(database_server) as database:
        build(database, on)

        async def change() -> int:
            connection = await asyncpg.connect(database)
            try:
                await connection.execute("INSERT INTO users (id) VALUES (gen_random_uuid()::text)")
                return int(await connection.fetchval("SELECT count(*) FROM specwright.audit"))
            finally:
                await connection.close()

        recorded = [asyncio.run(change())]
        for before, after in ((on, off), (off, on)):
            asyncio.run(migrate(database, before, after))
            recorded.append(asyncio.run(change()))
    assert recorded == [1, 1, 2]


async def refused(database: str, role: str, statement: str) -> bool:
    """Whether a database role may not do this."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(f'SET ROLE "{role}"')
        await connection.execute(statement)
        return False
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await connection.close()
