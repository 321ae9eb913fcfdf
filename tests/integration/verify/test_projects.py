"""The examples of this repository as labs: their people, their rows, and what their grants say of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from specwright.cli.staging import project
from specwright.read.project import read_project
from specwright.verify.assembly import lab
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.people import ANONYMOUS

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

_EXAMPLES = Path(__file__).parents[3] / "examples"


@asynccontextmanager
async def _example(name: str) -> AsyncIterator[Lab]:
    root = _EXAMPLES / name
    with project(root, read_project(root)) as chosen:
        async with lab(chosen) as it:
            yield it


async def test_tasks() -> None:
    """Each has their own; an admin reads; and a row that is gone is judged as it was."""
    async with _example("tasks") as it:
        ada, bob, admin = it.people.signed_in
        assert (ada.name, bob.name, ada.roles, admin.roles) == ("ada", "bob", (), ("admin",))
        tasks = it.surface.collection("tasks")
        assert tasks.owned_by == ("owner_id",)
        assert {each.member for each in tasks.references} == {"project_id", "tag_ids"}
        row = await it.new_row(tasks, ada)
        assert tasks.read is not None and tasks.delete is not None
        assert [it.policy.may(each, tasks.read, row) for each in it.people.everybody] == [
            True, False, True, False,
        ]  # fmt: skip
        assert (await it.send(ada, tasks.delete, row.place)).succeeded
        assert [it.policy.may(each, tasks.delete, row) for each in it.people.everybody] == [
            True, False, False, False,
        ]  # fmt: skip
        health = next(each for each in it.surface.operations if each.path == "/health/live")
        assert it.policy.may(ANONYMOUS, health, None) is True
        assert it.signer is not None and it.manifest is not None


async def test_clinic() -> None:
    """Two equals have the role that can make most, and somebody has none."""
    async with _example("clinic") as it:
        assert [each.roles for each in it.people.signed_in] == [
            ("reception",), ("reception",), (), ("doctor",),
        ]  # fmt: skip
        patients = it.surface.collection("patients")
        row = await it.new_row(patients, it.people.owner)
        assert patients.read is not None
        assert it.policy.may(it.people.stranger, patients.read, row) is True
        assert it.policy.may(it.people.others[0], patients.read, row) is False


async def test_crm() -> None:
    """Two founders are in tenants of their own, and the first has a colleague of each kind."""
    async with _example("crm") as it:
        ada, bob, *colleagues = it.people.signed_in
        assert ada.headers["x-organization"] != bob.headers["x-organization"]
        assert {each.headers["x-organization"] for each in colleagues} == {ada.headers["x-organization"]}
        assert [each.name for each in colleagues] == [
            f"{role}-colleague" for role in ("manager", "seller", "support", "viewer")
        ]
        deals = it.surface.collection("deals")
        row = await it.new_row(deals, ada)
        assert deals.read is not None and deals.delete is not None
        assert [it.policy.may(each, deals.read, row) for each in it.people.everybody] == [
            True, False, True, True, True, True, False,
        ]  # fmt: skip
        for person in it.people.everybody:
            assert it.policy.may(person, deals.read, row) is (await it.read(row, person)).succeeded
        async for collection, made in it.each_row(ada):
            assert not isinstance(made, NotRun), f"{collection.name}: {made}"
