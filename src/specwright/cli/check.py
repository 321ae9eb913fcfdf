"""`specwright check` and `specwright manifest`: what the spec says, leaves open, and gets wrong."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from specwright.cli.project import find_project
from specwright.model.document import to_document
from specwright.model.errors import Mistake, Origin, SpecError
from specwright.model.manifest import Manifest
from specwright.read import read_project
from specwright.read.question import Question
from specwright.read.questions import questions

#: Questions that are printed as text; more are noise.
MOST_QUESTIONS = 5

Directory = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="The project's folder; by default the one you are in.")
]


class Format(StrEnum):
    """How the findings are printed."""

    TEXT = "text"
    JSON = "json"


def check(
    directory: Directory = None,
    format: Annotated[Format, typer.Option(help="text, or json for programs.")] = Format.TEXT,
) -> None:
    """Read the spec: its mistakes, and the questions it leaves open.

    Exit code 1 when the spec has mistakes. Questions are no mistakes: a safe default is in force for each.
    """
    root = find_project(directory)
    read: Manifest | None = None
    mistakes: tuple[Mistake, ...] = ()
    try:
        read = read_project(root)
    except SpecError as error:
        mistakes = error.mistakes
    if format is Format.JSON:
        _print_json(_findings(read or Manifest(), mistakes))
    elif read is None:
        typer.echo("\n".join([*map(str, mistakes), "", f"{_count(len(mistakes), 'mistake')}."]))
    else:
        typer.echo("\n".join(_report(read)))
    if mistakes:
        raise typer.Exit(1)


def manifest(directory: Directory = None) -> None:
    """Print the manifest, everything the spec says as one JSON document."""
    _print_json(to_document(read_project(find_project(directory))))


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _findings(manifest: Manifest, mistakes: Iterable[Mistake]) -> dict[str, Any]:
    return {
        "mistakes": [_placed(mistake.origin, message=mistake.message) for mistake in mistakes],
        "questions": [
            _placed(
                question.origin,
                code=question.code,
                text=question.text,
                options=question.options,
                recommendation=question.recommendation,
                default_in_force=question.default_in_force,
            )
            for question in questions(manifest)
        ],
        "open_questions": [_placed(mark.origin, text=mark.text) for mark in manifest.open_questions],
    }


def _placed(origin: Origin, **rest: Any) -> dict[str, Any]:
    return {**asdict(origin), **rest}


def _report(manifest: Manifest) -> list[str]:
    served = list(manifest.served)
    lines = [
        f"{_count(len(manifest.features), 'feature')}, {_count(len(served), 'resource')}, "
        f"{_count(len(manifest.requirements), 'requirement')}: no mistakes"
        f"{'' if served else ', and nothing to serve'}."
    ]
    asked = questions(manifest)
    if asked:
        lines += ["", "Questions, each with the default in force until you decide:"]
        for question in asked[:MOST_QUESTIONS]:
            lines += _question(question)
        if len(asked) > MOST_QUESTIONS:
            lines.append(
                f"  … and {_count(len(asked) - MOST_QUESTIONS, 'more question')} (--format json has all)."
            )
    if manifest.open_questions:
        lines += ["", "Marked [NEEDS CLARIFICATION]:"]
        lines += [f"  {mark.origin}  {mark.text}" for mark in manifest.open_questions]
    return lines


def _question(question: Question) -> list[str]:
    return [
        f"  {question.origin}  {question.text}",
        f"      options: {'; '.join(question.options)}",
        f"      recommended: {question.recommendation}",
        f"      in force: {question.default_in_force}",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
