"""Two organizations know nothing of one another."""

import pytest

from conftest import ROLES, House

ROWS = ("memberships", "contacts", "deals", "notes")


def filled(house: House) -> dict[str, str]:
    """The id of one row of each kind; the owner has made them."""
    contact = house.contact(email="carla@example.com")["id"]
    deal = house.made("deals", title="Chairs", contact_id=contact)["id"]
    note = house.made("notes", body="Between us", deal_id=deal)["id"]
    (member,) = house("owner").get("/memberships?role=viewer").json()["items"]
    return {"memberships": member["id"], "contacts": contact, "deals": deal, "notes": note}


@pytest.mark.parametrize("role", ROLES)
def test_what_belongs_to_others_is_not_there(role: str, acme: House, globex: House) -> None:
    """A foreign id is answered like one that never was, whatever is asked, and lists hold one's own."""
    theirs = filled(globex)
    client = acme(role)
    for path, id_ in theirs.items():
        missing = client.get(f"/{path}/01890000-0000-7000-8000-000000000000").json()
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            answer = client.request(method, f"/{path}/{id_}", json=body)
            assert answer.status_code == 404
            assert {**answer.json(), "request_id": ""} == {**missing, "request_id": ""}
        listed = client.get(f"/{path}?limit=100").json()["items"]
        assert id_ not in [row["id"] for row in listed]
    assert client.post(f"/deals/{theirs['deals']}/win", json={}).status_code == 404
    assert client.get(f"/organizations/{globex.id}").status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_the_header_of_another_organization_opens_nothing(role: str, acme: House, globex: House) -> None:
    """Whoever is not a member is refused, with good ids and bad ones, for reading and for writing."""
    theirs = filled(globex)
    client = acme(role, within=globex.id)
    for path, id_ in theirs.items():
        assert client.get(f"/{path}").json()["items"] == []
        assert client.get(f"/{path}/{id_}").status_code == 404
    assert client.post("/contacts", json={"name": "Mole"}).status_code == 403
    assert client.post("/memberships", json={"user_id": "mole", "role": "owner"}).status_code == 403
    assert client.post("/deals/lose-stale", json={"before": "2099-01-01"}).status_code == 403
    assert len(globex("owner").get("/contacts").json()["items"]) == 1


def test_a_request_says_which_organization_it_is_for(acme: House) -> None:
    """Without the header it is 400, and with nonsense in it, too; organizations themselves need none."""
    client = acme("owner")
    del client.headers["X-Organization"]
    for path in ROWS:
        answer = client.get(f"/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "tenant_required")
    assert client.post("/contacts", json={"name": "Carla"}).json()["code"] == "tenant_required"
    assert [row["id"] for row in client.get("/organizations").json()["items"]] == [acme.id]
    assert acme("owner", within="acme").get("/contacts").status_code == 400


def test_a_reference_does_not_leave_the_organization(acme: House, globex: House) -> None:
    """A deal with another organization's contact is answered like one with no contact at all."""
    foreign = globex.contact()["id"]
    answer = acme("owner").post("/deals", json={"title": "Chairs", "contact_id": foreign})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "reference_not_found"


def test_nobody_says_that_a_row_belongs_to_another_organization(acme: House, globex: House) -> None:
    """The organization of a row is that of the request."""
    contact, elsewhere = acme.contact(), {"organization_id": globex.id}
    assert contact["organization_id"] == acme.id
    assert acme("owner").post("/contacts", json={"name": "Carla", **elsewhere}).status_code == 422
    assert acme("owner").patch(f"/contacts/{contact['id']}", json=elsewhere).status_code == 422


def test_an_email_is_taken_in_one_organization_only(acme: House, globex: House) -> None:
    """Whether another organization knows somebody is not to be found out."""
    acme.contact(email="carla@example.com")
    assert globex.contact(email="carla@example.com")["email"] == "carla@example.com"
    twice = acme("owner").post("/contacts", json={"name": "Carla", "email": "carla@example.com"})
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (409, "email")


def test_a_membership_that_is_gone_opens_nothing_any_more(acme: House) -> None:
    """With the next request, and with the same token; so does a role that changes."""
    seller = acme("seller")
    contact = acme.contact()["id"]
    assert seller.get(f"/contacts/{contact}").status_code == 200
    (membership,) = acme("owner").get("/memberships?role=seller").json()["items"]
    assert acme("owner").delete(f"/memberships/{membership['id']}").status_code == 204
    assert seller.get(f"/contacts/{contact}").status_code == 404
    assert seller.get("/contacts").json()["items"] == []
    assert seller.post("/contacts", json={"name": "Dora"}).status_code == 403
    assert seller.get("/organizations").json()["items"] == []
    assert acme.made("memberships", user_id=acme.sub("seller"), role="manager")["role"] == "manager"
    assert seller.delete(f"/contacts/{contact}").status_code == 204


def test_one_person_may_be_in_both(acme: House, globex: House) -> None:
    """With another role in each, and the rows of one at a time."""
    contact, other = acme.contact()["id"], globex.contact()["id"]
    globex.made("memberships", user_id=acme.sub("owner"), role="viewer")
    here, there = acme("owner"), acme("owner", within=globex.id)
    assert here.delete(f"/contacts/{other}").status_code == 404
    assert there.delete(f"/contacts/{contact}").status_code == 404
    assert there.delete(f"/contacts/{other}").status_code == 403
    assert here.delete(f"/contacts/{contact}").status_code == 204
    assert len(here.get("/organizations").json()["items"]) == 2
