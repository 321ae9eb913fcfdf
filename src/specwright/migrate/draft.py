"""The development database follows the specs: each save is applied, and asked about where data go."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from specwright.migrate.folder import DRAFT, Folder, sentences
from specwright.migrate.memory import recall, remember, stamp
from specwright.migrate.plan import Plan, plan
from specwright.migrate.protection import converge
from specwright.migrate.question import Ask, Question, Unanswered, answers
from specwright.migrate.rendering import run
from specwright.migrate.session import session
from specwright.model.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Developed:
    """What was done to the database, and the draft revision that does the same elsewhere."""

    applied: tuple[str, ...]
    draft: Path | None


async def develop(
    root: Path, manifest: Manifest, url: str, ask: Ask = None, accepted: Collection[str] = ()
) -> Developed:
    """Bring the development database to the manifest and rewrite the draft, keeping data.

    Exactly the difference to what the database has is applied, in one transaction, whatever drafts came
    before. It asks only when rows are really concerned; `accepted` holds keys that are answered already.

    Raises:
        UnansweredError: nobody can be asked, or the answer was no; nothing has changed.
        ConfigError: the database refuses; nothing has changed.
    """
    folder = Folder(root)
    draft = plan(folder.manifest(folder.head), manifest)
    answered = set(accepted)
    while True:
        try:
            async with session(url) as connection:
                applied = await connection.run_sync(_advance, folder, draft, manifest, answered)
            break
        except Unanswered as unanswered:
            questions = unanswered.questions
        answered |= await answers(questions, ask, "specwright migrate apply --draft")
    return Developed(applied, folder.write_draft(draft, manifest))


async def build(manifest: Manifest, url: str) -> None:
    """Bring an empty database to the manifest, as `develop` does; no draft is left behind.

    Raises:
        ConfigError: the database refuses; nothing has changed.
    """
    with TemporaryDirectory(prefix="specwright-") as elsewhere:
        await develop(Path(elsewhere), manifest, url)


def _advance(
    connection: Connection, folder: Folder, draft: Plan, manifest: Manifest, answered: set[str]
) -> tuple[str, ...]:
    memory = recall(connection, folder)
    way = plan(memory.manifest, manifest)
    context = MigrationContext.configure(connection)
    questions = []
    for step in way.steps:
        if step.hazard is not None:
            # As if the answer were yes: the transaction is not committed, and all questions come at once.
            count = connection.exec_driver_sql(step.hazard.rows.count).scalar_one()
            if count and step.hazard.mend is not None:
                connection.exec_driver_sql(step.hazard.mend)
            if count and step.hazard.key not in answered:
                questions.append(Question(step.hazard, count))
        run(context, [step.operation])
    if questions:
        raise Unanswered(questions)
    converge(connection, manifest)
    revision = DRAFT if draft.steps else folder.head
    if memory.manifest != manifest or memory.revision != revision:
        remember(context, manifest)
        stamp(context, revision)
    return tuple(sentences(way))
