"""The OpenAPI 3.1 document, built from the manifest: every route, parameter, body and error."""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from specwright.api import schemas
from specwright.api.body import JSON, MAX_ITEMS, MEDIA_TYPES
from specwright.api.body import Action as BodyAction
from specwright.api.openapi_components import REQUEST_ID, answer, bearer, headers, health, problem, responses
from specwright.api.openapi_parameters import IDEMPOTENCY_KEY, ResourceParameters, header
from specwright.api.schemas import Described, Schema
from specwright.model.field import Field
from specwright.model.grant import HAND_OVER, LINK, RESTORE, WhoKind
from specwright.model.manifest import Contract, Manifest
from specwright.model.names import kebab
from specwright.model.relation import Relation
from specwright.model.resource import Action, Resource
from specwright.model.tenant import Chosen

_STATUSES = {
    "list": (400, 401, 403, 422),
    "read": (401, 404, 422),
    "create": (400, 401, 403, 409, 413, 415, 422),
    "update": (400, 401, 403, 404, 409, 412, 413, 415, 422),
    "replace": (400, 401, 403, 404, 409, 412, 413, 415, 422),
    "delete": (401, 403, 404, 409, 412, 422),
    "update-many": (400, 401, 403, 409, 412, 413, 415, 422),
    "delete-many": (400, 401, 403, 409, 412, 422),
}
_ALWAYS = (500, 503)

#: The action whose grant decides over each operation.
_GRANTED_BY = {"replace": ("update",), "update": ("update", HAND_OVER)}

_AFFECTED: Schema = {
    "type": "object",
    "properties": {"affected": {"type": "integer", "minimum": 0}},
    "required": ["affected"],
}
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
            "schemas": {"Problem": problem()},
            "responses": responses(),
            "headers": headers(),
            "securitySchemes": {"bearer": bearer(development_people)},
        },
        "security": [{"bearer": []}],
    }
    examples = _examples(manifest)
    for resource in resources:
        own = {name: described for (entity, name), described in actions.items() if entity == resource.name}
        paths, components = _Routes(manifest, contract, resource, own, examples.get(resource.name)).document()
        document["paths"] |= paths
        document["components"]["schemas"] |= components
    document["paths"] |= health()
    return document


