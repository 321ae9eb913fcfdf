"""The OpenAPI 3.1 document, built from the manifest: every route, parameter, body and error."""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from specwright.api import problems, schemas
from specwright.api.body import JSON, MEDIA_TYPES
from specwright.api.body import Action as BodyAction
from specwright.api.fields import seen, sure_for_somebody
from specwright.api.filters import MAX_CHOICES
from specwright.api.includes import MAX_DEPTH, MAX_INCLUDES, includable
from specwright.api.parameters import KIND_OPERATORS, MAX_OFFSET, MAX_SEARCH, NULLS, UNSORTABLE
from specwright.api.schemas import Described, Schema
from specwright.model.calculated import is_volatile
from specwright.model.manifest import (
    HAND_OVER,
    LINK,
    RESTORE,
    SEE_DELETED,
    Action,
    Chosen,
    Contract,
    Field,
    Manifest,
    Relation,
    Resource,
    WhoKind,
)
from specwright.model.names import kebab
from specwright.model.syntax import MAX_LENGTH
from specwright.sql.members import ALL
from specwright.sql.query import OPERATORS
from specwright.sql.scope import Deleted

_STATUSES = {
    "list": (400, 401, 403, 422),
    "read": (401, 404, 422),
    "create": (400, 401, 403, 409, 413, 415, 422),
    "update": (400, 401, 403, 404, 409, 412, 413, 415, 422),
    "replace": (400, 401, 403, 404, 409, 412, 413, 415, 422),
    "delete": (401, 403, 404, 409, 412, 422),
}
_ALWAYS = (500, 503)

#: The action whose grant decides over each operation.
_GRANTED_BY = {"replace": ("update",), "update": ("update", HAND_OVER)}

_REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
_LOCATION = {"Location": {"$ref": "#/components/headers/Location"}}
_ETAG = {"ETag": {"$ref": "#/components/headers/ETag"}}
_REPLAYED = {"Idempotency-Replayed": {"$ref": "#/components/headers/Idempotency-Replayed"}}


def build(
    manifest: Manifest,
    *,
    title: str,
    version: str,
    development_people: Iterable[str] = (),
    actions: Mapping[tuple[str, str], Described] = MappingProxyType({}),
) -> dict[str, Any]:
    """The document of the manifest's first contract.

    Operations that no grant allows to anyone are left out, and so are actions that are not described, by
    entity and name, as no function is bound to them.
    """
    contract = manifest.contracts[0]
    resources = list(manifest.served)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "tags": [_tag(resource) for resource in resources],
        "paths": {},
        "components": {
            "schemas": {"Problem": _problem()},
            "responses": _responses(),
            "headers": _headers(),
            "securitySchemes": {"bearer": _bearer(development_people)},
        },
        "security": [{"bearer": []}],
    }
    for resource in resources:
        own = {name: described for (entity, name), described in actions.items() if entity == resource.name}
        paths, components = _Routes(manifest, contract, resource, own).document()
        document["paths"] |= paths
        document["components"]["schemas"] |= components
    document["paths"] |= _health()
    return document


