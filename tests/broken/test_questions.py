"""What nobody has declared is asked about, and is no fault."""

from pathlib import Path

import pytest

from specwright.verify.assembly import lab
from specwright.verify.check import choose_checks
from specwright.verify.engine import Ended, run
from specwright.verify.result import Standing

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

FOLDER = Path(__file__).parent / "questions"


async def test_paths_that_say_admin_and_answer_ordinary_people_are_asked_about() -> None:
    """Who is refused proves nothing while nobody is known who may; what changes something is not tried."""
    checks, _ = choose_checks(["AZ05"])
    found = {}
    async with lab("office:app", FOLDER, FOLDER / "people.toml") as assembled:
        async for event in run(assembled, checks):
            if isinstance(event, Ended):
                found = {result.subject: result.standing for result in event.results}
    assert found == {
        "GET /api/admin/stats": Standing.ASK,
        "GET /staff-only/keys": Standing.NOT_RUN,
        "POST /internal/reset": Standing.NOT_RUN,
    }
