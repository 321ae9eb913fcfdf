"""`specwright sql`: the statement of a request, its plan, and the grants in it."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from specwright.cli.backend import project_backend
from specwright.cli.people import person
from specwright.cli.project import find_project
from specwright.db.pool import DatabaseUnavailable
from specwright.model.errors import ConfigError
from specwright.model.expression import FALSE
from specwright.model.syntax import print_expression


def sql(
    request: Annotated[str, typer.Argument(help="A method and a path, as 'GET /tasks?status=todo'.")],
    name: Annotated[
        str | None, typer.Option("--as", help="The person who asks; without it, an anonymous caller.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(help="A role of theirs, once for each; by default those of the spec's examples."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="KEY", help="The tenant it is for, where there are any.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; by default the one you are in.")
    ] = None,
) -> None:
    """Show the SQL of a request, the values it sends, its plan, and the grants that it carries out.

    Nothing is run but EXPLAIN; a parameter that a body would fill is shown as NULL.
    """
    from asyncpg import UndefinedTableError

    from specwright.api.plan import Plan, plan_request
    from specwright.api.problems import Problem
    from specwright.app import Backend

    method, _, target = request.strip().partition(" ")
    if not target.strip().startswith("/"):
        raise ConfigError("A request is a method and a path: specwright sql 'GET /tasks?status=todo'.")

    async def explain(backend: Backend, plan: Plan) -> list[Any]:
        try:
            return await backend.service.database.fetch(f"EXPLAIN {plan.statement.text}", plan.arguments)
        finally:
            await backend.service.database.close()

    with project_backend(find_project(project)) as backend:
        caller = person(backend.manifest, name, role, tenant)
        try:
            plan = plan_request(backend.dispatch, method.upper(), target.strip(), caller)
        except Problem as problem:
            details = " ".join(error.message for error in problem.errors) or problem.detail
            if backend.manifest.tenant is not None and tenant is None:
                details += " Say the tenant with --tenant KEY."
            raise ConfigError(
                f"{request} as {name or 'anonymous'} answers {problem.status}: {details}"
            ) from None
        typer.echo(plan.statement.text + "\n")
        for number, (what, value) in enumerate(
            zip(plan.statement.parameters, plan.arguments, strict=True), start=1
        ):
            typer.echo(f"  ${number} {what} = {'NULL' if value is None else repr(value)}")
        typer.echo("\nGrants")
        for reason in backend.service.statements.reasons(plan.resource, plan.action, caller):
            grant = reason.grant
            used = "not for this caller" if reason.who == FALSE else print_expression(reason.who)
            typer.echo(f"  {grant.who} may {grant.may}  {grant.origin}  ({used})")
        typer.echo("\nPlan")
        try:
            for row in asyncio.run(explain(backend, plan)):
                typer.echo(f"  {row[0]}")
        except DatabaseUnavailable as error:
            typer.echo(f"  not asked: {error}")
        except UndefinedTableError:
            typer.echo("  not asked: the database has no tables yet; run specwright up, or migrate apply")
