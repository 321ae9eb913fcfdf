"""What rows and values go when a revision is taken back."""

from collections.abc import Iterator

from specwright.migrate.conversion import convert
from specwright.migrate.folder import Folder, Revision
from specwright.migrate.hazards import Hazard
from specwright.migrate.operations import DropColumn, DropTable, Operation, SetType
from specwright.migrate.plan import plan
from specwright.migrate.rows import Rows
from specwright.model.errors import Origin
from specwright.model.manifest import Manifest
from specwright.sql.tables import quote


def losses(folder: Folder, revision: Revision) -> Iterator[Hazard]:
    """The hazards of the way back from a revision, in the names that hold while it is applied.

    They are told from the manifests on both sides: of a revision that has none, written by hand, nothing is
    known.
    """
    after = folder.manifest(revision.id)
    origin = Origin(revision.path.relative_to(folder.root).as_posix(), 1)
    for operation in plan(folder.manifest(revision.down), after).inverse:
        lost = _lost(operation, after)
        if lost is not None:
            key, rows, price = lost
            yield Hazard(
                key,
                f"{revision.id} taken back means: {operation.sentence}.",
                "Leave it applied, or copy the rows first.",
                origin,
                rows,
                price,
            )


def _lost(operation: Operation, after: Manifest) -> tuple[str, Rows, str] | None:
    match operation:
        case DropTable(table):
            return f"drop {_named(after, table.name)}", Rows(table.name), "will be lost"
        case DropColumn(table, column):
            rows = Rows(table, f"{quote(column.name)} IS NOT NULL")
            return f"drop {_named(after, table, column.name)}", rows, "will lose this value"
        case SetType(table, column, old, new):
            loses = convert(quote(column), old.sql_type, new.sql_type).loses
            if loses is not None:
                return f"convert {_named(after, table, column)}", Rows(table, loses), "will lose this value"
    return None


def _named(manifest: Manifest, table: str, column: str | None = None) -> str:
    """The entity or field that is stored there, as a spec calls it."""
    resource = next(known for known in manifest.stored if known.table == table)
    if column is None:
        return resource.name
    return f"{resource.name}.{next(field.name for field in resource.fields if field.column == column)}"
