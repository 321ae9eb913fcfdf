"""Tenants over a socket: what is one organization's, no request in another one sees or changes."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from crm import Desk, crm
from protected import build
from served import Served, fresh_database, serving
from specwright import Backend, CallerDep, SessionDep, UnscopedSessionDep
from specwright.read.spec import read_specs

NOBODYS = str(uuid4())


def add_routes(backend: Backend) -> None:
    """Routes, hooks and actions as somebody writes them who has never heard of tenants."""
    app = backend.app

    @app.get("/titles")
    async def titles(session: SessionDep) -> list[str]:
        return sorted(await session.scalars(text("SELECT title FROM deals")))

    @app.post("/deals")
    async def write(title: str, session: SessionDep, organization: str | None = None) -> str:
        columns, values = ("title", ":title")
        if organization is not None:
            columns, values = f"{columns}, organization_id", f"{values}, cast(:organization AS uuid)"
        await session.execute(
            text(f"INSERT INTO deals ({columns}) VALUES ({values})"),
            {"title": title, "organization": organization},
        )
        return title

    @app.get("/whole/{organization_id}")
    async def whole(organization_id: str, caller: CallerDep) -> str | None:
        return None if caller.tenant is None else str(caller.tenant)

    @backend.action("Deal")
    async def win(session: SessionDep) -> int:
        found: int = (await session.scalar(text("SELECT count(*) FROM deals"))) or 0
        return found

    @backend.action("Deal")
    async def purge(session: UnscopedSessionDep, caller: CallerDep) -> int:
        gone = await session.execute(
            text("DELETE FROM deals WHERE organization_id = :tenant"), {"tenant": caller.tenant}
        )
        return gone.rowcount  # type: ignore[attr-defined,no-any-return]

    @backend.before("Contact", "create")
    async def seen(session: SessionDep) -> None:
        await session.execute(text("SELECT 1 FROM contacts"))


def _served(server: str, by: str) -> Iterator[Served]:
    with fresh_database(server) as database:
        build(database, read_specs({"specs/it/spec.md": crm(by)}))
        with serving(crm(by), database, prepare=add_routes, tables=False) as served:
            yield served


@pytest.fixture(scope="module")
def served(database_server: str) -> Iterator[Served]:
    """The CRM, its tenant in a header."""
    yield from _served(database_server, "header X-Organization")


@pytest.fixture(scope="module")
def by_path(database_server: str) -> Iterator[Served]:
    """The CRM, its tenant in the path."""
    yield from _served(database_server, "path")


@pytest.fixture(scope="module")
def by_claim(database_server: str) -> Iterator[Served]:
    """The CRM, its tenant in a claim."""
    yield from _served(database_server, "claim organization_id")


@pytest.fixture
def acme(served: Served) -> Desk:
    """Ada, in an organization of hers."""
    ada = served.person("ada")
    return Desk(ada, ada.made("/organizations", {"name": "Acme"})["id"])


@pytest.fixture
def globex(served: Served) -> Desk:
    """Bob, in an organization of his."""
    bob = served.person("bob")
    return Desk(bob, bob.made("/organizations", {"name": "Globex"})["id"])


def _key(desk: Desk) -> str:
    return desk.headers["x-organization"]


def _joined(served: Served, desk: Desk, name: str, **more: Any) -> Desk:
    desk.made("/memberships", {"user_id": name, **more})
    return Desk(served.person(name), _key(desk))


def test_who_founds_an_organization_is_its_first_member(served: Served, acme: Desk) -> None:
    """Whoever creates a tenant gets the membership that the line of the spec says, in the same statement."""
    (mine,) = acme.items("/memberships")
    assert (mine["user_id"], mine["role"], mine["organization_id"]) == ("ada", "owner", _key(acme))
    answer = acme.person.post("/organizations", {"name": "Another"})
    assert answer.json()["name"] == "Another", "what one has just made is read through its membership"
    assert served.anonymous.post("/organizations", {"name": "Nobody's"}).status == 401


def test_rows_belong_to_the_tenant_of_their_request(acme: Desk) -> None:
    """A row gets the tenant of the request that makes it, and shows it."""
    deal = acme.made("/deals", {"title": "Anvils"})
    assert deal["organization_id"] == _key(acme)
    assert acme.send("GET", f"/deals/{deal['id']}").json() == deal


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_nobody_writes_the_tenant(served: Served, acme: Desk, globex: Desk, method: str) -> None:
    """A body that names another tenant is refused, whatever it does."""
    path = "/deals" if method == "POST" else f"/deals/{acme.made('/deals', {'title': 'Anvils'})['id']}"
    body = {"title": "Anvils", "organization_id": _key(globex)}
    answer = acme.send(method, path, body)
    code = "immutable" if method == "PUT" else "read_only"
    assert (answer.status, answer.faults) == (422, [("organization_id", code)])


def test_a_stranger_to_a_tenant_finds_nothing(served: Served, acme: Desk) -> None:
    """An organization that one is no member of answers like one that there is not."""
    deal = acme.made("/deals", {"title": "Anvils"})["id"]
    for key in (_key(acme), NOBODYS):
        eve = Desk(served.person("eve"), key)
        assert eve.items("/deals") == []
        assert eve.send("GET", f"/deals/{deal}").status == 404
        for method, body in (("PATCH", {"title": "Mine"}), ("PUT", {"title": "Mine"}), ("DELETE", None)):
            assert eve.send(method, f"/deals/{deal}", body).status == 404
        assert eve.send("POST", "/deals", {"title": "Mine"}).status == 403
        assert eve.send("POST", "/memberships", {"user_id": "eve", "role": "owner"}).status == 403
        assert eve.send("POST", f"/deals/{deal}/win", {}).status == 404
        assert eve.send("POST", "/deals/purge", {}).status == 403
    assert acme.items("/deals") != []


def test_a_member_of_two_tenants_is_in_one_at_a_time(served: Served, acme: Desk, globex: Desk) -> None:
    """What is one's own in one tenant is not there in the other, nor can it be referred to."""
    there = _joined(served, globex, "ada")
    deal = acme.made("/deals", {"title": "Anvils"})["id"]
    contact = acme.made("/contacts", {"name": "Coyote"})["id"]
    assert there.items("/deals") == []
    assert there.send("GET", f"/deals/{deal}").status == 404
    assert there.send("DELETE", f"/deals/{deal}").status == 404
    answer = there.send("POST", "/deals", {"title": "Rockets", "contact_id": contact})
    assert (answer.status, answer.faults) == (422, [("contact_id", "reference_not_found")])
    assert there.made("/deals", {"title": "Rockets"})["organization_id"] == _key(globex)
    assert [deal["title"] for deal in acme.items("/deals")] == ["Anvils"]


