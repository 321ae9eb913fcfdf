"""Somebody before a row, what they do there, and what is needed for it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from specwright.model.caller import Caller
from specwright.model.interpret import Row as StoredRow
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import Kind
from specwright.model.values import Misfit, fit
from specwright.model.verdict import Verdict
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import Person
from specwright.verify.policy.granted import Granted, resource_at
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Collection, Operation

#: What is due where nothing is in the way.
DONE = Verdict(200)
#: Rows of a page that is asked for.
PAGE = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody before a row, with all that is stored at this moment."""

    lab: Lab
    granted: Granted
    resource: Resource
    collection: Collection
    person: Person
    row: Row

    @property
    def manifest(self) -> Manifest:
        """What the spec says."""
        return self.granted.manifest

    @property
    def world(self) -> World:
        """What is stored now."""
        return self.granted.world()

    @property
    def judge(self) -> Judge:
        """Decides on what is stored now."""
        return Judge(self.world)

    @property
    def caller(self) -> Caller:
        """The person as the app sees them."""
        return self.granted.caller(self.person, self.row)

    @property
    def key(self) -> Any:
        """The row's key as it is stored."""
        return self.granted.key(self.resource, self.row.key)

    @property
    def stored(self) -> StoredRow:
        """The row as it is stored.

        Raises:
            NotRun: it is not there any more.
        """
        found = stored_row(self.world, self.resource, self.key)
        if found is None:
            raise NotRun(f"the row of {self.collection.name} is not there any more")
        return found

    def values(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The members of a body by the names of the spec, as they are judged.

        Raises:
            NotRun: a member is not of its type.
        """
        fields = {known.wire: known for known in self.resource.fields}
        found: dict[str, Any] = {}
        for wire, value in body.items():
            if wire not in fields:
                raise NotRun(f"{self.collection.name} has no {wire}")
            known = fields[wire]
            try:
                found[known.name] = self._typed(known.type.item, value, known.linked, known.type)
            except (Misfit, ValueError, TypeError):
                raise NotRun(f"{wire} of {self.collection.name} cannot be judged") from None
        return found

    def _typed(self, item: Any, value: Any, linked: str | None, type_: Any) -> Any:
        if linked is not None:
            target = self.manifest.resource(linked)
            return [self.granted.key(target, each) for each in value]
        if item is not None:
            return None if value is None else [self._typed(None, each, None, item) for each in value]
        if type_.kind is Kind.NUMBER and isinstance(value, str):
            return fit(self.manifest, Decimal(value), type_)
        return fit(self.manifest, value, type_)


@dataclass(frozen=True, slots=True)
class Try:
    """A request of a scene, what it must come to, and what is wrong with what it has come to."""

    operation: Operation
    due: Verdict
    place: Mapping[str, str]
    json: Any = ...
    query: Sequence[tuple[str, Any]] = ()
    #: Of a request that succeeds: what is wrong with the answer, or with what is stored now; "" is nothing.
    wrong: Callable[[Probe, World], Awaitable[str] | str] = lambda probe, world: ""
    #: Whether what else code does decides, too, whether it succeeds.
    depends: bool = False


class Whose(Enum):
    """Whose row an act is tried on; where they can make none, whoever can."""

    OWNERS = auto()
    #: The person's own.
    OWN = auto()
    #: That of somebody who is neither owner nor stranger.
    ANOTHERS = auto()


@dataclass(frozen=True, slots=True)
class Act:
    """Something that people do: `ask` says what is to be sent in a scene, None where there is nothing to do.

    Its `ask` raises NotRun where the scene is no good for it.
    """

    name: str
    operation: Operation
    ask: Callable[[Scene], Awaitable[Try | None]]
    #: On whose row it is tried.
    whose: Whose = Whose.OWNERS


def stored_row(world: World, resource: Resource, key: Any) -> StoredRow | None:
    """The row of this key, deleted or not."""
    return next((row for row in world.rows.get(resource.name, ()) if row[resource.key] == key), None)


async def body_for(operation: Operation, scene: Scene, person: Person) -> dict[str, Any]:
    body = await scene.lab.maker.body(scene.lab, operation, person, scene.row.place)
    if not body:
        raise NotRun(f"there is nothing to send in {operation.label}")
    return body


async def owners_key(scene: Scene, entity: str) -> str:
    """The key of a row of the owner, as it stands in a body.

    Raises:
        NotRun: they can make none.
    """
    for collection in scene.lab.surface.collections:
        resource = resource_at(scene.manifest, collection.operations[0].path)
        if resource is not None and resource.name == entity:
            return (await scene.lab.row(collection, scene.lab.people.owner)).key
    raise NotRun(f"nothing makes rows of {entity}")


async def deleted(scene: Scene) -> StoredRow:
    """The row, once somebody who may has deleted it; a new one, which is looked at once.

    Raises:
        NotRun: nobody may.
    """
    deleted = scene.resource.deleted
    assert deleted is not None, "what is deleted softly has the field"
    if scene.stored[deleted.name] is None and scene.collection.delete is not None:
        for person in scene.lab.people.signed_in:
            await scene.lab.send(person, scene.collection.delete, scene.row.place)
            if scene.stored[deleted.name] is not None:
                break
    if scene.stored[deleted.name] is None:
        raise NotRun(f"nobody may delete the row of {scene.collection.name}")
    return scene.stored
