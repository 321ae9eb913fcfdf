"""In the app's process: a few rows for each table, made up from what the database says of its columns."""

import datetime
import decimal
import re
import uuid
from contextlib import suppress
from typing import Any

from sqlalchemy import MetaData, Table, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import sqltypes

_A_FEW = 3
_OWN = "alembic_version"

#: By table, how many rows there are.
Rows = dict[str, int]


def seed(connection: Any) -> None:
    """Rows for each table that has none; one that takes none of ours stays empty."""
    found = MetaData()
    found.reflect(connection)
    made: dict[str, list[dict[str, Any]]] = {}
    for table in found.sorted_tables:
        if table.name != _OWN:
            rows = _filled(connection, table, made)
            made[table.name] = rows


def _filled(connection: Any, table: Table, made: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    there = [dict(row) for row in connection.execute(select(table).limit(_A_FEW)).mappings()]
    if there:
        return there
    told = " ".join(each["sqltext"] for each in inspect(connection).get_check_constraints(table.name))
    for number in range(1, _A_FEW + 1):
        row = {column.name: _value(column, number, told, made) for column in table.columns if _wanted(column)}
        with suppress(SQLAlchemyError, KeyError), connection.begin_nested():
            connection.execute(table.insert().values(row))
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def _wanted(column: Any) -> bool:
    return column.computed is None and (column.identity is None or not column.identity.always)


def _value(column: Any, number: int, told: str, made: dict[str, list[dict[str, Any]]]) -> Any:
    for key in column.foreign_keys:
        table, _, name = key.target_fullname.rpartition(".")
        above = made.get(table.rpartition(".")[2], [])
        return above[(number - 1) % len(above)][name] if above else None
    type = column.type
    if isinstance(type, sqltypes.Enum):
        return type.enums[number % len(type.enums)]
    if isinstance(type, sqltypes.String):
        listed = re.search(rf"\b{re.escape(column.name)}\b[^()]*(?:IN|ANY)\b[^']*'([^']*)'", told, re.I)
        return listed[1] if listed else f"specwright {number}"[-(type.length or 40) :]
    if isinstance(type, sqltypes.Boolean):
        return number % 2 == 0
    if isinstance(type, sqltypes.Integer):
        return number
    if isinstance(type, sqltypes.Numeric):
        return decimal.Decimal(number)
    if isinstance(type, sqltypes.DateTime):
        zone = datetime.UTC if type.timezone else None
        return datetime.datetime(2026, 1, number, tzinfo=zone)
    if isinstance(type, sqltypes.Date):
        return datetime.date(2026, 1, number)
    if isinstance(type, sqltypes.Time):
        return datetime.time(number)
    if type.__class__.__name__.upper() == "UUID":  # of the dialect alone, before SQLAlchemy 2
        return uuid.UUID(int=number) if type.as_uuid else str(uuid.UUID(int=number))
    if isinstance(type, sqltypes.JSON):
        return {}
    if isinstance(type, sqltypes.LargeBinary):
        return bytes([number])
    return [] if isinstance(type, sqltypes.ARRAY) else None


def snapshot(connection: Any) -> Rows:
    """How many rows each table has."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: connection.scalar(select(func.count()).select_from(table))
        for table in found.sorted_tables
        if table.name != _OWN
    }