def test_a_role_is_that_of_the_membership_in_the_tenant(served: Served, acme: Desk, globex: Desk) -> None:
    """`caller.membership.role` is asked of the tenant that the request is for, and of no other."""
    deal = globex.made("/deals", {"title": "Doomsday"})["id"]
    member = _joined(served, globex, "ada")
    assert member.items("/deals") == [], "ada is an owner at Acme, and a member here"
    assert member.send("POST", "/memberships", {"user_id": "eve"}).status == 403
    (mine,) = (row for row in globex.items("/memberships") if row["user_id"] == "ada")
    assert globex.send("PATCH", f"/memberships/{mine['id']}", {"role": "manager"}).status == 200
    assert member.send("PATCH", f"/deals/{deal}", {"amount": 3}).status == 200


def test_a_revoked_membership_counts_at_once(served: Served, acme: Desk) -> None:
    """The next statement after a membership is deleted finds nothing, with the same token."""
    member = _joined(served, acme, "cid")
    deal = member.made("/deals", {"title": "Anvils"})["id"]
    (mine,) = (row for row in acme.items("/memberships") if row["user_id"] == "cid")
    assert acme.send("DELETE", f"/memberships/{mine['id']}").status == 204
    assert member.items("/deals") == []
    assert member.send("PATCH", f"/deals/{deal}", {"amount": 3}).status == 404
    assert member.send("POST", "/deals", {"title": "Once more"}).status == 403


