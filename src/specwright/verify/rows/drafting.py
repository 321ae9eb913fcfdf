"""A body on its way to being taken: as its schema has it at first, then mended by what the app says of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from specwright.verify.lab import NotRun, Row
from specwright.verify.people.identity import identity
from specwright.verify.people.people import Person
from specwright.verify.rows.bodies import Bodies, Unfit
from specwright.verify.rows.complaints import Complaint
from specwright.verify.rows.mending import suggestions, unwanted
from specwright.verify.rows.steps import Steps, at, put, remove, schema_at
from specwright.verify.surface.collections import is_key
from specwright.verify.surface.forms import Form, form_of
from specwright.verify.surface.schemas import element, kinds, members, plain, required, variants
from specwright.verify.surface.surface import Collection, Operation, Reference, Schema

#: How apps say that there is no such row.
_LOST = re.compile(r"not[_ ]found|no such|not exist|unknown|foreign", re.I)
#: Members that name a person, whatever they refer to.
_PERSONAL = ("user_id", "owner_id", "author_id", "username", "user")


@dataclass
class Recipe:
    """What has been learned of the bodies that an operation takes."""

    #: What was said of a member, and which of the suggestions for that helped.
    mended: dict[Steps, tuple[Complaint, int]] = field(default_factory=dict)
    #: Members that it does not want.
    dropped: set[Steps] = field(default_factory=set)
    #: Whether it wants members that the schema calls optional.
    full: bool = False


class Rows(Protocol):
    """The rows that a body can refer to."""

    def named(self, collection: str) -> Collection:
        """The collection of this name."""
        ...

    def guessable(self) -> list[Collection]:
        """The collections whose rows can be made for the sake of this one."""
        ...

    async def row(self, collection: Collection, person: Person) -> Row:
        """A row that this person may refer to.

        Raises:
            NotRun: there is none.
        """
        ...


class Draft:
    """One body of one operation, for one person."""

    def __init__(
        self,
        rows: Rows,
        bodies: Bodies,
        operation: Operation,
        collection: Collection | None,
        person: Person,
        place: Mapping[str, str],
        recipe: Recipe,
        given: Mapping[str, Any],
        *,
        fixed: bool = True,
    ) -> None:
        """Begin with nothing; `begin` fills it.

        Args:
            given: members that are known already; those that are `fixed` stay as they are.
        """
        self.form: Form = form_of(operation, collection)
        self.members: dict[str, Any] = {}
        self._rows = rows
        self._bodies = bodies
        self._operation = operation
        self._collection = collection
        self._person = person
        self._place = place
        self._recipe = recipe
        self._given = given
        self._fixed: Mapping[str, Any] = given if fixed else {}
        self._tried: dict[Steps, int] = {}
        references = collection.references if collection is not None else ()
        self._links: dict[str, Reference] = {each.member: each for each in references}

    @property
    def content(self) -> Any:
        """What is sent: `...` for no body at all."""
        if self._operation.body is None and not self.members:
            return ...
        return self.form.body(self.members)

    async def begin(self) -> None:
        """Fill it by its schema, with the rows it refers to, and with all that has been learned.

        Raises:
            NotRun: a member that must be there cannot be made up, or a row that it needs cannot be made.
        """
        self.members = made = dict(self._given)
        shown, needed = members(self.form.schema), required(self.form.schema)
        recipe = self._recipe
        wanted = [*needed, *(name for name in shown if recipe.full and name not in needed)]
        for name in wanted:
            if name in made:
                continue
            found = await self._reference(name, shown.get(name, {}), self._place)
            if found is not None:
                made[name] = found
                continue
            try:
                made[name] = self._bodies.value(shown.get(name, {}), name)
            except Unfit as why:
                if name in needed:
                    raise NotRun(f"no body for {self._operation.label} can be made up: {why}") from None
        creates = self._collection is not None and self._operation is self._collection.create
        for steps, (complaint, turn) in recipe.mended.items():
            if steps[0] not in self._given and (creates or steps[0] in made):
                await self._suggest(complaint, turn)
        for steps in recipe.dropped:
            remove(made, steps)

    async def mend(self, complaints: tuple[Complaint, ...]) -> bool:
        """Change it so that the complaints may not come again; whether there was a way."""
        changed = False
        for each in complaints:
            if each.place == "body" and not (changed and each.guessed):
                changed |= await self._mend(each)
        return changed

    def lost(self) -> Iterator[Complaint]:
        """What may be the matter when rows are not found: members that are keys of who knows what."""
        for name, schema in members(self.form.schema).items():
            if name in self.members and name not in self._links and is_key(schema):
                yield Complaint((name,), "not_found", guessed=True)

    async def _mend(self, complaint: Complaint) -> bool:
        wrapping = self._collection.wrapping if self._collection is not None else ""
        steps = complaint.path[1:] if complaint.path[:1] == (wrapping,) else complaint.path
        if not steps or steps[0] in self._fixed or not isinstance(steps[0], str):
            return False
        complaint = replace(complaint, path=steps)
        optional = steps[0] not in required(self.form.schema)
        if unwanted(complaint) and at(self.members, steps) is not None and optional:
            self._recipe.dropped.add(steps)
            return remove(self.members, steps)
        turn = self._tried[steps] = self._tried.get(steps, -1) + 1
        self._recipe.mended[steps] = complaint, turn
        if await self._suggest(complaint, turn):
            return True
        del self._recipe.mended[steps]
        if not optional or at(self.members, steps) is None:
            return False
        self._recipe.dropped.add(steps)
        return remove(self.members, steps)

    async def _suggest(self, complaint: Complaint, turn: int) -> bool:
        """Put the suggestion of this turn where the complaint points; whether there is one."""
        steps = complaint.path
        there = schema_at(self.form.schema, steps)
        if len(steps) == 1 and steps[0] in self._links:
            # A row that is refused is not mended by the key of none.
            value = await self._reference(str(steps[0]), there, {}) if turn == 0 else None
        elif is_key(there) and _LOST.search(f"{complaint.kind} {complaint.message}"):
            return await self._guess(there, steps, turn)
        else:
            offered = suggestions(complaint, at(self.members, steps), there, self._bodies)
            value = next(islice(offered, turn, None), None)
        return value is not None and put(self.members, steps, value)

    async def _guess(self, schema: Schema, steps: Steps, turn: int) -> bool:
        """Put the key of some row where the app misses one: of another collection each turn."""
        others = self._rows.guessable()
        if turn >= len(others):
            return False
        try:
            row = await self._rows.row(others[turn], self._person)
        except NotRun:
            return True
        return put(self.members, steps, _cast(row.body.get(row.collection.member, row.key), schema))

    async def _reference(self, name: str, schema: Schema, place: Mapping[str, str]) -> Any:
        """What a member must hold that names a row, or a person; None where it names neither."""
        if self._collection is not None and name == self._collection.above and name in place:
            return _cast(place[name], schema)
        link = self._links.get(name)
        if link is not None:
            row = await self._rows.row(self._rows.named(link.collection), self._person)
            key = row.body.get(row.collection.member, row.key)
            return [_cast(key, element(schema) or {})] if link.many else _cast(key, schema)
        if name in _PERSONAL and not members(schema):
            return identity(self._person, schema)
        return None


def _cast(key: Any, schema: Schema) -> Any:
    whole = any("integer" in kinds(each) for each in variants(plain(schema)))
    return int(key) if whole and str(key).isdecimal() else key