class _Routes:
    """The routes of one resource."""

    def __init__(
        self, manifest: Manifest, contract: Contract, resource: Resource, actions: Mapping[str, Described]
    ) -> None:
        self._actions = actions
        self._manifest = manifest
        self._contract = contract
        self._resource = resource
        self._base = f"{contract.prefix}/{manifest.route(resource)}"
        self._tenant = manifest.tenant if resource.tenant is not None else None
        self._if_match = _IF_MATCH | ({"required": True} if resource.if_match_required else {})
        self._fields = seen(resource, ALL)
        #: Those that somebody may filter and sort by: of which no row decides who sees them.
        self._sure = [field for field in self._fields if sure_for_somebody(manifest, field)]

    def document(self) -> tuple[dict[str, Any], dict[str, Schema]]:
        """The path items, and the schemas they refer to."""
        name = self._resource.name
        row = {"schema": {"$ref": f"#/components/schemas/{name}Public"}}
        shown = self._fields_parameter()
        included = self._include_parameter()
        collection = {
            "get": self._operation(
                "list",
                f"List {self._resource.path}",
                {"200": _answer("A page.", {"schema": {"$ref": f"#/components/schemas/{name}List"}})},
                self._list_parameters(),
            ),
            "post": self._operation(
                "create",
                f"Create a {self._resource.title}",
                {"201": _answer("Created.", row, _ETAG | _LOCATION | _REPLAYED)},
                [shown, _IDEMPOTENCY_KEY],
            ),
        }
        changed = {"200": _answer("As it is now stored.", row, _ETAG)}
        unchanged = {"description": "As `If-None-Match` has it.", "headers": _REQUEST_ID | _ETAG}
        item = {
            "get": self._operation(
                "read",
                f"Read a {self._resource.title}",
                {"200": _answer("The row.", row, _ETAG), "304": unchanged},
                [
                    shown,
                    *included,
                    *self._deleted_parameter(),
                    _header("If-None-Match", "ETags that the client has; 304 if one fits."),
                ],
            ),
            "patch": self._operation(
                "update",
                f"Change members of a {self._resource.title}",
                changed | self._handed_over(),
                [shown, self._if_match],
            ),
            "put": self._operation(
                "replace", f"Replace a {self._resource.title}", changed, [shown, self._if_match]
            ),
            "delete": self._operation(
                "delete",
                f"Delete a {self._resource.title}",
                {"204": {"description": "Deleted.", "headers": _REQUEST_ID}},
                [self._if_match],
            ),
        }
        paths: dict[str, dict[str, Any]] = {
            self._base: {method: found for method, found in collection.items() if found},
            f"{self._base}/{{id}}": {method: found for method, found in item.items() if found},
            f"{self._base}/{{id}}/{RESTORE}": self._restore(row),
        }
        paths = {path: operations for path, operations in paths.items() if operations}
        for path, operations in paths.items():
            keyed = [self._key_parameter()] if path != self._base else []
            if found := [*self._tenant_parameters(), *keyed]:
                operations["parameters"] = found
        for relation in self._included:
            if relation.many:
                paths |= self._relation(relation)
        components: dict[str, Schema] = {}
        for action in self._resource.actions:
            if action.name in self._actions:
                path, operations = self._action(action, self._actions[action.name])
                paths[path] = paths.get(path, {}) | operations
                components |= self._actions[action.name].components
        return paths, components | self._schemas(paths)

    def _restore(self, row: dict[str, Any]) -> dict[str, Any]:
        if not self._resource.soft_delete:
            return {}
        operation = self._operation(
            RESTORE,
            f"Restore a deleted {self._resource.title}",
            {"200": _answer("As it is again.", row, _ETAG | _REPLAYED)},
            [self._fields_parameter(), _IDEMPOTENCY_KEY, self._if_match],
        )
        return {"post": operation} if operation else {}

    def _relation(self, relation: Relation) -> dict[str, dict[str, Any]]:
        """The routes of a relation, and of its links where this is the side that links."""
        target = self._manifest.resource(relation.target)
        name, above = kebab(relation.name), self._resource.title
        path = f"{self._base}/{{id}}/{name}"
        related = _Routes(self._manifest, self._contract, target, {})
        listed = related._list_parameters()
        page = {"200": _answer("A page.", {"schema": schemas.page(target)})}
        operation = self._operation("read", f"List {name} of a {above}", page, listed, called=f"{name}-list")
        if not operation:
            return {}
        within = self._tenant_parameters() or related._tenant_parameters()
        over = [*within, self._key_parameter()]
        paths = {path: {"get": operation, "parameters": over}}
        done = {"204": {"description": "It is so.", "headers": _REQUEST_ID}}
        links = {
            method: self._operation(
                f"{LINK}{relation.name}",
                f"{verb.capitalize()} {name} of a {above}",
                done,
                [self._if_match],
                called=f"{name}-{verb}",
            )
            for method, verb in (("put", "link"), ("delete", "unlink"))
        }
        linked = self._resource.field(relation.name)
        if linked is not None and linked.linked is not None and links["put"]:
            other = self._key_parameter() | {
                "name": f"{target.singular}_id",
                "description": f"The id of the {target.title}.",
                "schema": schemas.accepted(self._manifest, target.key_field),
            }
            paths[f"{path}/{{{target.singular}_id}}"] = {**links, "parameters": [*over, other]}
        return paths

    def _action(self, action: Action, described: Described) -> tuple[str, dict[str, Any]]:
        on_all, verb = action.level == "collection", kebab(action.name)
        answers: dict[str, Any] = {}
        if described.content is not None:
            answers["200"] = _answer("What was done.", {"schema": described.content}, _REPLAYED)
        if described.nothing:
            answers["204"] = {"description": "Done.", "headers": _REQUEST_ID | _REPLAYED}
        summary = f"{verb.replace('-', ' ').capitalize()} a {self._resource.title}"
        if on_all:
            summary = f"{verb.replace('-', ' ').capitalize()} {self._resource.path}"
        headers = [_IDEMPOTENCY_KEY] if on_all else [_IDEMPOTENCY_KEY, self._if_match]
        operation = self._operation(action.name, summary, answers, [self._fields_parameter(), *headers])
        if action.effect:
            operation["description"] = f"{_sentence(action.effect)} {operation['description']}"
        if described.body is not None:
            body: dict[str, Any] = {"content": {JSON: {"schema": described.body}}}
            operation["requestBody"] = ({"required": True} if "required" in described.body else {}) | body
        if on_all:
            found = self._tenant_parameters()
            return f"{self._base}/{verb}", {"post": operation} | ({"parameters": found} if found else {})
        found = [*self._tenant_parameters(), self._key_parameter()]
        return f"{self._base}/{{id}}/{verb}", {"post": operation, "parameters": found}

    def _schemas(self, paths: Mapping[str, Any]) -> dict[str, Schema]:
        name, used = self._resource.name, json.dumps(paths)
        bodies: dict[str, BodyAction] = {"Create": "create", "Update": "update", "Replace": "replace"}
        made = {
            f"{name}Public": schemas.public(self._manifest, self._resource),
            f"{name}List": schemas.page(self._resource),
            **{
                f"{name}{suffix}": schemas.body(self._manifest, self._resource, action)
                for suffix, action in bodies.items()
            },
        }
        made[f"{name}Public"]["properties"] |= {
            relation.name: schemas.included(relation) for relation in self._included
        }
        if self._resource.means:
            made[f"{name}Public"]["description"] = self._resource.means
        referred = [key for key in made if f'schemas/{key}"' in used]
        if f"{name}List" in referred and f"{name}Public" not in referred:
            referred.append(f"{name}Public")
        return {key: schema for key, schema in made.items() if key in referred}

    def _operation(
        self,
        action: str,
        summary: str,
        answers: dict[str, Any],
        parameters: Iterable[dict[str, Any]] = (),
        called: str = "",
    ) -> dict[str, Any]:
        granted = _GRANTED_BY.get(action, (action,))
        grants = [grant for grant in self._resource.grants if not set(granted).isdisjoint(grant.actions)]
        if action == "update":
            moves = self._resource.moved_alone.values()
            grants += [grant for move in moves for grant in self._resource.granting(move)]
        if action.startswith(LINK):
            grants = list(self._resource.granting(action))
        if not grants:
            return {}
        operation: dict[str, Any] = {
            "operationId": f"{self._resource.path}-{called or action}",
            "tags": [self._resource.title],
            "summary": summary,
            "description": "For " + ", ".join(dict.fromkeys(str(grant.who) for grant in grants)) + ".",
        }
        if found := list(parameters):
            operation["parameters"] = found
        if action in ("create", "update", "replace"):
            operation["requestBody"] = self._request_body(action)
        operation["responses"] = answers | {
            str(status): {"$ref": f"#/components/responses/{status}"}
            for status in self._statuses(action, called)
        }
        if any(grant.who.kind is WhoKind.ANYONE for grant in grants):
            operation["security"] = [{}, {"bearer": []}]
        return operation

    def _handed_over(self) -> dict[str, Any]:
        """What answers a PATCH after which the row is no more readable for whoever sent it."""
        if self._resource.handed_over is None:
            return {}
        return {"204": {"description": "Handed over, out of reach.", "headers": _REQUEST_ID}}

    def _request_body(self, action: Any) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{self._resource.name}{action.capitalize()}"}
        content: dict[str, Any] = {"schema": schema}
        if action == "create" and (example := self._example()) is not None:
            content["example"] = example
        return {"required": True, "content": dict.fromkeys(MEDIA_TYPES[action], content)}

    def _example(self) -> Any:
        """The first body that the spec itself shows to be created, if it stands on its own."""
        for requirement in self._manifest.requirements:
            for example in requirement.examples:
                asked, body = example.request, example.request.body
                if (
                    asked.method == "POST"
                    and self._manifest.at(asked.path) == (self._resource, ())
                    and example.response.status == 201
                    and body is not None
                    and ".id}" not in body
                ):
                    try:
                        return json.loads(body)
                    except ValueError:
                        return None
        return None

    def _statuses(self, action: str, called: str = "") -> tuple[int, ...]:
        statuses = _STATUSES.get(action, _STATUSES["delete" if called else "update"])
        if called and action == "read":
            # A cursor may be no cursor.
            statuses = (400, *statuses)
        if action == "read" and self._resource.soft_delete:
            statuses = tuple(sorted({*statuses, 403}))
        if self._tenant is not None:
            statuses = tuple(sorted({*statuses, 403 if self._tenant.by is Chosen.CLAIM else 400}))
        on_all = {known.name for known in self._resource.actions if known.level == "collection"}
        if self._resource.if_match_required and action not in {"list", "read", "create", *on_all}:
            statuses = (*statuses, 428)
        return (*statuses, *_ALWAYS)

    def _tenant_parameters(self) -> list[dict[str, Any]]:
        """How a request names its tenant; a claim of its token is no parameter."""
        tenant = self._tenant
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

    def _key_parameter(self) -> dict[str, Any]:
        return {
            "name": "id",
            "in": "path",
            "required": True,
            "schema": schemas.accepted(self._manifest, self._resource.key_field),
        }

    def _deleted_parameter(self) -> Iterator[dict[str, Any]]:
        if self._resource.soft_delete and any(self._resource.granting(SEE_DELETED)):
            yield _query(
                "deleted",
                {"type": "string", "enum": [Deleted.ONLY.value, Deleted.WITH.value]},
                "Deleted rows alone, or as well; for those who may see them.",
            )

    def _fields_parameter(self) -> dict[str, Any]:
        names = [field.wire for field in self._fields]
        return _query(
            "fields",
            {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1, "uniqueItems": True},
            "Only these members; the answer then lacks all others, required ones too.",
        )

    def _list_parameters(self) -> list[dict[str, Any]]:
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
            self._sort_parameter(),
            _query(
                "filter",
                {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
                "An expression of the spec language that must hold for a row, as "
                '`status == "todo" and (priority >= 3 or project.name == "Home")`.',
            ),
            *self._search_parameter(),
            self._fields_parameter(),
            *self._include_parameter(),
            _query("count", {"type": "string", "enum": ["exact"]}, "Adds `total`."),
            *self._deleted_parameter(),
            *(
                self._filter_parameter(field, operator)
                for field in self._sure
                for operator in KIND_OPERATORS.get(field.type.kind, ())
            ),
        ]

    def _sort_parameter(self) -> dict[str, Any]:
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
    def _included(self) -> list[Relation]:
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

    def _include_parameter(self) -> Iterator[dict[str, Any]]:
        names = [relation.name for relation in self._included]
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

    def _search_parameter(self) -> Iterator[dict[str, Any]]:
        looked_into = ", ".join(field.wire for field in self._resource.searchable)
        if looked_into:
            yield _query(
                "q",
                {"type": "string", "maxLength": MAX_SEARCH},
                f'Words that {looked_into} must have, all of them; also `or`, `-not` and a "phrase".',
            )

    def _filter_parameter(self, field: Field, operator: str) -> dict[str, Any]:
        schema = schemas.filtered(self._manifest, field, operator)
        if operator == "in":
            schema["maxItems"] = MAX_CHOICES
        name = field.wire if operator == "eq" else f"{field.wire}__{operator}"
        return _query(name, schema, f"`{field.wire}` {_MEANINGS[operator]}.")


