"""AM01: who may do what is as the spec says, cell by cell."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.policy.acts import acts
from specwright.verify.policy.granted import Granted
from specwright.verify.policy.matrix import Stage, cell, judged
from specwright.verify.policy.scene import Act
from specwright.verify.result import Result
from specwright.verify.surface.surface import Collection


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Everybody tries everything that can be done with a row; the judge of the rules says what is due."""
    granted = lab.policy
    if lab.manifest is None or not isinstance(granted, Granted):
        raise NotRun("there is no spec that says who may do what: the checks of single rows are for that")
    stage = Stage(lab, granted)
    for collection in lab.surface.collections:
        for act in acts(lab.manifest, lab.surface, collection):
            if lab.focus in ("", act.operation.label):
                async for result in _tried(stage, act, collection):
                    yield result


async def _tried(stage: Stage, act: Act, about: Collection) -> AsyncIterator[Result]:
    async for scene in stage.scenes(act, about):
        if isinstance(scene, NotRun):
            yield CHECK.not_run(act.operation, str(scene), *scene.probes, case=act.name)
            continue
        case = cell(scene.resource, act.name, scene.person)
        try:
            tried = await act.ask(scene)
            if tried is None:
                continue
            wrong, probe = await judged(scene, tried)
        except NotRun as why:
            yield CHECK.not_run(act.operation, str(why), *why.probes, case=case)
            continue
        if probe.succeeded and probe.method != "GET":
            stage.wear(scene.row)
        if wrong:
            says = f"{act.name} of {scene.row.person}'s row of {about.name}: {wrong}"
            yield CHECK.broken(act.operation, says, probe, case=case)
        else:
            due = "may" if tried.due.allowed else "may not"
            says = f"{scene.person} {due} {act.name} {about.name}, and it is so"
            yield CHECK.proved(act.operation, says, probe, case=case)


CHECK = Check(
    id="AM01",
    name="access matrix",
    sentence="Everybody can do what the spec grants them, with effect, and nothing else.",
    severity=3,
    references=("OWASP API1:2023", "OWASP API3:2023", "OWASP API5:2023", "ASVS 8.2.1"),
    remedy="specwright access explains a cell: change the grant, or the code that does more or less.",
    run=run,
)
