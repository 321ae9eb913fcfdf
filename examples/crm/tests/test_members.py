"""Who is in an organization, and that somebody always looks after it."""

from concurrent.futures import ThreadPoolExecutor

from conftest import House


def membership(house: House, role: str) -> str:
    """The path of the membership of whoever has the role."""
    (found,) = house("owner").get("/memberships", params={"user_id": house.sub(role)}).json()["items"]
    return f"/memberships/{found['id']}"


def test_everybody_may_leave_but_the_last_owner(acme: House) -> None:
    """And nobody is put out by a colleague who is no owner."""
    own = membership(acme, "owner")
    for role in ("manager", "seller", "support", "viewer"):
        mine = membership(acme, role)
        assert acme("owner").get(mine).status_code == 200
        assert acme(role).delete(own).status_code == 403
        assert acme(role).delete(mine).status_code == 204
        assert acme(role).get(own).status_code == 404
    for answer in (acme("owner").delete(own), acme("owner").patch(own, json={"role": "manager"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert acme("owner").patch(own, json={"role": "owner"}).status_code == 200


def test_of_two_owners_who_leave_at_once_one_stays(acme: House) -> None:
    """Neither sees what the other is doing, and still one is refused."""
    assert acme("owner").patch(membership(acme, "manager"), json={"role": "owner"}).status_code == 200
    leaving = [(acme(role), membership(acme, role)) for role in ("owner", "manager")]
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda one: one[0].delete(one[1]).status_code, leaving))
    assert sorted(answers) == [204, 409]


def test_nobody_makes_themselves_more_than_they_are(acme: House, globex: House) -> None:
    """Not by changing their membership, by making a second one, or by making it somebody else's."""
    for role in ("manager", "viewer"):
        mine = membership(acme, role)
        client = acme(role)
        assert client.patch(mine, json={"role": "owner"}).status_code == 403
        assert client.patch(mine, json={"user_id": acme.sub("owner")}).status_code == 403
        another = {"user_id": acme.sub(role), "role": "owner"}
        assert client.post("/memberships", json=another).status_code == 403
        assert acme(role, within=globex.id).post("/memberships", json=another).status_code == 403
