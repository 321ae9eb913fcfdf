"""The access matrix: who may do what to which resource, and on which condition."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from specwright.model.grant import Grant, Who, WhoKind
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.roles import expanded
from specwright.model.syntax import print_expression
from specwright.model.tenant import Chosen

_ORDER = list(WhoKind)
NOTHING = "–"
ALWAYS = "yes"
WIDER = "What anyone may, all may; what signed in may, every role may."


@dataclass(frozen=True, slots=True)
class Cell:
    """What one who may do: never, always, or on any one of these conditions; with the lines that say so."""

    granted: bool
    conditions: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.granted:
            return NOTHING
        return " or ".join(self.conditions) or ALWAYS


@dataclass(frozen=True, slots=True)
class Matrix:
    """One resource: a row for each who that the spec names, a column for each action."""

    resource: str
    actions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    #: What holds besides for all of them: the tenant, and fields that are not for everybody.
    notes: tuple[str, ...] = ()


def access_matrix(manifest: Manifest) -> tuple[Matrix, ...]:
    """The matrix of every resource that has routes."""
    return tuple(_matrix(manifest, resource) for resource in manifest.served)


def verbs_by_words(resource: Resource) -> dict[str, str]:
    """What somebody may do here in the words of the spec, and its name: `lose stale` is lose_stale."""
    named = {action.name: action.name.replace("_", " ") for action in resource.actions}
    return {named.get(verb, verb): verb for verb in resource.verbs}


def _matrix(manifest: Manifest, resource: Resource) -> Matrix:
    people = sorted(
        {grant.who for grant in resource.grants}
        | {who for move in resource.moves for who in move.who}
        | {Who(WhoKind.ANYONE), Who(WhoKind.SIGNED_IN)}
        | {Who(WhoKind.ROLE, role.name) for role in manifest.roles},
        key=lambda who: (_ORDER.index(who.kind), who.name),
    )
    rows = tuple(
        (str(who), tuple(_cell(_grants(manifest, resource, who, action)) for action in resource.verbs))
        for who in people
    )
    notes = (*_within(manifest, resource), *_limited(resource))
    return Matrix(resource.name, tuple(verbs_by_words(resource)), rows, notes)


def _within(manifest: Manifest, resource: Resource) -> Iterator[str]:
    tenant = manifest.tenant
    if tenant is None or resource.tenant is None:
        return
    said = tenant.by.value if tenant.by is Chosen.PATH else f"{tenant.by.value} {tenant.name}"
    yield (
        f"All within the {tenant.entity} that a request names by {said}, "
        f"for whoever has a {tenant.through} there."
    )


def _limited(resource: Resource) -> Iterator[str]:
    for field in resource.fields:
        limits = [
            f"{word} {' and '.join(words)}"
            for word, words in (("readable by", field.readable_by), ("writable by", field.writable_by))
            if words
        ]
        if limits:
            yield f"{field.wire}: {', '.join(limits)}."


def _grants(manifest: Manifest, resource: Resource, who: Who, action: str) -> list[Grant]:
    """What is granted to them, and to the roles that theirs includes."""
    included = expanded(manifest, {who.name}) if who.kind is WhoKind.ROLE else ()
    them = {who, *(Who(WhoKind.ROLE, name) for name in included)}
    return [grant for grant in resource.granting(action) if grant.who in them]


def _cell(grants: list[Grant]) -> Cell:
    conditions = tuple(_condition(grant) for grant in grants)
    return Cell(
        granted=bool(grants),
        conditions=() if "" in conditions else conditions,
        origins=tuple(str(grant.origin) for grant in grants),
    )


def _condition(grant: Grant) -> str:
    when = f"when {print_expression(grant.when)}" if grant.when is not None else ""
    then = f"then {print_expression(grant.then)}" if grant.then is not None else ""
    return ", ".join(part for part in (when, then) if part)


def as_text(matrices: tuple[Matrix, ...]) -> str:
    """Aligned columns, one block a resource."""
    blocks = []
    for matrix in matrices:
        table = [(matrix.resource, *matrix.actions)]
        table += [(who, *map(str, cells)) for who, cells in matrix.rows]
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        blocks.append(
            "\n".join(
                "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
                for row in table
            )
            + "".join(f"\n{note}" for note in matrix.notes)
        )
    return "\n\n".join((*blocks, WIDER))


def as_markdown(matrices: tuple[Matrix, ...]) -> str:
    """A Markdown table a resource."""
    blocks = []
    for matrix in matrices:
        lines = [f"### {matrix.resource}", "", "| Who | " + " | ".join(matrix.actions) + " |"]
        lines.append("|---" * (len(matrix.actions) + 1) + "|")
        for who, cells in matrix.rows:
            lines.append("| " + " | ".join((who, *(_escaped(cell) for cell in cells))) + " |")
        for note in matrix.notes:
            lines += ["", note]
        blocks.append("\n".join(lines))
    return "\n\n".join((*blocks, WIDER))


def _escaped(cell: Cell) -> str:
    text = str(cell).replace("|", "\\|")
    return f"`{text}`" if cell.conditions else text


def as_json(matrices: tuple[Matrix, ...]) -> str:
    """One object: resource, then who, then action, each with its conditions and the lines that say so."""
    return json.dumps(
        {
            matrix.resource: {
                who: {
                    action: {
                        "granted": cell.granted,
                        "conditions": list(cell.conditions),
                        "origins": list(cell.origins),
                    }
                    for action, cell in zip(matrix.actions, cells, strict=True)
                }
                for who, cells in matrix.rows
            }
            for matrix in matrices
        },
        indent=2,
        ensure_ascii=False,
    )
