"""One app with ten holes: what a tool misses that knows requests and answers, and nothing of people."""

from pathlib import Path

import pytest

from specwright.verify.assembly import lab
from specwright.verify.check import all_checks
from specwright.verify.engine import Found, run
from specwright.verify.result import Standing

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

FOLDER = Path(__file__).parent / "ten_holes"

#: By check and operation, as they are numbered in the app.
HOLES = {
    ("AZ01", "GET /invoices/{id}"): "1: an invoice is read by whoever has its key",
    ("AZ03", "GET /orders"): "2: a search finds everybody's orders",
    ("AZ02", "DELETE /orders/{id}"): "3: an order is removed by whoever has its key",
    ("AZ02", "PUT /documents/{id}"): "4: a document is changed by whoever has its key",
    ("AZ03", "GET /messages"): "5: the list has everybody's messages",
    ("AZ04", "POST /contacts"): "6: a body says whose the contact is",
    ("AZ04", "PATCH /me"): "7: people make themselves admin",
    ("AZ05", "GET /admin/turnover"): "8: what is for heads is for everybody",
    ("AZ06", "POST /tasks"): "9: a task goes into somebody else's project",
    ("AZ08", "GET /albums/{album_id}/pictures/{id}"): "10: a picture is found beneath another album",
}


@pytest.mark.parametrize("seed", [0, 7])
async def test_ten_of_ten_are_found_and_nothing_else(seed: int) -> None:
    """Each hole is one finding of the check whose matter it is; what is sound beside it gives none."""
    access = [check for check in all_checks() if check.id.startswith("AZ")]
    found = set()
    async with lab("app:app", FOLDER, FOLDER / "people.toml", seed=seed) as assembled:
        async for event in run(assembled, access):
            if isinstance(event, Found) and event.result.standing is Standing.BROKEN:
                found.add((event.result.check, event.result.subject))
    assert found == set(HOLES)
