"""DB01: a migration goes up, down and up again where there are rows, and none is lost."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.database.rehearsed import rehearsed
from specwright.verify.lab import Lab
from specwright.verify.result import Result


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Each of Alembic's revisions up, down and up again, on a database of its own with rows in every table.

    Raises:
        NotRun: there are no migrations that can be run.
    """
    async for result in rehearsed(lab, CHECK, "migrations"):
        yield result


CHECK = Check(
    id="DB01",
    name="migrations",
    sentence="A migration can be applied, taken back and applied again where there are rows, and loses none.",
    severity=3,
    references=("CWE-703",),
    remedy="Give a new column a default, or fill it before it is required; take back all that was done.",
    run=run,
)
