"""Writes of many rows go by the judge of one: all that it lets through is done, or nothing at all is."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import asyncpg
import httpx2
from hypothesis import HealthCheck, event, given, settings

from properties.test_access import (
    Asked,
    Case,
    Stack,
    build,
    cases,
    explained,
    headers,
    judged,
    on_wire,
    reads_itself,
    stored,
)
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.resource import Resource
from specwright.model.verdict import Verdict

VOLATILE = ("id", "created_at", "updated_at", "version")


def lasting(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what every write makes anew."""
    return {name: value for name, value in row.items() if name not in VOLATILE}


def singles(case: Case, judge: Judge, asked: Asked) -> list[Asked]:
    """The requests of one row each that a request of many stands for."""
    if asked.action == "create":
        same = (other for other in case.asked if (other.action, other.entity) == ("create", asked.entity))
        return [replace(asked, body=other.body, include="") for other in same]
    resource = judge.world.manifest.resource(asked.entity)
    rows = judge.world.rows[asked.entity]
    readable = [row for row in rows if judge.read(resource, asked.caller, row["id"]).allowed]
    return [replace(asked, key=row["id"], include="") for row in readable]


async def send(
    stack: Stack, resource: Resource, asked: Asked, each: list[Asked], most: int
) -> httpx2.Response:
    """The answer to the request of many."""
    wires = {field.name: field.wire for field in resource.fields}

    def sent(body: Mapping[str, Any] | None) -> dict[str, Any]:
        return {wires[name]: on_wire(value) for name, value in (body or {}).items()}

    path, signed = f"/{resource.path}", headers(asked.caller)
    if asked.action == "create":
        return await stack.client.post(path, headers=signed, json=[sent(one.body) for one in each])
    path += f"?id__isnull=false&max_affected={most}"
    if asked.action == "delete":
        return await stack.client.delete(path, headers=signed)
    return await stack.client.patch(path, headers=signed, json=sent(asked.body))


def check_effect(
    judge: Judge, asked: Asked, each: list[Asked], after: dict[str, list[dict[str, Any]]]
) -> None:
    """Assert that what was asked of each row has happened to it, and nothing to the others."""
    resource = judge.world.manifest.resource(asked.entity)
    before = {row["id"]: row for row in judge.world.rows[asked.entity]}
    now = {row["id"]: row for row in after[asked.entity]}
    if asked.action == "create":
        made = [lasting(now[key]) for key in now.keys() - before.keys()]
        wanted = [lasting(judge.fill(resource, asked.caller, one.body or {})) for one in each]
        assert sorted(map(repr, made)) == sorted(map(repr, wanted))
        assert {key: now[key] for key in before} == before
        return
    keys = {one.key for one in each}
    if asked.action == "delete":
        assert not keys & now.keys()
        return
    body = {name: value for name, value in (asked.body or {}).items() if name != "pins"}
    for key, row in before.items():
        if key in keys:
            assert lasting(now[key]) == lasting({**row, **body})
            assert now[key]["version"] == row["version"] + 1
        else:
            assert now[key] == row


async def check(url: str, case: Case) -> None:
    """Assert of every write, made one of many rows, what the judge says of each of them."""
    manifest = case.manifest
    await build(url, manifest, case.world)
    stack = Stack(url, manifest)
    connection = await asyncpg.connect(url)
    try:
        for asked in case.asked:
            if asked.action not in ("create", "update", "delete"):
                continue
            before = await stored(connection, manifest)
            judge = Judge(World(manifest, before, await connection.fetchval("SELECT now()")))
            each = singles(case, judge, asked)
            resource = manifest.resource(asked.entity)
            verdicts = [judged(judge, one) for one in each]
            refused = {verdict.status for verdict in verdicts if not verdict.allowed}
            many = await send(stack, resource, asked, each, 1) if len(each) > 1 else None
            if many is not None and asked.action != "create":
                # More than one, or never theirs, or not understood.
                assert many.status_code in {401, 403, 409, 422}, many.text
                assert await stored(connection, manifest) == before
            answer = many if many is not None and asked.action == "create" else None
            answer = answer or await send(stack, resource, asked, each, 10_000)
            event(f"{asked.action} of {min(len(each), 3)}: {answer.status_code}")
            told = "\n".join(
                explained(judge, one, verdict, answer) for one, verdict in zip(each, verdicts, strict=True)
            )
            after = await stored(connection, manifest)
            if answer.status_code >= 400:
                assert after == before
                # Together they may break what each alone would not, or be read by one another's conditions.
                clashing = asked.action == "delete" or "body" in (asked.body or {})
                together = len(each) > 1 and (clashing or itself(case, asked))
                assert refused or not each or together, told
                if refused and asked.action != "create" and not itself(case, asked):
                    key, due = decisive(each, verdicts)
                    assert answer.status_code == due.status, told
                    named = [error["id"] for error in answer.json().get("errors", []) if "id" in error]
                    assert named[:1] in ([], [key]), told
            else:
                assert not refused or itself(case, asked) or asked.action == "delete", told
                check_effect(judge, asked, each, after)
                if asked.action != "create":
                    assert answer.json() == {"affected": len(each)}
                else:
                    assert len(answer.json()["items"]) == len(each)
    finally:
        await connection.close()
        await stack.close()


def decisive(each: list[Asked], verdicts: list[Verdict]) -> tuple[str, Verdict]:
    """The key of the row that decides why many are not changed, and what it is refused for.

    That is the first one; but constraints come behind all that can be judged before anything is written.
    """
    found = ((str(one.key), due) for one, due in zip(each, verdicts, strict=True) if not due.allowed)
    rows = sorted(found, key=lambda pair: pair[0])
    return next((pair for pair in rows if pair[1].code != "conflict"), rows[0])


def itself(case: Case, asked: Asked) -> bool:
    """Whether what is asked of a row depends on others of its table, which are written with it."""
    return reads_itself(case.manifest, case.manifest.resource(asked.entity), "pins" in (asked.body or {}))


def test_many_rows_are_judged_as_one_is(database_url: str) -> None:
    """Creates, changes and deletions of many rows by random people on random backends."""
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()
