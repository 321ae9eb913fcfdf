"""`specwright access`: who may do what; with a person, a row and an action, why."""

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from specwright.cli.people import person
from specwright.cli.project import find_project
from specwright.model.caller import Caller
from specwright.model.errors import ConfigError
from specwright.model.expression import FALSE
from specwright.model.grant import ACTIONS, TO
from specwright.model.manifest import Manifest
from specwright.model.names import suggest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.read.project import read_project
from specwright.write.access_page import as_html
from specwright.write.matrix import access_matrix, as_json, as_markdown, as_text, verbs_by_words

#: How an arrow may be typed.
_ARROW = re.compile(r"\s*(?:→|->|=>)\s*")
_FORMATS = {"text": as_text, "markdown": as_markdown, "json": as_json, "html": as_html}


def access(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME", help="Whose access to explain; `anonymous` for nobody's.")
    ] = None,
    row: Annotated[
        str | None, typer.Argument(metavar="RESOURCE[/ID]", help="A row, as tasks/0192…; for create, tasks.")
    ] = None,
    action: Annotated[
        str | None,
        typer.Argument(metavar="ACTION]", help=f"One of {', '.join(ACTIONS)}, or one of the resource's own."),
    ] = None,
    format: Annotated[str, typer.Option(help="Of the matrix: text, markdown, json or html.")] = "text",
    role: Annotated[
        list[str] | None,
        typer.Option(help="A role of NAME, once for each; by default those of the spec's examples."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="KEY", help="The tenant it is in, where there are any.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; by default the one you are in.")
    ] = None,
) -> None:
    """Print the access matrix, or explain one decision: which grant allows it, or what each one lacks.

    The exit code is 0 when the access is allowed, and 1 when it is not.
    """
    if format not in _FORMATS:
        raise ConfigError(f"--format is one of {', '.join(_FORMATS)}, not {format}.")
    root = find_project(project)
    manifest = read_project(root)
    if name is None:
        typer.echo(_FORMATS[format](access_matrix(manifest)))
        return
    if row is None or action is None:
        raise ConfigError("Say whose access to what: specwright access ada tasks/ID update")
    resource, key = _row(manifest, row)
    action = _ARROW.sub(TO, action)
    words = verbs_by_words(resource)
    action = words.get(action, action)
    if action not in resource.verbs:
        raise ConfigError(f'There is no action "{action}": {", ".join(words)}.')
    caller = person(manifest, name, role, tenant)
    if resource.tenant is not None and caller.tenant is None and not caller.anonymous:
        raise ConfigError(f"{resource.name} is within a tenant: say which with --tenant KEY.")
    if key:
        allowed = _explain_row(root, resource, key, action, caller)
    else:
        allowed = _explain(manifest, resource, action, caller)
    if not allowed:
        raise typer.Exit(1)


def _row(manifest: Manifest, text: str) -> tuple[Resource, str]:
    path, _, key = text.strip("/").partition("/")
    paths = {resource.path: resource for resource in manifest.served}
    if path not in paths:
        close = suggest(path, paths)
        hint = f' Did you mean "{close}"?' if close else f" There are {', '.join(paths)}."
        raise ConfigError(f'There is no resource "{path}".{hint}')
    return paths[path], key


def _explain(manifest: Manifest, resource: Resource, action: str, caller: Caller) -> bool:
    """Without a row: which grants could ever apply."""
    from specwright.sql.explanation import name_of
    from specwright.sql.statements import Statements

    statements = Statements(manifest)
    scope = statements.scope(resource, action, caller)
    verdict = f"{name_of(caller)} may {action} {resource.path}"
    condition = scope.after if action == "create" else scope.before
    typer.echo(verdict + (f" where {print_expression(condition)}" if scope.possible else ": never"))
    for reason in statements.reasons(resource, action, caller):
        mark = "✗" if FALSE in (reason.who, reason.when, reason.then) else "·"
        typer.echo(f"  {mark} {reason.grant.who} may {reason.grant.may}  {reason.grant.origin}")
    return scope.possible


def _explain_row(root: Path, resource: Resource, key: str, action: str, caller: Caller) -> bool:
    from asyncpg import UndefinedTableError

    from specwright.api.problems import Problem
    from specwright.app import Backend
    from specwright.cli.backend import project_backend
    from specwright.sql.explanation import explain_row, judged, name_of

    async def ask(backend: Backend) -> tuple[Any, Any]:
        reasons, statement = explain_row(backend.service.statements, resource, action, caller)
        wanted = backend.dispatch.endpoints(resource).key(key)
        arguments = statement.arguments(backend.manifest, caller, {"key": wanted})
        try:
            return reasons, await backend.service.database.fetchrow(statement.text, arguments, read=True)
        finally:
            await backend.service.database.close()

    with project_backend(root) as backend:
        try:
            reasons, found = asyncio.run(ask(backend))
        except Problem:
            reasons, found = (), None
        except UndefinedTableError:
            raise ConfigError(
                "The database has no tables yet: run specwright up, or migrate apply."
            ) from None
    if found is None:
        raise ConfigError(f"There is no row {resource.path}/{key}.")
    typer.echo(f"{name_of(caller)} {'may' if found['allowed'] else 'may not'} {action} {resource.path}/{key}")
    if not found["within"]:
        typer.echo("  ✗ the row is in another tenant, or they are no member of this one")
    if not found["readable"]:
        typer.echo("  ✗ the row is not readable for them, so to them it does not exist (404)")
    for verdict in judged(reasons, found):
        lacks = verdict.lacks(caller)
        grant = f"{verdict.grant.who} may {verdict.grant.may}  {verdict.grant.origin}"
        typer.echo(f"  {'✗' if lacks else '✓'} {grant}" + (f"  {lacks}" if lacks else ""))
    if not reasons:
        typer.echo(f"  no grant of {resource.name} names {action}")
    return bool(found["allowed"])
