"""Random specs, as somebody would write them: fields of every type, relations, calculations, grants."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from properties.conditions import conditions, paths
from properties.values import seldom, types
from specwright.model.expression import (
    Arithmetic,
    Call,
    Expr,
    Literal,
    Path,
)
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.model.types import NUMBER_KINDS, Kind
from specwright.read.spec import read_specs

HEADINGS = {"Book": "book", "Loan item": "item", "Person (people)": "boss"}
ROLES = "| Role | Means |\n|---|---|\n| admin | looks after the place |\n"


@dataclass(frozen=True)
class Spec:
    """The text of a spec and what was read from it."""

    text: str
    manifest: Manifest

    def __repr__(self) -> str:
        return self.text


#: What a list of each kind may have as its default; of others it is an empty one.
_ITEMS = {
    Kind.TEXT: "`é`, `a, b`",
    Kind.INTEGER: "7, -1, 7",
    Kind.NUMBER: "0",
    Kind.BOOLEAN: "true, false",
    Kind.TIMESTAMP: "2026-01-31T23:30:00Z",
}


@dataclass(frozen=True)
class _Section:
    """What is said of an entity."""

    heading: str
    fields: tuple[str, ...]
    grants: tuple[str, ...]
    soft: bool
    language: str

    def __str__(self) -> str:
        lines = [f"## {self.heading}", "", "| Field | Type | Rules |", "|---|---|---|", *self.fields, ""]
        if self.grants:
            lines += ["| Who | May | When |", "|---|---|---|", *self.grants, ""]
        lines += ["### Rules", ""] if self.language or self.soft else []
        lines += [f"- search in {self.language}"] if self.language else []
        lines += ["- soft delete"] if self.soft else []
        lines += [""]
        return "\n".join(lines)


def _read(sections: Sequence[_Section]) -> Spec:
    text = "\n".join(["# It", "", ROLES, *map(str, sections)])
    return Spec(text, read_specs({"specs/it/spec.md": text}))


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Random specs of up to three entities, maybe a User among them.

    What is calculated and granted goes over relations, so it comes once the reader has told which there are.
    """
    known = draw(st.lists(st.sampled_from(list(HEADINGS)), min_size=1, max_size=3, unique=True))
    known = [*(["User"] if draw(seldom) else []), *known]
    sections = [draw(_sections(heading, known)) for heading in known]
    for add in (_calculated, _calculated, _granted):
        manifest = _read(sections).manifest
        sections = [
            draw(add(manifest, resource, section))
            for resource, section in zip(manifest.served, sections, strict=True)
        ]
    return _read(sections)


@st.composite
def _sections(draw: st.DrawFn, heading: str, known: Sequence[str]) -> _Section:
    """An entity with fields that are stored."""
    is_user = heading == "User"
    owned = not is_user and draw(st.booleans())
    lines = [_line("owner", "User", ["the caller"])] if owned else []
    for number, type in enumerate(draw(st.lists(types, min_size=1, max_size=5)), 1):
        may_wait = [[], [], *([] if is_user else [["required"]])]
        if type.item is not None:
            may_wait.append([f"default [{_ITEMS.get(type.item.kind, '')}]"])
        rules = draw(st.sampled_from(may_wait))
        if type.kind in (Kind.TEXT, Kind.EMAIL, Kind.URL) and draw(st.booleans()):
            rules = [*rules, "searchable"]
        elif draw(seldom):
            indexed = type.kind not in (Kind.LIST, Kind.JSON)
            rules = [*rules, *draw(_limits(owned, required="required" in rules, indexed=indexed))]
        lines.append(_line(f"{type.kind} {number}", str(type), rules))
    for other in draw(st.lists(st.sampled_from(["User", *known]), max_size=3)):
        name = "reader" if other == "User" else HEADINGS[other]
        target = other.partition(" (")[0]
        rules = draw(st.sampled_from([[], [], ["required"]] if other != heading and not is_user else [[]]))
        if "required" not in rules and other != "User" and draw(st.booleans()):
            rules = [*rules, "on delete clear"]
        if draw(seldom):
            rules = [*rules, *draw(_limits(owned, required="required" in rules, indexed=True))]
        lines.append(_line(f"{name} {len(lines)}", _entity(target), rules))
    for other in draw(st.lists(st.sampled_from(list(known)), max_size=2)):
        lines.append(_line(f"links {len(lines)}", f"many {_entity(other.partition(' (')[0])}", []))
    searched = any("searchable" in line for line in lines)
    language = draw(st.sampled_from(["", "simple", "english"])) if searched else ""
    return _Section(heading, tuple(lines), (), not is_user and draw(st.booleans()), language)


