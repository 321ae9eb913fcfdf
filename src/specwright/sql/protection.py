"""Protection: everything of a manifest that holds sessions back, policies and what they need."""

from dataclasses import dataclass

from specwright.model.field import Field, Filled
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.values import key_kind
from specwright.sql.audit import Audited, audited
from specwright.sql.claims import CALLER, DEFINER, PolicyCompiler, tenant_sql, view
from specwright.sql.deletion import NO_DELETIONS, Deletions, deletions
from specwright.sql.identity import making_own_row
from specwright.sql.moving import Moving, moving
from specwright.sql.policies import LinkTwins, Policy, Twins
from specwright.sql.remembered import remembered
from specwright.sql.roles import OURS, role_suffix
from specwright.sql.tables import Tables, quote


@dataclass(frozen=True, slots=True)
class View:
    """All living rows of a table, with the rights of the view's owner."""

    name: str
    select: str


@dataclass(frozen=True, slots=True)
class Protection:
    """Everything of a manifest that holds sessions back."""

    roles: tuple[str, ...]
    tables: tuple[str, ...]
    views: tuple[View, ...]
    policies: tuple[Policy, ...]
    #: Table and column of what the database fills with the caller or the tenant, and the expression for it.
    filled: tuple[tuple[str, str, str], ...]
    #: What the function does that sessions call before their first write.
    own_row: str | None
    #: Whose changes are recorded.
    audited: tuple[Audited, ...] = ()
    #: Whose deleted rows stay.
    deletions: Deletions = NO_DELETIONS
    #: What changes by moves alone.
    moving: tuple[Moving, ...] = ()


@remembered
def protection(manifest: Manifest) -> Protection:
    """The policies of a manifest, and what they need."""
    stored = tuple(manifest.stored)
    compiler = PolicyCompiler(Tables(manifest))
    policies = tuple(
        policy
        for resource in stored
        for policy in (LinkTwins if resource.link else Twins)(compiler, resource).policies()
    )
    filled = tuple(
        (resource.table, field.column, filling)
        for resource in stored
        for field in resource.fields
        if (filling := _filling(manifest, field)) is not None
    )
    return Protection(
        roles=(*OURS, *(role_suffix(role.name) for role in manifest.roles)),
        tables=tuple(resource.table for resource in stored),
        views=tuple(_view(manifest, compiler.views[name]) for name in sorted(compiler.views)),
        policies=policies,
        filled=filled,
        own_row=making_own_row(manifest),
        audited=tuple(audited(manifest)),
        deletions=deletions(compiler.tables),
        moving=tuple(moving(compiler.tables)),
    )


def _filling(manifest: Manifest, field: Field) -> str | None:
    match field.filled:
        case Filled.CALLER:
            return CALLER
        case Filled.TENANT:
            return tenant_sql(key_kind(manifest, field.type))
        case _:
            return None


def _view(manifest: Manifest, resource: Resource) -> View:
    table = view(manifest, resource)
    columns = ", ".join(quote(column.name) for column in table.columns)
    source = f"{quote(resource.schema)}.{quote(resource.table)}"
    alive = "" if resource.deleted is None else f" WHERE {quote(resource.deleted.column)} IS NULL"
    return View(f"{DEFINER}.{quote(resource.table)}", f"SELECT {columns} FROM {source}{alive}")  # noqa: S608
