"""AZ04: a body sets what it is for, and nothing else of the row."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Result
from specwright.verify.rows.bulk import first_shown, takes_many
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Collection, Operation

#: What people have been let through by; a member the app answers with counts whatever its name.
_POWERS = ("is_admin", "is_superuser", "is_staff", "admin", "superuser", "role", "roles", "verified")
_OWNERS = ("owner_id", "user_id", "author_id", "created_by", "owner", "author")
_STAMPS = ("id", "created_at", "updated_at")
#: Characters of a UUID.
_UUID = 36
_LONG_AGO = "2001-02-03T04:05:06Z"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """One member that the body does not declare with each request; then the row is read again."""
    for collection in lab.surface.collections:
        for operation in (collection.create, collection.change):
            if operation is not None:
                try:
                    async for result in _judged(lab, collection, operation):
                        yield result
                except NotRun as why:
                    yield CHECK.not_run(operation, str(why), *why.probes)
    for operation in lab.surface.operations:
        if operation.method in ("PATCH", "PUT") and "{" not in operation.path:
            async for result in _oneself(lab, operation):
                yield result


async def _judged(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    row = await lab.new_row(collection, lab.people.owner)
    declared = members(form_of(operation, collection).schema)
    theirs = await _theirs(lab, collection)
    if not declared:
        # A body that declares nothing may well set what differs with people: an address, a language.
        theirs = {member: value for member, value in theirs.items() if member in collection.owned_by}
    attempts = theirs | dict(_attempts(lab, collection, row.body))
    for member, value in attempts.items():
        if member in declared:
            continue
        if operation is not collection.create:
            row = await lab.new_row(collection, lab.people.owner)
        yield await _attempted(lab, row, operation, member, value)
        if operation is collection.create and takes_many(operation):
            yield await _attempted(lab, row, operation, member, value, many=True)


async def _attempted(
    lab: Lab, row: Row, operation: Operation, member: str, value: Any, *, many: bool = False
) -> Result:
    """What becomes of the member in a body, or in that of a list of one."""
    collection, owner = row.collection, lab.people.owner
    form = form_of(operation, collection)
    sent = form.members(await lab.maker.body(lab, operation, owner, row.place))
    body = form.body({**sent, member: value})
    tried = await lab.send(owner, operation, row.place, json=[body] if many else body)
    seen = tried
    if operation.method != "POST" and collection.read is not None:
        seen = await lab.read(row)
    shown = first_shown(collection, seen) if many else collection.shown(parse(seen))
    case = f"{member} in a list" if many else member
    if tried.succeeded and _same(shown.get(member), value):
        says = f"{member} of {collection.name} is whatever a body says, which does not declare it"
        return CHECK.broken(operation, says, tried, seen, case=case)
    return CHECK.proved(operation, f"a body cannot set {member}", tried, case=case)


async def _oneself(lab: Lab, operation: Operation) -> AsyncIterator[Result]:
    """People change their own account, and with it what they may."""
    reads = (each for each in lab.surface.operations if each.label == f"GET {operation.path}")
    read = next(reads, None)
    declared = (operation.body or {}).get("properties", {})
    if read is None:
        return
    person = lab.people.stranger
    before = await lab.send(person, read)
    known = parse(before)
    if not before.succeeded or not isinstance(known, dict):
        return
    for member in _POWERS:
        if member in known and member not in declared:
            value = _greater(known[member])
            tried = await lab.send(person, operation, json={member: value})
            after = await lab.send(person, read)
            found = parse(after)
            if isinstance(found, dict) and found.get(member) == value != known[member]:
                # The other checks know the stranger as they were.
                await lab.send(person, operation, json={member: known[member]})
                says = f"people can set {member} of their own account"
                yield CHECK.broken(operation, says, tried, after, case=member)
            else:
                yield CHECK.proved(operation, f"nobody sets their own {member}", tried, after, case=member)


async def _theirs(lab: Lab, collection: Collection) -> dict[str, Any]:
    """What says whose a row is, with what it says of the stranger's.

    That is the same in all rows of one person and another in those of the other, and neither has sent it.
    """
    shown: list[list[Row]] = []
    for person in (lab.people.owner, lab.people.stranger):
        try:
            shown.append([await lab.new_row(collection, person) for _ in range(2)])
        except NotRun:
            return {}
    (first, second), (third, fourth) = shown
    sent = first.sent.keys() | third.sent.keys()
    found = {}
    for member, value in third.body.items():
        own = first.body.get(member)
        alike = second.body.get(member) == own and fourth.body.get(member) == value
        names = type(value) in (int, str) and type(own) is type(value) and own != value
        if alike and names and member not in sent:
            found[member] = value
    return found


def _attempts(lab: Lab, collection: Collection, shown: Mapping[str, Any]) -> list[tuple[str, Any]]:
    stranger = sorted(lab.people.stranger.known_as)
    attempts: list[tuple[str, Any]] = []
    for member in dict.fromkeys((*collection.owned_by, *_OWNERS)):
        alike = [name for name in stranger if _alike(name, shown.get(member))]
        if member in shown and alike:
            attempts.append((member, int(alike[0]) if isinstance(shown[member], int) else alike[0]))
    attempts += [(name, _greater(shown.get(name))) for name in _POWERS if name in shown]
    for name in _STAMPS:
        if isinstance(shown.get(name), str):
            is_id = name == "id"
            attempts.append((name, str(UUID(int=lab.random.getrandbits(128))) if is_id else _LONG_AGO))
        elif isinstance(shown.get(name), int):
            attempts.append((name, 900_000 + lab.random.randrange(99_999)))
    return attempts


def _alike(name: str, shown: Any) -> bool:
    """Whether a name of the stranger's is of the kind that a member holds."""
    if isinstance(shown, int):
        return name.isdigit()
    return (
        isinstance(shown, str) and ("@" in name) == ("@" in shown) and (len(name) == 36) == (len(shown) == 36)
    )


def _greater(value: Any) -> Any:
    return "admin" if isinstance(value, str) else ["admin"] if isinstance(value, list) else True


def _same(kept: Any, sent: Any) -> bool:
    if isinstance(kept, str) and isinstance(sent, str) and sent == _LONG_AGO:
        return kept.startswith(_LONG_AGO[:19])
    return bool(kept == sent and kept is not None)


CHECK = Check(
    id="AZ04",
    name="mass assignment",
    sentence="A body sets what it is for: not the owner, the role, the key or the times of a row.",
    severity=3,
    references=("OWASP API3:2023", "ASVS 15.3.3", "CWE-915"),
    remedy="Read a body into a schema of its own that has the members a caller may set, and no others.",
    run=run,
)
