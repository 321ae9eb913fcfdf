"""Specs in Markdown, written from a manifest: the reader reads them back as the same manifest."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from specwright.model.field import Field
from specwright.model.grant import Role
from specwright.model.manifest import Manifest
from specwright.model.requirement import Request, Requirement, Response
from specwright.model.resource import Action, Move, Resource, Rule
from specwright.model.spelling import (
    expression_words,
    heading,
    move_words,
    rule_words,
    tenant_words,
    type_words,
)
from specwright.model.tenant import Tenant

_KEYED = re.compile(r"(?:FR|SC)-\d+[A-Za-z]?|US\d+/AC\d+")


@dataclass(frozen=True, slots=True)
class Remarks:
    """Prose that goes along with an entity, and a remark on each of its fields."""

    lines: tuple[str, ...] = ()
    fields: Mapping[str, str] | None = None

    def of(self, field: Field) -> str:
        """The remark on a field."""
        return (self.fields or {}).get(field.name, "")


def specs(manifest: Manifest) -> dict[str, str]:
    """The text of each `specs/FEATURE/spec.md`.

    Roles and names come in the first, since they are of all; entities and requirements in their feature's.
    """
    first = manifest.features[0].name if manifest.features else ""
    return {
        f"specs/{feature.name}/spec.md": spec(
            feature.title,
            [resource for resource in manifest.served if resource.feature == feature.name],
            manifest if feature.name == first else Manifest(),
            tenant=manifest.tenant
            if manifest.tenant is not None and manifest.tenant.feature == feature.name
            else None,
            requirements=[known for known in manifest.requirements if known.feature == feature.name],
            questions=[
                mark.text
                for mark in manifest.open_questions
                if mark.origin.file.startswith(f"specs/{feature.name}/")
            ],
        )
        for feature in manifest.features
    }


def spec(
    title: str,
    resources: Iterable[Resource],
    subjects: Manifest,
    *,
    tenant: Tenant | None = None,
    requirements: Sequence[Requirement] = (),
    questions: Sequence[str] = (),
    remarks: Mapping[str, Remarks] | None = None,
) -> str:
    """One spec: its entities, with remarks by entity, and the roles and names of `subjects`."""
    blocks = [f"# {title}"]
    if tenant is not None:
        blocks += ["## Rules", f"- {tenant_words(tenant)}"]
    if subjects.roles:
        blocks += ["## Roles", _roles(subjects.roles)]
    if subjects.names:
        named = [(name.name, expression_words(name.condition)) for name in subjects.names]
        blocks += ["## Who is who", table(("Who", "Is"), named)]
    for resource in resources:
        blocks += _entity(resource, (remarks or {}).get(resource.name, Remarks()))
    if requirements:
        blocks += ["## Requirements", *_requirements(requirements)]
    said = "\n".join(blocks)
    marks = [mark for mark in map(_mark, questions) if mark not in said]
    if marks:
        blocks += ["## Open questions", "\n".join(f"- {mark}" for mark in marks)]
    return "\n\n".join(blocks) + "\n"


def _roles(roles: Sequence[Role]) -> str:
    if any(role.includes for role in roles):
        rows = [(role.name, role.means, ", ".join(role.includes)) for role in roles]
        return table(("Role", "Means", "Includes"), rows)
    return table(("Role", "Means"), [(role.name, role.means) for role in roles])


def _mark(question: str) -> str:
    return "[NEEDS CLARIFICATION" + (f": {question}]" if question != "(no text)" else "]")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns; a `|` in a cell is escaped."""
    escaped = [[" ".join(cell.replace("|", r"\|").split("\n")) for cell in row] for row in rows]
    widths = [max(3, *(len(row[column]) for row in [header, *escaped])) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [header, *escaped]
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _entity(resource: Resource, remarks: Remarks) -> Iterator[str]:
    yield f"## {heading(resource)}"
    if resource.means:
        yield resource.means
    yield _fields([field for field in resource.fields if not field.built_in], remarks)
    if resource.moves:
        yield _moves(resource.moves)
    if resource.actions:
        yield _without_empty(
            ("Action", "Takes", "Does", "On"), [_action(known) for known in resource.actions], 3
        )
    if resource.grants:
        yield _grants(resource)
    yield from remarks.lines
    lines = ["- soft delete"] if resource.soft_delete else []
    lines += ["- audited"] if resource.audited else []
    lines += ["- if-match required"] if resource.if_match_required else []
    lines += [] if resource.search_language == "simple" else [f"- search in {resource.search_language}"]
    if resource.rules or lines:
        yield "### Rules"
        yield "\n".join([*lines, *map(_rule, resource.rules)])


def _fields(fields: Sequence[Field], remarks: Remarks) -> str:
    rows = [
        (field.name, type_words(field.type), rule_words(field), field.means, remarks.of(field))
        for field in fields
    ]
    return _without_empty(("Field", "Type", "Rules", "Means", "Notes"), rows, 3)


def _without_empty(header: Sequence[str], rows: Sequence[Sequence[str]], needed: int) -> str:
    """A table without its optional columns that are empty in every row."""
    kept = [index for index in range(len(header)) if index < needed or any(row[index] for row in rows)]
    return table([header[index] for index in kept], [[row[index] for index in kept] for row in rows])


def _moves(moves: Sequence[Move]) -> str:
    rows = [
        (field, ", ".join(map(move_words, together)), ", ".join(map(str, who)))
        for (field, who), together in groupby(moves, lambda move: (move.field, move.who))
    ]
    return _without_empty(("Field", "Moves", "Who"), rows, 2)


def _action(action: Action) -> tuple[str, str, str, str]:
    takes = (
        f"{known.name} {type_words(known.type)}{'' if known.required else ' optional'}"
        for known in action.parameters
    )
    return action.name, ", ".join(takes), action.effect, "all" if action.level == "collection" else ""


def _grants(resource: Resource) -> str:
    rows = [
        (
            str(grant.who),
            grant.may or ", ".join(grant.actions),
            expression_words(grant.when),
            expression_words(grant.then),
        )
        for grant in resource.grants
    ]
    return _without_empty(("Who", "May", "When", "Then"), rows, 2)


def _rule(rule: Rule) -> str:
    keys = f" ({', '.join(rule.requirements)})" if rule.requirements else ""
    return f"- {expression_words(rule.condition)}{keys}"


def _requirements(requirements: Iterable[Requirement]) -> Iterator[str]:
    scenario = 0
    for requirement in requirements:
        if _KEYED.fullmatch(requirement.key):
            marker = "- "
            yield f"- **{requirement.key}** {requirement.text}"
        else:
            scenario += 1
            marker = f"{scenario}. "
            yield marker + requirement.text
        for example in requirement.examples:
            for block in (_request(example.request), _response(example.response)):
                yield "\n".join(" " * len(marker) + line if line else "" for line in block.split("\n"))


def _request(request: Request) -> str:
    lines = [f"{request.method} {request.path}"]
    if request.person is not None:
        lines.append(f"As: {request.person}" + (f" [{', '.join(request.roles)}]" if request.roles else ""))
    if request.claims is not None:
        lines.append(f"Claims: {request.claims}")
    if request.name is not None:
        lines.append(f"Name: {request.name}")
    return _http([*lines, *_headers(request.headers)], request.body)


def _response(response: Response) -> str:
    return _http([str(response.status), *_headers(response.headers)], response.body)


def _headers(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{name}: {value}" for name, value in headers)


def _http(lines: Sequence[str], body: str | None) -> str:
    inside = "\n".join([*lines, *(() if body is None else ("", body))])
    fence = "```"
    while fence in inside:
        fence += "`"
    return f"{fence}http\n{inside}\n{fence}"
