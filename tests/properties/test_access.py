"""Random backends answer random requests as the judge says, status by status and row by row."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import jwt
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from builders import ANYONE, OWNER, SIGNED_IN, named, role
from properties.worlds import STATUS, callers, cell, conditions, insert, leads_to, manifests, rows, signed_in
from specwright.app import Backend
from specwright.db.moments import keep_moments
from specwright.model.calculated import entities
from specwright.model.caller import Caller
from specwright.model.expression import CallerPath, Literal, walk
from specwright.model.field import Field, Filled, OnDelete
from specwright.model.grant import ACTIONS, HAND_OVER, Grant, Role, WhoName
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Move, Resource, Rule
from specwright.model.syntax import print_expression
from specwright.model.typecheck import on_caller_alone
from specwright.model.verdict import Verdict
from specwright.settings import Settings
from specwright.sql.constraints import constrained

#: What may be included in the rows of each entity.
INCLUDES = {
    "Task": ("project", "comments", "projects.pins", "parent.project,tasks", "comments.task.projects"),
    "Project": ("tasks", "pins", "pins.comments,tasks.projects", "pins.project.tasks", "pins.parent"),
    "Comment": ("task", "task.project.pins", "task.comments", "task.projects,task.parent"),
}
SECRET = "a secret of this test, long enough for HS256"
UNKNOWN = UUID("01890000-0000-7000-8000-00000000dead")


@dataclass(frozen=True)
class Asked:
    """A request, in the model's terms."""

    action: str
    entity: str
    caller: Caller
    key: UUID | None = None
    body: Mapping[str, Any] | None = None
    #: The field of a link, and the key of what is linked by it.
    field: str = ""
    other: UUID | None = None
    #: What the answer is to include.
    include: str = ""


@dataclass(frozen=True, repr=False)
class Case:
    """A backend, its rows, and requests of a few people."""

    manifest: Manifest
    world: dict[str, list[dict[str, Any]]]
    asked: list[Asked]

    def __repr__(self) -> str:
        lines = [f"{each.name} is {print_expression(each.condition)}" for each in self.manifest.names]
        for resource in self.manifest.stored:
            lines += [f"{resource.name}: {grant.who} {grant.actions}" for grant in resource.grants]
        return "\n".join([*lines, *map(str, self.asked)])


def grants(name: str) -> st.SearchStrategy[tuple[Grant, ...]]:
    """Random grants of one entity; most name the actions that the others build on."""
    who = st.sampled_from(
        [ANYONE, SIGNED_IN, OWNER, OWNER, role("admin"), role("a"), named(name), named("staff")]
    )
    actions = st.sampled_from(
        [ACTIONS, ACTIONS, ("list", "read"), ("read", "update"), ("create",), ("update", "delete"), ("list",)]
    )
    condition = st.none() | st.none() | conditions(name)
    grant = st.builds(Grant, st.just("g"), who, actions, condition, condition)
    wide = st.builds(Grant, st.just("g"), st.sampled_from([ANYONE, SIGNED_IN, OWNER]), st.just(ACTIONS))
    several = st.lists(grant, min_size=1, max_size=4)
    return st.one_of(several, st.builds(lambda first, rest: [first, *rest], wide, several)).map(tuple)


def hand_overs(name: str) -> st.SearchStrategy[tuple[Grant, ...]]:
    """Random grants to hand rows of an entity over."""
    who = st.sampled_from([SIGNED_IN, OWNER, OWNER, OWNER, role("a"), named(name)])
    when = st.none() | st.none() | conditions(name)
    then = st.none() | st.none() | conditions(name).filter(lambda expr: not leads_to(name, expr))
    grant = st.builds(Grant, st.just("h"), who, st.just((HAND_OVER,)), when, then)
    return st.lists(grant, min_size=1, max_size=2).map(tuple)


@st.composite
def backends(draw: st.DrawFn) -> Manifest:
    """The entities of `worlds` with random grants, rules, owners and rules of their fields."""
    plain = draw(manifests)
    resources = tuple(
        resource if resource.external or resource.link else draw(_governed(resource))
        for resource in plain.resources
    )
    staff = Literal(True) if draw(st.booleans()) else draw(conditions("Task").filter(on_caller_alone))
    names = [WhoName(resource.name, draw(conditions(resource.name))) for resource in plain.served]
    roles = (Role("admin", includes=("a",) if draw(st.booleans()) else ()), Role("a"))
    return replace(plain, resources=resources, names=(*names, WhoName("staff", staff)), roles=roles)


