"""The line `tenant Organization through Membership by header X-Organization`, and what it binds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from specwright.model.expression import Literal
from specwright.model.field import Field, Filled, OnDelete
from specwright.model.grant import WhoKind
from specwright.model.names import hint, kebab, snake, suggest
from specwright.model.resource import Resource
from specwright.model.tenant import Chosen, Tenant
from specwright.model.types import Kind, Type
from specwright.read.access import GrantRow
from specwright.read.cells import plain
from specwright.read.complete import USER
from specwright.read.literal import read_constant
from specwright.read.mistakes import Mistakes
from specwright.read.span import Span

FORM = "tenant Organization through Membership by header X-Organization"
_WAYS = f"write - {FORM}, or … by claim organization_id, or … by path"

_MEANT = re.compile(r"(\w+)\s|.*\sthrough\s.+\sby\s(?:header|claim|path)\b", re.IGNORECASE)
_LINE = re.compile(
    r"[Tt]enant\s+(?P<entity>[^,]+?)\s+through\s+(?P<through>[^,]+?)\s+by\s+(?P<by>\S+?)"
    r"(?:\s+(?P<name>[^\s,]+))?(?:\s*,\s*(?P<founder>founder\b.*?))?\.?"
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CLAIM = re.compile(r"[^\s\"'{}]+")
#: What a header of these names says is settled elsewhere.
_KEPT = re.compile(
    r"(accept|access-control|content|if|proxy|sec|x-forwarded)-.*|accept|authorization|connection|cookie|date"
    r"|expect|forwarded|host|idempotency-key|origin|range|referer|te|trailer|transfer-encoding|upgrade"
    r"|user-agent|via|x-request-id|traceparent",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TenantLine:
    """The line as read; what it names is judged with the entities."""

    feature: str
    head: Span
    entity: Span
    through: Span
    by: Chosen
    name: str
    #: What stands behind `founder`; None without the word.
    founder: Span | None


def is_tenant_line(head: Span) -> bool:
    """Whether a line of a Rules section is meant to name the tenant."""
    found = _MEANT.match(head.text)
    return found is not None and (found[1] is None or suggest(found[1], ("tenant",)) is not None)


def read_tenant_line(feature: str, head: Span, mistakes: Mistakes) -> TenantLine | None:
    """The line; None, with a mistake, when it is not understood."""
    found = _LINE.fullmatch(head.text)
    if found is None:
        mistakes.add(head, f'"{head.text[:40]}" is not how a tenant is named: {_WAYS}')
        return None
    at = {name: head[slice(*found.span(name))] for name in ("entity", "through", "by")}
    if found["by"] not in list(Chosen):
        close = hint(found["by"], [way.value for way in Chosen], "Choose from")
        mistakes.add(at["by"], f'a request does not say its tenant by "{found["by"]}".{close}')
        return None
    by = Chosen(found["by"])
    name = plain(head[slice(*found.span("name"))]) if found["name"] else head[0:0]
    problem = _name_problem(by, name.text)
    if problem is not None:
        mistakes.add(name or at["by"], problem)
        return None
    founder = head[slice(*found.span("founder"))] if found["founder"] else None
    behind = founder.without_prefix("founder") if founder is not None else None
    return TenantLine(feature, head, plain(at["entity"]), plain(at["through"]), by, name.text, behind)


def _name_problem(by: Chosen, name: str) -> str | None:
    match by:
        case Chosen.PATH:
            return f'"by path" names nothing more, and here stands "{name}". Leave it out' if name else None
        case Chosen.HEADER if not _HEADER.fullmatch(name):
            return f'"by header" names a header, as X-Organization: {_WAYS}'
        case Chosen.HEADER if _KEPT.fullmatch(name):
            return f"the header {name} has its meaning already. Call it X-Organization, for instance"
        case Chosen.CLAIM if not _CLAIM.fullmatch(name):
            return f'"by claim" names a claim of the token, as organization_id: {_WAYS}'
    return None


def bind(
    declared: Sequence[Resource], line: TenantLine, spellings: Mapping[str, str], mistakes: Mistakes
) -> tuple[list[Resource], Tenant | None]:
    """The resources, those of the feature within the tenant; with a mistake, as they were."""
    by_name = {resource.name: resource for resource in declared}
    entity = _entity(line.entity, by_name, spellings, mistakes)
    through = _entity(line.through, by_name, spellings, mistakes)
    if entity is None or through is None:
        return list(declared), None
    member = _member(entity, through, line, mistakes)
    if member is None:
        return list(declared), None
    name = line.name or f"{snake(entity.name)}_id"
    tenant = Tenant(entity.name, through.name, member, line.by, name, line.feature, origin=line.head.origin)
    bound = [
        _bound(resource, tenant, mistakes) if _is_within(resource, tenant) else resource
        for resource in declared
    ]
    if line.founder is not None:
        founded = next(resource for resource in bound if resource.name == through.name)
        tenant = replace(tenant, founder=_founder(founded, member, line.founder, mistakes))
    return bound, tenant


def _entity(
    word: Span, by_name: Mapping[str, Resource], spellings: Mapping[str, str], mistakes: Mistakes
) -> Resource | None:
    name = spellings.get(word.text)
    if name == USER:
        mistakes.add(word, "a User is a person, neither a tenant nor a membership: name the entity between")
    elif name is None or name not in by_name:
        known = [resource for resource in by_name if resource != USER]
        mistakes.add(word, f'unknown entity "{word.text}".{hint(word.text, known, "There are")}')
    else:
        return by_name[name]
    return None


def _member(entity: Resource, through: Resource, line: TenantLine, mistakes: Mistakes) -> str | None:
    """The reference of the membership to its person."""
    if entity.name == through.name:
        mistakes.add(
            line.through, f"{entity.name} is the tenant: members belong to it through another entity"
        )
        return None
    found: dict[str, str] = {}
    for target, row in ((entity.name, entity.name), (USER, USER)):
        references = _references(through, target)
        if len(references) != 1:
            has = "has no" if not references else "has more than one"
            fix = f"Add a row: {snake(row)} | {target} | required" if not references else "Keep one"
            mistakes.add(line.through, f"{through.name} {has} reference to {target}, and needs one. {fix}")
            return None
        found[target] = references[0].name
    there, person = found[entity.name], found[USER]
    ways = {(field.name, field.unique_per) for field in through.fields if field.unique}
    if (person, (there,)) not in ways and (there, (person,)) not in ways:
        field = through.field(person)
        mistakes.add(
            line.through if field is None else field.origin,
            f"a person could have two memberships in one {entity.name}. "
            f'Add the rule "unique per {there}" to "{person}" of {through.name}',
        )
        return None
    return person


def _references(resource: Resource, target: str) -> list[Field]:
    return [field for field in resource.fields if field.target == target and field.stored]


def _is_within(resource: Resource, tenant: Tenant) -> bool:
    if resource.name in (tenant.entity, USER):
        return False
    return resource.feature == tenant.feature or resource.name == tenant.through


def _bound(resource: Resource, tenant: Tenant, mistakes: Mistakes) -> Resource:
    """The resource with the field that says in which tenant a row is."""
    references = _references(resource, tenant.entity)
    if len(references) > 1:
        names = " and ".join(f'"{field.name}"' for field in references)
        mistakes.add(
            references[1].origin,
            f"{names} of {resource.name} both lead to {tenant.entity}, and which one is its tenant? Keep one",
        )
        return resource
    if not references:
        name = snake(tenant.entity)
        taken = resource.field(name)
        if taken is not None:
            mistakes.add(
                taken.origin, f'"{name}" is the tenant of every {resource.name}: call this field otherwise'
            )
            return resource
        if resource.origin.file.endswith(".py"):
            mistakes.add(
                resource.origin,
                f"{resource.name} is within a tenant and has no column {name}_id that refers to it. Add one",
            )
        type_ = Type(Kind.REFERENCE, target=tenant.entity)
        added = Field("", name, name, name, type_, **_FILLED, origin=tenant.origin)
        return replace(resource, fields=(added, *resource.fields))
    (own,) = references
    if own.writable_by:
        mistakes.add(own.origin, f'"{own.name}" of {resource.name} is its tenant, and is never written')
    if own.on_delete is OnDelete.CLEAR:
        mistakes.add(
            own.origin,
            f'"on delete clear" would take {resource.name} out of its tenant. Choose cascade or refuse',
        )
    filled = {**_FILLED, "on_delete": own.on_delete or OnDelete.CASCADE}
    fields = tuple(
        replace(field, required=False, **filled) if field is own else field for field in resource.fields
    )
    return replace(resource, fields=fields)


_FILLED: dict[str, Any] = {"filled": Filled.TENANT, "immutable": True, "on_delete": OnDelete.CASCADE}


def _founder(
    through: Resource, member: str, words: Span, mistakes: Mistakes
) -> tuple[tuple[str, Literal], ...] | None:
    """The values of `founder role owner and title boss`."""
    found: dict[str, Literal] = {}
    for part in words.split(r"\s+and\s+") if words else ():
        name, _, value = part.text.partition(" ")
        field = through.field(snake(plain(part[: len(name)]).text))
        if field is None or not value or field.name == member or field.filled is not None or not field.stored:
            known = [field.name for field in through.fields if field.filled is None and field.name != member]
            close = hint(name, known, f"Fields of {through.name} are")
            mistakes.add(part, f'"founder {part.text}" gives no field of {through.name} a value.{close}')
            continue
        default = read_constant(part.without_prefix(name), field.type, mistakes)
        if default is not None:
            found[field.name] = default
    for field in through.fields:
        if field.required and field.default is None and field.name not in (member, *found):
            mistakes.add(
                words,
                f'a founder\'s {through.name} needs "{field.name}": write founder {field.name} VALUE, '
                "or give the field a default",
            )
    return tuple(found.items())


def judge_tenancy(
    tenant: Tenant,
    resources: Mapping[str, Resource],
    grants: Mapping[str, Sequence[GrantRow]],
    mistakes: Mistakes,
) -> None:
    """What can be judged once grants and actions are known."""
    within = {resource.name for resource in resources.values() if resource.tenant is not None}
    for name in within:
        for row in grants.get(name, ()):
            if row.grant.who.kind is WhoKind.ANYONE:
                mistakes.add(
                    row.who,
                    f"{name} is within a tenant, where nobody is without a membership. "
                    "Write signed in: every member",
                )
    for resource in resources.values():
        for field in _leaving(resource, within):
            mistakes.add(
                field.origin,
                f"{resource.name} is within no tenant and refers to {field.type.target}, which is. "
                f'Move it into the feature of the tenant, or leave "{field.name}" out',
            )
    if tenant.by is Chosen.PATH:
        paths = {resources[name].path for name in within}
        for action in resources[tenant.entity].actions:
            if kebab(action.name) in paths:
                mistakes.add(
                    action.origin, f'"{action.name}" is a path within the tenant: call the action otherwise'
                )


def _leaving(resource: Resource, within: set[str]) -> Iterator[Field]:
    if resource.name not in within and not resource.link:
        yield from (field for field in resource.fields if field.type.target in within)
