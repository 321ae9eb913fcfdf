"""Moments: what time it is, and a moment so much later, for which PostgreSQL has no error."""

from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, and_, case, cast, func, literal_column

from specwright.model.types import Kind

NOW: ColumnElement[Any] = func.transaction_timestamp()
UTC: ColumnElement[Any] = literal_column("'UTC'")

#: More hours than lie between any two moments of the years 1 to 9999.
_LONGEST: ColumnElement[Any] = literal_column("87649417")
_ZERO: ColumnElement[Any] = literal_column("0")


def moved(moment: ColumnElement[Any], kind: Kind, hours: ColumnElement[Any]) -> ColumnElement[Any]:
    """The moment so many hours later, NULL outside the years 1 to 9999 and for NULL.

    Nothing overflows on the way: the hours are bounded first, and each end is looked at from its own side.
    NULL hours are as good as too many.
    """
    whole = cast(func.least(func.greatest(hours, -_LONGEST), _LONGEST), Integer())
    if kind is Kind.DATE:
        ends, span = ("'0001-01-01'::date", "'10000-01-01'::date"), _days
    else:
        ends, span = (
            ("'0001-01-01 00:00:00+00'::timestamptz", "'10000-01-01 00:00:00+00'::timestamptz"),
            _hours,
        )
    first, end = (literal_column(each, moment.type) for each in ends)
    inside = and_(
        moment + span(func.greatest(whole, _ZERO)) < end,
        moment >= first + span(func.greatest(-whole, _ZERO)),
    )
    return case((inside, moment + span(whole)))


def _days(hours: ColumnElement[Any]) -> ColumnElement[Any]:
    return hours.op("/", return_type=Integer())(literal_column("24"))


def _hours(hours: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of no calendar: a day of it has 24 hours in every time zone."""
    return func.make_interval(_ZERO, _ZERO, _ZERO, _ZERO, hours)


def utc_date(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.timezone(UTC, moment), Date())