def test_what_one_may_is_what_one_was_when_the_request_came(served: Served, acme: Desk) -> None:
    """A manager may lay down their own role: the membership is asked before anything is written."""
    manager = _joined(served, acme, "dan", role="manager")
    (mine,) = (row for row in acme.items("/memberships") if row["user_id"] == "dan")
    assert manager.send("PATCH", f"/memberships/{mine['id']}", {"role": "member"}).status == 200
    assert manager.send("PATCH", f"/memberships/{mine['id']}", {"role": "manager"}).status == 403


def test_a_value_is_unique_in_its_tenant(acme: Desk, globex: Desk) -> None:
    """`unique per organization` tells one tenant nothing of another."""
    acme.made("/contacts", {"name": "Coyote", "code": "C1"})
    globex.made("/contacts", {"name": "Crane", "code": "C1"})
    assert acme.send("POST", "/contacts", {"name": "Runner", "code": "C1"}).status == 409


def test_a_request_that_names_no_tenant_is_told_so(served: Served, acme: Desk) -> None:
    """Without the header it is 400 `tenant_required`, with a bad one `invalid_tenant`, before any body."""
    for path, method in (("/deals", "GET"), ("/deals", "POST"), (f"/deals/{NOBODYS}", "DELETE")):
        answer = acme.person.send(method, path, b"not json" if method == "POST" else None)
        assert (answer.status, answer.code) == (400, "tenant_required")
    for named in ("acme", "1", "0" * 36, _key(acme) + "0", "é", "{}"):
        answer = served.request("GET", "//api/v1/deals"[1:], f"x-organization: {named}")
        assert (answer.status, answer.code) == (400, "invalid_tenant"), named
    assert served.anonymous.get("/deals").status == 401
    twice = served.request(
        "GET", "/api/v1/deals", f"x-organization: {_key(acme)}", f"x-organization: {NOBODYS}"
    )
    assert (twice.status, twice.code) == (400, "malformed")


def test_no_tenant_no_query(served: Served, acme: Desk) -> None:
    """A request that names none, or none that could be, sends no statement."""
    acme.items("/deals")
    with served.statements() as seen:
        acme.person.get("/deals")
        acme.person.get("/deals", headers={"x-organization": "acme"})
    assert seen == []


def test_the_membership_is_asked_once_a_statement(served: Served, acme: Desk) -> None:
    """A list is one statement; PostgreSQL asks for the membership before its first row, not with each."""
    for number in range(3):
        acme.made("/contacts", {"name": f"Coyote {number}"})
    with served.statements() as seen:
        assert len(acme.items("/contacts")) == 3
    (statement,) = [each for each in seen if "contacts" in each]
    values = {"UUID": f"'{_key(acme)}'", "TEXT": "'ada'", "VARCHAR": "'ada'", "BIGINT": "21"}
    filled = re.sub(r"\$\d+::(\w+)", lambda each: f"{values[each[1]]}::{each[1]}", statement)
    plan = "\n".join(row[0] for row in served.sql(f"EXPLAIN {filled}"))
    assert "InitPlan" in plan and "SubPlan" not in plan, plan


def test_a_cursor_is_of_its_tenant(served: Served, acme: Desk, globex: Desk) -> None:
    """The cursor of one tenant's list is none in another's."""
    there = _joined(served, globex, "ada", role="manager")
    for desk in (acme, there):
        for number in range(2):
            desk.made("/contacts", {"name": f"Coyote {number}"})
    cursor = acme.send("GET", "/contacts?limit=1").json()["next_cursor"]
    assert acme.send("GET", f"/contacts?limit=1&cursor={cursor}").status == 200
    assert there.send("GET", f"/contacts?limit=1&cursor={cursor}").code == "invalid_cursor"


