"""From a path to an endpoint: a dictionary look-up, however many resources there are."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from specwright.api.changes import Changes
from specwright.api.endpoints import Endpoints
from specwright.api.relations import LinkRoutes, RelationRoutes
from specwright.api.request import Reply, Request
from specwright.api.restoration import Restoration
from specwright.model.grant import LINK, RESTORE
from specwright.model.names import kebab
from specwright.model.resource import Action, Resource

Handler = Callable[[Request], Awaitable[Reply]]

#: By method, and whether the path names a row.
_ACTIONS = {
    ("GET", False): "list",
    ("HEAD", False): "list",
    ("POST", False): "create",
    ("PATCH", False): "update",
    ("DELETE", False): "delete",
    ("GET", True): "read",
    ("HEAD", True): "read",
    ("PATCH", True): "update",
    ("PUT", True): "update",
    ("DELETE", True): "delete",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A derived path: whose it is, its template, what answers each method, and the key in it.

    A method without a handler is answered by the application.
    """

    endpoints: Endpoints
    template: str
    handlers: Mapping[str, Handler | None]
    key: str = ""
    #: The tenant in the path, by the name of its parameter.
    places: Mapping[str, str] = field(default_factory=dict)
    #: The key behind the relation, of the row that is linked.
    other: str = ""
    #: The name of the action of a spec that is the last part of the path.
    verb: str = ""
    #: The relation that the path leads over, to rows or to a link.
    relation: RelationRoutes | LinkRoutes | None = None

    @property
    def within(self) -> Resource:
        """The resource that decides whether a tenant must be named: that of the path, or the related one."""
        own = self.endpoints.resource
        if own.tenant is not None or self.relation is None:
            return own
        return self.endpoints.service.manifest.resource(self.relation.relation.target)

    def at(self, key: str, other: str, places: Mapping[str, str]) -> "Match":
        """This path with what a request's path says in its places."""
        # Each request for a row comes by here, and `dataclasses.replace` takes three times as long.
        return Match(
            self.endpoints, self.template, self.handlers, key, places, other, self.verb, self.relation
        )

    def action(self, method: str) -> str:
        """What a method does here, as a grant calls it."""
        if self.relation is not None and (method != "POST" or not self.verb):
            reads = method in ("GET", "HEAD")
            return "read" if reads else f"{LINK}{self.relation.relation.name}"
        return self.verb or _ACTIONS.get((method, "{id}" in self.template), "")


