"""The parts of the OpenAPI document that every route shares: problems, headers, health."""

from collections.abc import Iterable, Mapping
from typing import Any

from specwright.api import problems
from specwright.api.body import JSON
from specwright.api.schemas import Schema

REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}


def answer(
    description: str, content: Mapping[str, Any], headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An answer with JSON in it."""
    return {
        "description": description,
        "headers": {**REQUEST_ID, **(headers or {})},
        "content": {JSON: content},
    }


def bearer(people: Iterable[str]) -> dict[str, str]:
    """How one signs in; in development, as whom."""
    description = "A JWT, sent as `Authorization: Bearer …`."
    if names := ", ".join(people):
        description += f" In development: pick one of {names} at the top, or run `specwright token NAME`."
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}


def problem() -> Schema:
    """What every refusal says."""
    error = {
        "type": "object",
        "properties": {
            "index": {
                "type": "integer",
                "minimum": 0,
                "description": "Which item, of a body that is an array.",
            },
            "id": {"type": "string", "description": "Which row, of many that are changed or deleted."},
            "field": {"type": "string", "description": "A member or parameter; empty for the whole body."},
            # The app's own code has codes of its own, as it has problems.
            "code": {"type": "string", "examples": list(problems.FIELD_CODES)},
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


def responses() -> dict[str, Any]:
    """The refusals, by status."""
    found: dict[str, Any] = {}
    extra = {401: ("WWW-Authenticate",), 415: ("Accept",), 503: ("Retry-After",)}
    for status in sorted({code.status for code in problems.CODES.values()}):
        codes = {name: code for name, code in problems.CODES.items() if code.status == status}
        headers = dict(REQUEST_ID)
        for name in extra.get(status, ()):
            headers[name] = {"$ref": f"#/components/headers/{name}"}
        found[str(status)] = {
            "description": " ".join(f"`{name}`: {code.meaning}" for name, code in codes.items()),
            "headers": headers,
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    del found["405"]
    return found


def headers() -> dict[str, Any]:
    """The headers of answers."""
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


def health() -> dict[str, Any]:
    """The two routes for machines that look after this one."""

    def operation(name: str, summary: str, statuses: tuple[int, ...]) -> dict[str, Any]:
        return {
            "get": {
                "operationId": f"health-{name}",
                "tags": ["Health"],
                "summary": summary,
                "security": [],
                "responses": {
                    "200": {"description": "Yes.", "headers": REQUEST_ID},
                    **{str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses},
                },
            }
        }

    return {
        "/health/live": operation("live", "Is the process alive?", ()),
        "/health/ready": operation("ready", "Can it serve?", (503,)),
    }
