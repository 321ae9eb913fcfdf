"""From a path to an endpoint: a dictionary look-up, however many resources there are."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from specwright.api.endpoints import Endpoints
from specwright.api.request import Reply, Request
from specwright.model.manifest import Resource

Handler = Callable[[Request], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Match:
    """A derived path: whose it is, its template, what answers each method, and the key in it.

    A method without a handler is answered by the application.
    """

    endpoints: Endpoints
    template: str
    handlers: Mapping[str, Handler | None]
    key: str = ""


class Dispatch:
    """The derived routes of one contract, less those that the application answers itself."""

    def __init__(self, prefix: str, endpoints: Iterable[Endpoints]) -> None:
        self.prefix = prefix + "/"
        self._collections: dict[str, Match] = {}
        self._rows: dict[str, Match] = {}
        self._exact: dict[str, set[str]] = {}
        for one in endpoints:
            path = one.resource.path
            self._collections[path] = Match(
                one, one.path, {"GET": one.list_rows, "HEAD": one.list_rows, "POST": one.create}
            )
            self._rows[path] = Match(
                one,
                f"{one.path}/{{id}}",
                {
                    "GET": one.read,
                    "HEAD": one.read,
                    "PATCH": one.update,
                    "PUT": one.replace,
                    "DELETE": one.delete,
                },
            )

    def find(self, method: str, path: str) -> Match | None:
        """The derived path of a raw request path, unless the application answers this method itself."""
        if not path.startswith(self.prefix):
            return None
        if path in self._exact and method in self._exact[path]:
            return None
        segments = path[len(self.prefix) :].split("/")
        if len(segments) == 1:
            found = self._collections.get(segments[0])
        else:
            found = self._rows.get(segments[0]) if len(segments) == 2 and segments[1] else None
        if found is None or (method in found.handlers and found.handlers[method] is None):
            return None
        return found if len(segments) == 1 else replace(found, key=unquote(segments[1]))

    def endpoints(self, resource: Resource) -> Endpoints:
        """The endpoints of a resource."""
        return self._collections[resource.path].endpoints

    def give_way(self, method: str, template: str) -> bool:
        """Leave a method of a path to the application; whether there was a derived route for it.

        A path without parameters wins over the key of a row: `/tasks/stats` is not a task.
        HEAD goes with GET.
        """
        if not template.startswith(self.prefix):
            return False
        segments = template[len(self.prefix) :].split("/")
        table = {1: self._collections, 2: self._rows}.get(len(segments), {})
        match = table.get(segments[0])
        if match is None:
            return False
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        if len(segments) == 2 and not segments[1].startswith("{"):
            self._exact.setdefault(template, set()).update(methods)
        else:
            table[segments[0]] = replace(match, handlers={**match.handlers, **dict.fromkeys(methods)})
        return match.handlers.get(method) is not None
