"""Conditions inside the database: the caller is what the session's settings say, not a parameter.

The settings are `specwright.caller` (the id), `specwright.roles` (an array), `specwright.claims` (JSON) and
`specwright.tenant` (the key of the tenant that the request is for).
Paths over relations read views that run with the rights of their owner, so that a path sees all living rows
and no policy asks another one.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Numeric,
    Select,
    Table,
    Text,
    and_,
    cast,
    false,
    func,
    literal_column,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from specwright.model.expression import CallerPath, Compare, Expr, In, ListOf
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import ANY, TEXT_KINDS, Kind, Type
from specwright.sql.columns import column_type, quoted
from specwright.sql.comparison import Comparison
from specwright.sql.expression import Compiler, is_strict
from specwright.sql.row import Predicate
from specwright.sql.tables import Tables

#: The schema of the views. They are granted, its USAGE is not: only what is stored can name them.
DEFINER = "specwright_definer"

CALLER = "nullif(current_setting('specwright.caller', true), '')"
ROLES = "nullif(current_setting('specwright.roles', true), '')::text[]"
TENANT = "nullif(current_setting('specwright.tenant', true), '')"
CLAIMS = "nullif(current_setting('specwright.claims', true), '')::jsonb"

#: What a text must look like to be read as this kind (RFC 3339, RFC 9562). The cast judges the calendar.
_FORMS = {
    Kind.DATE: r"^\d{4}-\d{2}-\d{2}$",
    Kind.TIMESTAMP: r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})$",
    Kind.UUID: r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
}
_CASTS = {
    Kind.INTEGER: "numeric",
    Kind.NUMBER: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.UUID: "uuid",
}
_JSON_TYPES = {Kind.INTEGER: "number", Kind.NUMBER: "number", Kind.BOOLEAN: "boolean"}


@dataclass(frozen=True, slots=True)
class _Claim:
    """One `caller.claims.…` as SQL. Each piece is a subquery: asked once a statement, not once a row."""

    names: tuple[str, ...]

    @property
    def _found(self) -> str:
        return CLAIMS + "".join(f" -> {quoted(name)}" for name in self.names[1:])

    def _ask(self, answer: str) -> str:
        return f"(SELECT {answer} FROM (SELECT {self._found} AS claim) AS token)"  # noqa: S608 # of the spec

    @property
    def json(self) -> ColumnElement[Any]:
        """The claim as it is; JSON's null is SQL's."""
        return literal_column(self._ask("nullif(claim, 'null')"), JSONB())

    def kind(self, name: str) -> Predicate:
        """Whether it is a JSON value of this type."""
        return literal_column(self._ask(f"coalesce(jsonb_typeof(claim) = {quoted(name)}, false)"), Boolean())

    def fits(self, kind: Kind) -> Predicate:
        """Whether it is of the type it is compared with; no claim is None, which is of every type."""
        asked = f"coalesce(jsonb_typeof(claim), 'null') = 'null' OR ({_fits(kind)})"
        return literal_column(self._ask(asked), Boolean())

    def value(self, kind: Kind, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """The claim as a value of the kind, NULL where it is none."""
        return literal_column(self._ask(_value(kind)), type_)

    def text(self) -> ColumnElement[Any]:
        """The claim as a text, whatever it is; NULL where there is none."""
        return literal_column(self._ask(_TEXT), Text())

    def values(self, kind: Kind, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """Those elements of a list that are of the kind."""
        elements = "jsonb_array_elements(CASE WHEN jsonb_typeof(list) = 'array' THEN list END) AS claim"
        listed = f"(SELECT {self._found} AS list) AS token, {elements}"
        found = f"(SELECT array_agg({_value(kind)}) FROM {listed} WHERE {_fits(kind)})"  # noqa: S608
        return cast(literal_column(found), ARRAY(type_))


_TEXT = "claim #>> '{}'"


def _fits(kind: Kind) -> str:
    if kind in _FORMS:
        return f"jsonb_typeof(claim) = 'string' AND {_TEXT} ~ {quoted(_FORMS[kind])}"
    if kind in _JSON_TYPES or kind in TEXT_KINDS:
        return f"jsonb_typeof(claim) = '{_JSON_TYPES.get(kind, 'string')}'"
    return "false"


def _value(kind: Kind) -> str:
    # The order of evaluation is certain inside CASE alone, and a cast may fail.
    return f"CASE WHEN {_fits(kind)} THEN ({_TEXT})::{_CASTS.get(kind, 'text')} END"


class PolicyCompiler(Compiler):
    """Compiles conditions for policies; `views` are the resources that their paths lead to."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.views: dict[str, Resource] = {}
        self._aliases = 0
        self._fits: list[Predicate] = []

    def source(self, resource: Resource) -> FromClause:
        """The view of all rows, under a name in capitals, which no table of a spec has."""
        self.views[resource.name] = resource
        self._aliases += 1
        return view(self.manifest, resource).alias(f"D{self._aliases}")

    def subquery(self, query: Select[Any]) -> FromClause:
        """The same of a query."""
        self._aliases += 1
        return query.subquery(f"D{self._aliases}")

    def nullable(self, node: Expr, resource: Resource) -> bool:
        """As for every statement; only that a claim may be missing."""
        if isinstance(node, CallerPath) and node.names[:1] == ("claims",):
            return True
        return super().nullable(node, resource)

    def caller_value(self, names: tuple[str, ...], expected: Type, many: bool = False) -> ColumnElement[Any]:
        """What the settings of the session say."""
        if names in ((), ("id",)):
            return literal_column(CALLER, Text())
        if names == ("tenant",):
            return literal_column(tenant_sql(self.kind(expected)), self.bind_type(expected))
        if names == ("roles",):
            return cast(literal_column(f"(SELECT {ROLES})"), ARRAY(Text()))
        claim, kind = _Claim(names), self.kind(expected)
        if many:
            return claim.values(kind, self._claimed(expected))
        if expected == ANY:
            return claim.text()
        self._fits.append(claim.fits(kind))
        return claim.value(kind, self._claimed(expected))

    def atom(self, comparison: Comparison, node: Expr) -> Predicate:
        """A comparison; with a claim that is not of the type it is compared with, only `!=` holds."""
        match node:
            case CallerPath(("claims", *_) as names):
                return _Claim(names).json == literal_column("'true'::jsonb")
            case Compare(operator, CallerPath(left), CallerPath(right)) if _are_claims(left, right):
                return _compare(operator, _Claim(left), _Claim(right))
            case In(CallerPath(("claims", *_)) as item, ListOf(items)):
                equal = (self.atom(comparison, Compare("==", item, literal)) for literal in items)
                return or_(false(), *equal)
            case In(CallerPath(left), CallerPath(right)) if _are_claims(left, right):
                item_, container = _Claim(left), _Claim(right)
                listed = func.jsonb_build_array(item_.json)
                return and_(item_.json.is_not(None), container.kind("array"), container.json.contains(listed))
            case _:
                self._fits.clear()
                predicate = super().atom(comparison, node)
                fits, self._fits = self._fits, []
        if not fits or is_strict(self, node, comparison.resource):
            # A claim that does not fit is NULL.
            return predicate
        if isinstance(node, Compare) and node.operator == "!=":
            return or_(predicate, *(not_(each) for each in fits))
        return and_(*fits, predicate)

    def _claimed(self, expected: Type) -> TypeEngine[Any]:
        """Numbers come as numeric, so that none is cut."""
        kind = self.kind(expected)
        return Numeric() if kind in (Kind.INTEGER, Kind.NUMBER) else self.bind_type(expected)


def tenant_sql(kind: Kind) -> str:
    """The session's tenant as a key of this kind."""
    return f"{TENANT}::{_CASTS[kind]}" if kind in _CASTS else TENANT


def view(manifest: Manifest, resource: Resource) -> Table:
    """The view of all rows of a resource."""
    columns = (
        Column(field.column, column_type(manifest, field.type)) for field in resource.fields if field.stored
    )
    return Table(resource.table, MetaData(), *columns, schema=DEFINER)


def _are_claims(*paths: tuple[str, ...]) -> bool:
    return all(names[:1] == ("claims",) for names in paths)


def _compare(operator: str, left: _Claim, right: _Claim) -> Predicate:
    """Two claims: whatever they are they may be equal; texts have an order, and numbers."""
    if operator == "==":
        return left.json.is_not_distinct_from(right.json)
    if operator == "!=":
        return left.json.is_distinct_from(right.json)
    texts = [each.value(Kind.TEXT, Text()).collate("C") for each in (left, right)]
    numbers = [each.value(Kind.NUMBER, Numeric()) for each in (left, right)]
    return or_(
        and_(left.kind("string"), right.kind("string"), texts[0].bool_op(operator)(texts[1])),
        numbers[0].bool_op(operator)(numbers[1]),
    )
