"""Constraints that follow from rules, and what it means when any constraint is violated."""

import re

from specwright.model.expression import Call, CallerPath, Expr, Parameter, Path, walk
from specwright.model.functions import VOLATILE
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource, Rule
from specwright.sql.checks import Violation
from specwright.sql.expression import check_clause
from specwright.sql.remembered import remembered
from specwright.sql.tables import DIALECT, Tables, Violated


def is_row_check(resource: Resource, expr: Expr) -> bool:
    """Whether a condition speaks of the row's own columns alone, so that a CHECK can hold it.

    Not so: other rows, the caller, and the clock, which would make a stored row invalid by waiting.
    """
    return all(_of_row(resource, node) for node in walk(expr))


def _of_row(resource: Resource, node: Expr) -> bool:
    match node:
        case Path((name,)):
            field = resource.field(name)
            return field is not None and field.stored
        case Path((name, "id")):
            field = resource.field(name)
            return field is not None and field.target is not None
        case Path() | CallerPath() | Parameter():
            return False
        case Call(function, _):
            return function not in VOLATILE
        case _:
            return True


def constrained(manifest: Manifest) -> Tables:
    """The tables of a manifest with all their constraints, rules included: what migrations make."""
    tables = Tables(manifest)
    for resource in manifest.stored:
        for rule, name in _named_rules(resource):
            if is_row_check(resource, rule.condition):
                clause = check_clause(tables, resource, rule.condition)
                options = {"literal_binds": True, "include_table": False}
                sql = str(clause.compile(dialect=DIALECT, compile_kwargs=options))
                violated = Violated(Violation.RULE, resource.name, fields_of(rule), rule.id)
                tables.check(resource, violated, sql, "rule", name)
    return tables


def describe_constraint(manifest: Manifest, name: str) -> Violated | None:
    """What the constraint or unique index that PostgreSQL names in an error means in the spec."""
    return _tables(manifest).meanings.get(name)


@remembered
def _tables(manifest: Manifest) -> Tables:
    return constrained(manifest)


def _named_rules(resource: Resource) -> list[tuple[Rule, str]]:
    """Each rule with its requirement's key for a name, or its number where it has none of its own."""
    keys = [_key(rule) for rule in resource.rules]
    return [
        (rule, key if key and keys.count(key) == 1 else str(number))
        for number, (rule, key) in enumerate(zip(resource.rules, keys, strict=True), start=1)
    ]


def _key(rule: Rule) -> str:
    return re.sub(r"[^a-z0-9]+", "_", rule.requirements[0].lower()) if rule.requirements else ""


def fields_of(rule: Rule) -> tuple[str, ...]:
    """The fields of its own row that a rule speaks of, in its order."""
    names = [node.names[0] for node in walk(rule.condition) if isinstance(node, Path)]
    return tuple(dict.fromkeys(names))
