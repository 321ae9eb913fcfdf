"""What a spec leaves open or asks for at its own risk, with the safe default that is in force meanwhile."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from specwright.model.errors import Origin
from specwright.model.expression import And, CallerPath, Compare, Expr, Path, walk
from specwright.model.field import Field, Shown
from specwright.model.grant import HAND_OVER, Grant, WhoKind
from specwright.model.manifest import Manifest
from specwright.model.names import kebab, plural
from specwright.model.paths import resolve
from specwright.model.pattern import is_bounded
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.model.tenant import Tenant
from specwright.model.types import Kind

#: Characters that a text without a bound may have.
TEXT_CAP = 10_000
NOT_FOUND = 404

#: How much of a path must agree with an entity's to be taken for it misspelt.
_NEARLY = 0.75


@dataclass(frozen=True, slots=True)
class Question:
    """Something for a person to decide."""

    code: str
    origin: Origin
    text: str
    options: tuple[str, ...]
    recommendation: str
    default_in_force: str


def questions(manifest: Manifest) -> tuple[Question, ...]:
    """Everything to decide, the most dangerous first; within one kind in reading order."""
    return tuple(
        question
        for ask in (
            _nothing_to_serve,
            _empty_on_both_sides,
            _some_and_some_other,
            _without_grants,
            _without_read,
            _unique_over_tenants,
            _unique_over_owners,
            _without_founder,
            _over_the_border,
            _without_on_delete,
            _without_bound,
            _external_people,
            _plural_headings,
            _unknown_requirements,
            _unknown_paths,
        )
        for question in ask(manifest)
    )


def _nothing_to_serve(manifest: Manifest) -> Iterator[Question]:
    if manifest.features and not any(manifest.served):
        yield Question(
            "nothing-to-serve",
            Origin(manifest.features[0].file, 1),
            "No entity is declared, so there is nothing to serve. What are the rows of this backend?",
            ("a heading as ## Task with a Field | Type | Rules table below it", "leave it so"),
            "write a heading as ## Task, and below it a table with the header Field | Type | Rules",
            "no routes but those of app/main.py",
        )


def _empty_on_both_sides(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        asked: set[Expr] = set()
        for grant in resource.grants:
            for condition, origin in _conditions(manifest, grant):
                for node in walk(condition):
                    pair = _claim_and_path(node)
                    if pair is None or node in asked or not _nullable(manifest, resource, pair[1]):
                        continue
                    asked.add(node)
                    claim, path = (print_expression(side) for side in pair)
                    guarded = f"write `{path} is not None and {print_expression(node)}`"
                    yield Question(
                        "empty-equals-empty",
                        origin,
                        f"`{print_expression(node)}` holds for a caller without {claim} "
                        f"on every {resource.name} without {path}: empty equals empty. Is that meant?",
                        (guarded, f"make {path} required"),
                        guarded,
                        "what is written: empty equals empty",
                    )


def _some_and_some_other(manifest: Manifest) -> Iterator[Question]:
    asked: set[tuple[Origin, str]] = set()
    for resource in manifest.served:
        for grant in resource.grants:
            for condition, origin in _conditions(manifest, grant):
                for node in walk(condition):
                    for relation, paths in _joined(manifest, resource, node):
                        if (origin, relation) in asked:
                            continue
                        asked.add((origin, relation))
                        yield Question(
                            "some-and-some-other",
                            origin,
                            f"`{'` and `'.join(paths)}` stand in comparisons of their own: some row of "
                            f"{relation} meets the one, and maybe another row the other. Is that meant?",
                            ("keep one of them", "grant it where each row speaks for itself", "leave it so"),
                            f"keep one comparison over {relation}",
                            "each comparison looks for a row of its own",
                        )


def _joined(manifest: Manifest, resource: Resource, node: Expr) -> Iterator[tuple[str, list[str]]]:
    """The relations to many of which an `and` asks different things in different items."""
    found: dict[str, list[set[str]]] = {}
    for item in node.items if isinstance(node, And) else ():
        paths: dict[str, set[str]] = {}
        for path in walk(item):
            if isinstance(path, Path):
                hops = resolve(manifest, resource, path).hops
                many = next((place for place, hop in enumerate(hops, 1) if hop.many), None)
                if many is not None:
                    paths.setdefault(".".join(path.names[:many]), set()).add(print_expression(path))
        for relation, names in paths.items():
            found.setdefault(relation, []).append(names)
    for relation, sets in found.items():
        if len(sets) > 1 and len(asked := sorted(frozenset[str]().union(*sets))) > 1:
            yield relation, asked


def _conditions(manifest: Manifest, grant: Grant) -> Iterator[tuple[Expr, Origin]]:
    named = manifest.name(grant.who.name) if grant.who.kind is WhoKind.NAMED else None
    if named is not None:
        yield named.condition, named.origin
    for condition in (grant.when, grant.then):
        if condition is not None:
            yield condition, grant.origin


def _claim_and_path(node: Expr) -> tuple[CallerPath, Path] | None:
    match node:
        case Compare("==", CallerPath(("claims", *_)) as claim, Path() as path):
            return claim, path
        case Compare("==", Path() as path, CallerPath(("claims", *_)) as claim):
            return claim, path
        case _:
            return None


def _nullable(manifest: Manifest, resource: Resource, path: Path) -> bool:
    """Whether a row can lack the value: its field is nullable, or a reference on the way to it."""
    found = resolve(manifest, resource, path)
    ways = (manifest.resource(hop.source).field(hop.field) for hop in found.hops if not hop.many)
    return found.field.nullable or any(reference is not None and reference.nullable for reference in ways)


def _without_grants(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        if not resource.grants and resource.name != "User":
            owned = resource.owner is not None
            first = "`owner | everything`" if owned else "`signed in | list, read`"
            yield Question(
                "no-grants",
                resource.origin,
                f"Who may do what with {resource.name}? It has no Who | May table.",
                (f"add {first}", "leave it closed"),
                f"add a Who | May table with {first}",
                "nobody may do anything",
            )


def _without_read(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        for grant in resource.grants:
            acts = [action for action in grant.actions if action in ("create", "update", "delete")]
            if acts and not any(_covers(manifest, reader, grant, resource) for reader in resource.grants):
                yield Question(
                    "no-read",
                    grant.origin,
                    f"{grant.who} may {' and '.join(acts)} {resource.name}, and not read it. "
                    "What is not readable is answered as missing. Is that meant?",
                    (f"add read to the row of {grant.who}", "leave it so"),
                    f"write `{grant.who} | list, read, {', '.join(acts)}`",
                    "rows they cannot read are 404 for them",
                )


def _covers(manifest: Manifest, reader: Grant, grant: Grant, resource: Resource) -> bool:
    """Whether a grant to read may reach those who hold another grant."""
    if "read" not in reader.actions:
        return False
    if reader.who == grant.who or reader.who.kind is WhoKind.ANYONE:
        return True
    if reader.who.kind is WhoKind.SIGNED_IN:
        return grant.who.kind is not WhoKind.ANYONE
    if "create" not in grant.actions or grant.who.kind is WhoKind.ANYONE:
        return False
    tenant = manifest.tenant
    founds = tenant is not None and tenant.founder is not None and resource.name == tenant.entity
    # Whoever creates a tenant is then its member, which is what a name may stand for.
    names = {WhoKind.OWNER: resource.owner is not None, WhoKind.NAMED: founds}
    return names.get(reader.who.kind, False)


def _unique_over_owners(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        owner = resource.owner
        if owner is None or resource.tenant is not None or resource.name == "User":
            continue
        # What only code writes tells nobody of a conflict.
        if not any(action in grant.actions for grant in resource.grants for action in ("create", "update")):
            continue
        for field in resource.fields:
            if field.unique and not field.unique_per and field.filled is None:
                yield Question(
                    "unique-over-owners",
                    field.origin,
                    f'"{field.name}" of {resource.name} is unique over all owners: '
                    "a conflict tells one owner what another has. Is that meant?",
                    (f"unique per {owner.name}", "keep it unique over all"),
                    f"unique per {owner.name}",
                    "unique over all owners",
                )


def _unique_over_tenants(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        tenant = resource.tenant
        for field in resource.fields if tenant is not None else ():
            if tenant is not None and field.unique and not field.unique_per and field is not tenant:
                yield Question(
                    "unique-over-tenants",
                    field.origin,
                    f'"{field.name}" of {resource.name} is unique over all tenants: '
                    "a conflict tells one tenant what another has. Is that meant?",
                    (f"unique per {tenant.name}", "keep it unique over all"),
                    f"unique per {tenant.name}",
                    "unique over all tenants",
                )


def _without_founder(manifest: Manifest) -> Iterator[Question]:
    tenant = manifest.tenant
    if tenant is None or tenant.founder is not None:
        return
    if any("create" in grant.actions for grant in manifest.resource(tenant.entity).grants):
        through = manifest.resource(tenant.through)
        chosen = next((field for field in through.fields if field.type.kind is Kind.ENUM), None)
        words = "founder" if chosen is None else f"founder {chosen.name} {chosen.type.literals[0]}"
        yield Question(
            "no-founder",
            tenant.origin,
            f"Who is the first member of a new {tenant.entity}? Whoever creates one has no {tenant.through} "
            "in it, and without one nobody can make another.",
            (f'add ", {words}"', f"make the first {tenant.through} in Python, or elsewhere"),
            f'end the line with ", {words}"',
            f"a new {tenant.entity} has no member",
        )


def _over_the_border(manifest: Manifest) -> Iterator[Question]:
    """Rows of a tenant that may be given to somebody who does not belong to it."""
    tenant = manifest.tenant
    if tenant is None:
        return
    for resource in manifest.served:
        if resource.tenant is None or resource.handed_over is None:
            continue
        owner = resource.handed_over.name
        for grant in resource.grants:
            then = () if grant.then is None else walk(grant.then)
            named = any(isinstance(node, Path) and node.names[-1] == tenant.member for node in then)
            if HAND_OVER not in grant.actions or named:
                continue
            relation = _members(manifest.resource(tenant.entity), tenant)
            asked = f"`{resource.tenant.name}.{relation}.{tenant.member} == {owner}`"
            yield Question(
                "hand-over-outside",
                grant.origin,
                f"May {resource.title} rows be handed over to somebody who is not in their {tenant.entity}? "
                "They are nobody's there to see then.",
                (f"write {asked} under Then", "leave it so"),
                f"write {asked} under Then",
                "anybody may become the owner",
            )


def _members(entity: Resource, tenant: Tenant) -> str:
    """What the memberships of a tenant are called in conditions."""
    return next(
        relation.name for relation in entity.relations if relation.many and relation.target == tenant.through
    )


def _without_on_delete(manifest: Manifest) -> Iterator[Question]:
    for resource, field in _declared(manifest):
        target = manifest.resource(field.target) if field.target is not None else None
        if target is not None and not target.external and field.on_delete is None:
            clear = ("on delete clear",) if field.nullable else ()
            yield Question(
                "no-on-delete",
                field.origin,
                f'What becomes of a {resource.name} when the {target.name} in its "{field.name}" is deleted?',
                ("on delete cascade", *clear, "on delete refuse"),
                "on delete clear" if field.nullable else "on delete cascade",
                "on delete refuse: the deletion is a conflict",
            )


def _without_bound(manifest: Manifest) -> Iterator[Question]:
    for resource, field in _declared(manifest):
        bounded = field.bounds.most is not None or (field.pattern is not None and is_bounded(field.pattern))
        if field.type.kind is Kind.TEXT and not bounded and field.stored:
            least = field.bounds.least or ""
            yield Question(
                "no-bound",
                field.origin,
                f'How long may "{field.name}" of {resource.name} be?',
                (f"{least}..200", f"{least}..5000"),
                f"write the longest that makes sense, as {least}..200",
                f"at most {TEXT_CAP} characters",
            )


def _external_people(manifest: Manifest) -> Iterator[Question]:
    for resource, field in _declared(manifest):
        name = field.target or field.linked
        target = manifest.resource(name) if name is not None else None
        free = (
            field.filled is None and not field.writable_by and field.shown in (Shown.BOTH, Shown.WRITE_ONLY)
        )
        if target is None or not target.external or not free or not _gives_access(manifest, resource, field):
            continue
        limit = f'add "writable by WHO" to {field.name}'
        if field.linked is not None:
            limit = f"grant update, and link {field.name}, to fewer"
        yield Question(
            "person-by-id",
            field.origin,
            f'Whoever writes "{field.name}" of {resource.name} gives its person access, and there is no '
            "## User table to look the id up in. Who may write it?",
            (limit, "add a ## User table"),
            limit,
            "everyone who may create or update the row; any text is accepted as an id",
        )


def _gives_access(manifest: Manifest, resource: Resource, field: Field) -> bool:
    """Whether some grant on the resource compares the field, or a person that it links, with the caller."""
    asked = Path((field.name,) if field.linked is None else (field.name, "id"))
    return any(
        isinstance(node, Compare) and {asked, CallerPath()} == {node.left, node.right}
        for grant in resource.grants
        for condition, _ in _conditions(manifest, grant)
        for node in walk(condition)
    )


def _plural_headings(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        derived = kebab(plural(resource.title))
        if re.search(r"[^sui]s$", resource.title) and resource.path == derived:
            one, many = resource.title[:-1], resource.title.lower()
            yield Question(
                "plural-heading",
                resource.origin,
                f"An entity is named for one row, and {resource.title} looks like many. "
                f"Is its path /{resource.path}?",
                (f"## {one}", f"## {resource.title} ({many})"),
                f"## {one}",
                f"/{resource.path}",
            )


def _unknown_requirements(manifest: Manifest) -> Iterator[Question]:
    keys = {requirement.key for requirement in manifest.requirements}
    for resource in manifest.served:
        for rule in resource.rules:
            for key in rule.requirements:
                if key not in keys:
                    yield Question(
                        "unknown-requirement",
                        rule.origin,
                        f"A rule of {resource.name} stands for {key}, and no requirement has that key. "
                        "Which is meant?",
                        (f"write - **{key}** …", "correct the key"),
                        f"write - **{key}** …",
                        "the rule holds, for no requirement",
                    )


def _unknown_paths(manifest: Manifest) -> Iterator[Question]:
    paths = {resource.path: manifest.route(resource) for resource in manifest.served}
    asked = set()
    for requirement in manifest.requirements:
        for example in requirement.examples:
            first = re.split(r"[/?]", example.request.path.removeprefix("/"))[0]
            close = get_close_matches(first, paths, 1, _NEARLY)
            known = manifest.at(example.request.path) is not None
            if known or not close or first in asked or example.response.status == NOT_FOUND:
                continue
            asked.add(first)
            route = paths[close[0]]
            yield Question(
                "unknown-path",
                example.request.origin,
                f"{requirement.key} asks for {example.request.method} /{first}, and no entity has that path. "
                f"Is /{route} meant?",
                (f"/{route}", f"a route /{first} in app/main.py"),
                f"write {example.request.method} /{route}",
                "it is asked as it is written",
            )


def _declared(manifest: Manifest) -> Iterator[tuple[Resource, Field]]:
    return (
        (resource, field) for resource in manifest.served for field in resource.fields if not field.built_in
    )
