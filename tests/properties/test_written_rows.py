"""What is written is what is read: random values of every type, in entities of random specs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from builders import SIGNED_IN
from properties.oracle import Oracle, as_json
from properties.specs import Spec, specs
from properties.test_access import Stack, build, headers, stored
from properties.values import values, worlds
from specwright.model.caller import Caller
from specwright.model.field import Field, Shown
from specwright.model.grant import ACTIONS, Grant
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource

pytestmark = pytest.mark.any_server

#: They own what they make, and are told and may set whatever is not hidden from everybody.
WRITER = Caller("ada", frozenset({"admin"}))
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A spec whose rows anybody signed in may write, rows, and what is written: a row, and its changes."""

    spec: Spec
    manifest: Manifest
    world: dict[str, list[dict[str, Any]]]
    written: list[tuple[str, Body, Body]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases."""
    spec = draw(specs())
    everything = (Grant("g", SIGNED_IN, ACTIONS),)
    resources = tuple(
        each if each.external or each.link else replace(each, grants=everything)
        for each in spec.manifest.resources
    )
    manifest = replace(spec.manifest, resources=resources)
    world = draw(worlds(manifest))
    written = []
    for resource in manifest.served:
        # A User comes with a token, not with a POST.
        for _ in range(0 if resource.name == "User" else draw(st.integers(0, 3))):
            body = draw(_bodies(manifest, world, resource, new=True))
            if body is not None:
                changes = draw(_bodies(manifest, world, resource, new=False))
                written.append((resource.name, body, changes or {}))
    return Case(spec, manifest, world, written)


@st.composite
def _bodies(
    draw: st.DrawFn, manifest: Manifest, world: Mapping[str, Any], resource: Resource, *, new: bool
) -> Body | None:
    """Values for some fields; None where there is no row for a reference that is required."""
    body = {}
    for field in resource.fields:
        settable = field.stored and not field.built_in and field.filled is None
        if not settable or field.shown not in (Shown.BOTH, Shown.WRITE_ONLY):
            continue
        if not new and (field.immutable or not draw(st.booleans())):
            continue
        found = _values(manifest, world, field)
        if found is None:
            if new and field.required:
                return None
        elif field.required or draw(st.booleans()):
            body[field.name] = draw(st.none() | found if field.nullable else found)
    return body


def _values(manifest: Manifest, world: Mapping[str, Any], field: Field) -> st.SearchStrategy[Any] | None:
    if field.target is None:
        # In a body JSON's null is no value.
        return values(field.type).filter(lambda value: field.nullable or value != "null")
    if manifest.resource(field.target).external:
        return st.sampled_from(["ada", "a b/é", "x" * 200])
    living = [row["id"] for row in world[field.target] if row.get("deleted_at") is None]
    return st.sampled_from(living) if living else None


async def check(url: str, case: Case) -> None:
    """Assert that every row is stored and shown as it was sent."""
    await build(url, case.manifest, case.world)
    stack = Stack(url, case.manifest)
    connection = await asyncpg.connect(url)
    try:
        for name, body, changes in case.written:
            resource = case.manifest.resource(name)
            made = await _send(stack, "POST", f"/{resource.path}", resource, body)
            assert made.status_code == 201, made.text
            key = made.json()["id"]
            await _compare(connection, stack, resource, key, body, made.json())
            changed = await _send(stack, "PATCH", f"/{resource.path}/{key}", resource, changes)
            assert changed.status_code == 200, changed.text
            await _compare(connection, stack, resource, key, {**body, **changes}, changed.json())
            event(f"{len(body)} values, {len(changes)} changes")
    finally:
        await connection.close()
        await stack.close()


async def _send(stack: Stack, method: str, path: str, resource: Resource, body: Body) -> Any:
    stated = {
        field.wire: as_json(body[field.name], field.type.kind)
        for field in resource.fields
        if field.name in body
    }
    return await stack.client.request(method, path, headers=headers(WRITER), json=stated)


async def _compare(
    connection: asyncpg.Connection, stack: Stack, resource: Resource, key: str, sent: Body, answer: Any
) -> None:
    """Assert that the row holds what was sent, and that an answer, a read and a list show the row."""
    manifest = stack.backend.manifest
    rows = await stored(connection, manifest)
    row = next(row for row in rows[resource.name] if row["id"] == UUID(key))
    for field in resource.fields:
        if field.name in sent:
            kind = field.type.kind
            assert as_json(row[field.name], kind) == as_json(sent[field.name], kind), field
    oracle = Oracle(Judge(World(manifest, rows, await connection.fetchval("SELECT now()"))))
    shown = oracle.item(resource, WRITER, row, {})
    assert answer == shown
    read = await stack.client.get(f"/{resource.path}/{key}", headers=headers(WRITER))
    assert read.json() == shown
    listed = await stack.client.get(f"/{resource.path}?id={key}", headers=headers(WRITER))
    assert listed.json()["items"] == [shown]


def test_what_is_written_is_read_back(database_url: str) -> None:
    """A row that is made or changed holds every value as it was sent, and its answer, a read and a list show
    it alike."""
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()
