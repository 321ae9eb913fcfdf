"""The evidence of a requirement for readers: lines of text, or JSON."""

from collections.abc import Iterator
from typing import Any

from specwright.verify.requirements.evidence import Evidence, Exchange, Failure

_LONGEST = 1000
_INDENT = " " * 9


def lines(evidence: Evidence, *, by_id: bool = False) -> Iterator[str]:
    """The text lines of one requirement; `by_id` tells keys apart that several features use."""
    requirement = evidence.requirement
    why = f"  ({evidence.why})" if evidence.why else ""
    key = requirement.id if by_id else requirement.key
    yield f"{evidence.standing:<8} {key}  {_cut(_first_line(requirement.text), 100)}{why}"
    if evidence.failure is not None:
        for line in _failure(evidence.failure):
            yield f"{_INDENT}{line}".rstrip()


def _failure(failure: Failure) -> Iterator[str]:
    yield str(failure.origin)
    exchange = failure.exchange
    if exchange is not None:
        yield f"> {exchange.method} {exchange.path}"
        if exchange.person is not None:
            roles = f" [{', '.join(exchange.roles)}]" if exchange.roles else ""
            yield f"> As: {exchange.person}{roles}"
        if exchange.claims is not None:
            yield f"> Claims: {exchange.claims}"
        for name, value in exchange.headers:
            if (name, value) != ("content-type", "application/json"):
                yield f"> {name}: {value}"
        if exchange.body is not None:
            yield f"> {_cut(exchange.body, _LONGEST)}"
        if exchange.status is not None:
            yield f"< {exchange.status} {_cut(exchange.answer, _LONGEST)}".rstrip()
    for difference in failure.differences:
        at = f"{difference.at}: " if difference.at else ""
        yield f"- {at}{_cut(difference.expected, _LONGEST)}"
        yield f"+ {at}{_cut(difference.got, _LONGEST)}"
    if failure.reason:
        yield failure.reason
    if failure.left_out:
        rest = "example" if failure.left_out == 1 else f"{failure.left_out} examples"
        yield f"The {rest} after it did not run."


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """One requirement as JSON: where it stands, and every request and answer."""
    requirement, failure = evidence.requirement, evidence.failure
    shown: dict[str, Any] = {
        "id": requirement.id,
        "key": requirement.key,
        "text": requirement.text,
        "origin": str(requirement.origin),
        "standing": evidence.standing.value,
        "exchanges": [_exchange(exchange) for exchange in evidence.exchanges],
    }
    if evidence.why:
        shown["why"] = evidence.why
    if failure is not None:
        shown["failure"] = {
            "origin": str(failure.origin),
            "reason": failure.reason,
            "differences": [
                {"at": difference.at, "expected": difference.expected, "got": difference.got}
                for difference in failure.differences
            ],
            "examples_not_run": failure.left_out,
        }
    return shown


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "origin": str(exchange.origin),
        "request": {
            "method": exchange.method,
            "path": exchange.path,
            "as": exchange.person,
            "roles": list(exchange.roles),
            "claims": exchange.claims,
            "headers": dict(exchange.headers),
            "body": exchange.body,
        },
        "answer": None
        if exchange.status is None
        else {
            "status": exchange.status,
            "headers": dict(exchange.answer_headers),
            "body": exchange.answer,
        },
    }


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _cut(text: str, length: int) -> str:
    flat = " ".join(text.split("\n"))
    return flat if len(flat) <= length else flat[: length - 1] + "…"