def test_sessions_are_held_to_the_tenant(served: Served, acme: Desk, globex: Desk) -> None:
    """Hand-written SQL sees and writes the rows of the request's tenant; without one, none."""
    acme.made("/deals", {"title": "Anvils"})
    there = _joined(served, globex, "ada")
    globex.made("/deals", {"title": "Doomsday"})
    assert acme.send("GET", "//titles").json() == ["Anvils"]
    assert there.send("GET", "//titles").json() == []
    assert acme.person.get("//titles").json() == []
    assert acme.send("POST", "//deals?title=Magnets").status == 200
    assert acme.send("GET", "//titles").json() == ["Anvils", "Magnets"]
    assert acme.send("POST", f"//deals?title=Theirs&organization={_key(globex)}").status == 403
    assert acme.person.post("//deals?title=Nobodys", b"").status in (403, 422)
    assert acme.person.get("//titles", headers={"x-organization": "acme"}).code == "invalid_tenant"


def test_hooks_and_actions_work_in_the_tenant(served: Served, acme: Desk, globex: Desk) -> None:
    """A hook, an action on a row and one on all are held to the tenant, and to who may in it."""
    deal = acme.made("/deals", {"title": "Anvils"})["id"]
    globex.made("/deals", {"title": "Doomsday"})
    assert acme.send("POST", f"/deals/{deal}/win", {}).json() == 1
    member = _joined(served, acme, "fay")
    assert member.send("POST", "/deals/purge", {}).status == 403
    assert acme.send("POST", "/deals/purge", {}).json() == 1
    assert len(globex.items("/deals")) == 1


def test_who_has_no_tenant_still_finds_their_tenants(served: Served, acme: Desk) -> None:
    """The tenants themselves are outside of any: a list of them needs no header, and takes one."""
    names = {row["id"] for row in acme.person.items("/organizations")}
    assert _key(acme) in names
    assert {row["id"] for row in acme.items("/organizations")} == names
    assert Desk(served.person("eve"), _key(acme)).items("/organizations") == []


def test_what_a_tenant_is_related_to_is_within_it(served: Served, acme: Desk) -> None:
    """The members of an organization need the header, and another one in it opens nothing."""
    path = f"/organizations/{_key(acme)}/memberships"
    assert served.person("ada").get(path).code == "tenant_required"
    assert [row["role"] for row in acme.items(path)] == ["owner"]
    eve = Desk(served.person("eve"), _key(acme))
    assert eve.send("GET", path).status == 404


def test_a_tenant_that_is_deleted_takes_its_rows_along(served: Served, acme: Desk) -> None:
    """On delete cascade holds unless the spec says otherwise."""
    acme.made("/deals", {"title": "Anvils"})
    served.sql("DELETE FROM organizations WHERE id = $1", _key(acme))
    assert served.sql("SELECT 1 FROM deals WHERE organization_id = $1", _key(acme)) == []
    assert acme.items("/deals") == []


def test_openapi_requires_the_header(served: Served) -> None:
    """Every route within a tenant lists the header as a parameter that must be sent; the others do not."""
    paths = served.anonymous.get("//openapi.json").json()["paths"]
    for path, item in paths.items():
        named = [known["name"] for known in item.get("parameters", ()) if known["in"] == "header"]
        within = "/deals" in path or "/contacts" in path or "/memberships" in path
        assert named == (["X-Organization"] if within and path.startswith("/api") else []), path
    assert "400" in paths["/api/v1/deals/{id}"]["get"]["responses"]


