"""Makes rows as a client does: a body from the schema, mended by what the app says, and the rows it needs."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.patience import patiently
from specwright.verify.people.identity import identity
from specwright.verify.people.people import Person
from specwright.verify.result import Probe
from specwright.verify.rows.bodies import Bodies, Unfit
from specwright.verify.rows.complaints import Complaint, read_complaints
from specwright.verify.rows.mending import suggestions, unwanted
from specwright.verify.rows.reading_back import carried, keys, learned
from specwright.verify.rows.steps import Steps, at, put, remove, schema_at
from specwright.verify.surface.collections import is_key, key_member
from specwright.verify.surface.schemas import element, kinds, members, plain, required, variants
from specwright.verify.surface.surface import Collection, Operation, Parameter, Reference, Schema, Surface

#: How often a body is mended before it is given up.
_TRIES = 10
#: How apps say that there is no such row.
_LOST = re.compile(r"not[_ ]found|no such|not exist|unknown|foreign", re.I)
#: How much of an answer is told.
_TOLD = 200


@dataclass
class _Recipe:
    """What has been learned of the bodies that an operation takes."""

    #: What was said of a member, and which of the suggestions for that helped.
    mended: dict[Steps, tuple[Complaint, int]] = field(default_factory=dict)
    #: Members that it does not want.
    dropped: set[Steps] = field(default_factory=set)
    #: Whether it wants members that the schema calls optional.
    full: bool = False


class RowMaker:
    """Makes rows of every collection of an app; what it learns of one body it keeps for the next."""

    def __init__(self, surface: Surface, bodies: Bodies) -> None:
        self.surface = surface
        self.bodies = bodies
        #: Called when a row was made.
        self.made_one: Callable[[], None] = lambda: None
        self._recipes: dict[str, _Recipe] = {}
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

    async def body(
        self, lab: Lab, operation: Operation, person: Person, place: Mapping[str, str]
    ) -> dict[str, Any]:
        """A body that the operation should take; of a change, with one member at least.

        Raises:
            NotRun: a row that it needs cannot be made.
        """
        collection = self._whose(operation)
        schema = _inner(operation, collection)
        made = await self._first(lab, operation, collection, person, place, {})
        if not made and schema is not None:
            shown = members(schema)
            made = self._one_member(shown, collection)
        return collection.wrapped(made) if collection is not None and _wraps(operation, collection) else made

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
        schema = _inner(create, collection) or {}
        recipe = self._recipes.setdefault(create.label, _Recipe())
        query, headers = self.asked(create, person)
        body = await self._first(lab, create, collection, person, place, given)
        tried: dict[Steps, int] = {}
        taken = False
        for _ in range(_TRIES):
            sent: Any = collection.wrapped(body) if _wraps(create, collection) else body
            content = sent if create.body is not None or body else ...
            probe = await patiently(
                partial(lab.send, person, create, place, query=query, headers=headers, json=content)
            )
            if probe.succeeded:
                return probe, body
            taken |= probe.status == 409
            if probe.status in (401, 403, 405, None) or (probe.status or 0) >= 500:
                break
            said = read_complaints(probe.answer, members(schema))
            if probe.status == 404:
                # The path leads to rows that are there: it is a row of the body that is not.
                said = tuple(_lost(body, schema, collection))
            changed = False
            for each in said:
                if each.place == "body" and not (changed and each.guessed):
                    changed |= await self._mend(
                        lab, collection, person, schema, body, each, recipe, tried, given if fixed else {}
                    )
            if not changed:
                if recipe.full:
                    break
                recipe.full = True
                body = await self._first(lab, create, collection, person, place, given)
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

    async def _first(
        self,
        lab: Lab,
        operation: Operation,
        collection: Collection | None,
        person: Person,
        place: Mapping[str, str],
        given: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The body by its schema, with the rows it refers to, and with all that has been learned."""
        schema = _inner(operation, collection) or {}
        made: dict[str, Any] = dict(given)
        created = collection.create if collection is not None else None
        known = self._recipes.get(created.label) if created is not None else None
        recipe = self._recipes.get(operation.label) or known or _Recipe()
        shown, needed = members(schema), required(schema)
        wanted = [*needed, *(name for name in shown if recipe.full and name not in needed)]
        links = {each.member: each for each in collection.references} if collection is not None else {}
        for name in wanted:
            if name in made:
                continue
            found = await self._filled(
                lab, collection, links.get(name), name, shown.get(name, {}), person, place
            )
            if found is not None:
                made[name] = found
                continue
            try:
                made[name] = self.bodies.value(shown.get(name, {}), name)
            except Unfit as why:
                if name in needed:
                    raise NotRun(f"no body for {operation.label} can be made up: {why}") from None
        for steps, (complaint, turn) in recipe.mended.items():
            if steps[0] not in given and (operation is created or steps[0] in made):
                await self._set(lab, collection, person, schema, made, complaint, turn)
        for steps in recipe.dropped:
            remove(made, steps)
        return made

    async def _filled(
        self,
        lab: Lab,
        collection: Collection | None,
        link: Reference | None,
        name: str,
        schema: Schema,
        person: Person,
        place: Mapping[str, str],
    ) -> Any:
        """What a member must hold that names a row, or a person; None where it names neither."""
        if collection is not None and name == collection.above and name in place:
            return _cast(place[name], schema)
        if link is not None:
            row = await self._row(lab, self.surface.collection(link.collection), person)
            key = row.body.get(row.collection.member, row.key)
            if not link.many:
                return _cast(key, schema)
            return [_cast(key, element(schema) or {})]
        if name in ("user_id", "owner_id", "author_id", "username", "user") and not members(schema):
            return identity(person, schema)
        return None

    async def _mend(
        self,
        lab: Lab,
        collection: Collection,
        person: Person,
        schema: Schema,
        body: dict[str, Any],
        complaint: Complaint,
        recipe: _Recipe,
        tried: dict[Steps, int],
        given: Mapping[str, Any],
    ) -> bool:
        """Change the body so that the complaint may not come again; whether there was a way."""
        steps = complaint.path[1:] if complaint.path[:1] == (collection.wrapping,) else complaint.path
        if not steps or steps[0] in given or not isinstance(steps[0], str):
            return False
        complaint = replace(complaint, path=steps)
        if unwanted(complaint) and at(body, steps) is not None and steps[0] not in required(schema):
            recipe.dropped.add(steps)
            return remove(body, steps)
        turn = tried.get(steps, -1) + 1
        tried[steps] = turn
        recipe.mended[steps] = complaint, turn
        if await self._set(lab, collection, person, schema, body, complaint, turn):
            return True
        del recipe.mended[steps]
        if steps[0] in required(schema) or at(body, steps) is None:
            return False
        recipe.dropped.add(steps)
        return remove(body, steps)

    async def _set(
        self,
        lab: Lab,
        collection: Collection | None,
        person: Person,
        schema: Schema,
        body: dict[str, Any],
        complaint: Complaint,
        turn: int,
    ) -> bool:
        """Put the suggestion of this turn where the complaint points; whether there is one."""
        steps = complaint.path
        there = schema_at(schema, steps)
        links = {each.member: each for each in collection.references} if collection is not None else {}
        if turn == 0 and steps[0] in links and len(steps) == 1:
            value = await self._filled(
                lab, collection, links[str(steps[0])], str(steps[0]), there, person, {}
            )
        else:
            known = steps[0] in links and len(steps) == 1
            if known:
                # A row that is refused is not mended by the key of none.
                return False
            if is_key(there) and _LOST.search(f"{complaint.kind} {complaint.message}"):
                return await self._guess(lab, person, there, body, steps, turn)
            offered = suggestions(complaint, at(body, steps), there, self.bodies)
            value = next(islice(offered, turn, None), None)
        return value is not None and put(body, steps, value)

    async def _guess(
        self, lab: Lab, person: Person, schema: Schema, body: dict[str, Any], steps: Steps, turn: int
    ) -> bool:
        """Put the key of some row where the app misses one: of another collection each turn."""
        others = [each for each in self.surface.collections if each.create and each.name not in self._making]
        if turn >= len(others):
            return False
        try:
            row = await self._row(lab, others[turn], person)
        except NotRun:
            return True
        return put(body, steps, _cast(row.body.get(row.collection.member, row.key), schema))

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
            row = await self._row(lab, above, person)
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

    async def _row(self, lab: Lab, collection: Collection, person: Person) -> Row:
        """A row of this person; of one who may make it, where they may not."""
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


