"""The people of a project's own spec: two equals who may do as much as anybody, and one for each role."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from specwright.model.caller import Caller
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.verify.people.people import People, Person
from specwright.verify.requirements.examples import Credentials

_EQUALS = ("ada", "bob")


def players(manifest: Manifest, credentials: Credentials) -> People:
    """The people; `ada` and `bob` have a role only where people without one can make next to nothing."""

    def person(name: str, *roles: str) -> Person:
        known = frozenset({name})
        return Person(name, roles, credentials(name, roles, {}), known_as=known, privileged=False)

    roles = _common(manifest)
    owner, stranger = (person(name, *roles) for name in _EQUALS)
    return People(owner, stranger, tuple(_others(manifest, roles, person)))


def _others(manifest: Manifest, common: tuple[str, ...], person: Callable[..., Person]) -> Iterator[Person]:
    if common:
        yield person("carol")
    for role in manifest.roles:
        if (role.name,) != common:
            yield person(f"{role.name}-person", role.name)


def _common(manifest: Manifest) -> tuple[str, ...]:
    """The role, or none, with which most can be made and read again."""
    judge = Judge(World(manifest, {}, datetime.now(UTC)))

    def makes(roles: tuple[str, ...]) -> int:
        caller = Caller("ada", frozenset(roles), tenant="")
        return sum(
            judge.may_ever(resource, "create", caller) and judge.may_ever(resource, "read", caller)
            for resource in manifest.served
        )

    return max([(), *((role.name,) for role in manifest.roles)], key=makes)
