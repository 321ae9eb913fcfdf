"""In the app's process: what a database's tables are, for comparing; names of constraints do not count."""

import re
from typing import Any

from sqlalchemy import inspect

_OWN = "alembic_version"


def shape(connection: Any, schema: str | None = None) -> dict[str, Any]:
    """By table and by part, "orders" and "orders.customer_id", what there is to say."""
    inspector = inspect(connection)
    found: dict[str, Any] = {}
    for table in inspector.get_table_names(schema):
        if table == _OWN:
            continue
        keys = inspector.get_foreign_keys(table, schema)
        found[table] = {
            "primary key": inspector.get_pk_constraint(table, schema)["constrained_columns"],
            "foreign keys": sorted(
                f"{each['constrained_columns']} to {each['referred_table']} {each['referred_columns']}"
                f" {sorted(each.get('options', {}).items())}"
                for each in keys
            ),
            "unique": sorted(
                str(each["column_names"]) for each in inspector.get_unique_constraints(table, schema)
            ),
            "indexes": sorted(
                f"{each['column_names']} unique={bool(each['unique'])}"
                for each in inspector.get_indexes(table, schema)
            ),
            "checks": checks(inspector, table, schema),
        }
        for column in inspector.get_columns(table, schema):
            found[f"{table}.{column['name']}"] = {
                "type": str(column["type"]),
                "nullable": column["nullable"],
                "default": column["default"],
            }
    return found


def checks(inspector: Any, table: str, schema: str | None = None) -> list[str]:
    """The conditions on a table, without what is a matter of writing only."""
    prefix = f"{schema}." if schema else ""
    return sorted(
        re.sub(
            r'[\s"()`\[\]]', "", each["sqltext"].replace(prefix, "") if prefix else each["sqltext"]
        ).lower()
        for each in inspector.get_check_constraints(table, schema)
    )


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Sentences, one for each part that is another."""
    found = [f"{each} is gone" for each in before if each not in after]
    found += [f"{each} has come" for each in after if each not in before]
    for name in before.keys() & after.keys():
        for part, was in before[name].items():
            if after[name][part] != was:
                found.append(f"{part} of {name} was {was} and is {after[name][part]}")
    return sorted(found)
