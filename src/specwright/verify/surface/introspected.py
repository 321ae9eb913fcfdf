"""The operations of an app in process: its routes, joined with what OpenAPI documents tell of them."""

import re
from collections.abc import Iterator
from dataclasses import replace

from specwright.verify.stage.inventory import Inventory, Route
from specwright.verify.surface.openapi import read_openapi
from specwright.verify.surface.surface import Operation, Parameter

#: Methods that a framework adds to others by itself.
_IMPLIED = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
_PARAMETER = re.compile(r"\{(\w+)\}")


def operations(inventory: Inventory) -> tuple[Operation, ...]:
    """Every route as an operation, hidden ones and those of other frameworks too.

    What the published document describes besides is believed: something else than a route may serve it.
    """
    return tuple(_all(inventory))


def _all(inventory: Inventory) -> Iterator[Operation]:
    described = {
        (prefix, operation.method, operation.path): operation
        for prefix, document in inventory.documents.items()
        for operation in read_openapi({**document, "servers": []})
    }
    published = {}
    if inventory.openapi is not None:
        published = {
            (operation.method, operation.path): operation for operation in read_openapi(inventory.openapi)
        }
    served = set()
    for route in inventory.routes:
        served.add((route.method, route.path))
        if route.method in _IMPLIED:
            continue
        found = described.get((route.app, route.method, route.within or ""))
        found = found or published.get((route.method, route.path)) or _bare(route)
        secured = found.secured
        reading = [each for each in route.dependencies if each.security]
        if reading:
            # A document does not tell whether the credential may be missing; the code does.
            secured = True if any(not each.optional for each in reading) else None
        yield replace(
            found,
            path=route.path,
            secured=secured,
            hidden=route.hidden,
            source=route.source,
            name=route.name or found.name,
        )
    yield from (operation for label, operation in published.items() if label not in served)


def _bare(route: Route) -> Operation:
    """A route of which only the path is known."""
    names = _PARAMETER.findall(route.path)
    parameters = (Parameter(name, "path", {"type": "string"}, required=True) for name in names)
    return Operation(route.method, route.path, tuple(parameters))