def _limits(owned: bool, *, required: bool, indexed: bool) -> st.SearchStrategy[list[str]]:
    """A rule about who sees or sets a field, or how it is kept."""
    words = ["readable by admin", "readable by signed in", "hidden", "immutable"]
    words += ["indexed"] if indexed else []
    words += ["readable by owner", "readable by owner and admin", "writable by owner"] if owned else []
    words += [] if required else ["read only"]
    return st.sampled_from([[word] for word in words if not (required and word == "hidden")])


def _entity(heading: str) -> str:
    return "".join(word.capitalize() for word in heading.split())


def _line(name: str, type: str, rules: Sequence[str]) -> str:
    return f"| {name} | {type} | {', '.join(rules)} |"


def _cell(expr: Expr) -> str:
    return "`" + print_expression(expr).replace("|", "\\|") + "`"


@st.composite
def _calculated(draw: st.DrawFn, manifest: Manifest, resource: Resource, section: _Section) -> _Section:
    """The section with fields that nobody stores; later ones may build on those that are there."""
    lines = list(section.fields)
    found = paths(manifest, resource, many=False)
    numbers = found.get(Kind.INTEGER, []) + found.get(Kind.NUMBER, [])
    # The key of a User is a person, not a text like others.
    texts = [path for path in found.get(Kind.TEXT, []) if path.names[-1] != "id"]
    counted = [
        each for each in resource.relations if each.many and not manifest.resource(each.target).external
    ]
    for _ in range(draw(st.integers(0, 2))):
        name = f"{draw(st.sampled_from(['odd', 'even']))} {len(lines)}"
        match draw(st.sampled_from(["flag", "number", "text", "moment", "count", "sum"])):
            case "flag":
                rule = "= " + _cell(draw(conditions(manifest, resource.name, caller=False)))
                lines.append(_line(name, "boolean", [rule]))
            case "number" if numbers:
                value = draw(_sums(numbers))
                lines.append(_line(name, "number(12,3)", [f"= {_cell(value)}"]))
            case "text" if texts:
                value = Call("coalesce", (draw(st.sampled_from(texts)), Literal("a")))
                lines.append(_line(name, "text", [f"= {_cell(value)}"]))
            case "moment":
                value = draw(st.sampled_from(found[Kind.TIMESTAMP]))
                lines.append(_line(name, "timestamp", [f"= {_cell(value)}"]))
            case "count" | "sum" as function if counted:
                relation = draw(st.sampled_from(counted))
                target = manifest.resource(relation.target)
                summed = [
                    each for each in target.fields if each.type.kind in NUMBER_KINDS and not each.built_in
                ]
                if function == "sum" and not summed:
                    continue
                if function == "sum":
                    chosen = draw(st.sampled_from(summed))
                    rule, type = f"sum of {relation.name}.{chosen.name}", "number(20,2)"
                    type = "integer" if chosen.type.kind is Kind.INTEGER else type
                else:
                    rule, type = f"count of {relation.name}", "integer"
                if draw(st.booleans()):
                    rule += " where " + _cell(draw(conditions(manifest, relation.target, caller=False)))
                lines.append(_line(name, type, [rule]))
    return replace(section, fields=tuple(lines))


def _sums(numbers: Sequence[Path]) -> st.SearchStrategy[Expr]:
    atoms = st.sampled_from(numbers) | st.sampled_from([Literal(2), Literal(Decimal("0.5")), Literal(-1)])
    return st.recursive(
        st.sampled_from(numbers),
        lambda inner: st.builds(Arithmetic, st.sampled_from(["+", "-", "*"]), inner, atoms),
        max_leaves=3,
    )


@st.composite
def _granted(draw: st.DrawFn, manifest: Manifest, resource: Resource, section: _Section) -> _Section:
    """The section with grants, most of them wide, some with conditions."""
    whos = ["signed in", "signed in", "admin", *(["owner", "owner"] if resource.owner is not None else [])]
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        who, may = (
            draw(st.sampled_from(["anyone", *whos])),
            draw(st.sampled_from(["list, read", "list", "read"])),
        )
        when = draw(st.none() | st.none() | conditions(manifest, resource.name))
        lines.append(f"| {who} | {may} | {'' if when is None else _cell(when)} |")
    if resource.soft_delete and draw(st.booleans()):
        when = draw(st.none() | conditions(manifest, resource.name))
        lines.append(f"| signed in | see deleted | {'' if when is None else _cell(when)} |")
    return replace(section, grants=tuple(lines))
