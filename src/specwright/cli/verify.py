"""`specwright verify`: what a spec says, and what a sound backend does, proved on a running app."""

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specwright.cli.project import SPECS, find_project
from specwright.cli.proof import proofs
from specwright.cli.staging import project
from specwright.model.errors import ConfigError, SpecError, SpecwrightError
from specwright.model.manifest import Manifest
from specwright.model.requirement import Requirement
from specwright.read.project import read_project
from specwright.verify.assembly import is_url, lab
from specwright.verify.baseline import Baseline, read_baseline
from specwright.verify.check import Check, all_checks, choose_checks
from specwright.verify.engine import Began, Ended, run
from specwright.verify.lab import Lab
from specwright.verify.people.confidential import Confidential, declared_secrets
from specwright.verify.people.declared import read_instructions
from specwright.verify.project import Project
from specwright.verify.reports import text
from specwright.verify.reports.document import document
from specwright.verify.reports.endpoints import endpoints
from specwright.verify.reports.junit import junit
from specwright.verify.reports.markdown import markdown
from specwright.verify.reports.masking import Mask
from specwright.verify.reports.page import page
from specwright.verify.reports.report import Exit, Report
from specwright.verify.reports.requirements import lines
from specwright.verify.reports.sarif import sarif
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.marks import find_marks
from specwright.verify.requirements.requirements import choose
from specwright.verify.requirements.trace import Traced, follow
from specwright.verify.result import Result, Standing


class Format(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    MARKDOWN = "markdown"
    HTML = "html"


_WRITERS = {
    Format.TEXT: text.written,
    Format.JSON: document,
    Format.JUNIT: junit,
    Format.SARIF: sarif,
    Format.MARKDOWN: markdown,
    Format.HTML: page,
}


def verify(
    target: Annotated[
        str | None,
        typer.Argument(
            help="A project's folder (by default the one you are in), MODULE:APP of any FastAPI app, or the"
            " URL of a running one."
        ),
    ] = None,
    people: Annotated[
        Path | None, typer.Option(metavar="FILE", help="people.toml: who signs in to the app, and how.")
    ] = None,
    requirements: Annotated[
        bool, typer.Option("--requirements", help="Only the requirements of the specs, by their examples.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this check (AZ01) or requirement (FR-001); may be repeated."),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Not this check; may be repeated.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="ID", help="One finding once more, with every request and answer.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML: findings that are accepted until a day.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one sends other values.")] = 0,
    format: Annotated[Format, typer.Option(help="text, json, junit, sarif, markdown or html.")] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report there, and the text here.")
    ] = None,
    python: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The Python that MODULE:APP is installed for: by default that of .venv or venv here, or else"
            " Specwright's own.",
        ),
    ] = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="The URL may lead off this machine: rows are made there.")
    ] = False,
) -> None:
    """Prove a backend: its requirements, who may do what, bad input, N+1 queries, and more.

    An app given as MODULE:APP runs in a process of its own on throw-away databases; its own is not touched.
    Exit code 1 when something is broken, 2 when nothing could be proved.
    """
    accepted = Baseline() if baseline is None else read_baseline(baseline, date.today())
    if output is not None:
        _refuse_unwritable(output)
    quiet = format is not Format.TEXT and output is None
    terminal = _Terminal(indispensable=output is None, quiet=quiet)
    verification = _Verification(
        target, people, seed, accepted, python=python, anywhere=anywhere, terminal=terminal
    )
    if replay is not None:
        asyncio.run(verification.replay(replay))
    else:
        asyncio.run(verification.everything(only or (), skip or (), requirements=requirements))
    report = verification.report()
    if replay is None:
        terminal.say("", *text.summary(report))
    if output is not None:
        _write(output, _WRITERS[format](report))
    elif format is not Format.TEXT:
        typer.echo(_WRITERS[format](report))
    if report.exit is Exit.NOTHING and not quiet:
        typer.echo(f"  {report.obstacle or 'nothing could be proved'}", err=True)
    if report.exit is not Exit.SOUND:
        raise typer.Exit(int(report.exit))


def _refuse_unwritable(output: Path) -> None:
    """Said before anything is run."""
    why = "it is a folder" if output.is_dir() else ""
    if not output.parent.is_dir():
        why = f"{output.parent} is no folder"
    elif not os.access(output if output.exists() else output.parent, os.W_OK):
        why = "that is not permitted"
    if why:
        raise ConfigError(f"{output} cannot be written: {why}.")


def _write(output: Path, report: str) -> None:
    try:
        output.write_text(report, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}.") from None


class _Terminal:
    """Where what is seen is told as it is seen."""

    def __init__(self, *, indispensable: bool, quiet: bool) -> None:
        self._indispensable = indispensable
        self.quiet = quiet

    def say(self, *lines: str) -> None:
        """Tell; when nobody reads on, a report that is written elsewhere is still made."""
        if self.quiet:
            return
        try:
            for line in lines:
                typer.echo(line)
        except BrokenPipeError:
            if self._indispensable:
                raise
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def progress(self, line: str) -> None:
        """Tell what is being done, where somebody looks on."""
        if not self.quiet and sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{line}")
            sys.stderr.flush()


