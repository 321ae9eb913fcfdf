"""The development database follows the specs: each save is applied, and asked about where data go."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from specwright.migrate.folder import DRAFT, Folder, sentences
from specwright.migrate.hazards import Hazard
from specwright.migrate.memory import recall, remember, stamp
from specwright.migrate.plan import Plan, plan
from specwright.migrate.protection import converge
from specwright.migrate.rendering import run
from specwright.migrate.session import session
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Question:
    """A hazard that some rows of this database are in."""

    hazard: Hazard
    rows: int

    def __str__(self) -> str:
        hazard = self.hazard
        count = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{hazard.origin}: {hazard.sentence} {count}: {hazard.price}. Go on?"


#: Asks a person; None where there is nobody to ask.
Ask = Callable[[Question], Awaitable[bool]] | None


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
        ConfigError: nobody can be asked, the answer was no, or the database refuses; nothing has changed.
    """
    folder = Folder(root)
    draft = plan(folder.manifest(folder.head), manifest)
    answered = set(accepted)
    while True:
        try:
            async with session(url) as connection:
                applied = await connection.run_sync(_advance, folder, draft, manifest, answered)
            break
        except _Unanswered as unanswered:
            questions = unanswered.questions
        answered |= await _answers(questions, ask)
    return Developed(applied, folder.write_draft(draft, manifest))


class _Unanswered(Exception):
    def __init__(self, questions: list[Question]) -> None:
        self.questions = questions


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
        raise _Unanswered(questions)
    converge(connection, manifest)
    revision = DRAFT if draft.steps else folder.head
    if memory.manifest != manifest or memory.revision != revision:
        remember(context, manifest)
        stamp(context, revision)
    return tuple(sentences(way))


async def _answers(questions: list[Question], ask: Ask) -> set[str]:
    if ask is None:
        told = "\n".join(f"{question}\n  {_ways_out(question.hazard)}" for question in questions)
        raise ConfigError(f"Data would be lost, and nobody is there to ask:\n{told}")
    for question in questions:
        if not await ask(question):
            raise ConfigError(f"Nothing has changed. {question.hazard.advice}")
    return {question.hazard.key for question in questions}


def _ways_out(hazard: Hazard) -> str:
    return f'{hazard.advice} To go on: specwright migrate apply --draft --accept "{hazard.key}"'
