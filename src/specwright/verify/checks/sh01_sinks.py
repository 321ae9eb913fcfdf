"""SH01: nothing that a request says is run: by a shell, by Python, or as SQL."""

import ast
import asyncio
from collections.abc import AsyncIterator, Mapping, Set
from dataclasses import replace
from pathlib import Path

from specwright.model.errors import Origin
from specwright.verify.check import Check
from specwright.verify.code.flow import Module
from specwright.verify.code.types import Types, only_ones
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.known_secrets import project_files
from specwright.verify.result import Result


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Each of the app's modules as text: where what its routes are given goes.

    Raises:
        NotRun: the code is not here, or answers no requests.
    """
    if lab.folder is None:
        raise NotRun("the app's code is not to be seen from here")
    served = {each.source for each in lab.surface.operations if each.source is not None}
    answering, found = await asyncio.to_thread(_read, await project_files(lab.folder), lab.folder, served)
    if not answering:
        raise NotRun("no function that answers requests is in the app's own folder")
    for where, says in found:
        yield replace(CHECK.suspected(str(where), says, case=says), source=where)
    if not found:
        yield CHECK.proved("the app", f"{answering} functions that answer requests let none of them be run")


def _read(files: list[Path], folder: Path, served: Set[Origin]) -> tuple[int, list[tuple[Origin, str]]]:
    """How many functions answer requests, and where what these say would be run."""
    trees = _parsed(files, folder)
    classes = only_ones(trees.values())
    answering, found = 0, []
    for file, tree in trees.items():
        lines = {each.line for each in served if each.file == file}
        module = Module(tree, Types(tree, classes), lines)
        answering += len(module.answering)
        found += [(Origin(file, each.line), each.says) for each in module.suspicions()]
    return answering, found


def _parsed(files: list[Path], folder: Path) -> Mapping[str, ast.Module]:
    found = {}
    for file in files:
        name = file.relative_to(folder)
        if file.suffix == ".py" and not any("test" in part for part in name.parts):
            try:
                found[str(name)] = ast.parse(file.read_bytes())
            except (SyntaxError, ValueError):
                continue
    return found


CHECK = Check(
    id="SH01",
    name="sinks",
    sentence="Nothing that a request says is run: by a shell, by Python, or as SQL.",
    severity=2,
    references=("ASVS 1.2.5", "ASVS 1.3.2", "ASVS 1.5.2", "CWE-78", "CWE-94", "CWE-502"),
    remedy="Call a program with a list of arguments and no shell, read data with json or yaml.safe_load, and "
    "send values to the database beside the statement.",
    run=run,
)
