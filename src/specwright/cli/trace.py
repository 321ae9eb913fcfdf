"""`specwright trace`: from each requirement to what shows that it holds."""

import asyncio
import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specwright.cli.project import find_project
from specwright.cli.proof import proofs
from specwright.model.errors import SpecError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.marks import find_marks
from specwright.verify.requirements.trace import Traced, follow
from specwright.verify.result import Standing


class Format(StrEnum):
    """How the trace is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def trace(
    directory: Annotated[
        Path | None, typer.Argument(help="The project's folder; by default the one you are in.")
    ] = None,
    format: Annotated[Format, typer.Option(help="text, markdown, or json for programs.")] = Format.TEXT,
) -> None:
    """From each requirement to its examples, the checks and tests that name it, and where it stands.

    The examples are run. Exit code 1 when a requirement is broken, or a comment `# Spec: tasks#FR-003` points
    nowhere.
    """
    root = find_project(directory)
    manifest = read_project(root)
    marks, mistakes = find_marks(root, manifest)
    if mistakes:
        raise SpecError(mistakes)
    evidence = asyncio.run(_evidence(root, manifest))
    traced = follow(manifest, marks, evidence)
    typer.echo({Format.TEXT: _text, Format.MARKDOWN: _markdown, Format.JSON: _json}[format](traced))
    if any(each.standing is Standing.BROKEN for each in traced):
        raise typer.Exit(1)


async def _evidence(root: Path, manifest: Manifest) -> dict[str, Evidence]:
    shown = [requirement for requirement in manifest.requirements if requirement.examples]
    if not shown:
        return {}
    return {evidence.requirement.id: evidence async for evidence in proofs(root, manifest, shown)}


def _text(traced: Sequence[Traced]) -> str:
    lines = []
    for each in traced:
        requirement = each.requirement
        lines.append(f"{each.standing:<8} {_name(each)}  {_sentence(requirement.text)}")
        lines.append(f"         shown by  {', '.join(each.shown_by) or 'nothing'}")
        if each.built_in:
            lines.append(f"         built in  {', '.join(map(str, each.built_in))}")
    bare = [_name(each) for each in traced if each.without_evidence]
    if bare:
        lines += ["", f"without evidence: {', '.join(bare)}"]
    return "\n".join(lines) if lines else "The specs have no requirements."


def _markdown(traced: Sequence[Traced]) -> str:
    lines = ["| Requirement | Stands | Shown by | Built in |", "|---|---|---|---|"]
    for each in traced:
        said = _sentence(each.requirement.text).replace("|", "\\|")
        cells = (
            f"**{_name(each)}** {said}",
            each.standing.value,
            ", ".join(each.shown_by) or "nothing",
            ", ".join(map(str, each.built_in)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _json(traced: Sequence[Traced]) -> str:
    return json.dumps(
        [
            {
                "requirement": each.requirement.id,
                "origin": str(each.requirement.origin),
                "text": each.requirement.text,
                "standing": each.standing.value,
                "shown_by": list(each.shown_by),
                "built_in": [str(origin) for origin in each.built_in],
                "why": each.why,
            }
            for each in traced
        ],
        indent=2,
        ensure_ascii=False,
    )


def _name(each: Traced) -> str:
    return each.requirement.id.replace("/", "#", 1)


def _sentence(text: str) -> str:
    return text.strip().partition("\n")[0]
