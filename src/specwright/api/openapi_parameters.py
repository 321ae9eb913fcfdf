"""The parameters of the derived routes, as the OpenAPI document describes them."""

from collections.abc import Iterator
from typing import Any

from specwright.api import schemas
from specwright.api.fields import seen, sure_for_somebody
from specwright.api.filters import MAX_CHOICES
from specwright.api.includes import MAX_DEPTH, MAX_INCLUDES, includable
from specwright.api.operators import KIND_OPERATORS
from specwright.api.parameters import MAX_AFFECTED, MAX_OFFSET, MAX_SEARCH
from specwright.api.schemas import Schema
from specwright.api.sorting import NULLS, UNSORTABLE
from specwright.model.calculated import is_volatile
from specwright.model.field import Field
from specwright.model.grant import SEE_DELETED
from specwright.model.manifest import Manifest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.syntax import MAX_LENGTH
from specwright.model.tenant import Chosen
from specwright.model.types import Kind
from specwright.sql.members import ALL
from specwright.sql.query import OPERATORS
from specwright.sql.scope import Deleted

Parameter = dict[str, Any]


class ResourceParameters:
    """What requests for the rows of one resource may say outside their bodies."""

    def __init__(self, manifest: Manifest, resource: Resource) -> None:
        self._manifest = manifest
        self._resource = resource
        self.in_tenant = manifest.tenant if resource.tenant is not None else None
        self.if_match = _IF_MATCH | ({"required": True} if resource.if_match_required else {})
        self._fields = seen(resource, ALL)
        #: Those that somebody may filter and sort by: of which no row decides who sees them.
        self._sure = [field for field in self._fields if sure_for_somebody(manifest, field)]

    def tenant(self) -> list[Parameter]:
        """How a request names its tenant; a claim of its token is no parameter."""
        tenant = self.in_tenant
        if tenant is None or tenant.by is Chosen.CLAIM:
            return []
        key = self._manifest.resource(tenant.entity).key_field
        return [
            {
                "name": tenant.name,
                "in": tenant.by.value,
                "required": True,
                "description": f"The {tenant.entity} that the request is for.",
                "schema": schemas.accepted(self._manifest, key),
            }
        ]

    def key(self) -> Parameter:
        """The id in the path."""
        return {
            "name": "id",
            "in": "path",
            "required": True,
            "schema": schemas.accepted(self._manifest, self._resource.key_field),
        }

    def deleted(self) -> Iterator[Parameter]:
        """Whether deleted rows are shown, for those who may see them."""
        if self._resource.soft_delete and any(self._resource.granting(SEE_DELETED)):
            yield _query(
                "deleted",
                {"type": "string", "enum": [Deleted.ONLY.value, Deleted.WITH.value]},
                "Deleted rows alone, or as well; for those who may see them.",
            )

    def fields(self) -> Parameter:
        """The members to show."""
        names = [field.wire for field in self._fields]
        return _query(
            "fields",
            {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1, "uniqueItems": True},
            "Only these members; the answer then lacks all others, required ones too.",
        )

    def listing(self) -> list[Parameter]:
        """What a list may ask for."""
        limits = self._resource.limits
        return [
            _query(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": limits.page_max, "default": limits.page_default},
                "Rows on a page.",
            ),
            _query("cursor", {"type": "string"}, "The `next_cursor` of the page before; not with `offset`."),
            _query(
                "offset",
                {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
                "Rows to skip; not with `cursor`, which is faster and misses nothing.",
            ),
            self._sort(),
            self._condition(),
            *self._search(),
            self.fields(),
            *self.included(),
            _query("count", {"type": "string", "enum": ["exact"]}, "Adds `total`."),
            *self.deleted(),
            *self._filters(),
        ]

    def changing(self) -> list[Parameter]:
        """What says which rows a change of many is of, and how many they may be."""
        bounds = {"type": "integer", "minimum": 1, "maximum": MAX_AFFECTED}
        most = _query("max_affected", bounds, "If more rows match, none is changed.")
        return [most | {"required": True}, self._condition(), *self._search(), *self._filters()]

    def _condition(self) -> Parameter:
        return _query(
            "filter",
            {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
            "An expression of the spec language that must hold for a row, as "
            '`status == "todo" and (priority >= 3 or project.name == "Home")`.',
        )

    def _filters(self) -> Iterator[Parameter]:
        for field in self._sure:
            for operator in KIND_OPERATORS.get(field.type.kind, ()):
                yield self._filter(field, operator)

    def _sort(self) -> Parameter:
        sortable = [
            field.wire
            for field in self._sure
            if field.type.kind not in UNSORTABLE and not is_volatile(self._manifest, self._resource, field)
        ]
        names = "|".join(sortable)
        ahead = [hop.name for hop in self._resource.relations if not hop.many]
        beyond = f"|({'|'.join(ahead)})(__[a-z0-9_]+)+" if ahead else ""
        named = [sign + name for name in sortable for sign in ("", "-")]
        items = {
            "anyOf": [
                {"type": "string", "enum": named},
                {"type": "string", "pattern": f"^-?({names}{beyond})({'|'.join(NULLS)})?$"},
            ]
        }
        return _query(
            "sort",
            {"type": "array", "items": items, "minItems": 1, "uniqueItems": True},
            "Fields to order by, each once, with `-` from the greatest down; newest first when left out. "
            "`project__name` is a field of a row that is referred to; `__nulls_first` or `__nulls_last` at "
            "the end says where rows without a value go.",
        )

    @property
    def includable(self) -> list[Relation]:
        """The relations to rows that somebody may read, by references that somebody sees."""
        found = []
        for relation in includable(self._manifest, self._resource).values():
            holder = self._manifest.resource(relation.holder)
            field, target = holder.field(relation.field), self._manifest.resource(relation.target)
            assert field is not None
            known = field in seen(holder, ALL) and sure_for_somebody(self._manifest, field)
            if (known or field.linked) and any("read" in grant.actions for grant in target.grants):
                found.append(relation)
        return found

    def included(self) -> Iterator[Parameter]:
        """The related rows to show."""
        names = [relation.name for relation in self.includable]
        if names:
            beyond = f"^({'|'.join(names)})(\\.[a-z0-9_]+){{1,{MAX_DEPTH - 1}}}$"
            items = {"anyOf": [{"type": "string", "enum": names}, {"type": "string", "pattern": beyond}]}
            yield _query(
                "include",
                {
                    "type": "array",
                    "items": items,
                    "minItems": 1,
                    "maxItems": MAX_INCLUDES,
                    "uniqueItems": True,
                },
                "Related rows to show within each row; those beyond them after a point, as in "
                "`project.owner`. Of a row that the caller cannot read there is nothing.",
            )

    def _search(self) -> Iterator[Parameter]:
        looked_into = ", ".join(field.wire for field in self._resource.searchable)
        if looked_into:
            yield _query(
                "q",
                {"type": "string", "maxLength": MAX_SEARCH},
                f'Words that {looked_into} must have, all of them; also `or`, `-not` and a "phrase".',
            )

    def _filter(self, field: Field, operator: str) -> Parameter:
        schema = schemas.filtered(self._manifest, field, operator)
        if operator == "in":
            schema["maxItems"] = MAX_CHOICES
        name = field.wire if operator == "eq" else f"{field.wire}__{operator}"
        return _query(name, schema, f"`{field.wire}` {_meaning(field, operator)}.")


def _meaning(field: Field, operator: str) -> str:
    of = _CONTAINED.get(field.type.kind) if operator == "contains" else None
    return of or _MEANINGS[operator]


_CONTAINED = {
    Kind.LIST: "has this value",
    Kind.JSON: "has all that this JSON has, as PostgreSQL's `@>` says",
}
_MEANINGS = OPERATORS | {"eq": "equals this", "ne": "is not this, or is null", "isnull": "is null, or is not"}


def _query(name: str, schema: Schema, description: str) -> Parameter:
    parameter: Parameter = {"name": name, "in": "query", "description": description, "schema": schema}
    if schema["type"] == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter


def header(name: str, description: str) -> Parameter:
    """A header of a request."""
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


_IF_MATCH = header("If-Match", "The ETag that the change is based on; 412 if the row changed since.")
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "Of your own making, as a UUID: sent again with it, this is answered as at first.",
)
