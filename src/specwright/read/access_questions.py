"""What a spec leaves open about who may do what: grants, people and tenants."""

from collections.abc import Iterator

from specwright.model.errors import Origin
from specwright.model.expression import And, CallerPath, Compare, Expr, Path, walk
from specwright.model.field import Field, Shown
from specwright.model.grant import HAND_OVER, Grant, WhoKind
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.model.tenant import Tenant
from specwright.model.types import Kind
from specwright.read.question import Question, declared


def empty_on_both_sides(manifest: Manifest) -> Iterator[Question]:
    """Conditions that hold where neither the caller nor the row has a value."""
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


def some_and_some_other(manifest: Manifest) -> Iterator[Question]:
    """Comparisons over one relation to many that may be met by rows of their own."""
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


def without_grants(manifest: Manifest) -> Iterator[Question]:
    """Entities without a table of grants."""
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


def without_read(manifest: Manifest) -> Iterator[Question]:
    """Grants to write rows that are not to be read."""
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


def unique_over_owners(manifest: Manifest) -> Iterator[Question]:
    """Unique values that tell one owner of another."""
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


def unique_over_tenants(manifest: Manifest) -> Iterator[Question]:
    """Unique values that tell one tenant of another."""
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


def without_founder(manifest: Manifest) -> Iterator[Question]:
    """Tenants whose first member nobody is."""
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


def over_the_border(manifest: Manifest) -> Iterator[Question]:
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


def external_people(manifest: Manifest) -> Iterator[Question]:
    """People by an id that is looked up nowhere, and who gain access by it."""
    for resource, field in declared(manifest):
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
