"""Dates and timestamps exactly as they are.

The driver takes the first and the last that Python knows for the infinities of PostgreSQL: 9999-12-31, which
many write for "never ends", would be stored as a date after all others.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

_DAY_ZERO = date(2000, 1, 1).toordinal()
_START = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


async def keep_moments(connection: Any) -> None:
    """Make a connection of asyncpg send and read dates and timestamps without infinities."""
    for name, encoder, decoder in (
        ("date", _days, _date),
        ("timestamptz", _microseconds, _timestamp),
    ):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="tuple"
        )


def _days(value: date) -> tuple[int]:
    return (value.toordinal() - _DAY_ZERO,)


def _date(value: tuple[int]) -> date:
    return date.fromordinal(value[0] + _DAY_ZERO)


def _microseconds(value: datetime) -> tuple[int]:
    return ((value - _START) // _MICROSECOND,)


def _timestamp(value: tuple[int]) -> datetime:
    return _START + timedelta(microseconds=value[0])
