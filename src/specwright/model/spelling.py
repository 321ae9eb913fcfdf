"""The manifest's values in the words of the spec language: what the readers of Markdown read back equal."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from specwright.model.expression import Expr
from specwright.model.field import Aggregate, Bounds, Field, Filled, Shown
from specwright.model.names import class_name, kebab, plural
from specwright.model.resource import Move, Resource
from specwright.model.syntax import print_expression
from specwright.model.tenant import Chosen, Tenant
from specwright.model.types import Kind, Type


def code(text: str) -> str:
    """The text in backticks, in as many as it needs."""
    fence = "`"
    while fence in text:
        fence += "`"
    edge = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{edge}{text}{edge}{fence}"


def heading(resource: Resource) -> str:
    """What the heading of an entity says: its name, and its plural where that does not follow."""
    name = resource.title if class_name(resource.title) == resource.name else resource.name
    notes = []
    if kebab(plural(resource.title)) != resource.path:
        notes.append(resource.path.replace("-", " "))
    if resource.was is not None:
        notes.append(f"was {resource.was}")
    return f"{name} ({', '.join(notes)})" if notes else name


def type_words(type_: Type) -> str:
    """The Type cell."""
    if type_.kind is Kind.ENUM:
        return ", ".join(map(code, type_.literals))
    if type_.kind is Kind.LIST:
        assert type_.item is not None
        return f"list of {type_words(type_.item)}"
    return str(type_)


def rule_words(field: Field) -> str:
    """The Rules cell."""
    return ", ".join(_rules(field))


def expression_words(expr: Expr | None) -> str:
    """An expression as it stands in a cell or a list; empty for none."""
    return "" if expr is None else code(print_expression(expr))


def aggregate_words(aggregate: Aggregate) -> str:
    """An aggregate as a rule, as ``count of tasks where `status != "done"` ``."""
    of = f"{aggregate.relation}.{aggregate.field}" if aggregate.field else aggregate.relation
    where = "" if aggregate.where is None else f" where {expression_words(aggregate.where)}"
    return f"{aggregate.function} of {of}{where}"


def move_words(move: Move) -> str:
    """A move, as `todo → doing`."""
    return f"{code(move.before)} → {code(move.after)}"


def tenant_words(tenant: Tenant) -> str:
    """The line of the Rules of a feature that names its tenant."""
    name = "" if tenant.by is Chosen.PATH else f" {tenant.name}"
    said = f"tenant {tenant.entity} through {tenant.through} by {tenant.by.value}{name}"
    if tenant.founder is None:
        return said
    values = " and ".join(f"{name} {_constant(literal.value)}" for name, literal in tenant.founder)
    return f"{said}, founder {values}".rstrip()


def _rules(field: Field) -> Iterator[str]:
    # That a field is the tenant's is said once, for the whole feature.
    is_tenant = field.filled is Filled.TENANT
    if field.filled is not None and not is_tenant:
        yield field.filled.value
    if field.required:
        yield "required"
    if field.bounds != Bounds():
        yield _bounds(field.bounds)
    if field.pattern is not None:
        yield f"matches /{field.pattern.replace('/', chr(92) + '/')}/"
    if field.default is not None:
        yield f"default {_constant(field.default.value)}"
    if field.unique_per:
        yield f"unique per {' and '.join(field.unique_per)}"
    elif field.unique:
        yield "unique"
    for word, said in (
        ("indexed", field.indexed),
        ("searchable", field.searchable),
        ("immutable", field.immutable and not is_tenant),
        (field.shown.value, field.shown is not Shown.BOTH and field.linked is None),
    ):
        if said:
            yield word
    for word, roles in (("readable by", field.readable_by), ("writable by", field.writable_by)):
        if roles:
            yield f"{word} {' and '.join(roles)}"
    if field.on_delete is not None:
        yield f"on delete {field.on_delete.value}"
    if field.was is not None:
        yield f"was {field.was}"
    if field.computed is not None:
        yield f"= {expression_words(field.computed)}"
    if field.aggregate is not None:
        yield aggregate_words(field.aggregate)


def _bounds(bounds: Bounds) -> str:
    least, most = ("" if end is None else _constant(end) for end in (bounds.least, bounds.most))
    return f"{least}..{most}"


def _constant(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return code(value)
        case list():
            return f"[{', '.join(map(_constant, value))}]"
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
