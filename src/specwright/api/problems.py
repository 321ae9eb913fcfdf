"""Refusals: every one is a Problem, and every problem is one JSON object (RFC 9457)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"

#: What a problem echoes of a request is cut to this many characters, and to this many errors.
LONGEST_ECHO = 100
MOST_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Code:
    """An entry of the catalogue: the status it goes with, its title and what it tells the client."""

    status: int
    title: str
    meaning: str


#: Every `code` that the API itself answers with; docs/http.md explains each.
CODES = {
    "malformed": Code(
        400, "The request cannot be read", "The body is not JSON, or the query string is not UTF-8."
    ),
    "invalid_idempotency_key": Code(
        400,
        "No idempotency key",
        "`Idempotency-Key` is 1 to 255 visible ASCII characters, from somebody who is signed in.",
    ),
    "invalid_cursor": Code(
        400,
        "The cursor is not valid here",
        "Changed, or made for another list, sort, filter or caller: start from the first page.",
    ),
    "tenant_required": Code(
        400, "Which tenant?", "Rows here belong to a tenant, and the request does not say which it is for."
    ),
    "invalid_tenant": Code(400, "Not a tenant", "What the request names as its tenant is not the id of one."),
    "unauthenticated": Code(
        401, "Sign in first", "No credential, or one that is not valid: get a new token, then try again."
    ),
    "forbidden": Code(403, "Not allowed", "The caller may see this, and may not do that to it."),
    "https_required": Code(
        403, "HTTPS is required", "This came in the clear: use https://, and a new token if one was sent."
    ),
    "not_found": Code(
        404, "Not found", "Nothing is here for this caller; a row they may not see answers the same."
    ),
    "method_not_allowed": Code(
        405,
        "Method not allowed",
        "The path exists and does not take this method; `Allow` lists those it takes.",
    ),
    "timeout": Code(408, "The request came too slowly", "Send the whole of it without long pauses."),
    "conflict": Code(
        409, "In conflict with another row", "A unique value is taken, or a row in use was to be deleted."
    ),
    "move_not_allowed": Code(
        409,
        "It cannot go there from here",
        "A field goes from state to state by the moves of the spec; `errors[].allowed` lists where to.",
    ),
    "too_many_rows": Code(
        409,
        "More rows than that",
        "More rows match than `max_affected` says; nothing was changed.",
    ),
    "still_running": Code(
        409,
        "Still running",
        "A request with this `Idempotency-Key` has not ended: wait as `Retry-After` says, then ask again.",
    ),
    "precondition_failed": Code(
        412, "Changed meanwhile", "The row is no longer the version that `If-Match` names: read it again."
    ),
    "too_large": Code(413, "The body is too large", "The body is longer than the limit."),
    "unsupported_media_type": Code(
        415, "Unsupported media type", "The body is not of a type that `Accept` lists in the answer."
    ),
    "misdirected": Code(
        421, "Misdirected request", "This server does not answer to the host that the request names."
    ),
    "validation_failed": Code(
        422, "The request breaks a rule", "Understood and refused; `errors` names each member or parameter."
    ),
    "idempotency_key_reused": Code(
        422, "Another request has this key", "`Idempotency-Key` came with another body or query before."
    ),
    "precondition_required": Code(
        428, "Say which version", "Read the row, and send its `ETag` back as `If-Match` with the change."
    ),
    "headers_too_large": Code(
        431, "The headers are too large", "Send fewer or shorter headers, or a shorter path."
    ),
    "internal": Code(
        500, "Something went wrong here", "A fault of the server; its log knows more under this request id."
    ),
    "unavailable": Code(
        503,
        "Not available now",
        "The database or the token issuer is away or too busy: wait as `Retry-After` says.",
    ),
}

#: Every `errors[].code`.
FIELD_CODES = {
    "required": "Must be sent.",
    "not_null": "Must not be null.",
    "unknown_member": "No such member in this body.",
    "unknown_parameter": "No such parameter, field or operator here.",
    "forbidden": "Needs a role that the caller lacks.",
    "read_only": "Set by the server; not taken from a client.",
    "immutable": "Set once, on create; only an equal value is accepted later.",
    "wrong_type": "Another JSON type is needed.",
    "bad_format": "A text that is not of the needed form, as a date or a UUID.",
    "not_a_choice": "Not one of the listed values.",
    "pattern_mismatch": "The text does not match the pattern.",
    "too_short": "Fewer characters or items than allowed.",
    "too_long": "More characters or items than allowed.",
    "too_small": "Below the least value.",
    "too_large": "Above the greatest value.",
    "too_precise": "More decimals than are kept.",
    "invalid_character": "Holds a NUL or a lone surrogate, which PostgreSQL cannot store.",
    "repeated": "Given more than once.",
    "bad_expression": "Not a condition on these rows; `column` says where in the filter.",
    "too_complex": "A filter, or what a request follows relations for, is larger than is taken.",
    "not_together": "Cannot be combined with another parameter that was sent.",
    "reference_not_found": "Refers to a row that does not exist for the caller.",
    "rule_violated": "A rule of the resource does not hold.",
    "move_not_allowed": "Not a state that the row can go to from where it is; `allowed` lists those.",
    "unique": "The value is taken.",
    "in_use": "Other rows refer to this one.",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault; `field` is the wire name of a member or parameter, "" for the body as a whole."""

    field: str
    code: str
    message: str
    #: Where in the text of the member or parameter, from 1; None where it is the whole.
    column: int | None = None
    #: Which item of a body that is an array, from 0; None where the body is none.
    index: int | None = None
    #: The id of the row, where one of many is changed.
    id: str | None = None
    #: What may be sent instead, of a state that is not to be reached; None where that is not the question.
    allowed: tuple[str, ...] | None = None

    def members(self) -> dict[str, object]:
        """The fault as JSON has it."""
        found: dict[str, object] = {} if self.index is None else {"index": self.index}
        if self.id is not None:
            found["id"] = clean(self.id)
        found |= {"field": echo(self.field), "code": self.code, "message": clean(self.message)}
        if self.allowed is not None:
            found["allowed"] = list(self.allowed)
        return found if self.column is None else found | {"column": self.column}


