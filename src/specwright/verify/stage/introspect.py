"""In the app's process: its routes, hidden ones too, and the OpenAPI documents that belong to them."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from specwright.verify.stage.inventory import Dependency, Inventory, Route
from specwright.verify.stage.mappers import mappers
from specwright.verify.stage.nullable import say_nullable
from specwright.verify.stage.source import Sources

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def inventory(app: Any, sources: Sources) -> Inventory:
    """Everything that can be read off an app. What cannot be read is a note, never an exception."""
    notes: list[str] = []
    inner = core(app)
    if inner is None:
        notes.append(f"The routes of a {type(app).__name__} cannot be read.")
        return Inventory(mappers=mappers(sources, notes), notes=tuple(notes))
    root = (getattr(inner, "root_path", "") or "").rstrip("/")
    hosts = [each.host for each in inner.routes if _is_host(each)]
    notes += [f"What is served for the host {host} alone is not looked at." for host in hosts]
    routes = tuple(_routes(inner, root, root, sources))
    documents = {}
    for prefix, each in _apps(inner, root):
        document = _document(each, notes)
        if document is not None:
            documents[prefix] = document
    return Inventory(
        routes=routes,
        mappers=mappers(sources, notes),
        openapi=_published(inner, notes),
        documents=documents,
        settings={
            name: getattr(inner, name, None)
            for name in ("title", "debug", "root_path", "docs_url", "redoc_url", "openapi_url")
        },
        notes=tuple(notes),
    )


def core(app: Any) -> Any | None:
    """The app with routes inside of what is wrapped around it; None where there is none."""
    for _ in range(20):
        if isinstance(getattr(app, "routes", None), list):
            return app
        for name in ("app", "other_asgi_app", "_app", "asgi_app"):
            if callable(getattr(app, name, None)):
                app = getattr(app, name)
                break
        else:
            return None
    return None


def _contexts(routes: Any) -> Iterator[Any]:
    """The routes as they are served: FastAPI keeps those of an included router with the router."""
    routes = [each for each in routes if not _is_host(each)]
    routing: Any = sys.modules.get("fastapi.routing")
    if hasattr(routing, "iter_route_contexts"):
        for context in routing.iter_route_contexts(routes):
            # A route of Starlette in an included router, or a mount: it stands for itself.
            inner = context._effective_route
            yield inner if hasattr(inner, "path") or hasattr(inner, "routes") else context
    else:
        yield from routes


def _routes(app: Any, prefix: str, name: str, sources: Sources) -> Iterator[Route]:
    """Of an app, a router or a mount, in the order in which they are tried; `name` is the FastAPI app's."""
    for route in _contexts(getattr(app, "routes", None) or ()):
        path = prefix + _path(route)
        below = getattr(route, "app", None)
        if getattr(route, "endpoint", None) is None:
            inner = core(below) if below is not None else None
            if inner is not None:
                own = path if _is_fastapi(inner) else name
                yield from _routes(inner, path, own, sources)
            elif path and below is not None:
                yield Route("GET", path + "/{path}", str(getattr(route, "name", "") or ""), hidden=True)
            continue
        methods = getattr(route, "methods", None)
        if methods is None and _is_websocket(route):
            continue
        endpoint = route.endpoint
        chosen = sorted(methods) if methods else _methods(endpoint)
        dependant = getattr(route, "dependant", None)
        for method in chosen:
            if method == "HEAD" and "GET" in chosen:
                continue
            yield Route(
                method=method,
                path=path,
                name=str(route.name or ""),
                hidden=not getattr(route, "include_in_schema", True) or dependant is None,
                source=sources.of(_handler(endpoint, method)),
                asynchronous=_asynchronous(_handler(endpoint, method)),
                dependencies=tuple(_dependencies(dependant, sources)) if dependant is not None else (),
                app=name,
                within=_path(route) if dependant is not None else None,
            )


