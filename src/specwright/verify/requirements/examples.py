"""One example over HTTP: its request is made and sent, its answer compared."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import httpx2

from specwright.model.manifest import Manifest
from specwright.model.requirement import Example, Request, Response
from specwright.verify.requirements.evidence import Difference, Exchange, Failure
from specwright.verify.requirements.memory import Memory, UnknownCapture
from specwright.verify.requirements.subset import WILDCARD, as_json, differences, read_json

#: The headers that let a request speak for a person with these roles and claims.
Credentials = Callable[[str, tuple[str, ...], Mapping[str, Any]], Mapping[str, str]]

PATIENCE = 10.0


class _Unclear(Exception):
    """An example that cannot be sent or compared; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of one requirement, run one after the other against the app at `base`."""

    manifest: Manifest
    client: httpx2.AsyncClient
    base: str
    credentials: Credentials
    memory: Memory

    async def run(self, example: Example) -> tuple[Exchange | None, Failure | None]:
        """Send an example's request and judge the answer; no failure when it is as the spec says."""
        try:
            exchange = self._made(example.request)
        except (_Unclear, UnknownCapture) as error:
            return None, Failure(example.request.origin, reason=str(error))
        try:
            exchange = await self._sent(exchange)
        except httpx2.TimeoutException:
            return exchange, Failure(
                example.request.origin, reason=f"No answer within {PATIENCE:g} seconds.", exchange=exchange
            )
        except httpx2.HTTPError as error:
            said = f" ({error})" if str(error) else ""
            return exchange, Failure(
                example.request.origin, reason=f"The app broke the connection{said}.", exchange=exchange
            )
        self._remember(example.request, exchange)
        try:
            found = tuple(self._compared(example.response, exchange))
        except (_Unclear, UnknownCapture) as error:
            return exchange, Failure(example.response.origin, reason=str(error), exchange=exchange)
        if not found:
            return exchange, None
        return exchange, Failure(
            example.request.origin, found, reason=self._lost(example.request, exchange), exchange=exchange
        )

    def _made(self, request: Request) -> Exchange:
        headers = [(name, self.memory.in_text(value)) for name, value in request.headers]
        body = None
        if request.body is not None:
            # A body that names its own type is sent as it was written, so that it may be malformed.
            if any(name.lower() == "content-type" for name, _ in headers):
                body = self.memory.in_text(request.body)
            else:
                headers.append(("content-type", "application/json"))
                body = as_json(self.memory.in_json(_read(request.body, "The body of this request")))
        claims = None
        if request.claims is not None:
            claims = as_json(self.memory.in_json(_read(request.claims, "What stands behind Claims")))
        prefix = self.manifest.contracts[0].prefix
        return Exchange(
            origin=request.origin,
            method=request.method,
            path=prefix + self.memory.in_url(request.path),
            person=request.person,
            roles=request.roles,
            claims=claims,
            headers=tuple(headers),
            body=body,
        )

    async def _sent(self, exchange: Exchange) -> Exchange:
        credential: Mapping[str, str] = {}
        if exchange.person is not None:
            claims = json.loads(exchange.claims or "{}")
            credential = self.credentials(exchange.person, exchange.roles, claims)
        answer = await self.client.request(
            exchange.method,
            self.base + exchange.path,
            headers=[*exchange.headers, *credential.items()],
            content=None if exchange.body is None else exchange.body.encode(),
        )
        return replace(
            exchange,
            status=answer.status_code,
            answer_headers=tuple(answer.headers.multi_items()),
            answer=answer.text,
        )

    def _remember(self, request: Request, exchange: Exchange) -> None:
        try:
            answer = read_json(exchange.answer)
        except ValueError:
            return
        found = self.manifest.at(request.path)
        listed = request.method == "GET" and found is not None and not found[1]
        if found is not None and not listed and exchange.status in range(200, 300):
            self.memory.remember(found[0].singular, answer)
        if request.name is not None:
            self.memory.remember(request.name, answer)

    def _compared(self, expected: Response, exchange: Exchange) -> Iterator[Difference]:
        if expected.status != exchange.status:
            yield Difference("status", str(expected.status), str(exchange.status))
        answered = httpx2.Headers(list(exchange.answer_headers))
        for name, template in expected.headers:
            value = self.memory.in_text(template)
            got = answered.get(name)
            if got is None or value not in (WILDCARD, got):
                yield Difference(f"header {name}", value, "no such header" if got is None else got)
        if expected.body is None:
            return
        if any(name.lower() == "content-type" and "json" not in value for name, value in expected.headers):
            text = self.memory.in_text(expected.body)
            if text != exchange.answer:
                yield Difference("body", as_json(text), as_json(exchange.answer))
            return
        wanted = self.memory.in_json(_read(expected.body, "The body of this answer"))
        try:
            yield from differences(wanted, read_json(exchange.answer))
        except ValueError:
            got = f"no JSON: {exchange.answer}" if exchange.answer else "nothing"
            yield Difference("body", as_json(wanted), got)

    def _lost(self, request: Request, exchange: Exchange) -> str:
        """A word on a path that no resource has; Python code may serve others."""
        first = request.path.partition("?")[0].strip("/").partition("/")[0]
        if exchange.status != 404 or not first or self.manifest.at(request.path) is not None:
            return ""
        routes = {resource.path: self.manifest.route(resource) for resource in self.manifest.served}
        close = get_close_matches(first, routes, 1)
        hint = f" Did you mean /{routes[close[0]]}?" if close else ""
        return f"No entity has the path /{first}.{hint}"


def _read(text: str, what: str) -> Any:
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise _Unclear(f"{what} is not JSON: {error.msg} in its line {error.lineno}.") from None
    except (ValueError, RecursionError):
        raise _Unclear(f"{what} is not JSON that can be read.") from None