@st.composite
def _governed(draw: st.DrawFn, resource: Resource) -> Resource:
    owner = draw(st.sampled_from([field.name for field in resource.fields if field.target == "User"] + [""]))
    fields = tuple(draw(_limited(draw(_ruled(field, owner)), resource.name)) for field in resource.fields)
    rules: tuple[Rule, ...] = ()
    if resource.name == "Comment" and draw(st.booleans()):
        # Nothing points to comments: those that break the rule can be left out.
        condition = draw(conditions("Comment").filter(_without_caller))
        rules = (Rule("Comment/1", condition),)
    moves: tuple[Move, ...] = ()
    if resource.name == "Task" and draw(st.booleans()):
        moves = draw(_moves())
        fields = tuple(_moving(field) if field.name == "status" else field for field in fields)
    handing = draw(hand_overs(resource.name)) if owner and draw(st.booleans()) else ()
    given = (*draw(grants(resource.name)), *handing)
    return replace(resource, fields=fields, rules=rules, grants=given, moves=moves)


def _moves() -> st.SearchStrategy[tuple[Move, ...]]:
    """Random moves of a task's status; some are somebody's."""
    who = st.sampled_from([ANYONE, SIGNED_IN, OWNER, OWNER, role("admin"), named("Task"), named("staff")])
    ends = st.sampled_from([(a, b) for a in STATUS.literals for b in STATUS.literals if a != b])
    move = st.builds(
        lambda pair, whose: Move("m", "status", *pair, whose),
        ends,
        st.lists(who, max_size=2).map(tuple),
    )
    return st.lists(move, min_size=1, max_size=4).map(tuple)


def _moving(field: Field) -> Field:
    """The field as one that moves."""
    first = Literal(STATUS.literals[0])
    return replace(field, required=False, default=first, immutable=False, readable_by=())


def _without_caller(expr: Any) -> bool:
    return not any(isinstance(node, CallerPath) for node in walk(expr))


@st.composite
def _ruled(draw: st.DrawFn, field: Field, owner: str) -> Field:
    if field.name == owner:
        return replace(field, filled=Filled.CALLER, required=False)
    if field.target not in (None, "User"):
        ways = [OnDelete.CASCADE, OnDelete.REFUSE, *([OnDelete.CLEAR] if field.nullable else [])]
        return replace(field, on_delete=draw(st.sampled_from(ways)), immutable=draw(_seldom))
    if field.name in ("status", "title"):
        return replace(field, immutable=draw(_seldom))
    if field.name == "body":
        per = draw(st.sampled_from([None, (), ("task",)]))
        return replace(field, unique=per is not None, unique_per=per or ())
    return field


@st.composite
def _limited(draw: st.DrawFn, field: Field, entity: str) -> Field:
    """The field, seldom somebody's to see or set."""
    if field.built_in or not field.stored:
        return field
    words = st.lists(
        st.sampled_from(["owner", "owner", "a", "admin", "staff", entity]), min_size=1, max_size=2
    )
    someone = words.map(lambda found: tuple(dict.fromkeys(found)))
    reading = draw(someone) if draw(_seldom) else ()
    writing = draw(someone) if not field.immutable and draw(_seldom) else ()
    return replace(field, readable_by=reading, writable_by=writing)


_seldom = st.integers(0, 3).map(lambda number: number == 0)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases."""
    manifest = draw(backends())
    world = draw(rows(manifest))
    world["Comment"] = _sound(manifest, world)
    people = [draw(signed_in), draw(signed_in), draw(callers)]
    asked = []
    for _ in range(draw(st.integers(1, 8))):
        resource = draw(st.sampled_from(list(manifest.served)))
        action = draw(st.sampled_from(ACTIONS))
        keys = [row["id"] for row in world[resource.name]]
        written = action in ("create", "update")
        if resource.name == "Project" and draw(_seldom):
            pins = [*(row["id"] for row in world["Task"]), UNKNOWN]
            key, pin = draw(st.sampled_from([*keys, UNKNOWN])), draw(st.sampled_from(pins))
            action = draw(st.sampled_from(["link", "unlink"]))
            asked.append(Asked(action, "Project", draw(st.sampled_from(people)), key, None, "pins", pin))
            continue
        asked.append(
            Asked(
                action,
                resource.name,
                draw(st.sampled_from(people)),
                draw(st.sampled_from([*keys, *keys, UNKNOWN])) if action in ACTIONS[1:] else None,
                draw(_body(manifest, world, resource, action)) if written else None,
                include=draw(st.sampled_from(["", *INCLUDES[resource.name]])) if written else "",
            )
        )
    return Case(manifest, world, asked)


def _sound(manifest: Manifest, world: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The comments without those that break a rule or repeat a unique value; nothing points to them."""
    kept: list[dict[str, Any]] = []
    comment = manifest.resource("Comment")
    for row in world["Comment"]:
        # Rules on the clock hold for neither: they are judged when a row is written.
        judge = Judge(World(manifest, {**world, "Comment": [*kept, row]}, row["created_at"]))
        if judge.broken(comment, row) is None:
            kept.append(row)
    return kept


