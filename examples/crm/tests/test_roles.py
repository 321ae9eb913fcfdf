"""Each role's every action, over HTTP: what is allowed is done, and what is not is refused."""

import json

import pytest

from conftest import ROLES, House

#: Method, path, body, and the status for owner, manager, seller, support and viewer. Names in braces are rows
#: that the owner has just made.
ATTEMPTS = """
GET    /organizations/{house}                                                200 200 200 200 200
PATCH  /organizations/{house}   {"name": "Ours"}                             403 403 403 403 403
DELETE /organizations/{house}                                                403 403 403 403 403
GET    /memberships                                                          200 200 200 200 200
GET    /memberships/{guest}                                                  200 200 200 200 200
POST   /memberships             {"user_id": "{name}"}                        201 403 403 403 403
PATCH  /memberships/{guest}     {"role": "seller"}                           200 403 403 403 403
DELETE /memberships/{guest}                                                  204 403 403 403 403
GET    /contacts                                                             200 200 200 200 200
GET    /contacts/{contact}                                                   200 200 200 200 200
POST   /contacts                {"name": "Dora"}                             201 201 201 201 403
PATCH  /contacts/{contact}      {"phone": "+49 30 1234"}                     200 200 200 200 403
PUT    /contacts/{contact}      {"name": "Dora"}                             200 200 200 200 403
DELETE /contacts/{contact}                                                   204 204 403 403 403
GET    /deals                                                                200 200 200 200 200
GET    /deals/{deal}                                                         200 200 200 200 200
POST   /deals                   {"title": "A", "contact_id": "{contact}"}    201 201 201 403 403
PATCH  /deals/{deal}            {"amount": "10.00"}                          200 200 403 403 403
PATCH  /deals/{deal}            {"margin": "3.00"}                           200 200 403 403 403
PATCH  /deals/{deal}            {"seller_id": "seller@acme"}                 200 200 403 403 403
PATCH  /deals/{deal}            {"seller_id": "{name}"}                      403 403 403 403 403
POST   /deals/{deal}/win        {"amount": 10}                               200 200 403 403 403
POST   /deals/lose-stale        {"before": "2030-01-01"}                     200 200 403 403 403
DELETE /deals/{deal}                                                         204 204 403 403 403
GET    /notes                                                                200 200 200 200 200
GET    /notes/{note}                                                         200 404 404 404 404
POST   /notes                   {"body": "Hm.", "contact_id": "{contact}"}   201 201 201 201 201
PATCH  /notes/{note}            {"body": "Hm!"}                              200 404 404 404 404
DELETE /notes/{note}                                                         204 404 404 404 404
GET    /reports/pipeline                                                     200 200 200 200 200
"""


def rows(house: House, number: int) -> dict[str, str]:
    """What an attempt is made on, fresh each time."""
    contact = house.contact()["id"]
    return {
        "{house}": house.id,
        "{name}": f"somebody {number}",
        "{guest}": house.made("memberships", user_id=f"guest {number}")["id"],
        "{contact}": contact,
        "{deal}": house.deal(by="owner")["id"],
        "{note}": house.made("notes", body="Between us", contact_id=contact)["id"],
    }


@pytest.mark.parametrize("attempt", ATTEMPTS.strip().splitlines(), ids=lambda text: text[:40].strip())
def test_each_role_may_what_the_spec_grants_it(attempt: str, acme: House) -> None:
    """The five roles try the same on rows of their own organization that the owner has made."""
    asked, *expected = attempt.rsplit(maxsplit=len(ROLES))
    found = []
    for number, role in enumerate(ROLES):
        filled = asked
        for name, value in rows(acme, number).items():
            filled = filled.replace(name, value)
        method, path, *body = filled.split(maxsplit=2)
        sent = json.loads(body[0]) if body else None
        found.append(str(acme(role).request(method, path, json=sent).status_code))
    assert found == expected


def test_a_seller_works_on_their_own_deals(acme: House) -> None:
    """A colleague's they see. Whoever is no seller any more has nothing left to work on."""
    mine, other = acme.deal(by="seller"), acme.deal(by="manager")
    seller = acme("seller")
    assert seller.patch(f"/deals/{mine['id']}", json={"stage": "offer"}).status_code == 200
    assert seller.post(f"/deals/{mine['id']}/win", json={"amount": 5}).status_code == 200
    assert seller.patch(f"/deals/{other['id']}", json={"stage": "offer"}).status_code == 403
    assert seller.delete(f"/deals/{mine['id']}").status_code == 403
    third = acme.deal(by="seller")
    (membership,) = acme("owner").get("/memberships?role=seller").json()["items"]
    assert acme("owner").patch(f"/memberships/{membership['id']}", json={"role": "viewer"}).status_code == 200
    assert seller.patch(f"/deals/{third['id']}", json={"stage": "offer"}).status_code == 403


def test_nobody_without_a_token_gets_anything(acme: House) -> None:
    """Not even with the id of an organization."""
    anonymous = acme("nobody")
    del anonymous.headers["authorization"]
    for path in ("organizations", "memberships", "contacts", "deals", "notes"):
        assert anonymous.get(f"/{path}").status_code == 401
        assert anonymous.post(f"/{path}", json={}).status_code == 401
