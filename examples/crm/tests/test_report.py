"""The report on the pipeline: one query without any condition, and a sum for each organization."""

import pytest

from conftest import ROLES, House


@pytest.mark.parametrize("role", ROLES)
def test_the_pipeline_is_that_of_one_organization(role: str, acme: House, globex: House) -> None:
    """All of its people get the same sums, exact to the cent, and none of the other's."""
    acme.deal(amount="0.10")
    acme.deal(amount="0.20")
    acme.deal(by="manager", stage="offer")
    won = acme.deal(by="owner")
    assert acme("owner").post(f"/deals/{won['id']}/win", json={"amount": "9999999999.99"}).status_code == 200
    globex.deal(amount="500.00")
    expected = {"lead": (2, "0.30"), "offer": (1, "0"), "won": (1, "9999999999.99")}
    report = acme(role).get("/reports/pipeline").json()
    assert {row["stage"]: (row["deals"], row["amount"]) for row in report} == expected
    assert globex(role).get("/reports/pipeline").json() == [{"stage": "lead", "deals": 1, "amount": "500.00"}]
    assert acme(role, within=globex.id).get("/reports/pipeline").json() == []


def test_without_a_membership_there_is_nothing_to_report(acme: House) -> None:
    """For strangers, for whoever names no organization, and for whoever is not signed in."""
    acme.deal(amount="1.00")
    stranger, homeless = acme("stranger"), acme("owner")
    del homeless.headers["X-Organization"]
    for client in (stranger, homeless):
        assert client.get("/reports/pipeline").json() == []
    del stranger.headers["authorization"]
    assert stranger.get("/reports/pipeline").json() == []
