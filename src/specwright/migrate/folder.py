"""The `migrations/` folder: committed revisions, each with the manifest it leads to, and one draft."""

import ast
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from specwright.migrate.operations import Operation, Rename
from specwright.migrate.plan import Plan
from specwright.migrate.protection import (
    Protect,
    Unprotect,
    audit_sentences,
    move_sentences,
    policies_sentence,
)
from specwright.migrate.rendering import python
from specwright.model.document import from_document, to_document
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.sql.policies import Policy
from specwright.sql.protection import Protection

DRAFT = "draft"

_INI = """\
# Plain `alembic` commands work here, beside `specwright migrate`. The database is that of DATABASE_URL.
[alembic]
script_location = %(here)s/migrations/alembic
version_locations = %(here)s/migrations
path_separator = os
prepend_sys_path = .
file_template = %%(rev)s_%%(slug)s
"""

_ENV = '''\
"""What Alembic runs for each command: see specwright.migrate.environment."""

from specwright.migrate.environment import run

run()
'''

_MAKO = '''\
"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''


@dataclass(frozen=True, slots=True)
class Revision:
    """A committed revision."""

    id: str
    down: str | None
    path: Path

    @property
    def title(self) -> str:
        """Its id and what it was called: `0002 due dates`."""
        return self.path.stem.replace("_", " ")


class Folder:
    """The revisions of a project, as its files say now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "migrations"
        found = [_read(path) for path in sorted(self.path.glob("*.py"))]
        self._by_down = {revision.down: revision for revision in found if revision.id != DRAFT}
        self.revisions = tuple(self._chain())
        if len(self.revisions) != sum(revision.id != DRAFT for revision in found):
            raise ConfigError(
                f"{self.path} is no single line of revisions: two follow the same one, or one is missing. "
                "Set down_revision so that each follows another."
            )

    def _chain(self) -> Iterable[Revision]:
        at: str | None = None
        while (revision := self._by_down.get(at)) is not None:
            yield revision
            at = revision.id

    @property
    def head(self) -> str | None:
        """The last committed revision."""
        return self.revisions[-1].id if self.revisions else None

    @property
    def ini(self) -> Path:
        """Alembic's settings."""
        return self.root / "alembic.ini"

    def manifest(self, revision: str | None) -> Manifest:
        """The manifest that a revision leads to; of one written by hand, that of the one before.

        Raises:
            ConfigError: there is no such revision.
        """
        if revision is None:
            return Manifest()
        if revision == DRAFT:
            return _load(self.path / "draft.json")
        ids = [known.id for known in self.revisions]
        if revision not in ids:
            raise ConfigError(f"{self.path} has no revision {revision}.")
        for known in reversed(self.revisions[: ids.index(revision) + 1]):
            beside = known.path.with_suffix(".json")
            if beside.exists():
                return _load(beside)
        return Manifest()

    def write_draft(self, plan: Plan, manifest: Manifest) -> Path | None:
        """Write the way from the last committed revision to a manifest; remove the draft if there is none."""
        path = self.path / f"{DRAFT}.py"
        for stale in (self.path / "__pycache__").glob("draft.*.pyc"):
            # Two drafts of one second and one size have the same fingerprint for Python.
            stale.unlink(missing_ok=True)
        if not plan.steps:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
            return None
        self.path.mkdir(exist_ok=True)
        header = "Draft, rewritten by `specwright up` on each save. `specwright migrate commit` freezes it."
        _write(path.with_suffix(".json"), _dump(manifest))
        _write(path, _script(header, DRAFT, self.head, plan))
        return path

    def write_revision(self, plan: Plan, manifest: Manifest, text: str) -> Path:
        """Write the next revision and what Alembic needs to run it; the draft goes."""
        number = max((int(known.id) for known in self.revisions if known.id.isdecimal()), default=0) + 1
        slug = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40].strip("_") or "changes"
        path = self.path / f"{number:04}_{slug}.py"
        alembic = self.path / "alembic"
        alembic.mkdir(parents=True, exist_ok=True)
        for file, content in (
            (self.ini, _INI),
            (alembic / "env.py", _ENV),
            (alembic / "script.py.mako", _MAKO),
        ):
            if not file.exists():
                _write(file, content)
        _write(path.with_suffix(".json"), _dump(manifest))
        _write(path, _script(text, f"{number:04}", self.head, plan))
        (self.path / f"{DRAFT}.py").unlink(missing_ok=True)
        (self.path / f"{DRAFT}.json").unlink(missing_ok=True)
        return path


def sentences(plan: Plan) -> list[str]:
    """The steps for a person, without what only follows from others.

    Those are constraints and indexes renamed with their table, and policies that step aside meanwhile.
    """
    return list(_sentences(plan.operations))


def _sentences(operations: Iterable[Operation]) -> Iterator[str]:
    before: Protection | None = None
    tables = [operation for operation in operations if not isinstance(operation, Protect | Unprotect)]
    renamed = bool(tables) and all(isinstance(operation, Rename) for operation in tables)
    for operation in operations:
        match operation:
            case Rename("constraint" | "index"):
                pass
            case Unprotect(protection):
                before = protection
            case Protect(protection) if before is not None:
                if not renamed and (changed := _changed(before, protection)):
                    yield policies_sentence(changed)
                if not renamed:
                    yield from audit_sentences(before, protection)
                    yield from move_sentences(before, protection)
            case Protect(protection):
                yield operation.sentence
                yield from audit_sentences(None, protection)
                yield from move_sentences(None, protection)
            case _:
                yield operation.sentence


def _changed(before: Protection, after: Protection) -> list[str]:
    """The tables that have other policies now: views and defaults only follow the columns."""
    return [
        table
        for table in after.tables
        if table not in before.tables or _policies(before, table) != _policies(after, table)
    ]


def _policies(protection: Protection, table: str) -> list[Policy]:
    return [policy for policy in protection.policies if policy.table == table]


def _script(text: str, revision: str, down: str | None, plan: Plan) -> str:
    up, back = python(plan.operations), python(plan.inverse)
    dialect = "from sqlalchemy.dialects import postgresql\n" if "postgresql." in up + back else ""
    summary = text.replace("\\", "\\\\").replace('"""', "'''")
    steps = (
        "\n".join(f"- {sentence}" for sentence in sentences(plan)).replace("\\", "\\\\").replace('"""', "'''")
    )
    return f'''\
"""{summary}

{steps}
"""

import sqlalchemy as sa  # noqa: F401
{dialect}from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
{_indented(up)}


def downgrade() -> None:
{_indented(back)}
'''


def _indented(code: str) -> str:
    return code if code.startswith("    ") else f"    {code}"


def _read(path: Path) -> Revision:
    """The ids of a revision file, without running it."""
    values: dict[str, object] = {}
    try:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, value) if value:
                    if name in {"revision", "down_revision"}:
                        values[name] = ast.literal_eval(value)
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{path} is no Alembic revision: {error}.") from None
    revision, down = values.get("revision"), values.get("down_revision")
    if not isinstance(revision, str) or not isinstance(down, str | None):
        raise ConfigError(f"{path} is no Alembic revision of one line: move it out of migrations/.")
    return Revision(revision, down, path)


def _load(path: Path) -> Manifest:
    try:
        return from_document(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Restore it from version control.") from None


def _dump(manifest: Manifest) -> str:
    return json.dumps(to_document(manifest), indent=1, ensure_ascii=False) + "\n"


def _write(path: Path, content: str) -> None:
    """All or nothing, so that a kill leaves the old file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(path)