_MEANINGS = OPERATORS | {"eq": "equals this", "ne": "is not this, or is null", "isnull": "is null, or is not"}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _query(name: str, schema: Schema, description: str) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": name, "in": "query", "description": description, "schema": schema}
    if schema["type"] == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


_IF_MATCH = _header("If-Match", "The ETag that the change is based on; 412 if the row changed since.")
_IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "Of your own making, as a UUID: sent again with it, this is answered as at first.",
)


def _answer(
    description: str, content: Mapping[str, Any], headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {**_REQUEST_ID, **(headers or {})},
        "content": {JSON: content},
    }


def _tag(resource: Resource) -> dict[str, str]:
    tag = {"name": resource.title}
    return tag | {"description": resource.means} if resource.means else tag


def _bearer(people: Iterable[str]) -> dict[str, str]:
    description = "A JWT, sent as `Authorization: Bearer …`."
    if names := ", ".join(people):
        description += f" In development: pick one of {names} at the top, or run `specwright token NAME`."
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}


def _problem() -> Schema:
    error = {
        "type": "object",
        "properties": {
            "field": {"type": "string", "description": "A member or parameter; empty for the whole body."},
            "code": {"type": "string", "enum": list(problems.FIELD_CODES)},
            "message": {"type": "string"},
            "allowed": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The states that the row can go to from where it is.",
            },
            "column": {"type": "integer", "minimum": 1, "description": "Where in a `filter`."},
        },
        "required": ["field", "code", "message"],
    }
    members = {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": list(problems.CODES)},
        "errors": {"type": "array", "items": error, "maxItems": problems.MOST_ERRORS},
        "request_id": {"type": "string", "description": "Names this request in the server's log."},
    }
    required = [name for name in members if name != "errors"]
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "properties": members,
        "required": required,
    }


