"""DB02: the migrations make the tables that the models describe."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.database.rehearsed import compared, rehearsed
from specwright.verify.lab import Lab
from specwright.verify.result import Result


async def run(lab: Lab) -> AsyncIterator[Result]:
    """All revisions on an empty database, which is then compared with the models, or what the specs make.

    Raises:
        NotRun: there are no migrations that can be run.
    """
    specs = lab.folder if lab.manifest is not None else None
    found = compared(lab, CHECK, specs) if specs is not None else rehearsed(lab, CHECK, "models")
    async for result in found:
        yield result


CHECK = Check(
    id="DB02",
    name="drift",
    sentence="The migrations make what the models or the specs describe: types, keys, checks, policies.",
    severity=2,
    references=("CWE-1068",),
    remedy="Write a revision that makes the difference, as `alembic check` shows it.",
    run=run,
)
