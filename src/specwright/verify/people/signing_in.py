"""Signs people up and in, as people.toml says or else as the app's OpenAPI document offers it."""

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, count
from typing import Any

from specwright.model.errors import ConfigError
from specwright.verify.lab import Lab, NotRun, parse
from specwright.verify.patience import patiently
from specwright.verify.people.declared import Instructions, Signing, Somebody
from specwright.verify.people.doors import PASSWORD, Doors, filled, flat, only
from specwright.verify.people.people import ANONYMOUS, People, Person
from specwright.verify.people.tickets import cookies_in, identities, subject, token_in
from specwright.verify.people.tokens import Key
from specwright.verify.result import Probe
from specwright.verify.rows.making import RowMaker
from specwright.verify.surface.collections import wrapping
from specwright.verify.surface.openapi import FORM, JSON
from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Collection, Operation

_BEARER = "Authorization: Bearer {token}"


class Reception:
    """Lets people in, one after the other."""

    def __init__(self, lab: Lab, maker: RowMaker, instructions: Instructions, doors: Doors) -> None:
        self._lab = lab
        self._maker = maker
        self._said = instructions
        self.doors = doors
        self._failure = ""

    async def people(self) -> People:
        """Everybody of people.toml; and two equals in any case, where people can sign up.

        With nobody, `missing` says why.

        Raises:
            ConfigError: somebody of people.toml cannot sign in, or has no equal.
        """
        found = [await self._declared(name, each) for name, each in self._said.people.items()]
        equal = _equals(found)
        proposed = chain(("ada", "bob"), (f"person{number}" for number in count(3)))
        names = (name for name in proposed if name not in self._said.people)
        while len(equal) < 2:
            person = await self._newcomer(next(names))
            if person is None:
                break
            found.append(person)
            equal = _equals(found)
        if not found:
            return People(ANONYMOUS, ANONYMOUS, missing=self._failure or self._nothing())
        if len(equal) < 2:
            there = " and ".join(map(str, found))
            raise ConfigError(
                "Access is proved with two people who are equals: not privileged, and with the same roles."
                f" There is only {there}. Add another to people.toml. {self._failure}".strip()
            )
        owner, stranger = apart(*equal[:2])
        others = tuple(person for person in found if person.name not in (owner.name, stranger.name))
        return People(owner, stranger, others)

    @property
    def _signs(self) -> bool:
        """Whether people sign their tokens themselves: where no request is said to give them."""
        return self._said.secret is not None and self._said.login is None

    def _nothing(self) -> str:
        if self.doors.login is not None:
            at = self.doors.login.label
            return f"nobody can sign up, and {at} wants a password; name people in people.toml"
        return "nobody is signed in: the app offers no way in that is known; describe one in people.toml"

    async def _declared(self, name: str, said: Somebody) -> Person:
        """Somebody of people.toml."""
        known = frozenset(filter(None, (*said.known_as, said.email, said.username)))
        if said.headers or said.cookies or said.token:
            header = self._header(said.token) if said.token else {}
            person = Person(
                name, said.roles, {**header, **said.headers}, said.cookies, known, said.privileged
            )
        elif self._signs:
            token = self._signed(name, said)
            person = Person(
                name, said.roles, self._header(token), {}, known | {subject(token)}, said.privileged
            )
        else:
            values = self._values(name, said)
            if not said.password:
                values = await self._sign_up(name, values) or values
            entered = await self._sign_in(name, values)
            if entered is None:
                raise ConfigError(f"{name} of people.toml cannot sign in: {self._failure}.")
            headers, cookies, more = entered
            person = Person(name, said.roles, headers, cookies, known | more, said.privileged)
        return await self._recognised(person)

    async def _newcomer(self, name: str) -> Person | None:
        """Somebody who signs up now; None where nobody can."""
        if self._signs:
            return await self._declared(name, Somebody())
        if self._said.register is None and self.doors.register is None:
            return None
        values = await self._sign_up(name, self._values(name, Somebody()))
        entered = None if values is None else await self._sign_in(name, values)
        if entered is None:
            return None
        headers, cookies, known = entered
        return await self._recognised(Person(name, (), headers, cookies, known))

    def _values(self, name: str, said: Somebody) -> dict[str, Any]:
        """What the placeholders stand for."""
        token = self._maker.bodies.token(8)
        return {
            "name": name,
            "email": said.email or f"{name}-{token}@example.com",
            "username": said.username or f"{name}{token}",
            "password": said.password or self._maker.bodies.password(),
        }

    async def _sign_up(self, name: str, values: dict[str, Any]) -> dict[str, Any] | None:
        """What the person is called now; None where they could not sign up."""
        said = self._said.register
        if said is not None:
            probe = await self._request(said, values)
            if not probe.succeeded:
                self._failure = f"{said.request} answers {_told(probe)}"
                return None
            return {**values, "answer": probe}
        register = self.doors.register
        if register is None:
            return None
        wrapped = wrapping(register.body, register.path) or only(register)
        shape = members(register.body).get(wrapped) if wrapped else register.body
        given = {member: found for member in members(shape) if (found := filled(member, values)) is not None}
        people = Collection("people", create=register, wrapping=wrapped)
        try:
            probe, sent = await self._maker.made(
                self._lab, people, register, ANONYMOUS, {}, given, fixed=False
            )
        except NotRun as why:
            self._failure = str(why)
            return None
        passwords = (value for member, value in sent.items() if PASSWORD.search(member))
        return {**values, **{key: sent[key] for key in values if key in sent}, "answer": probe} | {
            "password": next(passwords, values["password"])
        }

    async def _sign_in(
        self, name: str, values: dict[str, Any]
    ) -> tuple[dict[str, str], dict[str, str], frozenset[str]] | None:
        """Headers, cookies, and what the app knows the person as; None where it does not let them in."""
        self._lab.secrets[str(values["password"])] = f"password of {name}"
        known = identities(values.get("answer"))
        for key in ("email", "username"):
            if "answer" not in values or str(values[key]) in values["answer"].text:
                known |= {str(values[key])}
        probes = [probe async for probe in self._logins(values)]
        if not probes and isinstance(values.get("answer"), Probe):
            probes = [values["answer"]]
        for probe in probes:
            if not probe.succeeded and not 300 <= (probe.status or 0) < 400:
                self._failure = f"{probe.method} {probe.path} answers {_told(probe)}"
                continue
            token = token_in(parse(probe), self._said.login.token if self._said.login else "")
            cookies = cookies_in(probe)
            if token or cookies:
                headers = self._header(token) if token else {}
                return (
                    headers,
                    cookies if not token else {},
                    known | identities(probe) | {subject(token)} - {""},
                )
            self._failure = f"{probe.method} {probe.path} answers neither a token nor a cookie"
        if self.doors.basic:
            name = values["username"] if self._takes_username() else values["email"]
            pair = base64.b64encode(f"{name}:{values['password']}".encode()).decode()
            return {"authorization": f"Basic {pair}"}, {}, known | {name}
        return None

    async def _logins(self, values: Mapping[str, Any]) -> Any:
        """Answers to a login, until one is good: what the app calls a user's name is not always told."""
        if self._said.login is not None:
            yield await self._request(self._said.login, values)
            return
        login = self.doors.login
        if login is None:
            return
        wrapped = wrapping(login.body, login.path) or only(login)
        shape = members(members(login.body).get(wrapped) if wrapped else login.body)
        for name in dict.fromkeys((values["email"], values["username"])):
            chosen = {**values, "username": name}
            body = {member: found for member in shape if (found := filled(member, chosen)) is not None}
            if "grant_type" in shape:
                body["grant_type"] = "password"
            sent: Any = {wrapped: body} if wrapped else body
            probe = await patiently(partial(self._lab.send, ANONYMOUS, login, json=sent))
            yield probe
            if probe.succeeded or "username" not in shape:
                return

    def _takes_username(self) -> bool:
        return self.doors.register is not None and "username" in set(flat(self.doors.register))

    async def _request(self, said: Signing, values: Mapping[str, Any]) -> Probe:
        method, _, path = said.request.partition(" ")
        media = FORM if said.form else JSON
        operation = Operation(method.upper(), path.strip(), media=media)
        self.doors.told.add(operation.label)
        body = _with(said.form or said.json, values)
        content = body if body else ...
        return await patiently(partial(self._lab.send, ANONYMOUS, operation, json=content))

    def _header(self, token: str) -> dict[str, str]:
        said = self._said.login.header if self._said.login else ""
        name, _, value = (said or _BEARER).partition(":")
        return {name.strip().lower(): value.strip().replace("{token}", token)}

    def _signed(self, name: str, said: Somebody) -> str:
        """A token of the person, signed with the key of people.toml."""
        secret = self._said.secret
        assert secret is not None
        values = self._values(name, said)
        claims = {"sub": "{name}", **secret.claims, **said.claims}
        now = int(time.time())
        stated = {"iat": now, "exp": now + 3600, **_with(claims, values)}
        return Key(secret.key, secret.algorithm).sign(stated, {})

    async def _recognised(self, person: Person) -> Person:
        """The person, with what the app calls them when they ask."""
        if self.doors.me is None:
            return person
        probe = await self._lab.send(person, self.doors.me)
        if not probe.succeeded:
            return person
        known = person.known_as | identities(probe)
        return Person(person.name, person.roles, person.headers, person.cookies, known, person.privileged)


def _equals(people: Sequence[Person]) -> list[Person]:
    """Those who may do the same: the most that have the same roles, of as many those without any."""
    alike: dict[tuple[str, ...], list[Person]] = {(): []}
    for person in people:
        if not person.privileged:
            alike.setdefault(tuple(sorted(person.roles)), []).append(person)
    return max(alike.values(), key=lambda group: min(len(group), 2))


def apart(one: Person, other: Person) -> tuple[Person, Person]:
    """The two, known by nothing that both are called: the `sub` of an app that writes "access" there."""
    both = one.known_as & other.known_as
    return replace(one, known_as=one.known_as - both), replace(other, known_as=other.known_as - both)


def _told(probe: Probe) -> str:
    return probe.trouble or f"{probe.status}: {probe.text[:200]}"


def _with(said: Any, values: Mapping[str, Any]) -> Any:
    """The same with placeholders filled in."""
    if isinstance(said, Mapping):
        return {name: _with(each, values) for name, each in said.items()}
    if isinstance(said, list):
        return [_with(each, values) for each in said]
    if isinstance(said, str):
        for name, value in values.items():
            said = said.replace(f"{{{name}}}", str(value))
    return said
