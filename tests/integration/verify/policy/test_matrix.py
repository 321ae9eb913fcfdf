"""The access matrix of a project: every cell is tried, and a backend that does not keep to it is seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from specwright.cli.staging import project
from specwright.model.manifest import Manifest
from specwright.read.project import read_project
from specwright.verify.assembly import lab
from specwright.verify.checks.am01_access_matrix import CHECK
from specwright.verify.engine import Ended, run
from specwright.verify.lab import Lab
from specwright.verify.policy.matrix import told
from specwright.verify.result import Result, Standing

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

_TASKS = Path(__file__).parents[4] / "examples" / "tasks"


async def test_every_cell_of_a_sound_project_is_proved() -> None:
    """Lists, reads, includes, writes, moves, links and actions; by strangers, roles and nobody."""
    with project(_TASKS, read_project(_TASKS)) as chosen:
        async with lab(chosen) as it:
            results = await _tried(it)
        assert not [result.says for result in results if result.standing is Standing.BROKEN]
        assert "× 4 people" in told(results)
        acts = {result.case.split(" · ")[1] for result in results if " · " in result.case}
        assert {"list", "read", "create", "update", "delete", "delete many", "snooze"} <= acts
        assert {"move status to done", "refer project", "link tags of own", "include tags"} <= acts


async def test_a_backend_that_grants_less_or_more_is_seen() -> None:
    """Against a spec in which an admin reads no task, and one in which a stranger deletes them all."""
    manifest = read_project(_TASKS)
    with project(_TASKS, manifest) as chosen:
        async with lab(replace(chosen, manifest=_without(manifest, "admin"))) as it:
            broken = [each for each in await _tried(it) if each.standing is Standing.BROKEN]
        assert {each.case for each in broken} >= {
            "tasks · read · admin-person", "tasks · list · admin-person",
        }  # fmt: skip
        async with lab(replace(chosen, manifest=_without(manifest, "delete"))) as it:
            broken = [each for each in await _tried(it) if each.standing is Standing.BROKEN]
        assert "tasks · delete · ada" in {each.case for each in broken}


async def _tried(it: Lab) -> list[Result]:
    results: list[Result] = []
    async for event in run(it, [CHECK]):
        if isinstance(event, Ended):
            results += event.results
    return results


def _without(manifest: Manifest, word: str) -> Manifest:
    """The manifest in which tasks have no grant to a role, or none of an action."""
    tasks = manifest.resource("Task")
    grants = tuple(
        replace(grant, actions=tuple(action for action in grant.actions if action != word))
        for grant in tasks.grants
        if grant.who.name != word
    )
    others = (each for each in manifest.resources if each.name != "Task")
    return replace(manifest, resources=(*others, replace(tasks, grants=grants)))
