"""How people look at rows: one, a page, what is related, what is deleted, what no answer shows."""

from specwright.model.field import Field, Shown
from specwright.model.grant import SEE_DELETED
from specwright.model.interpret import World
from specwright.model.relation import Relation
from specwright.model.verdict import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, Verdict
from specwright.verify.lab import parse
from specwright.verify.policy.answers import readable, wrong_items, wrong_members
from specwright.verify.policy.scene import DONE, PAGE, Scene, Try, deleted
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Operation

_UNKNOWN = Verdict(422, "validation_failed")
_PAGES = 50


async def list_rows(operation: Operation, scene: Scene) -> Try | None:
    resource, caller, judge = scene.resource, scene.caller, scene.judge
    closed = judge.closed(resource, "list", caller)
    visible = {str(row[resource.key]): row for row in judge.visible(resource, caller)}

    async def wrong(probe: Probe, world: World) -> str:
        found, pages = parse(probe), 1
        if found.get("total") != len(visible):
            return f"{len(visible)} rows are there for {scene.person}, and the total is {found.get('total')}"
        items = found["items"]
        while found.get("next_cursor") and pages < _PAGES:
            query = [("limit", PAGE), ("cursor", found["next_cursor"])]
            following = await scene.lab.send(scene.person, operation, scene.row.place, query=query)
            found, pages = parse(following), pages + 1
            items += found["items"]
        return wrong_items(scene, judge, resource, visible, items)

    query = [("limit", PAGE), ("count", "exact")]
    return Try(operation, closed or DONE, scene.row.place, query=query, wrong=wrong)


async def read(operation: Operation, scene: Scene) -> Try | None:
    judge, stored = scene.judge, scene.stored
    due = judge.read(scene.resource, scene.caller, scene.key)

    def wrong(probe: Probe, world: World) -> str:
        return wrong_members(judge, scene, scene.resource, stored, parse(probe))

    return Try(operation, due, scene.row.place, wrong=wrong)


async def include(relation: Relation, operation: Operation, scene: Scene) -> Try | None:
    judge, name = scene.judge, relation.name
    target = scene.manifest.resource(relation.target)
    due = judge.read(scene.resource, scene.caller, scene.key)
    expected = readable(scene, judge, relation)

    def wrong(probe: Probe, world: World) -> str:
        found = parse(probe).get(name)
        if not relation.many:
            return wrong_items(scene, judge, target, expected, [] if found is None else [found])
        if found["more"]:
            return ""
        return wrong_items(scene, judge, target, expected, found["items"])

    return Try(operation, due, scene.row.place, query=[("include", name)], wrong=wrong)


async def related(relation: Relation, operation: Operation, scene: Scene) -> Try | None:
    judge = scene.judge
    target = scene.manifest.resource(relation.target)
    due = judge.read(scene.resource, scene.caller, scene.key)
    expected = readable(scene, judge, relation)
    if len(expected) > PAGE:
        return None

    def wrong(probe: Probe, world: World) -> str:
        return wrong_items(scene, judge, target, expected, parse(probe)["items"])

    return Try(operation, due, scene.row.place, query=[("limit", PAGE)], wrong=wrong)


async def ask_by(field: Field, operation: Operation, scene: Scene) -> Try | None:
    """Of a field that somebody sees of no row, no list can be asked, in whatever way."""
    if scene.judge.closed(scene.resource, "list", scene.caller) is not None:
        return None
    if field in scene.judge.seen(scene.resource, scene.caller, scene.stored):
        return None
    queries = [{"sort": field.wire}, {"filter": f"{field.name} is None"}, {f"{field.wire}__isnull": "true"}]
    if field.shown is Shown.HIDDEN:
        queries.append({"fields": field.wire})
    for query in queries:
        probe = await scene.lab.send(scene.person, operation, scene.row.place, query=query)
        if probe.succeeded:
            break
    return Try(operation, _UNKNOWN, scene.row.place, query=list(query.items()))


async def read_deleted(operation: Operation, scene: Scene) -> Try | None:
    """As if there were none."""
    await deleted(scene)
    due = scene.judge.read(scene.resource, scene.caller, scene.key)
    return Try(operation, due, scene.row.place)


async def see_deleted(operation: Operation, scene: Scene) -> Try | None:
    row = await deleted(scene)
    judge, resource, caller = scene.judge, scene.resource, scene.caller
    if not judge.may_ever(resource, SEE_DELETED, caller):
        due = UNAUTHENTICATED if caller.anonymous else FORBIDDEN
    else:
        due = DONE if judge.sees(resource, "read", caller, row) else NOT_FOUND
    return Try(operation, due, scene.row.place, query=[("deleted", "with")])