def test_pages_of_other_origins_may_send_the_header(database_server: str) -> None:
    """A preflight that asks for the header is granted it."""
    with (
        fresh_database(database_server) as database,
        serving(crm(), database, prepare=add_routes, cors_origins=("https://crm.example",)) as served,
    ):
        answer = served.request(
            "OPTIONS",
            "/api/v1/deals",
            "origin: https://crm.example",
            "access-control-request-method: GET",
            "access-control-request-headers: x-organization",
        )
        assert answer.headers["access-control-allow-headers"] == "x-organization"


def test_by_path_the_path_names_the_tenant(by_path: Served) -> None:
    """Rows live below their tenant, in routes, Location and OpenAPI alike, and nowhere else."""
    ada, bob = by_path.person("ada"), by_path.person("bob")
    acme = ada.made("/organizations", {"name": "Acme"})["id"]
    answer = ada.post(f"/organizations/{acme}/deals", {"title": "Anvils"})
    place = f"/organizations/{acme}/deals/{answer.json()['id']}"
    assert (answer.status, answer.headers["location"]) == (201, f"/api/v1{place}")
    assert ada.get(place).json()["title"] == "Anvils"
    assert ada.patch(place, {"amount": 2}).status == 200
    assert ada.post(f"{place}/win", {}).json() == 1
    assert ada.get("/deals").status == 404
    assert ada.get(f"/organizations/{NOBODYS}/deals").json()["items"] == []
    assert ada.get("/organizations/acme/deals").code == "invalid_tenant"
    assert bob.get(f"/organizations/{acme}/deals").json()["items"] == []
    assert bob.get(place).status == 404
    assert ada.get(f"/organizations/{acme}").json()["name"] == "Acme"
    assert ada.get(f"//whole/{acme}").json() == acme
    paths = by_path.anonymous.get("//openapi.json").json()["paths"]
    item = paths["/api/v1/organizations/{organization_id}/deals/{id}/win"]
    assert [known["name"] for known in item["parameters"]] == ["organization_id", "id"]
    assert ada.post(f"/organizations/{acme}/deals/purge", {}).json() == 1
    assert ada.delete(place).status == 404


def test_by_claim_the_token_names_the_tenant(by_claim: Served) -> None:
    """The claim decides; a token without it, or with one that is no key, is refused."""
    acme = by_claim.person("ada").made("/organizations", {"name": "Acme"})["id"]
    ada = by_claim.person("ada", organization_id=acme)
    assert ada.made("/deals", {"title": "Anvils"})["organization_id"] == acme
    for person in (
        by_claim.person("ada"),
        by_claim.person("ada", organization_id="acme"),
        by_claim.person("ada", organization_id=7),
        by_claim.person("ada", organization_id=[acme]),
    ):
        answer = person.get("/deals")
        assert (answer.status, answer.code) == (403, "forbidden")
    assert by_claim.person("bob", organization_id=acme).items("/deals") == []
    assert ada.get("//titles").json() == ["Anvils"]
    assert by_claim.person("ada").get("//titles").json() == []


def test_filters_and_search_do_not_leave_the_tenant(served: Served, acme: Desk, globex: Desk) -> None:
    """An expression over relations sees what its caller may read in the tenant of the request."""
    there = _joined(served, globex, "ada", role="manager")
    contact = acme.made("/contacts", {"name": "Coyote"})["id"]
    acme.made("/deals", {"title": "Anvils", "contact_id": contact})
    # As no request makes it: a deal of Globex that refers to a contact of Acme.
    globex.made("/deals", {"title": "Doomsday"})
    served.sql("UPDATE deals SET contact_id = $1 WHERE organization_id = $2", contact, _key(globex))
    found = "/deals?filter=contact.name%20%3D%3D%20%22Coyote%22"
    assert [deal["title"] for deal in acme.items(found)] == ["Anvils"]
    assert there.items(found) == []
    outside = "/organizations?filter=memberships.role%20%3D%3D%20%22owner%22"
    assert acme.person.items(outside) == [], "outside of a tenant no membership is read"
