"""In the app's process: the classes that SQLAlchemy maps to tables."""

import sys
from collections.abc import Iterator
from typing import Any

from specwright.verify.stage.inventory import Column, Mapper, Relationship
from specwright.verify.stage.source import Sources


def mappers(sources: Sources, notes: list[str]) -> tuple[Mapper, ...]:
    """Every mapped class of the app, by name; none where SQLAlchemy is not in use."""
    orm = sys.modules.get("sqlalchemy.orm")
    if orm is None:
        return ()
    try:
        orm.configure_mappers()
    except Exception as error:
        notes.append(f"The mapped classes do not fit together: {type(error).__name__}: {error}")
        return ()
    found = {mapper.class_.__name__: mapper for registry in _registries() for mapper in registry.mappers}
    return tuple(_mapper(found[name], sources) for name in sorted(found))


def _registries() -> Any:
    return sys.modules["sqlalchemy.orm.mapper"]._all_registries()


def _mapper(mapper: Any, sources: Sources) -> Mapper:
    table = mapper.local_table
    return Mapper(
        name=mapper.class_.__name__,
        table=str(getattr(table, "fullname", table)),
        source=sources.of(mapper.class_),
        columns=tuple(_columns(mapper)),
        relationships=tuple(
            Relationship(
                name=each.key,
                target=each.mapper.class_.__name__,
                many=bool(each.uselist),
                through=str(each.secondary.fullname) if each.secondary is not None else None,
                columns=tuple(sorted(column.name for column in each.local_columns)),
            )
            for each in mapper.relationships
        ),
        indexes=tuple(sorted(_indexes(table))),
    )


def _columns(mapper: Any) -> Iterator[Column]:
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if not hasattr(column, "nullable"):
            continue
        alone = [index for index in _indexes(column.table) if index == (column.name,)]
        yield Column(
            name=attribute.key,
            column=column.name,
            type=_type(column),
            nullable=bool(column.nullable),
            primary_key=bool(column.primary_key),
            unique=(column.name,) in _uniques(column.table),
            index=bool(alone),
            references=next((key.target_fullname for key in column.foreign_keys), None),
            default=column.default is not None or column.server_default is not None,
        )


def _type(column: Any) -> str:
    try:
        return str(column.type)
    except Exception:  # a type that only a dialect can write
        return type(column.type).__name__.upper()


def _uniques(table: Any) -> set[tuple[str, ...]]:
    found = {tuple(index.columns.keys()) for index in getattr(table, "indexes", ()) if index.unique}
    for constraint in getattr(table, "constraints", ()):
        if type(constraint).__name__ in ("UniqueConstraint", "PrimaryKeyConstraint") and constraint.columns:
            found.add(tuple(constraint.columns.keys()))
    return found


def _indexes(table: Any) -> set[tuple[str, ...]]:
    found = {tuple(index.columns.keys()) for index in getattr(table, "indexes", ())}
    return {each for each in found | _uniques(table) if each}
