"""`specwright adopt`: a first spec of a database or of models that exist already."""

import asyncio
import importlib
import importlib.util
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from specwright.cli import console
from specwright.model.errors import ConfigError, SpecError
from specwright.model.manifest import Manifest
from specwright.model.names import kebab

if TYPE_CHECKING:
    import sqlalchemy as sa

    from specwright.read.adopt import Adopted
    from specwright.read.storedtable import Extra, Unsaid

_DATABASE = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
_ASKED = (
    "[NEEDS CLARIFICATION: Who may list, read, create, update and delete them? Until this is said, nobody.]"
)


def adopt(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="postgresql://…, a file of models, or a module as app.models."),
    ],
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project to write to; by default the current folder.")
    ] = Path("."),
    schema: Annotated[
        list[str] | None, typer.Option(help="A schema of the database, once for each; by default public.")
    ] = None,
) -> None:
    """Write a first spec of what is there, and say what of it the spec language cannot say.

    It writes specs/NAME/spec.md, which must not exist yet. Who may do what is left for you to say.
    """
    from specwright.read.adopt import adopt_tables

    name, tables, extras = _read(source, schema or ["public"])
    adopted = adopt_tables(tables, extras)
    if not adopted:
        raise ConfigError(f"{source.split('@')[-1]} has no tables to adopt.")
    file = Path("specs", name, "spec.md")
    text, adopted = _text(name, adopted)
    _write(directory, file, text)
    console.done(f"{len(adopted)} entities", file.as_posix())
    notes = [(known.resource.name, note) for known in adopted for note in known.unsaid]
    for entity, note in notes:
        where = f"{entity}.{note.column}" if note.column is not None else entity
        typer.echo(f"    {where}: {note.what}")
    if notes:
        console.note(f"{len(notes)} things are said in prose only: they stand in the spec, too")
    console.note("say who may do what, then: specwright check")


def _read(
    source: str, schemas: Sequence[str]
) -> "tuple[str, Sequence[sa.Table], Mapping[str, Mapping[str, Extra]]]":
    if _DATABASE.match(source):
        from specwright.db.url import normalise

        name = normalise(source).database or "database"
        return _feature(name), asyncio.run(_reflect(source, schemas)), {}
    from specwright.read.classes import known_of, mapped_classes
    from specwright.read.storedlinks import stored_link

    module = _module(source)
    classes = mapped_classes(module)
    tables = [model.__table__ for model in classes]
    known = [table for metadata in {table.metadata for table in tables} for table in metadata.tables.values()]
    tables += [table for table in known if table not in tables and stored_link(table) is not None]
    extras = {model.__table__.fullname: known_of(model) for model in classes}
    name = module.__name__.rpartition(".")[2]
    if name == "models" and "." in module.__name__:
        name = module.__name__.split(".")[-2]
    return _feature(name), tables, extras


def _feature(name: str) -> str:
    return kebab(re.sub(r"[^A-Za-z0-9]+", " ", name)) or "adopted"


async def _reflect(url: str, schemas: Sequence[str]) -> "Sequence[sa.Table]":
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import create_async_engine

    from specwright.db.url import normalise

    dsn = normalise(url)
    engine = create_async_engine(dsn.sqlalchemy_url, connect_args=dsn.sqlalchemy_arguments)
    metadata = sa.MetaData()
    # A type that is not recognised is told below, with the column's name.
    warnings.simplefilter("ignore", sa.exc.SAWarning)
    try:
        async with engine.connect() as connection:
            for schema in schemas:
                await connection.run_sync(
                    metadata.reflect, schema=None if schema == "public" else schema, resolve_fks=True
                )
    except (OSError, sa.exc.SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ConfigError(f"{dsn} cannot be read: {reason}") from None
    finally:
        await engine.dispose()
    wanted = {None if schema == "public" else schema for schema in schemas}
    return [table for table in metadata.tables.values() if table.schema in wanted]


def _module(source: str) -> ModuleType:
    """The module of a file or of a dotted name, imported."""
    sys.path.insert(0, str(Path.cwd()))
    path = Path(source)
    try:
        if path.suffix != ".py":
            return importlib.import_module(source)
        if not path.is_file():
            raise ConfigError(f"{source} is no file.")
        found = importlib.util.spec_from_file_location(path.stem, path)
        assert found is not None and found.loader is not None, "a .py file has a loader"
        module = importlib.util.module_from_spec(found)
        sys.modules[path.stem] = module
        found.loader.exec_module(module)
        return module
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{source} cannot be imported: {type(error).__name__}: {error}. "
            "SOURCE is postgresql://…, a file of models, or a module as app.models."
        ) from error


def _text(name: str, adopted: "list[Adopted]") -> "tuple[str, list[Adopted]]":
    """The spec, and what it was made of: a field that the reader would not take becomes a remark."""
    from specwright.read.adopt import mistaken_field
    from specwright.read.spec import read_specs

    known = list(adopted)
    while True:
        text = _spec(name, known)
        try:
            read_specs({f"specs/{name}/spec.md": text})
        except SpecError as error:
            lines = text.splitlines()
            mistake = error.mistakes[0]
            found = mistaken_field(known, lines[: mistake.origin.line])
            if found is None:
                raise
            entity, field = found
            known[entity] = known[entity].without(field, mistake.message)
        else:
            return text, known


def _spec(name: str, adopted: "Sequence[Adopted]") -> str:
    from specwright.write.markdown import Remarks, spec

    remarks = {known.resource.name: Remarks(tuple(_remarks(known))) for known in adopted}
    title = name.replace("-", " ").capitalize()
    return spec(title, [known.resource for known in adopted], Manifest(), remarks=remarks)


def _remarks(known: "Adopted") -> list[str]:
    lines = [_ASKED]
    if known.unsaid:
        notes = [f"- {_where(note)}{_prose(note.what)}." for note in known.unsaid]
        lines += ["There is more in what exists than is said above:", "\n".join(notes)]
    return lines


def _where(note: "Unsaid") -> str:
    return f"`{note.column}`: " if note.column is not None else ""


def _prose(text: str) -> str:
    """Text that no reader takes for anything else."""
    return text.replace("[", "(").replace("]", ")")


def _write(directory: Path, file: Path, text: str) -> None:
    target = directory / file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise ConfigError(f"{target} exists: nothing is overwritten. Move it away first.") from None
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}.") from None