class Dispatch:
    """The derived routes of one contract, less those that the application answers itself."""

    def __init__(self, prefix: str, endpoints: Iterable[Endpoints]) -> None:
        self.prefix = prefix + "/"
        self._collections: dict[str, Match] = {}
        self._rows: dict[str, Match] = {}
        #: By path and the name of a relation, of its links.
        self._links: dict[tuple[str, str], Match] = {}
        #: By path and verb or relation of a row, and by path and verb of all.
        self._row_actions: dict[tuple[str, str], Match] = {}
        self._actions: dict[tuple[str, str], Match] = {}
        self._exact: dict[str, set[str]] = {}
        #: Of resources whose path begins with their tenant: what it begins with, and the parameter.
        self._within: dict[str, tuple[str, str]] = {}
        served = tuple(endpoints)
        for one in served:
            path = one.resource.path
            if "{" in one.path:
                first, place, _ = one.path.removeprefix(self.prefix).split("/")
                self._within[path] = first, place.strip("{}")
            self._collections[path] = Match(
                one,
                one.path,
                {
                    "GET": one.list_rows,
                    "HEAD": one.list_rows,
                    "POST": one.create,
                    "PATCH": Changes(one).update,
                    "DELETE": Changes(one).delete,
                },
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

            if one.resource.soft_delete:
                self._row_actions[path, RESTORE] = Match(
                    one,
                    f"{one.path}/{{id}}/{RESTORE}",
                    {"POST": Restoration(one).restore},
                    verb=RESTORE,
                )

        for one in served:
            for relation in one.resource.relations:
                target = one.service.manifest.resource(relation.target)
                others = None if target.external else self.endpoints(target)
                if relation.many and others is not None:
                    self._relate(RelationRoutes(one, others, relation))
                field = one.resource.field(relation.name)
                if relation.through is not None and field is not None:
                    self._link(LinkRoutes(one, others, relation, field), target)

    def _relate(self, routes: RelationRoutes) -> None:
        """Add the route of a relation; where a row has a verb of that name, beside it."""
        one, name = routes.source, kebab(routes.relation.name)
        place = one.resource.path, name
        found = self._row_actions.get(place, Match(one, f"{one.path}/{{id}}/{name}", {}))
        handlers = {**found.handlers, "GET": routes.list_rows, "HEAD": routes.list_rows}
        self._row_actions[place] = replace(found, handlers=handlers, relation=routes)

    def _link(self, routes: LinkRoutes, target: Resource) -> None:
        """Add the routes of links."""
        one, name = routes.source, kebab(routes.relation.name)
        template = f"{one.path}/{{id}}/{name}/{{{target.singular}_id}}"
        linking: dict[str, Handler | None] = {"PUT": routes.link, "DELETE": routes.unlink}
        self._links[one.resource.path, name] = Match(one, template, linking, relation=routes)

    def find(self, method: str, path: str) -> Match | None:
        """The derived path of a raw request path, unless the application answers this method itself."""
        if not path.startswith(self.prefix):
            return None
        tenant, segments = self._segments(path)
        if method in self._exact.get("/".join(segments), ()):
            return None
        key = other = ""
        match segments:
            case [name]:
                found = self._collections.get(name)
            case [name, verb] if method == "POST" and (name, verb) in self._actions:
                found = self._actions[name, verb]
            case [name, key] if key:
                found = self._rows.get(name)
            case [name, key, verb] if key:
                found = self._row_actions.get((name, verb))
            case [name, key, relation, other] if key and other:
                found = self._links.get((name, relation))
            case _:
                return None
        if found is None or (method in found.handlers and found.handlers[method] is None):
            return None
        if not key and not tenant:
            return found
        places = {}
        if tenant:
            _, place = self._within[found.endpoints.resource.path]
            places = {place: unquote(tenant)}
        return found.at(unquote(key), unquote(other) if other else "", places)

    def _segments(self, path: str) -> tuple[str, list[str]]:
        """The parts of a path behind the prefix, and behind the tenant where it begins with that."""
        segments = path[len(self.prefix) :].split("/")
        match segments:
            case [first, tenant, name, *_] if tenant and self._within.get(name, ("",))[0] == first:
                return tenant, segments[2:]
            case [name, *_] if name in self._within:
                return "", []
            case _:
                return "", segments

    def endpoints(self, resource: Resource) -> Endpoints:
        """The endpoints of a resource."""
        return self._collections[resource.path].endpoints

    def answer(self, resource: Resource, method: str, handler: Handler, *, row: bool) -> None:
        """Let another handler answer a method of a row, or of the collection."""
        table = self._rows if row else self._collections
        match = table[resource.path]
        table[resource.path] = replace(match, handlers={**match.handlers, method: handler})

    def add_action(self, resource: Resource, action: Action, handler: Handler) -> None:
        """Add a route: `POST /tasks/{id}/snooze`, or on all of them `POST /tasks/archive`."""
        endpoints = self.endpoints(resource)
        verb = kebab(action.name)
        on_all = action.level == "collection"
        template = f"{endpoints.path}/{verb}" if on_all else f"{endpoints.path}/{{id}}/{verb}"
        table = self._actions if on_all else self._row_actions
        found = table.get((resource.path, verb), Match(endpoints, template, {}))
        handlers = {**found.handlers, "POST": handler}
        table[resource.path, verb] = replace(found, handlers=handlers, verb=action.name)

    def give_way(self, method: str, template: str) -> bool:
        """Leave a method of a path to the application; whether there was a derived route for it.

        A path without parameters wins over the key of a row: `/tasks/stats` is not a task.
        HEAD goes with GET.
        """
        if not template.startswith(self.prefix):
            return False
        _, segments = self._segments(template)
        if not segments:
            return False
        if self._yield_beneath(method, segments):
            return True
        table = {1: self._collections, 2: self._rows}.get(len(segments), {})
        match = table.get(segments[0])
        if match is None:
            return False
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        if len(segments) == 2 and not segments[1].startswith("{"):
            self._exact.setdefault("/".join(segments), set()).update(methods)
        else:
            table[segments[0]] = replace(match, handlers={**match.handlers, **dict.fromkeys(methods)})
        return match.handlers.get(method) is not None

    def _yield_beneath(self, method: str, segments: list[str]) -> bool:
        """The same of an action, a relation or a link."""
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        match segments:
            case [name, verb]:
                table = self._actions
            case [name, key, verb] if key.startswith("{"):
                table = self._row_actions
            case [name, key, verb, other] if key.startswith("{") and other.startswith("{"):
                table = self._links
            case _:
                return False
        match = table.get((name, verb))
        if match is None or method not in match.handlers:
            return False
        table[name, verb] = replace(match, handlers={**match.handlers, **dict.fromkeys(methods)})
        return True