def _responses() -> dict[str, Any]:
    found: dict[str, Any] = {}
    extra = {401: ("WWW-Authenticate",), 415: ("Accept",), 503: ("Retry-After",)}
    for status in sorted({code.status for code in problems.CODES.values()}):
        codes = {name: code for name, code in problems.CODES.items() if code.status == status}
        headers = dict(_REQUEST_ID)
        for name in extra.get(status, ()):
            headers[name] = {"$ref": f"#/components/headers/{name}"}
        found[str(status)] = {
            "description": " ".join(f"`{name}`: {code.meaning}" for name, code in codes.items()),
            "headers": headers,
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    del found["405"]
    return found


def _headers() -> dict[str, Any]:
    described = {
        "X-Request-ID": "The id of this request: yours if you sent one, else a new one.",
        "ETag": "The version of the row and a hash of the answer.",
        "Location": "The path of the new row.",
        "Idempotency-Replayed": "`true` where this is the answer to an earlier request with the same key.",
        "WWW-Authenticate": "The scheme to sign in with (RFC 6750).",
        "Accept": "The media types that are taken.",
    }
    headers: dict[str, Any] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in described.items()
    }
    headers["Retry-After"] = {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 0},
    }
    return headers


def _health() -> dict[str, Any]:
    def operation(name: str, summary: str, statuses: tuple[int, ...]) -> dict[str, Any]:
        return {
            "get": {
                "operationId": f"health-{name}",
                "tags": ["Health"],
                "summary": summary,
                "security": [],
                "responses": {
                    "200": {"description": "Yes.", "headers": _REQUEST_ID},
                    **{str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses},
                },
            }
        }

    return {
        "/health/live": operation("live", "Is the process alive?", ()),
        "/health/ready": operation("ready", "Can it serve?", (503,)),
    }