class _Routes:
    """The routes of one resource."""

    def __init__(
        self,
        manifest: Manifest,
        contract: Contract,
        resource: Resource,
        actions: Mapping[str, Described],
        example: Any,
    ) -> None:
        self._actions = actions
        #: A body to create a row with, if there is one.
        self._example = example
        self._manifest = manifest
        self._contract = contract
        self._resource = resource
        self._base = f"{contract.prefix}/{manifest.route(resource)}"
        self._parameters = ResourceParameters(manifest, resource)

    def document(self) -> tuple[dict[str, Any], dict[str, Schema]]:
        """The path items, and the schemas they refer to."""
        name = self._resource.name
        row = {"schema": {"$ref": f"#/components/schemas/{name}Public"}}
        made = {"oneOf": [row["schema"], schemas.several(self._resource)]}
        affected = {"200": answer("How many rows matched, all of them changed.", {"schema": _AFFECTED})}
        which = [*self._parameters.changing(), self._parameters.if_match]
        shown = self._parameters.fields()
        included = list(self._parameters.included())
        collection = {
            "get": self._operation(
                "list",
                f"List {self._resource.path}",
                {"200": answer("A page.", {"schema": {"$ref": f"#/components/schemas/{name}List"}})},
                self._parameters.listing(),
            ),
            "post": self._operation(
                "create",
                f"Create a {self._resource.title}, or many",
                {"201": answer("Created.", {"schema": made}, _ETAG | _LOCATION | _REPLAYED)},
                [shown, *included, IDEMPOTENCY_KEY],
            ),
        }
        collection |= {
            "patch": self._operation(
                "update",
                f"Change all {self._resource.path} that match",
                affected,
                which,
                called="update-many",
            ),
            "delete": self._operation(
                "delete",
                f"Delete all {self._resource.path} that match",
                affected,
                which,
                called="delete-many",
            ),
        }
        changed = {"200": answer("As it is now stored.", row, _ETAG)}
        unchanged = {"description": "As `If-None-Match` has it.", "headers": REQUEST_ID | _ETAG}
        item = {
            "get": self._operation(
                "read",
                f"Read a {self._resource.title}",
                {"200": answer("The row.", row, _ETAG), "304": unchanged},
                [
                    shown,
                    *included,
                    *self._parameters.deleted(),
                    header("If-None-Match", "ETags that the client has; 304 if one fits."),
                ],
            ),
            "patch": self._operation(
                "update",
                f"Change members of a {self._resource.title}",
                changed | self._handed_over(),
                [shown, *included, self._parameters.if_match],
            ),
            "put": self._operation(
                "replace",
                f"Replace a {self._resource.title}",
                changed,
                [shown, *included, self._parameters.if_match],
            ),
            "delete": self._operation(
                "delete",
                f"Delete a {self._resource.title}",
                {"204": {"description": "Deleted.", "headers": REQUEST_ID}},
                [self._parameters.if_match],
            ),
        }
        paths: dict[str, dict[str, Any]] = {
            self._base: {method: found for method, found in collection.items() if found},
            f"{self._base}/{{id}}": {method: found for method, found in item.items() if found},
            f"{self._base}/{{id}}/{RESTORE}": self._restore(row),
        }
        paths = {path: operations for path, operations in paths.items() if operations}
        for path, operations in paths.items():
            keyed = [self._parameters.key()] if path != self._base else []
            if found := [*self._parameters.tenant(), *keyed]:
                operations["parameters"] = found
        for relation in self._parameters.includable:
            if relation.many:
                paths |= self._relation(relation)
        for field in self._resource.fields:
            if field.linked is not None:
                paths |= self._links(field, self._manifest.resource(field.linked))
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
            {"200": answer("As it is again.", row, _ETAG | _REPLAYED)},
            [
                self._parameters.fields(),
                *self._parameters.included(),
                IDEMPOTENCY_KEY,
                self._parameters.if_match,
            ],
        )
        return {"post": operation} if operation else {}

    def _relation(self, relation: Relation) -> dict[str, dict[str, Any]]:
        """The route of a relation."""
        target = self._manifest.resource(relation.target)
        name, above = kebab(relation.name), self._resource.title
        path = f"{self._base}/{{id}}/{name}"
        related = ResourceParameters(self._manifest, target)
        listed = related.listing()
        page = {"200": answer("A page.", {"schema": schemas.page(target)})}
        operation = self._operation("read", f"List {name} of a {above}", page, listed, called=f"{name}-list")
        within = self._parameters.tenant() or related.tenant()
        return (
            {path: {"get": operation, "parameters": [*within, self._parameters.key()]}} if operation else {}
        )

    def _links(self, field: Field, target: Resource) -> dict[str, dict[str, Any]]:
        """The routes of the links of a field, where somebody may read what is linked."""
        readable = target.external or any("read" in grant.actions for grant in target.grants)
        name, above = kebab(field.name), self._resource.title
        done = {"204": {"description": "It is so.", "headers": REQUEST_ID}}
        links = {
            method: self._operation(
                f"{LINK}{field.name}",
                f"{verb.capitalize()} {name} of a {above}",
                done,
                [self._parameters.if_match],
                called=f"{name}-{verb}",
            )
            for method, verb in (("put", "link"), ("delete", "unlink"))
        }
        if not (readable and links["put"]):
            return {}
        other = self._parameters.key() | {
            "name": f"{target.singular}_id",
            "description": f"The id of the {target.title}.",
            "schema": schemas.accepted(self._manifest, target.key_field),
        }
        within = self._parameters.tenant() or ResourceParameters(self._manifest, target).tenant()
        path = f"{self._base}/{{id}}/{name}/{{{target.singular}_id}}"
        return {path: {**links, "parameters": [*within, self._parameters.key(), other]}}

    def _action(self, action: Action, described: Described) -> tuple[str, dict[str, Any]]:
        on_all, verb = action.level == "collection", kebab(action.name)
        answers: dict[str, Any] = {}
        if described.content is not None:
            answers["200"] = answer("What was done.", {"schema": described.content}, _REPLAYED)
        if described.nothing:
            answers["204"] = {"description": "Done.", "headers": REQUEST_ID | _REPLAYED}
        summary = f"{verb.replace('-', ' ').capitalize()} a {self._resource.title}"
        if on_all:
            summary = f"{verb.replace('-', ' ').capitalize()} {self._resource.path}"
        asked = [IDEMPOTENCY_KEY] if on_all else [IDEMPOTENCY_KEY, self._parameters.if_match]
        if described.answered is not None:
            shown = ResourceParameters(self._manifest, described.answered)
            asked = [shown.fields(), *shown.included(), *asked]
        operation = self._operation(action.name, summary, answers, asked)
        if action.effect:
            operation["description"] = f"{_sentence(action.effect)} {operation['description']}"
        if described.body is not None:
            body: dict[str, Any] = {"content": {JSON: {"schema": described.body}}}
            operation["requestBody"] = ({"required": True} if "required" in described.body else {}) | body
        if on_all:
            found = self._parameters.tenant()
            return f"{self._base}/{verb}", {"post": operation} | ({"parameters": found} if found else {})
        found = [*self._parameters.tenant(), self._parameters.key()]
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
            relation.name: schemas.included(relation) for relation in self._parameters.includable
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
        return {"204": {"description": "Handed over, out of reach.", "headers": REQUEST_ID}}

    def _request_body(self, action: Any) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{self._resource.name}{action.capitalize()}"}
        content: dict[str, Any] = {"schema": schema}
        if action == "create":
            many = {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_ITEMS}
            content = {"schema": {"oneOf": [schema, many]}}
        if action == "create" and self._example is not None:
            content["example"] = self._example
        return {"required": True, "content": dict.fromkeys(MEDIA_TYPES[action], content)}

    def _statuses(self, action: str, called: str = "") -> tuple[int, ...]:
        statuses = _STATUSES.get(called) or _STATUSES.get(action, _STATUSES["delete" if called else "update"])
        if called and action == "read":
            # A cursor may be no cursor.
            statuses = (400, *statuses)
        if action == "read" and self._resource.soft_delete:
            statuses = tuple(sorted({*statuses, 403}))
        if self._parameters.in_tenant is not None:
            statuses = tuple(
                sorted({*statuses, 403 if self._parameters.in_tenant.by is Chosen.CLAIM else 400})
            )
        on_all = {known.name for known in self._resource.actions if known.level == "collection"}
        if self._resource.if_match_required and action not in {"list", "read", "create", *on_all}:
            statuses = (*statuses, 428)
        return (*statuses, *_ALWAYS)


def _examples(manifest: Manifest) -> dict[str, Any]:
    """The first body that the spec itself shows to be created, if it stands on its own, by entity."""
    found: dict[str, Any] = {}
    for requirement in manifest.requirements:
        for example in requirement.examples:
            asked, body = example.request, example.request.body
            if asked.method != "POST" or body is None or example.response.status != 201:
                continue
            resource, behind = manifest.at(asked.path) or (None, ())
            if resource is None or behind or resource.name in found or ".id}" in body:
                continue
            try:
                found[resource.name] = json.loads(body)
            except ValueError:
                found[resource.name] = None
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _tag(resource: Resource) -> dict[str, str]:
    tag = {"name": resource.title}
    return tag | {"description": resource.means} if resource.means else tag
