"""Where checks work: an app that runs, the people who speak to it, and rows that they made.

A check sends requests and asks for rows here, and nowhere else, so that everything sent is on record.
"""

import asyncio
import json as json_format
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import httpx2

from specwright.model.errors import SpecwrightError
from specwright.model.manifest import Manifest
from specwright.verify.asking import ask
from specwright.verify.incidents import SPARED, Incidents
from specwright.verify.inside import MARK, Inside
from specwright.verify.media import encode
from specwright.verify.people.people import People, Person
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Collection, Operation, Surface

#: Seconds that an answer may take.
PATIENCE = 10.0
#: A text of this length is in an answer only when the row is.
_TELLING = 8


class NotRun(Exception):
    """Something that a check needs is not to be had; the message is a sentence that says why."""

    def __init__(self, why: str, *probes: Probe) -> None:
        super().__init__(why)
        self.probes = probes


@dataclass(frozen=True, slots=True)
class Row:
    """A row that somebody made, as they read it back."""

    collection: Collection
    person: Person
    #: What fills the path of its operations, keys of the rows above it among them.
    place: Mapping[str, str]
    #: As the app answers it to `person`.
    body: Mapping[str, Any]
    #: What was sent to make it.
    sent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What names it in a path."""
        return self.place[self.collection.key]

    def at(self, operation: Operation) -> str:
        """The path of an operation on it."""
        return fill(operation.path, self.place)

    def shown_in(self, probe: Probe) -> bool:
        """Whether an answer shows it: a text that was sent to make it, or else its key."""
        texts = [value for value in self.sent.values() if isinstance(value, str) and len(value) >= _TELLING]
        return any(text in probe.text for text in texts or [self.key])


class Maker(Protocol):
    """Makes rows, and whatever rows they need: above them, or referred to."""

    async def make(
        self, lab: "Lab", collection: Collection, person: Person, members: Mapping[str, Any]
    ) -> Row:
        """A new row of this person, with these members in its body.

        Raises:
            NotRun: the app takes no body that could be thought of.
        """
        ...

    async def body(
        self, lab: "Lab", operation: Operation, person: Person, place: Mapping[str, str]
    ) -> dict[str, Any]:
        """A body that the operation should take.

        Raises:
            NotRun: a row that it needs cannot be made.
        """
        ...

    def asked(self, operation: Operation, person: Person) -> tuple[list[tuple[str, Any]], dict[str, str]]:
        """Values for the parameters in the query and the headers that have to be there.

        Raises:
            NotRun: none can be made up.
        """
        ...


class Policy(Protocol):
    """Who is meant to be allowed what, as far as anybody has said."""

    def may(self, person: Person, operation: Operation, row: Row | None) -> bool | None:
        """Whether they should be able to; None where nobody has said and nothing shows it."""
        ...


class Signer(Protocol):
    """Signs tokens with the very key that the app checks them with."""

    @property
    def public(self) -> str | None:
        """The public half of the key as PEM; None of a secret, which has none."""
        ...

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """A token with these claims, and these members in its header besides the algorithm (RFC 7519)."""
        ...


@dataclass(slots=True)
class Lab:
    """One app under verification."""

    base: str
    surface: Surface
    people: People
    maker: Maker
    policy: Policy
    client: httpx2.AsyncClient
    #: None where only requests and answers can be seen.
    inside: Inside | None = None
    manifest: Manifest | None = None
    #: None where the key is not known.
    signer: Signer | None = None
    #: Where the app's own code is, if it is here.
    folder: Path | None = None
    #: Chooses what is sent: the same for the same seed.
    random: Random = field(default_factory=lambda: Random(0))
    #: The one operation that is looked at once more; "" when all are looked at.
    focus: str = ""
    #: What no report may hold, and what it is: "password of ada". Checks may add to it.
    secrets: dict[str, str] = field(default_factory=dict)
    #: Every request so far.
    probes: list[Probe] = field(default_factory=list)
    #: What befell the app meanwhile.
    incidents: Incidents = field(default_factory=Incidents)
    _rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    #: One for each request, even for those that are under way together.
    _marks: Iterator[int] = field(default_factory=count)

    async def send(
        self,
        person: Person,
        operation: Operation,
        place: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
        json: Any = ...,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Probe:
        """Send a request to an operation and keep what came back.

        Never raises for what the app does: no answer is a probe without a status.
        """
        return await self.sent(
            self.request(person, operation, place, query=query, json=json, content=content, headers=headers)
        )

    def request(
        self,
        person: Person,
        operation: Operation,
        place: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
        json: Any = ...,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Probe:
        """A request that is not sent yet.

        `json` goes out in the operation's own media type, a form where it is one; `content` as it is.
        """
        path = fill(operation.path, place or {})
        asked = urlencode(query, doseq=True)
        sent = dict(headers or {})
        if json is not ...:
            content, media = encode(json, operation.media)
            sent.setdefault("content-type", media)
        path = f"{path}?{asked}" if asked else path
        return Probe(person, operation.method, path, tuple(sent.items()), content, operation=operation)

    async def at_once(
        self,
        probes: Sequence[Probe],
        patience: float = PATIENCE,
        met: Callable[[Probe], None] = lambda probe: None,
    ) -> list[Probe]:
        """Send requests as they stand, all at the same time. `met` is called with each answer as it comes."""

        async def sent(probe: Probe) -> Probe:
            answered = replace(await self._asked(probe, patience), crowded=True, statements=None)
            met(answered)
            return answered

        answers = await asyncio.gather(*map(sent, probes))
        self.client.cookies.clear()
        self.probes += answers
        if not self.incidents.harm and await self.incidents.look_after(answers, self.inside):
            await self.revive()
        return answers

    def headers(self, probe: Probe, mark: str) -> dict[str, str]:
        """The headers of a request, credential and mark included."""
        headers = {**probe.person.headers, **dict(probe.headers)}
        if probe.person.cookies:
            headers.setdefault("cookie", "; ".join(f"{n}={v}" for n, v in probe.person.cookies.items()))
        return headers | ({MARK: mark} if self.inside is not None else {})

    async def sent(self, probe: Probe) -> Probe:
        """Send a request just as it stands: a changed method, a broken path."""
        if self.incidents.spares(probe):
            self.probes.append(probe := replace(probe, mark="", status=None, trouble=SPARED))
            return probe
        asked, probe = probe, await self._asked(probe)
        if "broke" in probe.trouble and self.probes and (self.probes[-1].status or 0) >= 500:
            # After a failure a server closes the connection, which may not have been known here yet.
            probe = await self._asked(asked)
        stuck = ""
        if self.inside is not None:
            seen = await self.inside.observed(probe.mark)
            probe, stuck = replace(probe, statements=seen.statements), seen.stuck
        self.client.cookies.clear()
        self.probes.append(probe := await self.incidents.look(probe, self.base, self.inside, stuck))
        if self.incidents.by(probe):
            await self.revive()
        return probe

    async def _asked(self, probe: Probe, patience: float = PATIENCE) -> Probe:
        """The probe with its answer, or with why there is none."""
        probe = replace(probe, mark=str(next(self._marks)))
        return await ask(self.client, self.base, probe, self.headers(probe, probe.mark), patience)

    async def revive(self) -> None:
        """Start an app again that has died; what it held in memory alone is gone."""
        if self.inside is None or self.incidents.down:
            return
        if not self.inside.alive:
            self._rows.clear()
            try:
                await self.inside.restart()
            except SpecwrightError as why:
                self.incidents.down = f"the app does not start again: {why}"
        self.base = self.inside.base

    async def row(self, collection: Collection, person: Person) -> Row:
        """A row of this person that is there; the same one each time, until somebody has removed it.

        Raises:
            NotRun: none can be made.
        """
        known = self._rows.get((collection.name, person.name))
        if known is not None and collection.read is not None:
            seen = await self.send(person, collection.read, known.place)
            known = known if seen.succeeded else None
        if known is None:
            known = self._rows[collection.name, person.name] = await self.new_row(collection, person)
        return known

    async def new_row(self, collection: Collection, person: Person, **members: Any) -> Row:
        """A row that this person makes now, with these members.

        Raises:
            NotRun: none can be made.
        """
        return await self.maker.make(self, collection, person, members)

    async def fresh_row(self, collection: Collection, person: Person) -> Row:
        """A row that is made now: by this person, or else by whoever may make one.

        Raises:
            NotRun: nobody can.
        """
        return await self._by_somebody(collection, person, self.new_row)

    async def read(self, row: Row, person: Person | None = None) -> Probe:
        """The row as its owner, or somebody else, sees it now.

        Raises:
            NotRun: the app has no way to read one.
        """
        if row.collection.read is None:
            raise NotRun(f"{row.collection.name} cannot be read one by one")
        return await self.send(person or row.person, row.collection.read, row.place)

    async def items(self, collection: Collection, person: Person, place: Mapping[str, str]) -> list[Any]:
        """The first page of a list, as a person sees it.

        Raises:
            NotRun: there is no list, or no rows in its answer.
        """
        if collection.list is None:
            raise NotRun(f"{collection.name} cannot be listed")
        probe = await self.send(person, collection.list, place)
        found = rows(collection, probe)
        if found is None:
            raise NotRun(f"the list answers no rows to {person}", probe)
        return found

    def focused(self, subject: str) -> "Lab":
        """The same, with new rows, and only what belongs to one operation: to see a result once more."""
        operations = tuple(each for each in self.surface.operations if each.label == subject)
        collections = tuple(
            each
            for each in self.surface.collections
            if any(operation.label == subject for operation in each.operations)
        )
        if not operations:
            return replace(self, focus=subject, _rows={})
        kept = {operation.label: operation for each in collections for operation in each.operations}
        paths = {operation.path for operation in operations}
        kept |= {each.label: each for each in self.surface.operations if each.path in paths}
        surface = replace(self.surface, operations=tuple(kept.values()))
        return replace(self, surface=surface, focus=subject, _rows={})

    @property
    def judged(self) -> tuple[Operation, ...]:
        """The operations that are looked at; the others of the surface help to do so."""
        return tuple(each for each in self.surface.operations if self.focus in ("", each.label))

    async def each_row(self, person: Person) -> AsyncIterator[tuple[Collection, Row | NotRun]]:
        """A row of this person in each collection, else of whoever may make one, or why there is none."""
        for collection in self.surface.collections:
            try:
                yield collection, await self.any_row(collection, person)
            except NotRun as why:
                yield collection, why

    async def any_row(self, collection: Collection, person: Person) -> Row:
        """A row of this person that is there, or else one of whoever may make one.

        Raises:
            NotRun: nobody can.
        """
        return await self._by_somebody(collection, person, self.row)

    async def _by_somebody(
        self, collection: Collection, person: Person, made: Callable[[Collection, Person], Awaitable[Row]]
    ) -> Row:
        why: NotRun | None = None
        for each in (person, *(other for other in self.people.signed_in if other != person)):
            if why is not None and collection.create is not None:
                if self.policy.may(each, collection.create, None) is False:
                    continue
            elif why is not None:
                break
            try:
                return await made(collection, each)
            except NotRun as reason:
                why = why or reason
        assert why is not None, "the person was asked first"
        raise why

    def coverage(self) -> dict[str, tuple[str, ...]]:
        """By operation, the people whose requests were answered with a 2xx; forged names are nobody's."""
        people = {person.name for person in self.people.everybody}
        used: dict[str, dict[str, None]] = {operation.label: {} for operation in self.surface.operations}
        for probe in self.probes:
            label = probe.operation.label if probe.operation is not None else ""
            if probe.succeeded and label in used and probe.person.name in people:
                used[label][probe.person.name] = None
        return {label: tuple(names) for label, names in used.items()}


def fill(template: str, place: Mapping[str, str]) -> str:
    """A path template with its parameters filled in and escaped; one that is not known stays as it is."""
    for name, value in place.items():
        template = template.replace(f"{{{name}}}", quote(str(value), safe=""))
    return template


def parse(probe: Probe) -> Any:
    """The answer's JSON; None where it is none."""
    try:
        return json_format.loads(probe.answer)
    except (ValueError, RecursionError):
        return None


def rows(collection: Collection, probe: Probe) -> list[Any] | None:
    """The rows in the answer of a list; None where it has none to show."""
    found = parse(probe)
    if collection.items and isinstance(found, dict):
        found = found.get(collection.items)
    return found if probe.succeeded and isinstance(found, list) else None