def _lost(body: Mapping[str, Any], schema: Schema, collection: Collection) -> Iterator[Complaint]:
    """What may be the matter when rows are not found: members that are keys of who knows what."""
    links = {reference.member for reference in collection.references}
    for name, each in members(schema).items():
        if name in body and name not in links and is_key(each):
            yield Complaint((name,), "not_found", guessed=True)


def _inner(operation: Operation, collection: Collection | None) -> Schema | None:
    """The schema of the members in a body, out of what it is wrapped in."""
    if operation.body is None or collection is None or not _wraps(operation, collection):
        return operation.body
    return members(operation.body)[collection.wrapping]


def _wraps(operation: Operation, collection: Collection) -> bool:
    return bool(collection.wrapping) and collection.wrapping in members(operation.body)


def names(row: Row) -> Iterator[str]:
    """The members, of those that were sent, that the row's key is made of: once they change, so does it."""
    key = _slug(row.key)
    for member, value in row.sent.items():
        if isinstance(value, str) and value and key.startswith(_slug(value)):
            yield member


def _slug(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def _cast(key: Any, schema: Schema) -> Any:
    whole = any("integer" in kinds(each) for each in variants(plain(schema)))
    return int(key) if whole and str(key).isdecimal() else key


def _is_text(schema: Schema) -> bool:
    each = plain(variants(plain(schema))[0])
    return "string" in kinds(each) and "format" not in each and "enum" not in each
