"""Routes written by hand that forget every check: the database holds them to what their caller may."""

from collections.abc import Iterator
from typing import Any

import pytest
from app.models import Contact, Deal, Membership, Note, Organization
from fastapi import APIRouter
from sqlmodel import SQLModel, delete, select, text, update

from conftest import ROLES, House
from specwright import SessionDep
from specwright.testing import Person, Project

TABLES: dict[str, type[SQLModel]] = {
    "organizations": Organization,
    "memberships": Membership,
    "contacts": Contact,
    "deals": Deal,
    "notes": Note,
}
router = APIRouter(prefix="/api/v1/careless")


@router.get("/counted")
async def counted(session: SessionDep) -> dict[str, Any]:
    """How many rows there are, in the words of SQL."""
    return {name: await session.scalar(text(f"SELECT count(*) FROM {name}")) for name in TABLES}  # noqa: S608


@router.get("/joined")
async def joined(session: SessionDep) -> list[str]:
    """Every organization that has a deal, on a detour."""
    rows = await session.scalars(select(Organization.name).join(Deal).join(Membership).distinct())
    return list(rows)


@router.post("/join")
async def join(organization: str, session: SessionDep) -> None:
    """Whoever asks becomes an owner of any organization."""
    values = "CAST(:id AS uuid), 'mole', 'owner'"
    statement = text(f"INSERT INTO memberships (organization_id, user_id, role) VALUES ({values})")  # noqa: S608
    await session.execute(statement, {"id": organization})


@router.post("/move")
async def move(organization: str, session: SessionDep) -> None:
    """All contacts go to another organization."""
    await session.execute(
        text("UPDATE contacts SET organization_id = CAST(:id AS uuid)"), {"id": organization}
    )


@router.post("/promote")
async def promote(session: SessionDep) -> None:
    """Everybody is an owner."""
    await session.execute(update(Membership).values(role="owner"))


@router.get("/{table}")
async def everything(table: str, session: SessionDep) -> list[str]:
    """Every row there is."""
    return [str(row.id) for row in await session.scalars(select(TABLES[table]))]  # type: ignore[attr-defined]


@router.delete("/{table}")
async def clear(table: str, session: SessionDep) -> None:
    """Every row there is, away with it."""
    await session.execute(delete(TABLES[table]))


@pytest.fixture(scope="session", autouse=True)
def routes(specwright_project: Project) -> Iterator[None]:
    """The careless routes are in the application."""
    specwright_project.app.include_router(router)
    yield


def filled(house: House) -> House:
    """An organization with a contact, a deal, and a note of everybody."""
    contact = house.contact()["id"]
    house.made("deals", "seller", title="Chairs", contact_id=contact)
    for role in ROLES:
        house.made("notes", role, body="Between us", contact_id=contact)
    return house


def listed(client: Any, path: str) -> set[str]:
    """The ids that the derived route lists."""
    return {row["id"] for row in client.get(f"/{path}", params={"limit": 100}).json()["items"]}


@pytest.mark.parametrize("role", ROLES)
def test_a_route_without_any_condition_shows_what_the_derived_one_does(
    role: str, acme: House, globex: House
) -> None:
    """The same rows for the same caller: of one organization, and of the notes their own."""
    filled(acme)
    filled(globex)
    client = acme(role)
    for name in TABLES:
        found = set(client.get(f"/careless/{name}").json())
        assert found == listed(client, name)
        assert found
    assert client.get("/careless/counted").json() == {
        "organizations": 1,
        "memberships": 5,
        "contacts": 1,
        "deals": 1,
        "notes": 1,
    }
    assert client.get("/careless/joined").json() == ["acme"]


def test_whoever_is_nobody_there_sees_nothing(acme: House, globex: House, person: Person) -> None:
    """With another organization's header, with none, with nonsense, and without a token."""
    filled(acme)
    filled(globex)
    nothing = dict.fromkeys(TABLES, 0)
    stranger = acme("stranger")
    assert stranger.get("/careless/counted").json() == nothing
    assert acme("owner", within=globex.id).get("/careless/counted").json() == {**nothing, "organizations": 1}
    assert acme("owner", within="acme").get("/careless/counted").status_code == 400
    homeless = acme("owner")
    del homeless.headers["X-Organization"]
    assert homeless.get("/careless/counted").json() == {**nothing, "organizations": 1}
    del stranger.headers["authorization"]
    assert stranger.get("/careless/counted").json() == nothing


@pytest.mark.parametrize("role", ROLES)
def test_a_route_that_deletes_everything_deletes_what_its_caller_may(
    role: str, acme: House, globex: House
) -> None:
    """Notes: one's own. Contacts and deals: a manager's to delete. Nothing of another organization."""
    filled(acme)
    filled(globex)
    before = globex("owner").get("/careless/counted").json()
    client = acme(role)
    for name in ("notes", "deals", "contacts"):
        assert client.delete(f"/careless/{name}").status_code == 200
    manages = role in ("owner", "manager")
    left = acme("owner").get("/careless/counted").json()
    assert (left["deals"], left["contacts"]) == ((0, 0) if manages else (1, 1))
    assert listed(client, "notes") == set()
    if not manages:
        assert len(listed(acme("owner"), "notes")) == 1
    assert globex("owner").get("/careless/counted").json() == before


@pytest.mark.parametrize("role", ROLES)
def test_a_route_that_writes_anything_writes_what_its_caller_may(
    role: str, acme: House, globex: House
) -> None:
    """Nobody gets into another organization, takes rows along, or makes more of themselves."""
    filled(acme)
    filled(globex)
    client = acme(role)
    for there in (client, acme(role, within=globex.id)):
        assert there.post("/careless/join", params={"organization": globex.id}).status_code == 403
        moved = there.post("/careless/move", params={"organization": globex.id}).status_code
        assert moved == (403 if there is client and role != "viewer" else 200)
    assert len(listed(globex("owner"), "contacts")) == 1
    assert len(listed(acme("owner"), "contacts")) == 1
    client.post("/careless/promote")
    roles = sorted(row["role"] for row in acme("owner").get("/memberships").json()["items"])
    assert roles == (["owner"] * 5 if role == "owner" else sorted(ROLES))
    theirs = sorted(row["role"] for row in globex("owner").get("/memberships").json()["items"])
    assert theirs == sorted(ROLES)
