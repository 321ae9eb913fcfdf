"""A hook's or action's function: what it takes, and how it is called, by FastAPI's own machinery."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import (
    get_dependant,
    get_typed_return_annotation,
    get_typed_signature,
    solve_dependencies,
)
from fastapi.exceptions import FastAPIError, RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from specwright.api.instances import Instances, mapper_of, resource_of
from specwright.api.request import Reply
from specwright.api.visit import Visit
from specwright.model.errors import ConfigError, Origin
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource

_TAKES = "it takes the row, sessions, the caller, what FastAPI's Depends, Header and Cookie give"


class Function:
    """A function of people, ready to be called.

    Args:
        given: the names of the parameters that the request's body gives, as an action has them.

    Raises:
        ConfigError: it takes what there is not.
    """

    def __init__(
        self, call: Callable[..., Any], manifest: Manifest, resource: Resource, given: tuple[str, ...] = ()
    ) -> None:
        self.call = call
        self.origin = origin_of(call)
        self.name = getattr(call, "__name__", type(call).__name__)
        self.signature = get_typed_signature(call)
        said = inspect.signature(call).return_annotation is not inspect.Signature.empty
        #: What it says it gives back; None for nothing.
        self.returns = get_typed_return_annotation(call) if said else Any
        self.given = tuple(name for name in given if name in self.signature.parameters)
        self.row: str | None = None
        self.instances: Instances | None = None
        rest = []
        for name, parameter in self.signature.parameters.items():
            mapper = mapper_of(parameter.annotation)
            if name in self.given:
                continue
            if mapper is None:
                rest.append(parameter)
                continue
            found = resource_of(manifest, parameter.annotation)
            if found is not resource or self.row is not None:
                raise ConfigError(f"{self}: {name} is no row of this {resource.title}; {_TAKES}.")
            self.row, self.instances = name, Instances(manifest, resource, mapper)
        self._dependant = self._depending(rest)

    def __str__(self) -> str:
        return f"{self.origin} {self.name}"

    def _depending(self, parameters: list[inspect.Parameter]) -> Dependant:
        def shell() -> None:
            """Stands for the function, with the parameters that FastAPI fills."""

        shell.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # functions take any
        try:
            dependant = get_dependant(path="", call=shell)
        except (FastAPIError, AssertionError) as error:
            raise ConfigError(f"{self}: {error}") from error
        for field in _unfilled(dependant):
            raise ConfigError(f"{self}: nothing gives it {field.name}; {_TAKES}.")
        return dependant

    async def run(self, visit: Visit, row: Any = None, values: Mapping[str, Any] | None = None) -> Any:
        """Call it with the row and the values of the body; its answer.

        The request's transaction must have begun. Dependencies with `yield` end when the function has.
        """
        assert visit.transaction is not None
        scope = visit.exchange.scope
        request = Request(scope, _consumed)
        arguments: dict[str, Any] = dict(values or {})
        if self.row is not None:
            arguments[self.row] = row
        async with visit.transaction.lent(), _stack(scope) as stack:
            solved = await solve_dependencies(
                request=request,
                dependant=self._dependant,
                dependency_overrides_provider=request.app,
                async_exit_stack=stack,
                embed_body_fields=False,
            )
            if solved.errors:
                raise RequestValidationError(solved.errors)
            arguments |= solved.values
            if inspect.iscoroutinefunction(self.call):
                answer = await self.call(**arguments)
            else:
                answer = await run_in_threadpool(self.call, **arguments)
        if solved.background_tasks is not None:
            visit.transaction.afterwards.append(solved.background_tasks)
        return answer


def _unfilled(dependant: Dependant) -> Iterator[ModelField]:
    """What FastAPI would read from the path, the query string or the body, which are ours."""
    yield from (*dependant.path_params, *dependant.query_params, *dependant.body_params)
    for inner in dependant.dependencies:
        yield from _unfilled(inner)


def origin_of(call: Callable[..., Any]) -> Origin:
    """Where a function is written, as seen from the working directory."""
    code = getattr(inspect.unwrap(call), "__code__", None)
    if code is None:
        return Origin(type(call).__module__, 0)
    file = Path(code.co_filename)
    near = file.is_relative_to(Path.cwd())
    return Origin((file.relative_to(Path.cwd()) if near else file).as_posix(), code.co_firstlineno)


async def handled(error: Exception, visit: Visit) -> Reply:
    """What the application's own handler of such an exception answers.

    Raises:
        Exception: the error itself, when there is no handler.
    """
    app: FastAPI = visit.exchange.scope["app"]
    handler: Any = next(
        (app.exception_handlers[kind] for kind in type(error).__mro__ if kind in app.exception_handlers), None
    )
    if handler is None:
        raise error
    request = Request(visit.exchange.scope, _consumed)
    if inspect.iscoroutinefunction(handler):
        response = await handler(request, error)
    else:
        response = await run_in_threadpool(handler, request, error)
    return reply_of(response)


def reply_of(response: Any) -> Reply:
    """A whole answer of Starlette as ours."""
    ours = (b"content-length", b"content-type", b"x-request-id")
    headers = tuple((name, value) for name, value in response.raw_headers if name.lower() not in ours)
    media_type = response.headers.get("content-type", "application/octet-stream").encode()
    return Reply(response.status_code, bytes(response.body), headers, media_type)


@asynccontextmanager
async def _stack(scope: Any) -> Any:
    """Where FastAPI looks for what ends the dependencies of a request and those of its function."""
    async with AsyncExitStack() as stack:
        scope["fastapi_inner_astack"] = scope["fastapi_function_astack"] = stack
        yield stack


async def _consumed() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
