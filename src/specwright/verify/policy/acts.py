"""What people do with the rows of a resource, as the spec has it: each act a row of the access matrix."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from specwright.model.field import Shown
from specwright.model.grant import RESTORE
from specwright.model.manifest import Manifest
from specwright.model.names import kebab
from specwright.model.resource import Resource
from specwright.verify.policy import changing, creating, seeing
from specwright.verify.policy.granted import resource_at
from specwright.verify.policy.scene import Act, Scene, Try, Whose
from specwright.verify.surface.surface import Collection, Operation, Surface


def acts(manifest: Manifest, surface: Surface, about: Collection) -> Iterator[Act]:
    """Everything that can be done with the rows of a collection, in the order of a row's life."""
    resource = resource_at(manifest, about.operations[0].path)
    if resource is None or resource.external:
        return
    served = {operation.label: operation for operation in surface.operations}
    one = about.read or about.update or about.delete
    all_ = about.list or about.create
    for name, method, template, ask, whose in _acts(resource, manifest):
        path = (one if template.startswith("/{id}") else all_) or one
        if path is None:
            continue
        operation = served.get(f"{method} {path.path}{template.removeprefix('/{id}')}")
        if operation is None:
            # The key of what is linked has a name of its own.
            start = f"{method} {path.path}{template.removeprefix('/{id}').partition('{')[0]}"
            links = (each for label, each in served.items() if "{other}" in template)
            operation = next((each for each in links if each.label.startswith(start)), None)
        if operation is not None:
            yield Act(name, operation, partial(ask, operation), whose)


#: Who is handed over to: of all who are signed in the stranger, the owner, or the last.
_HANDS: tuple[tuple[str, int, Whose], ...] = (
    ("hand over", 1, Whose.OWNERS),
    ("hand over own", 0, Whose.OWN),
    ("hand over another's", -1, Whose.ANOTHERS),
)

Asked = Callable[[Operation, Scene], Awaitable[Try | None]]


def _acts(resource: Resource, manifest: Manifest) -> Iterator[tuple[str, str, str, Asked, Whose]]:
    """Name, method, template, what asks, and on whose row."""
    yield "create", "POST", "", creating.create, Whose.OWN
    yield "create below", "POST", "", creating.create_below, Whose.OWNERS
    yield "create many", "POST", "", creating.create_many, Whose.OWN
    if any(field.unique for field in resource.fields):
        yield "create again", "POST", "", creating.create_again, Whose.OWN
    yield "list", "GET", "", seeing.list_rows, Whose.OWNERS
    yield "read", "GET", "/{id}", seeing.read, Whose.OWNERS
    for relation in resource.relations:
        target = manifest.resource(relation.target)
        field = resource.field(relation.field)
        if target.external or (field is not None and (field.readable_by or field.shown is Shown.HIDDEN)):
            continue
        yield f"include {relation.name}", "GET", "/{id}", partial(seeing.include, relation), Whose.OWNERS
        if relation.many:
            path = f"/{{id}}/{kebab(relation.name)}"
            yield f"read {relation.name}", "GET", path, partial(seeing.related, relation), Whose.OWNERS
    for field in resource.fields:
        if field.readable_by or (field.shown is Shown.HIDDEN and not field.built_in):
            yield f"ask by {field.name}", "GET", "", partial(seeing.ask_by, field), Whose.OWNERS
    yield "update", "PATCH", "/{id}", changing.update, Whose.OWNERS
    for field in resource.fields:
        if field.stored and (field.writable_by or field.readable_by or field.immutable):
            yield f"set {field.name}", "PATCH", "/{id}", partial(changing.set_field, field), Whose.OWNERS
        if field.stored and (field.writable_by or field.readable_by):
            path = "/{id}"
            yield (
                f"set {field.name} of another's",
                "PATCH",
                path,
                partial(changing.set_field, field),
                Whose.ANOTHERS,
            )
        stored = field.stored and not field.immutable and field.filled is None
        if stored and field.target and not manifest.resource(field.target).external:
            yield f"refer {field.name}", "PATCH", "/{id}", partial(changing.refer, field), Whose.OWN
    for field in resource.moving:
        for state in field.type.literals:
            move = partial(changing.move, field, state)
            yield f"move {field.name} to {state}", "PATCH", "/{id}", move, Whose.OWNERS
            yield f"move {field.name} of own to {state}", "PATCH", "/{id}", move, Whose.OWN
    if resource.handed_over is not None:
        for name, taker, whose in _HANDS:
            yield name, "PATCH", "/{id}", partial(changing.hand_over, resource.handed_over, taker), whose
    for relation in resource.relations:
        field = resource.field(relation.name)
        if field is None or field.linked is None or manifest.resource(field.linked).external:
            continue
        path = f"/{{id}}/{kebab(relation.name)}/{{other}}"
        link = partial(changing.link, field, True)
        yield f"link {field.name} of the owner's", "PUT", path, link, Whose.OWNERS
        yield f"link {field.name} of own", "PUT", path, link, Whose.OWN
        yield f"unlink {field.name}", "DELETE", path, partial(changing.link, field, False), Whose.OWNERS
    for action in resource.actions:
        on_all = action.level == "collection"
        path = f"/{kebab(action.name)}" if on_all else f"/{{id}}/{kebab(action.name)}"
        yield action.name, "POST", path, partial(changing.act, action.name, on_all), Whose.OWNERS
    yield "update many", "PATCH", "", changing.update_many, Whose.OWNERS
    yield "delete many", "DELETE", "", changing.delete_many, Whose.OWNERS
    yield "delete", "DELETE", "/{id}", changing.delete, Whose.OWNERS
    if any(relation.many for relation in resource.relations):
        yield "delete above others", "DELETE", "/{id}", changing.delete_above, Whose.OWNERS
    if resource.soft_delete:
        yield "read deleted", "GET", "/{id}", seeing.read_deleted, Whose.OWNERS
        yield "see deleted", "GET", "/{id}", seeing.see_deleted, Whose.OWNERS
        yield RESTORE, "POST", f"/{{id}}/{RESTORE}", changing.restore, Whose.OWNERS
        yield f"{RESTORE} another's", "POST", f"/{{id}}/{RESTORE}", changing.restore, Whose.ANOTHERS
