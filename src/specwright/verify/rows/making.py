"""Makes rows as a client does: a body from the schema, mended by what the app says, and the rows it needs."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.patience import patiently
from specwright.verify.people.identity import identity
from specwright.verify.people.people import Person
from specwright.verify.result import Probe
from specwright.verify.rows.bodies import Bodies, Unfit
from specwright.verify.rows.complaints import read_complaints
from specwright.verify.rows.drafting import Draft, Recipe
from specwright.verify.rows.reading_back import carried, keys, learned
from specwright.verify.surface.collections import key_member
from specwright.verify.surface.schemas import kinds, members, plain, variants
from specwright.verify.surface.surface import Collection, Operation, Parameter, Schema, Surface

#: How often a body is mended before it is given up.
_TRIES = 10
#: How much of an answer is told.
_TOLD = 200


class RowMaker:
    """Makes rows of every collection of an app; what it learns of one body it keeps for the next."""

    def __init__(self, surface: Surface, bodies: Bodies) -> None:
        self.surface = surface
        self.bodies = bodies
        #: Called when a row was made.
        self.made_one: Callable[[], None] = lambda: None
        self._recipes: dict[str, Recipe] = {}
        #: By collection, members that its rows are named by in paths: a slug is made of the title.
        self._naming: dict[str, set[str]] = {}
        #: The last row of each person in each collection.
        self._latest: dict[tuple[str, str], Row] = {}
        self._making: list[str] = []

    async def make(self, lab: Lab, collection: Collection, person: Person, members: Mapping[str, Any]) -> Row:
        """A new row of this person, with these members in its body, read back.

        Raises:
            NotRun: the app takes no body that could be thought of.
        """
        create = collection.create
        if create is None:
            raise NotRun(f"nothing makes rows of {collection.name}")
        if collection.name in self._making:
            raise NotRun(f"a row of {collection.name} needs one of its own kind first")
        self._making.append(collection.name)
        try:
            place = await self._place(lab, collection, create, person)
            probe, sent = await self.made(lab, collection, create, person, place, members)
            row = await self._read_back(lab, collection, person, place, probe, sent)
            self._naming.setdefault(collection.name, set()).update(names(row))
            self._latest[collection.name, person.name] = row
            self.made_one()
            return row
        finally:
            self._making.pop()

    def makes(self, collection: Collection) -> bool:
        """Whether its rows can be made, and none of them is being made."""
        return collection.create is not None and collection.name not in self._making

    async def body(
        self, lab: Lab, operation: Operation, person: Person, place: Mapping[str, str]
    ) -> dict[str, Any]:
        """A body that the operation should take; of a change, with one member at least.

        Raises:
            NotRun: a row that it needs cannot be made.
        """
        collection = self._whose(operation)
        draft = self._draft(lab, operation, collection, person, place, {})
        await draft.begin()
        if not draft.members:
            draft.members = self._one_member(members(draft.form.schema), collection)
        return draft.form.body(draft.members)

    def _one_member(self, shown: Mapping[str, Schema], collection: Collection | None) -> dict[str, Any]:
        taken = {reference.member for reference in collection.references} if collection is not None else set()
        naming = self._naming.get(collection.name, set()) if collection is not None else set()
        texts = sorted((name for name, each in shown.items() if _is_text(each)), key=naming.__contains__)
        for name in (*texts, *shown):
            if name not in taken:
                try:
                    return {name: self.bodies.value(shown[name], name)}
                except Unfit:
                    continue
        return {}

    def _whose(self, operation: Operation) -> Collection | None:
        for collection in self.surface.collections:
            if any(each.label == operation.label for each in collection.operations):
                return collection
        return None

    async def made(
        self,
        lab: Lab,
        collection: Collection,
        create: Operation,
        person: Person,
        place: Mapping[str, str],
        given: Mapping[str, Any],
        *,
        fixed: bool = True,
    ) -> tuple[Probe, dict[str, Any]]:
        """The answer that says that a row is there, and what was sent for it; `given` too unless it is fixed.

        Raises:
            NotRun: no body is taken.
        """
        query, headers = self.asked(create, person)
        draft = self._draft(lab, create, collection, person, place, given, fixed=fixed)
        await draft.begin()
        recipe = self._recipes[create.label]
        taken = False
        for _ in range(_TRIES):
            probe = await patiently(
                partial(lab.send, person, create, place, query=query, headers=headers, json=draft.content)
            )
            if probe.succeeded:
                return probe, draft.members
            taken |= probe.status == 409
            if probe.status in (401, 403, 405, None) or (probe.status or 0) >= 500:
                break
            said = read_complaints(probe.answer, members(draft.form.schema))
            if probe.status == 404:
                # The path leads to rows that are there: it is a row of the body that is not.
                said = tuple(draft.lost())
            if not await draft.mend(said):
                if recipe.full:
                    break
                recipe.full = True
                await draft.begin()
        if taken and await self._make_room(lab, collection, person):
            # What was learned in vain is forgotten.
            self._recipes.pop(create.label, None)
            return await self.made(lab, collection, create, person, place, given, fixed=fixed)
        said_last = probe.trouble or f"{probe.status}: {probe.text[:_TOLD]}"
        raise NotRun(f"no row of {collection.name} can be made: {create.label} answers {said_last}", probe)

    async def _make_room(self, lab: Lab, collection: Collection, person: Person) -> bool:
        """Whether the last row of this person was removed, who may have only so many."""
        row = self._latest.pop((collection.name, person.name), None)
        if row is None or collection.delete is None:
            return False
        return (await lab.send(person, collection.delete, row.place)).succeeded

    def _draft(
        self,
        lab: Lab,
        operation: Operation,
        collection: Collection | None,
        person: Person,
        place: Mapping[str, str],
        given: Mapping[str, Any],
        *,
        fixed: bool = True,
    ) -> Draft:
        """A body, with all that has been learned of those that make rows of the collection."""
        created = collection.create if collection is not None else None
        if operation is created:
            recipe = self._recipes.setdefault(operation.label, Recipe())
        else:
            recipe = (self._recipes.get(created.label) if created is not None else None) or Recipe()
        rows = _Rows(self, lab)
        return Draft(rows, self.bodies, operation, collection, person, place, recipe, given, fixed=fixed)

    async def _place(
        self, lab: Lab, collection: Collection, operation: Operation, person: Person
    ) -> dict[str, str]:
        """What fills the path of an operation on all rows: the keys of the rows above."""
        names = [parameter.name for parameter in operation.of("path")]
        if not names:
            return {}
        place: dict[str, str] = {}
        if collection.parent is not None:
            above = self.surface.collection(collection.parent)
            row = await _Rows(self, lab).row(above, person)
            one = next(each for each in (above.read, above.change, above.delete, *above.others) if each)
            keys = [row.place[each.name] for each in one.of("path") if each.name in row.place]
            place = dict(zip(names, keys or [row.key], strict=False))
        for parameter in operation.of("path"):
            if parameter.name not in place:
                own = identity(person, parameter.schema)
                if own is None:
                    raise NotRun(f"nothing says what {{{parameter.name}}} is in {operation.label}")
                place[parameter.name] = str(own)
        return place

    async def _read_back(
        self,
        lab: Lab,
        collection: Collection,
        person: Person,
        place: Mapping[str, str],
        probe: Probe,
        sent: Mapping[str, Any],
    ) -> Row:
        """The row as its maker sees it, under the key that the answer, or the list, says it has."""
        collection, shown = learned(collection, parse(probe))
        reading = collection.read or collection.change or collection.delete
        if reading is None:
            return Row(collection, person, {**place, collection.key: ""}, shown, dict(sent))
        seen: Probe | None = None
        for member, key in [
            *keys(collection, shown, probe),
            *await self._listed(lab, collection, person, place, sent),
        ]:
            found = replace(collection, member=member) if member else collection
            row = Row(found, person, {**carried(place, reading), found.key: key}, shown, dict(sent))
            if collection.read is None:
                return row
            seen = await lab.send(person, collection.read, row.place)
            if seen.succeeded:
                found, body = learned(found, parse(seen))
                return replace(row, collection=found, body=body or shown)
        if seen is not None:
            raise NotRun(f"a row of {collection.name} is made, and its maker cannot read it", probe, seen)
        raise NotRun(f"nothing says what key the new row of {collection.name} has", probe)

    async def _listed(
        self,
        lab: Lab,
        collection: Collection,
        person: Person,
        place: Mapping[str, str],
        sent: Mapping[str, Any],
    ) -> list[tuple[str, str]]:
        """The key of the row in the list that has a text that was sent; asked for only if need be."""
        if collection.list is None:
            return []
        texts = [value for value in sent.values() if isinstance(value, str) and len(value) > 8]
        answer = parse(await lab.send(person, collection.list, place))
        rows = (
            answer
            if isinstance(answer, list)
            else next((each for each in (answer or {}).values() if isinstance(each, list)), [])
        )
        for row in reversed(rows):
            if isinstance(row, dict) and any(text in json.dumps(row) for text in texts):
                member = key_member(collection.key, collection.name, row)
                if member in row:
                    return [(member, str(row[member]))]
        return []

    def asked(self, operation: Operation, person: Person) -> tuple[list[tuple[str, Any]], dict[str, str]]:
        """Values for the parameters, outside of the path, that have to be there and are not the person's."""
        sent = {name.lower() for name in person.headers}
        query: list[tuple[str, Any]] = []
        headers: dict[str, str] = {}
        for parameter in operation.parameters:
            if parameter.required and parameter.place == "query":
                query.append((parameter.name, self._parameter(parameter)))
            elif parameter.required and parameter.place == "header" and parameter.name.lower() not in sent:
                headers[parameter.name] = str(self._parameter(parameter))
        return query, headers

    def _parameter(self, parameter: Parameter) -> Any:
        try:
            return self.bodies.value(parameter.schema, parameter.name)
        except Unfit as why:
            raise NotRun(f"no value for the parameter {parameter.name} can be made up: {why}") from None


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that others refer to, or stand below."""

    maker: RowMaker
    lab: Lab

    def named(self, collection: str) -> Collection:
        return self.maker.surface.collection(collection)

    def guessable(self) -> list[Collection]:
        return [each for each in self.maker.surface.collections if self.maker.makes(each)]

    async def row(self, collection: Collection, person: Person) -> Row:
        """A row of this person; of one who may make it, where they may not."""
        lab = self.lab
        try:
            return await lab.row(collection, person)
        except NotRun as why:
            for other in sorted(lab.people.signed_in, key=lambda each: not each.privileged):
                if other is person or lab.policy.may(other, collection.create, None) is False:  # type: ignore[arg-type]
                    continue
                try:
                    row = await lab.row(collection, other)
                except NotRun:
                    continue
                if collection.read is None or (await lab.read(row, person)).succeeded:
                    return row
            raise why from None


def names(row: Row) -> Iterator[str]:
    """The members, of those that were sent, that the row's key is made of: once they change, so does it."""
    key = _slug(row.key)
    for member, value in row.sent.items():
        if isinstance(value, str) and value and key.startswith(_slug(value)):
            yield member


def _slug(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def _is_text(schema: Schema) -> bool:
    each = plain(variants(plain(schema))[0])
    return "string" in kinds(each) and "format" not in each and "enum" not in each
