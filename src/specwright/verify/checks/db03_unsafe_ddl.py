"""DB03: a migration keeps nobody away from a table for as long as the table is large."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.database.rehearsed import rehearsed
from specwright.verify.lab import Lab
from specwright.verify.result import Result


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Each of Alembic's revisions on an empty database, which says what it locks, reads and rewrites.

    How many rows there will be nobody knows here: so it is suspected, and nothing more.

    Raises:
        NotRun: there are no migrations that can be run.
    """
    async for result in rehearsed(lab, CHECK, "locks"):
        yield result


CHECK = Check(
    id="DB03",
    name="unsafe DDL",
    sentence="A migration keeps nobody away from a table for as long as it takes to read all its rows.",
    severity=2,
    references=("CWE-667", "CWE-400"),
    remedy="Build an index CONCURRENTLY, add a constraint NOT VALID and validate it in the next revision, "
    "and fill or convert a column in batches.",
    run=run,
)
