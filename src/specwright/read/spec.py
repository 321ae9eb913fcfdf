"""Specs to manifest: every file outlined, every known table read, everything judged together."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from specwright.model.calculated import circle, weight
from specwright.model.expression import Path, walk
from specwright.model.grant import HAND_OVER
from specwright.model.manifest import Feature, Manifest
from specwright.model.names import hint
from specwright.model.paths import resolve
from specwright.model.requirement import OpenQuestion, Requirement
from specwright.model.resource import Resource, Rule
from specwright.model.syntax import ExpressionError
from specwright.model.tenant import Tenant
from specwright.read.access import GrantRow, Subjects, read_actions, read_grants, read_moves
from specwright.read.cells import leading_code, plain
from specwright.read.complete import complete
from specwright.read.entities import Entity, FieldRow, judge_fields, read_fields, read_heading
from specwright.read.expressions import Written, judge_computed, judge_condition, judge_counted, parse_span
from specwright.read.mistakes import Mistakes
from specwright.read.outline import Broken, Item, Outline, Section, Table, outline
from specwright.read.requirements import is_requirement, read_requirements
from specwright.read.span import Span
from specwright.read.tables import kind_of, meant_as_fields
from specwright.read.tenancy import (
    TenantLine,
    bind,
    is_tenant_line,
    judge_tenancy,
    read_tenant_line,
)
from specwright.read.vocabulary import RULE_LINES, SEARCH_IN, SEARCH_LANGUAGES, TABLES

#: Names, literals and operators that a calculated field takes, each time that one needs another.
_HEAVIEST = 1000
_KEYS = re.compile(r"\b(?:FR|SC)-\d+[A-Za-z]?\b")
#: Reads the sections that classes stand for; their mistakes go with those of the specs.
ReadCode = Callable[[Mistakes], Sequence[Section]]
_Placed = tuple[str, Section, Table]
_TITLE = re.compile(r"feature specification:\s*|data model:\s*", re.IGNORECASE)


def read_specs(files: Mapping[str, str], code: ReadCode | None = None) -> Manifest:
    """The manifest of specs given as texts by path, as `specs/tasks/spec.md`, and of what code declares.

    Raises:
        SpecError: every mistake of every file.
    """
    mistakes = Mistakes()
    outlines = {file: outline(file, files[file]) for file in sorted(files, key=_reading_order)}
    manifest = _Reading(outlines, code(mistakes) if code is not None else (), mistakes).manifest()
    mistakes.settle()
    return manifest


def feature_of(file: str) -> str:
    """The feature that a file belongs to: its folder below `specs`."""
    folders = PurePosixPath(file.replace("\\", "/")).parts[:-1]
    return "/".join(folders[1:] if folders[:1] == ("specs",) else folders) or "specs"


def _reading_order(file: str) -> tuple[str, bool, str]:
    return feature_of(file), not file.endswith("spec.md"), file


@dataclass(frozen=True, slots=True)
class _RuleRow:
    rule: Rule
    written: Written


class _Reading:
    def __init__(self, outlines: Mapping[str, Outline], code: Sequence[Section], mistakes: Mistakes) -> None:
        self.outlines = outlines
        self.code = code
        self.mistakes = mistakes
        self.tables = self.known_tables()
        self.entities: list[Entity] = []
        self.by_section: dict[Section, Entity] = {}
        self.spellings: dict[str, str] = {}
        self.subjects = Subjects()
        self.grant_rows: dict[str, list[GrantRow]] = {}
        self.rule_rows: dict[str, list[_RuleRow]] = {}

    @property
    def sections(self) -> Iterator[tuple[str, Section]]:
        for file, read in self.outlines.items():
            for section in read.sections:
                yield feature_of(file), section
        names = {feature_of(file) for file in self.outlines}
        for section in self.code:
            # What code declares belongs to the feature, where there is one alone.
            yield next(iter(names)) if len(names) == 1 else "", section

    def known_tables(self) -> dict[str, list[_Placed]]:
        """The tables that are read, by their kind, of all files."""
        found: dict[str, list[_Placed]] = {kind: [] for kind in TABLES}
        for feature, section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    kind = kind_of(block, self.mistakes)
                    if kind is not None:
                        found[kind].append((feature, section, block))
                elif isinstance(block, Broken):
                    self.mistakes.add(
                        block.header,
                        "this begins like a table and is none: |---|---| with as many columns comes next",
                    )
        return found

    def manifest(self) -> Manifest:
        self.declare_entities()
        for _, _, table in self.tables["roles"]:
            self.subjects.read_roles(table, self.mistakes)
        self.subjects.judge_roles(self.mistakes)
        for _, _, table in self.tables["names"]:
            self.subjects.read_names(table, self.mistakes)
        for entity in self.entities:
            read_fields(entity, self.spellings, self.mistakes)
        soft, audited = self.marked("soft delete"), self.marked("audited")
        matched = self.marked("if-match required")
        languages = self.languages()
        declared = [
            replace(
                entity.resource(),
                soft_delete=entity.name in soft,
                audited=entity.name in audited,
                if_match_required=entity.name in matched,
                search_language=languages.get(entity.name, SEARCH_LANGUAGES[0]),
            )
            for entity in self.entities
        ]
        tenant: Tenant | None = None
        if (line := self.tenant_line()) is not None:
            declared, tenant = bind(declared, line, self.spellings, self.mistakes)
        resources = {resource.name: resource for resource in complete(declared, self.mistakes)}
        for entity in self.entities:
            judge_fields(entity, resources[entity.name], resources, self.subjects, self.mistakes)
        self.read_actions(resources)
        self.read_moves(resources)
        self.read_grants(resources)
        self.read_rules(resources)
        if tenant is not None:
            judge_tenancy(tenant, resources, self.grant_rows, self.mistakes)
        manifest = Manifest(
            resources=tuple(resources.values()),
            roles=tuple(self.subjects.roles.values()),
            names=tuple(row.name for row in self.subjects.names.values()),
            requirements=tuple(self.requirements()),
            open_questions=tuple(
                OpenQuestion(text, origin) for read in self.outlines.values() for origin, text in read.marks
            ),
            features=tuple(self.features()),
            tenant=tenant,
        )
        self.judge_expressions(manifest)
        return manifest

    def declare_entities(self) -> None:
        for feature, section, table in self.tables["fields"]:
            if section in self.by_section:
                first = self.by_section[section]
                self.mistakes.add(
                    table.header.line,
                    f"{first.name} has a field table already, at {first.table.header.line.origin}. "
                    "Join the two, or put a heading between",
                )
                continue
            entity = read_heading(section, table, feature, self.mistakes)
            if entity is not None:
                self.by_section[section] = entity
                self.entities.append(entity)
                for spelling in entity.spellings:
                    self.spellings.setdefault(spelling, entity.name)
        self.spellings.setdefault("User", "User")

    def entity_name(self, section: Section) -> str | None:
        """The entity that a section speaks of: its own, one named by its heading, or that around it."""
        for around in section.ancestry:
            if around in self.by_section:
                return self.by_section[around].name
            heading = plain(around.heading).text
            if heading in self.spellings and heading != "User":
                return self.spellings[heading]
        return None

    def of_entities(
        self, tables: Sequence[_Placed], what: str, resources: Mapping[str, Resource]
    ) -> Iterator[tuple[Resource, Table]]:
        for _, section, table in tables:
            name = self.entity_name(section)
            if name is not None:
                yield resources[name], table
            elif not any(self.failed(around) for around in section.ancestry):
                self.mistakes.add(
                    table.header.line,
                    f"these {what} belong to no entity. "
                    "Put them below the heading of a Field | Type | Rules table",
                )

    def failed(self, section: Section) -> bool:
        """Whether the section has a field table that could not be read: what belongs to it is let be."""
        return section not in self.by_section and any(
            isinstance(block, Broken) or (isinstance(block, Table) and meant_as_fields(block))
            for block in section.blocks
        )

    def read_actions(self, resources: dict[str, Resource]) -> None:
        for resource, table in self.of_entities(self.tables["actions"], "actions", resources):
            actions = read_actions(resources[resource.name], table, self.spellings, self.mistakes)
            known = resources[resource.name]
            resources[resource.name] = replace(known, actions=(*known.actions, *actions))

    def read_moves(self, resources: dict[str, Resource]) -> None:
        for resource, table in self.of_entities(self.tables["moves"], "moves", resources):
            moves = read_moves(resource, table, self.subjects, self.mistakes, len(resource.moves) + 1)
            resources[resource.name] = replace(resource, moves=(*resource.moves, *moves))

    def read_grants(self, resources: dict[str, Resource]) -> None:
        for resource, table in self.of_entities(self.tables["grants"], "grants", resources):
            rows = self.grant_rows.setdefault(resource.name, [])
            rows += read_grants(resource, table, self.subjects, self.mistakes, len(rows) + 1)
            resources[resource.name] = replace(resource, grants=tuple(row.grant for row in rows))

    def tenant_line(self) -> TenantLine | None:
        """The one line that names the tenant, which is of a feature and of no entity."""
        found: list[TenantLine] = []
        for feature, section, item in self.rule_lines():
            if not is_tenant_line(item.head):
                continue
            if any(around in self.by_section for around in section.ancestry):
                self.mistakes.add(
                    item.head,
                    "a tenant is the whole feature's: put this line into ## Rules below its # Title",
                )
            elif found:
                self.mistakes.add(
                    item.head, f"there is a tenant already, at {found[0].head.origin}. Keep one"
                )
            elif line := read_tenant_line(feature, item.head, self.mistakes):
                found.append(line)
        return found[0] if found else None

    def rule_lines(self) -> Iterator[tuple[str, Section, Item]]:
        """The list items of every Rules section, with the feature."""
        for feature, section in self.sections:
            if plain(section.heading).text.lower() == "rules":
                for block in section.blocks:
                    if isinstance(block, Item) and not is_requirement(block):
                        yield feature, section, block

    def rule_items(self) -> Iterator[tuple[Section, Item]]:
        """Those that are of an entity."""
        return ((section, item) for _, section, item in self.rule_lines() if not is_tenant_line(item.head))

    def marked(self, line: str) -> set[str | None]:
        """The entities that have this line among their rules."""
        return {self.entity_name(section) for section, item in self.rule_items() if _words(item) == line}

    def languages(self) -> dict[str | None, str]:
        """The language that each entity is searched in, where a line among its rules says so."""
        searched = {entity.name for entity in self.entities if entity.resource().searchable}
        found: dict[str | None, str] = {}
        for section, item in self.rule_items():
            if not _words(item).startswith(SEARCH_IN):
                continue
            name, language = self.entity_name(section), _words(item).removeprefix(SEARCH_IN).strip()
            if language not in SEARCH_LANGUAGES:
                close = hint(language, SEARCH_LANGUAGES, "There are")
                self.mistakes.add(item.head, f'"{language}" is no language to search in.{close}')
            elif name is not None and name not in searched:
                self.mistakes.add(
                    item.head, f'nothing of {name} can be searched: add "searchable" to a field'
                )
            elif name in found:
                self.mistakes.add(item.head, f"{name} is searched in {found[name]} already. Keep one")
            else:
                found[name] = language
        return found

    def read_rules(self, resources: dict[str, Resource]) -> None:
        for section, item in self.rule_items():
            name = self.entity_name(section)
            if name is None:
                if leading_code(item.head) is not None and not any(
                    self.failed(up) for up in section.ancestry
                ):
                    self.mistakes.add(
                        item.head,
                        "this rule belongs to no entity: put the heading Rules one level below the entity's",
                    )
                continue
            if _words(item) in RULE_LINES or _words(item).startswith(SEARCH_IN):
                continue
            rows = self.rule_rows.setdefault(name, [])
            row = self.read_rule(resources[name], item.head, len(rows) + 1)
            if row is not None:
                rows.append(row)
                resources[name] = replace(resources[name], rules=tuple(known.rule for known in rows))

    def read_rule(self, resource: Resource, head: Span, number: int) -> _RuleRow | None:
        found = leading_code(head)
        if found is None:
            known = (*RULE_LINES, SEARCH_IN)
            close = hint(head.text.lower(), known) or " A rule is an expression in backticks, on one line"
            self.mistakes.add(head, f'"{head.text[:40]}" is no rule.{close}')
            return None
        text, rest = found
        written = parse_span(text, self.mistakes, [known.name for known in resource.fields])
        if written is None:
            return None
        keys = tuple(_KEYS.findall(rest.text))
        return _RuleRow(Rule(f"{resource.id}.rule.{number}", written.expr, keys, head.origin), written)

    def requirements(self) -> Iterator[Requirement]:
        for feature in dict.fromkeys(map(feature_of, self.outlines)):
            read = [known for file, known in self.outlines.items() if feature_of(file) == feature]
            yield from read_requirements(feature, read, self.subjects.roles, self.mistakes)

    def features(self) -> Iterator[Feature]:
        seen: set[str] = set()
        for file, read in self.outlines.items():
            name = feature_of(file)
            if name not in seen:
                seen.add(name)
                headings = [section.heading.text for section in read.sections if section.level]
                yield Feature(name, _TITLE.sub("", headings[0]) if headings else name, file)

    def judge_expressions(self, manifest: Manifest) -> None:
        broken = {row.field.name for entity in self.entities for row in entity.rows if row.broken}
        for entity in self.entities:
            resource = manifest.resource(entity.name)
            for row in entity.rows:
                if not row.broken:
                    self.judge_calculated(manifest, resource, row, broken)
                uses = f'limits "{row.field.name}" of {resource.name}'
                for word in dict.fromkeys((*row.field.readable_by, *row.field.writable_by)):
                    self.judge_named(manifest, resource, word, uses, broken)
            for name in dict.fromkeys(who.name for move in resource.moves for who in move.who):
                self.judge_named(manifest, resource, name, f"moves {resource.name}", broken)
        for name, rules in self.rule_rows.items():
            for rule in rules:
                judge_condition(manifest, manifest.resource(name), rule.written, broken, self.mistakes)
        for name, grants in self.grant_rows.items():
            resource = manifest.resource(name)
            judged: set[int] = set()
            for grant in grants:
                for written in (grant.when, grant.then):
                    if written is not None and id(written) not in judged:
                        judged.add(id(written))
                        judge_condition(manifest, resource, written, broken, self.mistakes)
                self.judge_then(manifest, resource, grant)
                uses = f"is granted something on {resource.name}"
                self.judge_named(manifest, resource, grant.grant.who.name, uses, broken)

    def judge_calculated(
        self, manifest: Manifest, resource: Resource, row: FieldRow, broken: set[str]
    ) -> None:
        """A calculated field must make sense, and must not be worked out from itself."""
        before = len(self.mistakes)
        aggregate = row.field.aggregate
        relation = None if aggregate is None else resource.relation(aggregate.relation)
        if aggregate is not None and relation is None:
            return
        if row.written is not None and relation is not None:
            target = manifest.resource(relation.target)
            judge_counted(manifest, target, row.written, broken, self.mistakes)
        elif row.written is not None:
            judge_computed(manifest, resource, row.written, row.field.type, broken, self.mistakes)
        if len(self.mistakes) > before or not row.field.calculated:
            return
        try:
            way = circle(manifest, resource, row.field)
            nodes = weight(manifest, resource, row.field)
        except ExpressionError:
            # Another field on the way is no better, and told where it stands.
            return
        if way:
            said = ", which needs ".join(f"{name}.{field}" for name, field in way)
            self.mistakes.add(row.name, f"a field cannot be computed from itself: {said}")
        elif nodes > _HEAVIEST:
            self.mistakes.add(
                row.name,
                f'"{row.field.name}" takes {nodes} steps to work out, with all that it needs; '
                f"there are at most {_HEAVIEST}",
            )

    def judge_then(self, manifest: Manifest, resource: Resource, row: GrantRow) -> None:
        """What holds after handing over is judged together with the row before, so on the row itself."""
        then = row.grant.then
        if HAND_OVER not in row.grant.actions or then is None:
            return
        for node in walk(then):
            try:
                hops = resolve(manifest, resource, node).hops if isinstance(node, Path) else ()
            except ExpressionError:
                continue
            if any(hop.target == resource.name for hop in hops):
                self.mistakes.add(
                    row.who,
                    f'the Then of "{HAND_OVER}" leads to other rows of {resource.name}: '
                    "it can ask the row itself, and rows of other entities",
                )
                return

    def judge_named(
        self, manifest: Manifest, resource: Resource, name: str, uses: str, broken: set[str]
    ) -> None:
        """A name from a Who|Is table must make sense for each entity that uses it."""
        named = self.subjects.names.get(name)
        if named is None:
            return
        found = Mistakes()
        judge_condition(manifest, resource, named.written, broken, found)
        for mistake in found:
            self.mistakes.add(mistake.origin, f'"{name}" {uses}: {mistake.message}')


def _words(item: Item) -> str:
    """A rule line that is no expression, as the vocabulary has it."""
    return plain(item.head).text.lower().rstrip(".")