class Problem(Exception):
    """A request refused. Its status is that of its code in the catalogue, unless given."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Iterable[FieldError] = (),
        headers: Iterable[tuple[str, str]] = (),
        status: int | None = None,
        hides: bool = False,
    ) -> None:
        known = CODES.get(code)
        if status is None:
            assert known is not None, f"{code!r} is not in the catalogue: give a status"
            status = known.status
        self.code = code
        self.status = status
        self.title = known.title if known is not None else _phrase(status)
        self.detail = detail or (known.meaning if known is not None else "")
        self.errors = tuple(errors)
        self.headers = tuple(headers)
        #: Of a 404, that there is something all the same: for the log alone.
        self.hides = hides
        super().__init__(f"{status} {code}: {self.detail}")


def validation(errors: Iterable[FieldError]) -> Problem:
    """The 422 for these faults; its detail is the first of them."""
    errors = tuple(errors)
    first, more = errors[0], len(errors) - 1
    place = echo(first.field)
    if first.index is not None:
        place = f"Item {first.index}, {place}" if place else f"Item {first.index}"
    detail = f"{place}: {first.message}" if place else first.message
    return Problem("validation_failed", detail + (f" ({more} more)" if more else ""), errors=errors)


def of_item(problem: Problem, index: int) -> Problem:
    """The refusal of one item of a body that is an array."""
    return _of_one(problem, f"Item {index}", index=index)


def of_row(problem: Problem, key: str) -> Problem:
    """The refusal of one row of many that are changed."""
    return _of_one(problem, f"Row {echo(key)}", id=key)


def _of_one(problem: Problem, place: str, **where: Any) -> Problem:
    errors = problem.errors
    if not errors and problem.code in FIELD_CODES:
        errors = (FieldError("", problem.code, problem.detail),)
    errors = tuple(replace(error, **where) for error in errors)
    detail = f"{place}: {problem.detail}"
    return Problem(problem.code, detail, errors=errors, headers=problem.headers, status=problem.status)


def of_status(status: int, detail: str = "", headers: Iterable[tuple[str, str]] = ()) -> Problem:
    """The problem for a bare status, as frameworks and hand-written routes raise it.

    A status outside the catalogue gets the code of its name: 418 is `im_a_teapot`.
    """
    for code, known in CODES.items():
        if known.status == status:
            return Problem(code, detail, headers=headers)
    name = re.sub(r"[^a-z]+", "_", _phrase(status).replace("'", "").lower()).strip("_")
    return Problem(name, detail, headers=headers, status=status)


def body(problem: Problem, request_id: str) -> bytes:
    """The problem as JSON (RFC 9457 §3), whatever text of the request it quotes.

    `type` is a URN: it names the problem and promises no page behind it.
    """
    members: dict[str, object] = {
        "type": f"urn:specwright:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": clean(problem.detail),
        "code": problem.code,
    }
    if problem.errors:
        members["errors"] = [error.members() for error in problem.errors[:MOST_ERRORS]]
    members["request_id"] = clean(request_id)
    return json.dumps(members, ensure_ascii=False).encode()


def clean(text: str) -> str:
    """The text without what no UTF-8 can hold (lone surrogates) and no reader wants to see (controls)."""
    return _UNPRINTABLE.sub("\ufffd", text)


def echo(text: str) -> str:
    """A piece of the request, fit to be shown: clean and short."""
    return clean(text if len(text) <= LONGEST_ECHO else text[: LONGEST_ECHO - 1] + "…")


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def unauthenticated(detail: str = "") -> Problem:
    """The 401 that says how to sign in (RFC 6750 §3)."""
    return Problem("unauthenticated", detail, headers=[("WWW-Authenticate", "Bearer")])
