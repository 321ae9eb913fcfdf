"""Rows are made in apps that are hard to please, by what they say of the bodies that they refuse."""

from pathlib import Path

import pytest

from specwright.verify.assembly import lab

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

_APPS = Path(__file__).parents[1] / "apps"


async def test_bodies_are_mended_and_remembered() -> None:
    """By a list, a problem, a sentence, a missing row; and each second row is made at once."""
    async with lab("fussy:app", _APPS) as it:
        kinds = {each.name for each in it.surface.collections}
        assert kinds == {"validated", "problems", "sentences", "pointing", "wordless"}
        for collection in it.surface.collections:
            await it.row(collection, it.people.owner)
            count = len(it.probes)
            row = await it.new_row(collection, it.people.owner)
            posts = [probe for probe in it.probes[count:] if probe.operation == collection.create]
            assert [probe.status for probe in posts] == [201], collection.name
            assert (await it.read(row)).succeeded


async def test_members_that_are_given_stay() -> None:
    """What a check wants in a row is sent as it is, or the row is not made."""
    async with lab("fussy:app", _APPS) as it:
        row = await it.new_row(it.surface.collection("problems"), it.people.owner, size="large")
        assert row.body["size"] == "large"


async def test_the_same_seed_sends_the_same() -> None:
    """A run can be repeated: request by request."""
    sent = []
    for _ in range(2):
        async with lab("fussy:app", _APPS, seed=3) as it:
            sent.append([(probe.method, probe.path, probe.body) for probe in it.probes])
    assert sent[0] == sent[1]
