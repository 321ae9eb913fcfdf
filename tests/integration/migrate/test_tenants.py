"""Tenants on a database that has rows already: what is asked, and that the way back is free."""

from pathlib import Path

import asyncpg
import pytest

from crm import crm
from protected import run
from specwright.migrate.draft import develop
from specwright.migrate.folder import sentences
from specwright.migrate.plan import plan
from specwright.migrate.question import Question
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs

pytestmark = pytest.mark.anyio


def manifest(text: str) -> Manifest:
    """The manifest of one file."""
    return read_specs({"specs/crm/spec.md": text})


def without_tenant() -> Manifest:
    """The CRM before anybody thought of tenants."""
    text = "\n".join(line for line in crm().split("\n") if not line.startswith("- tenant"))
    text = text.replace('caller.membership.role in ["owner", "manager"]', 'caller.claims.role == "manager"')
    return manifest(
        text.replace(", unique per organization", "").replace("unique per organization", "unique")
    )


def test_rows_that_are_there_raise_a_question() -> None:
    """The field of the tenant is a new one that cannot be empty, and nothing says which tenant is meant."""
    keys = {hazard.key for hazard in plan(without_tenant(), manifest(crm())).hazards}
    assert {"add Contact.organization", "add Deal.organization"} <= keys


def test_how_a_request_names_its_tenant_is_no_matter_of_storage() -> None:
    """From a header to a path there is nothing to migrate; without a tenant, the policies are others."""
    assert plan(manifest(crm()), manifest(crm("path"))).steps == ()
    told = sentences(plan(without_tenant(), manifest(crm())))
    assert any("row-level security" in sentence for sentence in told)


async def test_there_and_back(database_url: str) -> None:
    """Columns, defaults and policies come with the tenant and go with it."""
    before, after = without_tenant(), manifest(crm())
    there = plan(before, after)
    await run(database_url, plan(Manifest(), before).operations)
    for operations, held in ((there.operations, True), (there.inverse, False), (there.operations, True)):
        await run(database_url, operations)
        connection = await asyncpg.connect(database_url)
        try:
            default = await connection.fetchval(
                "SELECT column_default FROM information_schema.columns"
                " WHERE table_name = 'deals' AND column_name = 'organization_id'"
            )
            policies = await connection.fetchval(
                "SELECT count(*) FROM pg_policies WHERE policyname = 'specwright_tenant'"
            )
        finally:
            await connection.close()
        assert ("specwright.tenant" in (default or ""), policies) == (held, 3 if held else 0)


async def test_a_draft_asks_before_rows_go(tmp_path: Path, database_url: str) -> None:
    """With rows and nobody to ask, the draft stops; with a yes, rows without a tenant are deleted."""
    await develop(tmp_path, without_tenant(), database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("INSERT INTO deals (title, owner_id) VALUES ('Anvils', 'ada')")
        with pytest.raises(ConfigError, match=r"Deal\.organization is new and cannot be empty"):
            await develop(tmp_path, manifest(crm()), database_url)
        asked: list[str] = []

        async def yes(question: Question) -> bool:
            asked.append(str(question))
            return True

        await develop(tmp_path, manifest(crm()), database_url, yes)
        assert any("Deal.organization" in each for each in asked)
        assert await connection.fetchval("SELECT count(*) FROM deals") == 0
    finally:
        await connection.close()
