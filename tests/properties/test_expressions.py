"""Conditions mean in PostgreSQL what they mean in the language: the interpreter judges the SQL compiler."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from builders import ANYONE
from properties.worlds import callers, conditions, manifests, rows, store
from specwright.model.caller import Caller
from specwright.model.expression import Expr
from specwright.model.grant import Grant
from specwright.model.interpret import World
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.sql.expression import Compiler
from specwright.sql.row import Row
from specwright.sql.scope import Scopes
from specwright.sql.statement import Statement, compile_statement
from specwright.sql.tables import Tables


@st.composite
def cases(
    draw: st.DrawFn,
) -> tuple[Manifest, dict[str, list[dict[str, Any]]], Caller, list[tuple[str, Expr]]]:
    """A world, a caller, and conditions on its entities."""
    manifest = draw(manifests)
    world = draw(rows(manifest))
    asked = [
        (resource.name, draw(conditions(resource.name)))
        for resource in manifest.served
        for _ in range(draw(st.integers(1, 4)))
    ]
    return manifest, world, draw(callers), asked


def statement_of(manifest: Manifest, resource: Resource, expr: Expr, caller: Caller) -> Statement:
    """The statement that finds the rows on which a grant with this condition holds."""
    granted = replace(resource, grants=(Grant("g", ANYONE, ("list",), when=expr),))
    scope = Scopes(manifest).scope(granted, "list", caller)
    tables = Tables(manifest)
    compiler = Compiler(tables)
    table = tables.of(resource)
    query = select(table.c.id).where(compiler.condition(scope.before, Row.of(resource, table)))
    return compile_statement(compiler, query)


async def compare(
    connection: asyncpg.Connection,
    manifest: Manifest,
    world: dict[str, list[dict[str, Any]]],
    caller: Caller,
    asked: Sequence[tuple[str, Expr]],
) -> None:
    """Assert that PostgreSQL finds the rows that the interpreter finds."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await store(connection, manifest, world)
        now = await connection.fetchval("SELECT transaction_timestamp()")
        interpreter = World(manifest, world, now)
        for name, expr in asked:
            resource = manifest.resource(name)
            wanted = {row["id"] for row in world[name] if interpreter.holds(expr, resource, row, caller)}
            event(f"{'all' if len(wanted) == len(world[name]) else 'some' if wanted else 'none'} of the rows")
            statement = statement_of(manifest, resource, expr, caller)
            found = await connection.fetch(statement.text, *statement.arguments(manifest, caller, {}))
            assert {row["id"] for row in found} == wanted, f"{print_expression(expr)}\n{statement.text}"
    finally:
        await transaction.rollback()


def test_every_condition_means_the_same_in_postgresql(database_url: str) -> None:
    """On random rows, for random callers, a condition holds in SQL exactly where it holds in Python."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))

        @settings(suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: tuple[Any, ...]) -> None:
            runner.run(compare(connection, *case))

        try:
            agree()
        finally:
            runner.run(connection.close())
