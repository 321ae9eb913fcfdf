"""Who may do what in a project with a spec, as the model's judge says of the rows that are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg

from specwright.model.caller import Caller
from specwright.model.interpret import Row as StoredRow
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.values import Misfit, fit
from specwright.verify.lab import NotRun, Row
from specwright.verify.people.people import Person
from specwright.verify.policy.meant import Meant
from specwright.verify.policy.stored import Stored
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Collection, Operation, Reference, Surface


@dataclass
class Granted:
    """The grants of a spec; of operations that the spec does not know, what else is meant."""

    manifest: Manifest
    #: What is in the throw-away database.
    stored: Stored
    otherwise: Meant
    #: In which tenant a person is, by their name.
    tenants: Mapping[str, str] = field(default_factory=dict)
    #: What was sent so far: until there is more, the rows are as they were.
    probes: Sequence[Probe] = ()
    _read: tuple[int, World] | None = None
    #: Every row that was ever seen, by resource and key: one that is removed is judged as it was last.
    _seen: dict[tuple[str, Any], StoredRow] = field(default_factory=dict)

    def may(self, person: Person, operation: Operation, row: Row | None) -> bool | None:
        """Whether they should be able to, as things stand now; None where the row is not there.

        Of an operation on no row in particular, None is "it depends on what is sent".
        """
        found = self._asked(operation)
        if found is None:
            return True if _own(operation) else self.otherwise.may(person, operation, row)
        resource, action = found
        judge = Judge(self.world())
        caller = self.caller(person, row)
        if row is None or action == "create":
            if not judge.may_ever(resource, action, caller):
                return False
            return True if action == "list" else None
        values = self._stored(resource, row)
        if values is None:
            return None
        judge = Judge(_with(judge.world, resource, values))
        if action in ("list", "read"):
            return judge.before(resource, action, caller, values) is not None
        reads = judge.before(resource, "read", caller, values) is not None
        return reads and judge.before(resource, action, caller, values) is not None

    def look(self) -> None:
        """Take note of the rows that there are."""
        self.world()

    def world(self) -> World:
        """All the rows that are stored now."""
        if self._read is None or self._read[0] != len(self.probes):
            try:
                world = self.stored.world()
            except (OSError, asyncpg.PostgresError) as error:
                raise NotRun(f"the rows that are stored cannot be read: {error}") from error
            self._read = len(self.probes), world
            for resource in self.manifest.stored:
                for row in world.living(resource.name):
                    self._seen[resource.name, row[resource.key]] = row
        return self._read[1]

    def caller(self, person: Person, row: Row | None) -> Caller:
        """The person as the app sees them, in the tenant that they, or the path, name."""
        tenant = self.manifest.tenant
        key: Any = None
        if tenant is not None:
            named = self.tenants.get(person.name)
            if row is not None and tenant.name in row.place and named is None:
                named = row.place[tenant.name]
            if named is not None:
                key = self.key(self.manifest.resource(tenant.entity), named)
        if person.anonymous:
            return Caller(None, tenant=key)
        return Caller(person.name, frozenset(person.roles), tenant=key)

    def _asked(self, operation: Operation) -> tuple[Resource, str] | None:
        """Which action on which resource an operation is; None for those that are no plain one."""
        prefix = self.manifest.contracts[0].prefix
        if not operation.path.startswith(f"{prefix}/"):
            return None
        found = self.manifest.at(operation.path.removeprefix(prefix))
        if found is None:
            return None
        resource, behind = found
        on_one = len(behind) == 1 and behind[0].startswith("{")
        actions = _ON_ONE if on_one else _ON_ALL if not behind else {}
        action = actions.get(operation.method)
        return None if action is None else (resource, action)

    def _stored(self, resource: Resource, row: Row) -> StoredRow | None:
        try:
            key = self.key(resource, row.key)
        except KeyError:
            return None
        return self._seen.get((resource.name, key))

    def key(self, resource: Resource, key: str) -> Any:
        """A key as it stands in a path, in the type that it is stored in."""
        kind = resource.key_field.type
        try:
            return fit(self.manifest, int(key) if kind.kind == "integer" else key, kind)
        except (Misfit, ValueError):
            return key


_ON_ALL = {"GET": "list", "POST": "create", "PATCH": "update", "DELETE": "delete"}
_ON_ONE = {"GET": "read", "PATCH": "update", "PUT": "update", "DELETE": "delete"}


def _with(world: World, resource: Resource, row: StoredRow) -> World:
    """The world in which the row is there, as it was."""
    others = [each for each in world.rows.get(resource.name, ()) if each[resource.key] != row[resource.key]]
    return replace(world, rows={**world.rows, resource.name: [*others, row]})


def _own(operation: Operation) -> bool:
    """Whether it is one of the pages that a backend serves of itself, to everybody."""
    return operation.source is None and operation.path.startswith(("/docs", "/health/", "/openapi.json"))


def resource_at(manifest: Manifest, path: str) -> Resource | None:
    """The resource of which a path serves the rows themselves, all or one."""
    prefix = manifest.contracts[0].prefix
    found = manifest.at(path.removeprefix(prefix)) if path.startswith(f"{prefix}/") else None
    return found[0] if found is not None and len(found[1]) <= 1 else None


def specified(surface: Surface, manifest: Manifest) -> Surface:
    """The surface, with what the spec tells of its collections: whose their rows are, what they refer to."""
    return replace(surface, collections=tuple(_told(each, surface, manifest) for each in surface.collections))


def _told(collection: Collection, surface: Surface, manifest: Manifest) -> Collection:
    resource = resource_at(manifest, collection.operations[0].path)
    if resource is None:
        return collection
    names = {
        found.name: each.name
        for each in surface.collections
        if (found := resource_at(manifest, each.operations[0].path)) is not None
    }
    references = tuple(
        Reference(field.wire, names[target], many=field.linked is not None)
        for field in resource.fields
        if (target := field.target or field.linked) in names and field.filled is None
    )
    owner = () if resource.owner is None else (resource.owner.wire,)
    return replace(collection, owned_by=owner, references=references)
