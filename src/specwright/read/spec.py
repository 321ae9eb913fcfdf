"""Specs to manifest: every file outlined, every known table read, everything judged together."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from specwright.model.manifest import Feature, Manifest
from specwright.model.names import hint
from specwright.model.requirement import OpenQuestion, Requirement
from specwright.model.resource import Resource, Rule
from specwright.model.tenant import Tenant
from specwright.read.access import GrantRow, Subjects, read_actions, read_grants, read_moves
from specwright.read.cells import leading_code, plain
from specwright.read.complete import complete
from specwright.read.conditions import Conditions, RuleRow
from specwright.read.entities import Entity, judge_fields, read_fields, read_heading
from specwright.read.expressions import parse_span
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
        self.rule_rows: dict[str, list[RuleRow]] = {}

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
        Conditions(manifest, self.subjects, self.mistakes).judge(
            self.entities, self.rule_rows, self.grant_rows
        )
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

    def read_rule(self, resource: Resource, head: Span, number: int) -> RuleRow | None:
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
        return RuleRow(Rule(f"{resource.id}.rule.{number}", written.expr, keys, head.origin), written)

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


def _words(item: Item) -> str:
    """A rule line that is no expression, as the vocabulary has it."""
    return plain(item.head).text.lower().rstrip(".")
