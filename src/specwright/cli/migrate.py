"""`specwright migrate`: see, freeze, apply and take back changes of the tables."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from specwright.cli.database import project_database
from specwright.cli.project import find_project
from specwright.migrate import apply as revisions
from specwright.migrate.draft import develop
from specwright.migrate.folder import Folder, sentences
from specwright.migrate.plan import Plan
from specwright.migrate.plan import plan as plan_between
from specwright.migrate.question import Ask, Question
from specwright.migrate.rendering import sql as statements
from specwright.read.project import read_project
from specwright.settings import Settings

migrate = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Directory = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The folder that holds specs/; by default yours."),
]
Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The database; by default DATABASE_URL, or the embedded one."),
]
Accept = Annotated[
    list[str] | None, typer.Option(metavar="KEY", help='A yes to a question, such as "drop Task.note".')
]


@migrate.callback()
def group() -> None:
    """See, freeze, apply and take back changes of the tables. Alembic underneath."""


@migrate.command()
def plan(
    directory: Directory = None,
    sql: Annotated[bool, typer.Option("--sql", help="Show the statements, too.")] = False,
) -> None:
    """Show the steps from the last committed revision to the specs, and what they may cost."""
    way = _plan(find_project(directory))
    if not way.steps:
        typer.echo("Nothing to do: the last revision made the tables that the specs need.")
        return
    for sentence in sentences(way):
        typer.echo(f"  {sentence}")
    for hazard in way.hazards:
        typer.echo(f'\n{hazard}\n  Answer: --accept "{hazard.key}"')
    if sql:
        typer.echo(f"\n{statements(way.operations)}")


@migrate.command()
def commit(
    text: Annotated[str, typer.Argument(help="What changes, in a few words.")],
    directory: Directory = None,
    accept: Accept = None,
) -> None:
    """Freeze the steps to the specs as the next revision in migrations/."""
    root = find_project(directory)
    accepted = set(accept or ())
    way = _plan(root)
    if sys.stdin.isatty():
        for hazard in way.hazards:
            if hazard.key not in accepted and typer.confirm(f"{hazard} Go on?", err=True):
                accepted.add(hazard.key)
    path = revisions.commit(root, read_project(root), text, accepted)
    typer.echo(f"{path.relative_to(root)}")


@migrate.command()
def apply(
    directory: Directory = None,
    database: Database = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Bring a development database to the specs, as up does.")
    ] = False,
    accept: Accept = None,
) -> None:
    """Bring the database to the last committed revision."""
    root = find_project(directory)
    if draft or accept:
        manifest = read_project(root)
        developed = _on_database(
            root, database, lambda url: develop(root, manifest, url, _terminal(), accept or ())
        )
        done = list(developed.applied)
    else:
        ids = _on_database(root, database, lambda url: revisions.upgrade(root, url))
        done = [f"{title} applied" for title in _titles(root, ids)]
    typer.echo("\n".join(f"  {step}" for step in done) or "Nothing to do.")


@migrate.command()
def down(
    steps: Annotated[int, typer.Argument(min=1, metavar="[N]", help="How many.")] = 1,
    directory: Directory = None,
    database: Database = None,
    accept: Accept = None,
    yes: Annotated[bool, typer.Option("--yes", help="Yes to every question.")] = False,
) -> None:
    """Take back the last revision, or the last N; asks before rows or values are lost."""
    root = find_project(directory)
    ask = _agree if yes else _terminal()
    done = _on_database(root, database, lambda url: revisions.downgrade(root, url, steps, ask, accept or ()))
    typer.echo("\n".join(f"  {title} taken back" for title in _titles(root, done)))


def _plan(root: Path) -> Plan:
    folder = Folder(root)
    return plan_between(folder.manifest(folder.head), read_project(root))


T = TypeVar("T")


def _on_database(root: Path, url: str | None, work: Callable[[str], Coroutine[Any, Any, T]]) -> T:
    settings = Settings.load(root)
    chosen = settings.migration_database_url
    given = url or (chosen.get_secret_value() if chosen is not None else None)
    with project_database(root, settings, given) as address:
        return asyncio.run(work(address))


def _titles(root: Path, ids: Iterable[str]) -> list[str]:
    titles = {revision.id: revision.title for revision in Folder(root).revisions}
    return [titles[revision] for revision in ids]


def _terminal() -> Ask:
    return _ask if sys.stdin.isatty() else None


async def _ask(question: Question) -> bool:
    return await asyncio.to_thread(typer.confirm, f"{question} Go on?", err=True)


async def _agree(_question: Question) -> bool:
    return True
