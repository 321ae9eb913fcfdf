"""The manifest: everything a spec says, as one frozen tree. Readers fill it; everything else reads it.

Storage (table, column) stands apart from contract (path, wire), so that either can change alone.
An `id` names a node for as long as it lives: a rename declared by `was` keeps it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from specwright.model.grant import Role, Who, WhoKind, WhoName
from specwright.model.requirement import OpenQuestion, Requirement
from specwright.model.resource import Resource
from specwright.model.tenant import Chosen, Tenant

MANIFEST_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Feature:
    """One spec folder: a namespace for prose and requirements only."""

    name: str
    title: str
    file: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What one version of the API is called and where it lives."""

    name: str = "v1"
    prefix: str = "/api/v1"


@dataclass(frozen=True)
class Manifest:
    """The whole backend."""

    resources: tuple[Resource, ...] = ()
    roles: tuple[Role, ...] = ()
    names: tuple[WhoName, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    open_questions: tuple[OpenQuestion, ...] = ()
    features: tuple[Feature, ...] = ()
    contracts: tuple[Contract, ...] = (Contract(),)
    tenant: Tenant | None = None
    manifest_format: int = MANIFEST_FORMAT

    @cached_property
    def _by_name(self) -> Mapping[str, Resource]:
        return {resource.name: resource for resource in self.resources}

    def resource(self, name: str) -> Resource:
        """The resource of this entity name.

        Raises:
            KeyError: no entity has this name.
        """
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def stored(self) -> Iterator[Resource]:
        """The resources that have a table: all but an external User."""
        return (resource for resource in self.resources if not resource.external)

    @property
    def served(self) -> Iterator[Resource]:
        """The resources that have routes: those with a table, but for links."""
        return (resource for resource in self.stored if not resource.link)

    def route(self, resource: Resource) -> str:
        """Where the rows are, below the prefix: `deals`, or `organizations/{organization_id}/deals`."""
        tenant = self.tenant
        if tenant is None or tenant.by is not Chosen.PATH or resource.tenant is None:
            return resource.path
        return f"{self.resource(tenant.entity).path}/{{{tenant.name}}}/{resource.path}"

    def who(self, word: str) -> Who:
        """Whom a word of `readable by` or `writable by` means."""
        if word in (WhoKind.OWNER, WhoKind.SIGNED_IN):
            return Who(WhoKind(word))
        return Who(WhoKind.ROLE if self.name(word) is None else WhoKind.NAMED, word)

    def at(self, path: str) -> tuple[Resource, tuple[str, ...]] | None:
        """Whose rows a path below the prefix is about, and what stands behind: nothing, a key, an action."""
        parts = tuple(part for part in path.partition("?")[0].split("/") if part)
        places = [(self.route(resource).split("/"), resource) for resource in self.served]
        for place, resource in sorted(places, key=lambda each: -len(each[0])):
            begins = zip(parts, place, strict=False)
            if len(parts) >= len(place) and all(part == name or name[0] == "{" for part, name in begins):
                return resource, parts[len(place) :]
        return None

    def name(self, name: str) -> WhoName | None:
        """The `Who|Is` row of this name."""
        return next((known for known in self.names if known.name == name), None)

    @property
    def people(self) -> Mapping[str, tuple[str, ...]]:
        """The people that the spec's examples speak as, with their roles, in order of appearance."""
        people: dict[str, dict[str, None]] = {}
        for requirement in self.requirements:
            for example in requirement.examples:
                if example.request.person is not None:
                    roles = people.setdefault(example.request.person, {})
                    roles.update(dict.fromkeys(example.request.roles))
        return {person: tuple(roles) for person, roles in people.items()}