class _Verification:
    """One run: what it works on, and what it has seen so far."""

    def __init__(
        self,
        target: str | None,
        people: Path | None,
        seed: int,
        accepted: Baseline,
        *,
        python: Path | None,
        anywhere: bool,
        terminal: _Terminal,
    ) -> None:
        self.people = people
        self.python = python
        self.anywhere = anywhere
        self.baseline = accepted
        self.terminal = terminal
        self.app = target if target is not None and _is_app(target) else None
        self.root = None if self.app is not None else find_project(None if target is None else Path(target))
        self.manifest = Manifest() if self.root is None else read_project(self.root)
        if python is not None and (self.root is not None or is_url(self.app or "")):
            raise ConfigError("--python says what MODULE:APP runs with; nothing else is started by it.")
        name = self.app or (self.root.name if self.root is not None else "")
        called = ["specwright", "verify", *([target] if target is not None else [])]
        called += ["--people", str(people)] if people is not None else []
        called += ["--seed", str(seed)] if seed else []
        called += ["--python", str(python)] if python is not None else []
        called += ["--anywhere"] if anywhere else []
        self._report = Report(name, seed=seed, command=shlex.join(called), accepted=accepted.accepted)
        self._evidence: list[Evidence] = []
        self._results: list[Result] = []
        self._secrets: dict[str, str] = {}

    def report(self) -> Report:
        """Everything that was seen."""
        seen = replace(self._report, requirements=self._evidence, results=self._results)
        return Mask(self._secrets).report(seen)

    async def everything(self, only: Sequence[str], skip: Sequence[str], *, requirements: bool) -> None:
        """The requirements first, then the checks; as far as they are asked for."""
        named, rest = choose_checks(only)
        checks = [] if requirements or (only and not named) else (named or all_checks())
        left_out, unknown = choose_checks(skip)
        if unknown:
            raise ConfigError(f"No check is called {unknown[0]}: specwright checks lists them.")
        if rest or not only:
            await self._prove(choose(self.manifest, rest), every=requirements or bool(only))
        if checks:
            await self._check([check for check in checks if check not in left_out])

    async def replay(self, finding: str) -> None:
        """One finding once more, whole."""
        named, _ = choose_checks([finding.partition("-")[0]])
        if not named:
            raise ConfigError(f"{finding} is no finding: they are called like AZ02-7f3a.")
        self.terminal.quiet = True
        await self._check(named)
        report = self.report()
        self._results = [result for result in self._results if result.id == finding]
        for found in (*report.findings, *report.questions):
            if any(result.id == finding for result in found.results):
                typer.echo("\n".join(text.finding(found, whole=True)))
                return
        for result in self._results:
            typer.echo(f"  {finding} is not broken: {result.standing.value}, {result.says}")
        if not self._results:
            raise ConfigError(f"Nothing that {named[0].id} looks at here is called {finding}.")

    async def _prove(self, requirements: Sequence[Requirement], *, every: bool) -> None:
        """The requirements; `every` line of them, or of those that do not hold."""
        if self.root is None or not requirements:
            return
        async with aclosing(proofs(self.root, self.manifest, requirements)) as proving:
            async for found in proving:
                evidence = Mask().evidence(found)
                self._evidence.append(evidence)
                if every or evidence.standing is Standing.BROKEN:
                    self.terminal.say(*lines(evidence, by_id=len(self.manifest.features) > 1))

    async def _check(self, checks: Sequence[Check]) -> None:
        trace: tuple[Traced, ...] = ()
        if self.root is not None:
            marks, mistakes = find_marks(self.root, self.manifest)
            if mistakes:
                raise SpecError(mistakes)
            with project(self.root, self.manifest) as staged:
                made = await self._run(staged, checks)
            by_id = {evidence.requirement.id: evidence for evidence in self._evidence}
            trace = follow(self.manifest, marks, by_id, self._results)
        else:
            assert self.app is not None
            made = await self._run(self.app, checks)
        self._report = replace(
            self._report,
            checks=checks,
            coverage=made.coverage(),
            people=[person.name for person in made.people.signed_in],
            endpoints=endpoints(made.probes),
            obstacle=made.incidents.down,
            notes=(*self.baseline.notes, *(made.inside.notes if made.inside is not None else ())),
            trace=trace,
        )

    async def _run(self, target: str | Project, checks: Sequence[Check]) -> Lab:
        folder = Path.cwd()
        asked = lab(
            target,
            folder,
            self.people,
            seed=self._report.seed,
            anywhere=self.anywhere,
            python=self.python,
        )
        confidential = Confidential()
        with _without_secrets(self.people):
            async with asked as made, aclosing(run(made, checks)) as running:
                async for event in running:
                    match event:
                        case Began(check):
                            self.terminal.progress(f"  … {check.id}  {check.name}")
                        case Ended(check, results):
                            self.terminal.progress("")
                            self._secrets = confidential.of(made)
                            mask = Mask(self._secrets)
                            shown = [mask.result(result) for result in results]
                            self._results += shown
                            seen = replace(self._report, checks=[check], results=shown)
                            self.terminal.say(*text.judged(seen))
                return made


@contextmanager
def _without_secrets(people: Path | None) -> Iterator[None]:
    """What ends a run is told without the secrets of people.toml: an app may repeat what it was sent."""
    try:
        yield
    except SpecError:
        raise
    except SpecwrightError as error:
        known = {} if people is None else declared_secrets(read_instructions(people))
        raise ConfigError(Mask(known).text(str(error))) from None


def _is_app(target: str) -> bool:
    """Whether a target is `module:app`, a module or a URL; a folder is none, whatever its name.

    Raises:
        ConfigError: it is a URL of another kind.
    """
    if "://" in target and not is_url(target):
        raise ConfigError(f"{target} is no address of an app: name one with http:// or https://.")
    if Path(target).is_dir():
        return ":" in target and not (Path(target) / SPECS).is_dir()
    return ":" in target or _is_module(target)


def _is_module(target: str) -> bool:
    """Whether it is the name of a module here, or of one in `src`, where an app is looked for."""
    names = target.split(".")
    inner = Path(*names)
    return all(map(str.isidentifier, names)) and any(
        inner.with_suffix(".py").is_file() or inner.is_dir() for inner in (inner, "src" / inner)
    )
