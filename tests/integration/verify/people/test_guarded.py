"""Requests that succeed for somebody are found, whoever may send them and whatever they need first."""

from pathlib import Path

import pytest

from specwright.verify.assembly import lab
from specwright.verify.checks.an01_no_credential import CHECK
from specwright.verify.engine import Ended, run
from specwright.verify.people.guarded import prepare
from specwright.verify.result import Standing

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

_APPS = Path(__file__).parents[1] / "apps"


async def test_every_operation_is_used() -> None:
    """Rows that few may make, paths that name a person, and what turns off what another turns on."""
    async with lab("wall:app", _APPS, _APPS / "wall.toml") as it:
        results = [
            result async for event in run(it, [CHECK]) if isinstance(event, Ended) for result in event.results
        ]
        assert len(results) == 5
        assert {result.standing for result in results} == {Standing.PROVED}
        used = it.coverage()
        assert all(used[result.subject] for result in results)
        assert used["POST /rooms"] == ("keeper",)


async def test_both_ways_again_and_again() -> None:
    """What is on already is turned off first, and the other way round."""
    async with lab("wall:app", _APPS, _APPS / "wall.toml") as it:
        both = [each for each in it.surface.operations if each.path == "/people/{username}/follow"]
        assert [each.method for each in both] == ["POST", "DELETE"]
        for operation in (*both, *both, *reversed(both), *reversed(both)):
            request = await prepare(it, operation, it.people.owner)
            assert request.place == {"username": "bob"}
            assert (await request.sent(it, it.people.owner)).succeeded
