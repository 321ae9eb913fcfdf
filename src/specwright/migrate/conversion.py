"""How the values of one type become those of another, and whether some are lost on the way."""

from dataclasses import dataclass

from specwright.migrate.shapes import ColumnShape
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.types import MAX_INTEGER, Kind
from specwright.sql.columns import quoted

_TEXT = "TEXT"

#: What a text must look like to be read as another type; the rest becomes NULL.
_READABLE = {
    "BIGINT": r"^[+-]?[0-9]{1,15}$",
    "NUMERIC": r"^[+-]?[0-9]{1,100}(\.[0-9]{1,100})?$",
    "BOOLEAN": "^(true|false)$",
    "UUID": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """`using` is the new value, NULL where there is none; `loses` holds for rows whose value is lost."""

    using: str
    loses: str | None = None


def convert(column: str, before: str, after: str) -> Conversion:
    """The conversion of a quoted column between two SQL types."""
    before, after = (sql_type.removesuffix(' COLLATE "C"') for sql_type in (before, after))
    loses_all = Conversion(f"NULL::{after}", f"{column} IS NOT NULL")
    if after.endswith("[]") or before.endswith("[]"):
        if after == f"{before}[]":
            return Conversion(f"CASE WHEN {column} IS NOT NULL THEN ARRAY[{column}] END")
        if after == "JSONB":
            return Conversion(f"to_jsonb({column})")
        if after == _TEXT:
            return Conversion(f"{column}::text")
        if not (after.endswith("[]") and before.endswith("[]")):
            return loses_all
        return _list(column, before.removesuffix("[]"), after.removesuffix("[]")) or loses_all
    match before, after:
        case _, "TEXT":
            return Conversion(f"{column} #>> '{{}}'" if before == "JSONB" else f"{column}::text")
        case _, "JSONB":
            return Conversion(f"to_jsonb({column})")
        case "DATE", "TIMESTAMP WITH TIME ZONE":
            return Conversion(f"{column}::timestamp AT TIME ZONE 'UTC'")
        case "TIMESTAMP WITH TIME ZONE", "DATE":
            day = f"({column} AT TIME ZONE 'UTC')::date"
            return Conversion(day, f"{day}::timestamp AT TIME ZONE 'UTC' <> {column}")
        case "BOOLEAN", "BIGINT":
            return Conversion(f"{column}::int::bigint")
        case "TEXT", _ if after.startswith("NUMERIC"):
            number = f"CASE WHEN {column} ~ {quoted(_READABLE['NUMERIC'])} THEN {column}::numeric END"
            fitted = _fitted(f"({number})", after)
            return Conversion(fitted, f"{column} IS NOT NULL AND ({fitted}) IS NULL")
        case "TEXT", _ if after in _READABLE:
            value = f"CASE WHEN {column} ~ {quoted(_READABLE[after])} THEN {column}::{after} END"
            return Conversion(value, f"{column} IS NOT NULL AND ({value}) IS NULL")
        case _ if before.startswith("NUMERIC") or before == "BIGINT":
            return _number(column, before, after) or loses_all
        case _:
            return loses_all


def _list(column: str, before: str, after: str) -> Conversion | None:
    """The conversion of a list by its items, all of them or none: ALTER TABLE takes no list apart."""
    made = f"{column}::{after}[]"
    if after == _TEXT:
        return Conversion(made)
    if (before, after) == ("BOOLEAN", "BIGINT"):
        return Conversion(f"{column}::int[]::bigint[]")
    to_number = after == "BIGINT" or after.startswith("NUMERIC")
    from_number = before == "BIGINT" or before.startswith("NUMERIC")
    readable = _READABLE.get("NUMERIC" if after.startswith("NUMERIC") else after)
    if readable is None or not (before == _TEXT or (from_number and to_number)):
        return None
    if to_number:
        numbers, limit = f"{column}::numeric[]", _limit(after)
        made = f"CASE WHEN {limit} > ALL ({numbers}) AND -{limit} < ALL ({numbers}) THEN {made} END"
    if before == _TEXT:
        made = f"CASE WHEN {_items_match(column, readable)} THEN {made} END"
    changed = f" OR ({made})::numeric[] <> {column}::numeric[]" if from_number else ""
    return Conversion(made, f"{column} IS NOT NULL AND (({made}) IS NULL{changed})")


def _limit(after: str) -> str:
    """The least number that is rounded to one with too many digits."""
    if after == "BIGINT":
        return f"{MAX_INTEGER}.5"
    digits = _digits(after)
    return "'Infinity'::numeric" if digits is None else f"{'9' * digits[0] or '0'}.{'9' * digits[1]}5"


def _items_match(column: str, pattern: str) -> str:
    """Whether each item of a list of text matches, asked of all of them joined by what is in none."""
    item = pattern.removeprefix("^").removesuffix("$")
    joined = f"array_to_string({column}, chr(31))"
    alone = f"strpos(array_to_string({column}, ''), chr(31)) = 0"
    return f"{alone} AND {joined} ~ {quoted(f'^({item}({chr(92)}x1f{item})*)?$')}"


def _number(column: str, before: str, after: str) -> Conversion | None:
    if after == "BIGINT":
        value = f"CASE WHEN abs({column}) <= {MAX_INTEGER} THEN {column}::bigint END"
        return Conversion(value, f"({value}) IS DISTINCT FROM {column}")
    if not after.startswith("NUMERIC"):
        return None
    value = _fitted(column, after)
    if _holds(after, before):
        return Conversion(value)
    return Conversion(value, f"({value}) IS DISTINCT FROM {column}")


def _digits(sql_type: str) -> tuple[int, int] | None:
    """Digits before and after the point, or None for any number of them."""
    if "(" not in sql_type:
        return None
    precision, scale = (int(part) for part in sql_type[len("NUMERIC(") : -1].split(","))
    return precision - scale, scale


def _holds(wide: str, narrow: str) -> bool:
    outer = _digits(wide)
    inner = (len(str(MAX_INTEGER)), 0) if narrow == "BIGINT" else _digits(narrow)
    return outer is None or (inner is not None and inner[0] <= outer[0] and inner[1] <= outer[1])


def _fitted(value: str, after: str) -> str:
    digits = _digits(after)
    if digits is None:
        return f"{value}::numeric"
    whole, scale = digits
    return f"CASE WHEN abs(round({value}, {scale})) < 1e{whole} THEN {value}::{after} END"


def filler(manifest: Manifest, field: Field, column: ColumnShape) -> str | None:
    """A value for rows that lost theirs, when a step is taken back and the column must have one."""
    if column.default is not None:
        return column.default
    least = field.bounds.least
    match field.type.kind:
        case Kind.TEXT | Kind.EMAIL | Kind.URL:
            return quoted("-" * int(least or 0))
        case Kind.ENUM:
            return quoted(field.type.literals[0])
        case Kind.INTEGER | Kind.NUMBER:
            return quoted(
                field.bounds.most if least is None and field.bounds.most is not None else least or 0
            )
        case Kind.BOOLEAN:
            return "false"
        case Kind.DATE:
            return "current_date"
        case Kind.TIMESTAMP:
            return "transaction_timestamp()"
        case Kind.UUID:
            return "gen_random_uuid()"
        case Kind.JSON | Kind.LIST:
            return "'{}'"
        case Kind.REFERENCE if manifest.resource(str(field.type.target)).name == "User":
            return "'nobody'"
        case _:
            return None