def _path(route: Any) -> str:
    if getattr(route, "endpoint", None) is None:  # a mount, whose format has room for what comes after it
        return str(getattr(route, "path", "") or "")
    return str(getattr(route, "path_format", None) or route.path)


def _is_fastapi(app: Any) -> bool:
    fastapi = sys.modules.get("fastapi")
    return fastapi is not None and isinstance(app, fastapi.FastAPI)


def _is_websocket(route: Any) -> bool:
    return "WebSocket" in type(getattr(route, "original_route", route)).__name__


def _is_host(route: Any) -> bool:
    return hasattr(route, "host") and not hasattr(route, "path")


def _methods(endpoint: Any) -> list[str]:
    """Those that a class of Starlette's answers; everything where it cannot be told."""
    if inspect.isclass(endpoint):
        return [method for method in _METHODS if hasattr(endpoint, method.lower())]
    return ["GET"]


def _handler(endpoint: Any, method: str) -> Any:
    return getattr(endpoint, method.lower(), endpoint) if inspect.isclass(endpoint) else endpoint


def _asynchronous(endpoint: Any) -> bool:
    while hasattr(endpoint, "func"):
        endpoint = endpoint.func
    endpoint = inspect.unwrap(endpoint)
    if inspect.isroutine(endpoint):
        return inspect.iscoroutinefunction(endpoint) or inspect.isasyncgenfunction(endpoint)
    return inspect.iscoroutinefunction(getattr(endpoint, "__call__", None))  # noqa: B004


def _dependencies(dependant: Any, sources: Sources) -> Iterator[Dependency]:
    security = sys.modules.get("fastapi.security.base")
    for each in dependant.dependencies:
        yield from _dependencies(each, sources)
        call = each.call
        secures = security is not None and isinstance(call, security.SecurityBase)
        named = getattr(call, "__qualname__", None) or type(call).__name__
        optional = secures and getattr(call, "auto_error", True) is False
        yield Dependency(str(named), sources.of(call), secures, optional)


def _apps(app: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The FastAPI apps: this one and those that are mounted."""
    if _is_fastapi(app):
        yield prefix, app
    for route in _contexts(getattr(app, "routes", None) or ()):
        if getattr(route, "endpoint", None) is None and getattr(route, "app", None) is not None:
            inner = core(route.app)
            if inner is not None and inner is not app:
                yield from _apps(inner, prefix + _path(route))


def _published(app: Any, notes: list[str]) -> dict[str, Any] | None:
    if not _is_fastapi(app):
        return None
    try:
        published: dict[str, Any] = app.openapi()
    except Exception as error:
        notes.append(f"app.openapi() fails: {type(error).__name__}: {error}")
        return None
    return published


def _document(app: Any, notes: list[str]) -> dict[str, Any] | None:
    """The document with the hidden routes in it; those that cannot be described are left out."""
    from fastapi.openapi.utils import get_openapi

    routes = [each for each in _contexts(app.routes) if getattr(each, "dependant", None) is not None]
    # A WebSocket has dependencies, too, and says nothing of a document.
    hidden = [each for each in routes if not getattr(each, "include_in_schema", True)]
    for each in hidden:
        each.include_in_schema = True
    try:
        return _described(get_openapi, app, app.routes)
    except Exception as error:
        notes.append(f"Not all routes can be described: {type(error).__name__}: {error}")
        for each in hidden:
            each.include_in_schema = False
        try:
            return _described(get_openapi, app, app.routes)
        except Exception:
            return None
    finally:
        for each in hidden:
            each.include_in_schema = False


def _described(get_openapi: Any, app: Any, routes: Any) -> dict[str, Any]:
    said = {"title": app.title, "version": app.version, "openapi_version": app.openapi_version}
    if hasattr(app, "separate_input_output_schemas"):  # FastAPI 0.102 and later
        said["separate_input_output_schemas"] = app.separate_input_output_schemas
    document: dict[str, Any] = get_openapi(routes=routes, **said)
    say_nullable(document, routes)
    return document
