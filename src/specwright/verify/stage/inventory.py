"""What an app on the stage is made of: routes, OpenAPI documents, mapped classes; told as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from specwright.model.errors import Origin


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that an endpoint needs before it is called, in the order in which it is needed."""

    name: str
    source: Origin | None = None
    #: Whether it is one of `fastapi.security`: a credential is read here.
    security: bool = False
    #: Whether a request without one goes on all the same: `auto_error=False`.
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a path, with its function."""

    method: str
    #: As a client sends it: prefixes of routers, mounts and `root_path` included; `{file}` without `:path`.
    path: str
    name: str = ""
    #: Served, but not in the OpenAPI document.
    hidden: bool = False
    #: The endpoint, where it is in the app's own folder.
    source: Origin | None = None
    asynchronous: bool = True
    #: Flattened: those of dependencies come before them.
    dependencies: tuple[Dependency, ...] = ()
    #: The prefix of the app it belongs to, "" for the outermost: its key in `Inventory.documents`.
    app: str = ""
    #: The path within that app's document; None where FastAPI knows nothing of it.
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mapped class, by the name of its attribute."""

    name: str
    column: str
    #: As SQL writes it: "VARCHAR(255)"; "" where it cannot be written.
    type: str
    nullable: bool = True
    primary_key: bool = False
    unique: bool = False
    index: bool = False
    #: "users.id".
    references: str | None = None
    #: Whether the app or the database fills it in.
    default: bool = False


@dataclass(frozen=True, slots=True)
class Relationship:
    """An attribute that leads to other rows."""

    name: str
    #: The class of the others.
    target: str
    many: bool = False
    #: The table in between.
    through: str | None = None
    #: Columns on this side, by their names in the table.
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapper:
    """A mapped class and its table."""

    name: str
    table: str
    source: Origin | None = None
    columns: tuple[Column, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    #: Columns of each index, unique constraint and primary key, in order.
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that can be read off an app."""

    routes: tuple[Route, ...] = ()
    mappers: tuple[Mapper, ...] = ()
    #: What the app publishes; None where it publishes nothing or cannot.
    openapi: Mapping[str, Any] | None = None
    #: An OpenAPI document of each FastAPI app, by its prefix, with the hidden routes too.
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: The FastAPI or Starlette settings that matter: debug, docs_url, openapi_url, root_path.
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: What could not be read, in sentences.
    notes: tuple[str, ...] = ()

    @classmethod
    def told(cls, told: Mapping[str, Any]) -> Self:
        """From what `dataclasses.asdict` made of one."""
        return cls(
            routes=tuple(
                Route(
                    **each
                    | {
                        "source": _origin(each["source"]),
                        "dependencies": tuple(
                            Dependency(**one | {"source": _origin(one["source"])})
                            for one in each["dependencies"]
                        ),
                    }
                )
                for each in told["routes"]
            ),
            mappers=tuple(
                Mapper(
                    **each
                    | {
                        "source": _origin(each["source"]),
                        "columns": tuple(Column(**one) for one in each["columns"]),
                        "relationships": tuple(
                            Relationship(**one | {"columns": tuple(one["columns"])})
                            for one in each["relationships"]
                        ),
                        "indexes": tuple(tuple(one) for one in each["indexes"]),
                    }
                )
                for each in told["mappers"]
            ),
            openapi=told["openapi"],
            documents=told["documents"],
            settings=told["settings"],
            notes=tuple(told["notes"]),
        )


def _origin(told: Mapping[str, Any] | None) -> Origin | None:
    return Origin(**told) if told is not None else None
