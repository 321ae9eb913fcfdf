"""What is seen of an app's migrations, as results of a check."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from specwright.model.errors import Origin, SpecwrightError
from specwright.verify.check import Check
from specwright.verify.database.catalog import catalog
from specwright.verify.inside import Inside
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Result

#: What a project's specs are brought to its database by, elsewhere than here.
_APPLY = "python -m specwright migrate apply"
_UNCOMMITTED = "no revision is committed yet: `specwright migrate commit` writes the first"


async def rehearsed(lab: Lab, check: Check, what: str) -> AsyncIterator[Result]:
    """One result for each revision, or each table.

    Raises:
        NotRun: there are no migrations that can be run.
    """
    inside = _inside(lab)
    if lab.manifest is not None and lab.folder is not None and not (lab.folder / "alembic.ini").is_file():
        raise NotRun(_UNCOMMITTED)
    try:
        found = await inside.rehearsed(what)
    except SpecwrightError as error:
        raise NotRun(str(error).rstrip(".")) from None
    for each in found:
        subject, says = each["subject"], each["says"]
        if each["standing"] == "broken":
            yield check.broken(subject, says, case=says).because(*each["details"])
        elif each["standing"] == "suspected":
            yield replace(check.suspected(subject, says, case=says), source=Origin(*each["at"]))
        elif each["standing"] == "proved":
            yield check.proved(subject, says)
        else:
            yield check.not_run(subject or "the migrations", says).because(*each["details"])


async def compared(lab: Lab, check: Check, folder: Path) -> AsyncIterator[Result]:
    """For each table, whether a project's revisions make what its specs make, policies and all.

    Raises:
        NotRun: there are no revisions, or they are behind the specs.
    """
    inside = _inside(lab)
    if not any((folder / "migrations").glob("[0-9]*.py")):
        raise NotRun(_UNCOMMITTED)
    if (folder / "migrations" / "draft.py").is_file():
        raise NotRun("migrations/draft.py is not committed yet: `specwright migrate commit` does it")
    try:
        async with inside.filled(_APPLY) as url:
            if url is None or inside.database is None:
                raise NotRun("there are no two databases to compare")
            made, meant = await catalog(url), await catalog(inside.database)
    except SpecwrightError as error:
        raise NotRun(str(error).rstrip(".")) from None
    drifted = {place for place in made.keys() | meant.keys() if made.get(place) != meant.get(place)}
    for table, part in sorted(drifted):
        specs, revisions = (side.get((table, part), "nothing") for side in (meant, made))
        says = f"{part} is not what the specs say once the revisions are applied"
        broken = check.broken(table, says, case=part)
        yield broken.because(f"by the specs: {specs}", f"by the revisions: {revisions}")
    for table in sorted({table for table, _ in meant} - {table for table, _ in drifted}):
        yield check.proved(table, "the revisions make what the specs say: columns, keys, indexes, policies")


def _inside(lab: Lab) -> Inside:
    if lab.inside is None:
        raise NotRun("the app does not run here, and its migrations are not known")
    return lab.inside