@st.composite
def _body(
    draw: st.DrawFn, manifest: Manifest, world: Mapping[str, Any], resource: Resource, action: str
) -> dict[str, Any]:
    handed = resource.handed_over
    if handed is not None and action == "update" and draw(st.booleans()):
        return {handed.name: draw(cell(manifest, world, handed.type, False))}
    wanted = [
        field
        for field in resource.fields
        if field.stored and not field.built_in and (field.filled is None or draw(_seldom))
    ]
    if resource.moves and draw(st.booleans()):
        # A state goes alone, or does not come at all.
        if action == "update":
            return {"status": draw(st.sampled_from(STATUS.literals))}
        wanted = [field for field in wanted if field.name != "status"]
    body = {}
    for field in wanted:
        if (field.required and action == "create") or draw(st.booleans()):
            body[field.name] = draw(cell(manifest, world, field.type, field.nullable, extra=UNKNOWN))
    for field in resource.fields:
        if field.linked is not None and draw(_seldom):
            keys = [*(row["id"] for row in world[field.linked]), UNKNOWN]
            body[field.name] = draw(st.lists(st.sampled_from(keys), max_size=3))
    return body


def on_wire(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case [UUID(), *_]:
            return list(map(str, value))
        case _:
            return value


def headers(caller: Caller) -> dict[str, str]:
    """The credential of a caller."""
    if caller.anonymous:
        return {}
    claims = {"sub": caller.id, "exp": int(time.time()) + 600, "roles": [*caller.roles]}
    return {"authorization": f"Bearer {jwt.encode(claims | dict(caller.claims), SECRET, algorithm='HS256')}"}


_METHODS = {"create": "POST", "update": "PATCH", "delete": "DELETE", "link": "PUT", "unlink": "DELETE"}


class Stack:
    """The whole HTTP stack of a manifest, in process, on a real database."""

    def __init__(self, url: str, manifest: Manifest) -> None:
        # No answer depends on how busy the machine is.
        patience = {"database_acquire_timeout": 60, "database_statement_timeout": 60, "request_timeout": 120}
        secrets = {"auth_secret": SECRET, "app_secret": SECRET}
        chosen = Settings(environment="development", database_url=url, **secrets, **patience)
        self.backend = Backend(settings=chosen, manifest=manifest)
        transport = httpx2.ASGITransport(app=self.backend.app)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://test/api/v1")

    async def send(self, asked: Asked) -> httpx2.Response:
        """The answer to a request."""
        resource = self.backend.manifest.resource(asked.entity)
        method = _METHODS.get(asked.action, "GET")
        path = f"/{resource.path}"
        if asked.action == "list":
            path += "?limit=100"
        elif asked.action != "create":
            path += f"/{asked.key}"
        if asked.include:
            path += f"{'&' if '?' in path else '?'}include={asked.include}"
        if asked.field:
            path += f"/{asked.field}/{asked.other}"
        body = None
        if asked.body is not None:
            wires = {field.name: field.wire for field in resource.fields}
            body = {wires[name]: on_wire(value) for name, value in asked.body.items()}
        return await self.client.request(method, path, headers=headers(asked.caller), json=body)

    async def close(self) -> None:
        """Let go of the database."""
        await self.client.aclose()
        await self.backend.service.database.close()


async def build(url: str, manifest: Manifest, world: dict[str, list[dict[str, Any]]]) -> None:
    """The tables of the manifest, in place of any others, with the rows in them."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        async with engine.begin() as session:
            await session.run_sync(constrained(manifest).metadata.create_all)
        await keep_moments(connection)
        # Rows may refer to later ones, and in circles.
        await connection.execute("SET session_replication_role = replica")
        await insert(connection, manifest, world)
    finally:
        await connection.close()
        await engine.dispose()


async def stored(connection: asyncpg.Connection, manifest: Manifest) -> dict[str, list[dict[str, Any]]]:
    """All rows as they are."""
    world: dict[str, list[dict[str, Any]]] = {"User": []}
    await keep_moments(connection)
    # The driver has a UUID of its own, and the interpreter knows Python's alone.
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=UUID)
    for resource in manifest.stored:
        found = await connection.fetch(f'SELECT * FROM "{resource.table}"')
        world[resource.name] = [
            {field.name: row[field.column] for field in resource.fields if field.stored} for row in found
        ]
    return world


def reads_itself(manifest: Manifest, resource: Resource, linked: bool) -> bool:
    """Whether a condition of the resource reads, over relations, a table that a write changes."""
    written = {resource.name}
    if linked:
        written |= {relation.through.link for relation in resource.relations if relation.through is not None}
    conditions = [rule.condition for rule in resource.rules]
    words = {word for field in resource.fields for word in (*field.readable_by, *field.writable_by)}
    conditions += [known.condition for known in manifest.names if known.name in words]
    for grant in resource.grants:
        conditions += [condition for condition in (grant.when, grant.then) if condition is not None]
        if known := manifest.name(grant.who.name):
            conditions.append(known.condition)
    whose = [who.name for move in resource.moves for who in move.who]
    conditions += [known.condition for known in manifest.names if known.name in whose]
    read = (entities(manifest, resource, condition) for condition in conditions)
    return any(not written.isdisjoint(names) for names in read)


def judged(judge: Judge, asked: Asked) -> Verdict:
    """What the judge says of a request."""
    resource = judge.world.manifest.resource(asked.entity)
    match asked.action:
        case "list":
            return judge.closed(resource, "list", asked.caller) or Verdict(200)
        case "read":
            return judge.read(resource, asked.caller, asked.key)
        case "create":
            return judge.create(resource, asked.caller, asked.body or {}, UUID(int=0))
        case "update":
            return judge.update(resource, asked.caller, asked.key, asked.body or {})
        case "link" | "unlink":
            linked = asked.action == "link"
            return judge.link(resource, asked.caller, asked.key, asked.field, asked.other, linked=linked)
        case _:
            return judge.delete(resource, asked.caller, asked.key)


def explained(judge: Judge, asked: Asked, verdict: Verdict, answer: httpx2.Response) -> str:
    """A disagreement for whoever has to understand it."""
    resource = judge.world.manifest.resource(asked.entity)
    lines = [f"{asked}", f"judge: {verdict.status} {verdict.code} {verdict.fields}", f"app: {answer.text}"]
    lines += [f"{each.name} is {print_expression(each.condition)}" for each in judge.world.manifest.names]
    for grant in resource.grants:
        when, then = (each and print_expression(each) for each in (grant.when, grant.then))
        lines.append(f"{grant.who} may {grant.actions} when {when} then {then}")
    lines += [f"rule {print_expression(rule.condition)}" for rule in resource.rules]
    return "\n".join([*lines, *(str(row) for row in judge.world.rows[asked.entity])])


def check_effect(judge: Judge, asked: Asked, after: dict[str, list[dict[str, Any]]]) -> None:
    """Assert that exactly what was asked has happened."""
    resource = judge.world.manifest.resource(asked.entity)
    before = {row["id"]: row for row in judge.world.rows[asked.entity]}
    now = {row["id"]: row for row in after[asked.entity]}
    volatile = ("id", "created_at", "updated_at", "version")

    def lasting(row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in volatile}

    match asked.action:
        case "create":
            (made,) = now.keys() - before.keys()
            assert lasting(now[made]) == lasting(judge.fill(resource, asked.caller, asked.body or {}))
        case "update":
            assert now.keys() == before.keys()
            body = {name: value for name, value in (asked.body or {}).items() if name != "pins"}
            assert lasting(now[asked.key]) == lasting({**before[asked.key], **body})
            assert now[asked.key]["version"] == before[asked.key]["version"] + 1
        case "link" | "unlink":
            assert lasting(now[asked.key]) == lasting(before[asked.key])
            assert now[asked.key]["version"] == before[asked.key]["version"] + 1
        case "delete":
            assert asked.key not in now
    if asked.action != "delete":
        key = made if asked.action == "create" else asked.key
        assert links(after) == links(linked(judge, asked, key).rows)


def linked(judge: Judge, asked: Asked, key: Any) -> World:
    """The world with the links that a request leaves."""
    resource, links = judge.world.manifest.resource(asked.entity), judge.linked(asked.caller)
    if asked.field:
        return links.changed(resource, key, asked.field, asked.other, linked=asked.action == "link")
    wanted = {name: value for name, value in (asked.body or {}).items() if name == "pins"}
    return links.set(resource, key, wanted)


def links(world: Mapping[str, Any]) -> set[tuple[UUID, UUID]]:
    """The tasks that projects have pinned."""
    return {(row["project"], row["task"]) for row in world["Project.pins"]}


def check_members(judge: Judge, asked: Asked, verdict: Verdict, answer: httpx2.Response) -> None:
    """Assert that every row of an answer has the members that its reader may see, no more and no less."""
    resource = judge.world.manifest.resource(asked.entity)
    rows = {str(row["id"]): row for row in judge.world.rows[asked.entity]}
    if verdict.status == 204:
        assert not answer.content
        return
    found = answer.json()
    for item in found["items"] if asked.action == "list" else [found]:
        if not item and asked.action == "create":
            # What was made need not be readable for its maker.
            continue
        seen = judge.seen(resource, asked.caller, rows[item["id"]])
        for name in asked.include.split(","):
            item.pop(name.partition(".")[0], None)
        assert item.keys() == {field.wire for field in seen}, (asked, rows[item["id"]])
        for field in seen:
            if field.calculated:
                value = judge.world.member(resource, rows[item["id"]], field.name)
                assert item[field.wire] == _answered(value), (field.name, asked, rows[item["id"]])


def _answered(value: Any) -> Any:
    """A calculated value as an answer has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return on_wire(value)


def shown_to(stack: Stack, asked: Asked) -> Asked:
    """The request, without what it is to include where the caller knows of no such relation."""
    visible = stack.backend.service.parameters.visible(asked.caller)
    for name in filter(None, asked.include.split(",")):
        resource = visible.resource(asked.entity)
        for step in name.split("."):
            relation = resource.relation(step)
            if relation is None:
                return replace(asked, include="")
            resource = visible.resource(relation.target)
    return asked


async def check_included(stack: Stack, asked: Asked, answer: httpx2.Response) -> None:
    """Assert that a write includes what a read does that comes after it."""
    item = answer.json() if answer.content else {}
    if item:
        read = Asked("read", asked.entity, asked.caller, UUID(item["id"]), include=asked.include)
        again = await stack.send(read)
        # Whoever may not read what they have made is shown nothing of it.
        assert again.status_code == 200 and again.json() == item, (asked, item, again.text)


async def check(url: str, case: Case) -> None:
    """Assert that every request gets the answer, and has the effect, that the judge says."""
    manifest = case.manifest
    await build(url, manifest, case.world)
    stack = Stack(url, manifest)
    connection = await asyncpg.connect(url)
    try:
        for request in (shown_to(stack, asked) for asked in case.asked):
            before = await stored(connection, manifest)
            judge = Judge(World(manifest, before, await connection.fetchval("SELECT now()")))
            verdict = judged(judge, request)
            answer = await stack.send(request)
            event(f"{request.action} {verdict.status}")
            accepted = {verdict.status}
            linking = bool(request.field) or "pins" in (request.body or {})
            resource = manifest.resource(request.entity)
            itself = reads_itself(manifest, resource, linking)
            lost = request.field and judge.read(resource, request.caller, request.key).allowed
            if itself and verdict.status in (403, 422, *([404] if lost else [])):
                # Such a condition is judged on what is stored, so what keeps a row from being stored is
                # answered first. It is refused either way.
                accepted |= {403, 409, 422, *([404] if lost else [])}
            assert answer.status_code in accepted, explained(judge, request, verdict, answer)
            after = await stored(connection, manifest)
            if request.action not in ("list", "read") and verdict.allowed:
                check_effect(judge, request, after)
            else:
                assert after == before
            if verdict.allowed and request.include:
                await check_included(stack, request, answer)
            if verdict.allowed and request.action != "delete":
                check_members(Judge(World(manifest, after, judge.world.now)), request, verdict, answer)
            if request.action == "list" and verdict.allowed:
                shown = {row["id"] for row in answer.json()["items"]}
                assert shown == {str(row["id"]) for row in judge.visible(resource, request.caller)}
            if verdict.status == answer.status_code == 422:
                named = tuple(each["field"] for each in answer.json().get("errors", []))
                assert not verdict.fields or set(named) <= set(verdict.fields)
    finally:
        await connection.close()
        await stack.close()


def test_every_answer_is_the_judge_s(database_url: str) -> None:
    """Lists, reads and writes of random people on random backends are answered as the access rules say."""
    with asyncio.Runner() as runner:
        # A case makes a schema: fewer of them by default.
        @settings(max_examples=settings().max_examples * 2 // 5, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()
