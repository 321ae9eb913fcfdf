"""Code-first: mapped classes and what was declared of them, as sections that are read like those of a spec.

A class is put into the words of the spec language, each with its place in the code, and goes the way of
Markdown from there: one language, one judge. What the words cannot say is a mistake at its column.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin
from typing import Literal as Choice

import sqlalchemy as sa

from specwright.model.errors import Origin
from specwright.model.field import Bounds, Filled
from specwright.model.grant import WhoKind
from specwright.model.names import plural, snake, title
from specwright.model.spelling import code, rule_words, type_words
from specwright.model.types import Kind, Type
from specwright.read.declared import Allowed, Declaration, DeclaredTenant, Subject, key_of, relative
from specwright.read.mistakes import Mistakes
from specwright.read.outline import Block, Item, Row, Section, Table
from specwright.read.span import Span
from specwright.read.storedlinks import declares, mapped_link
from specwright.read.storedtable import Extra, StoredTable

_KEYS = re.compile(r"\s*(\((?:FR|SC)-\d+[A-Za-z]?(?:,\s*(?:FR|SC)-\d+[A-Za-z]?)*\))$")


def class_sections(
    declarations: Sequence[Declaration], tenant: DeclaredTenant | None, root: Path, mistakes: Mistakes
) -> list[Section]:
    """The sections that classes and their declarations stand for, in the order of declaration."""
    entities = {_table(known).fullname: known.model.__name__ for known in declarations}
    subjects = [subject for known in declarations for grant in known.grants for subject in grant.to]
    found: list[Section] = list(_subjects(subjects, root))
    if tenant is not None:
        origin = relative(tenant.origin, root)
        item = Item(_span(origin, tenant.line), tenant.line, False)
        found.append(Section(_span(origin, "Rules"), 1, None, [item]))
    for known in declarations:
        within = "" if tenant is None else tenant.entity
        found += _Class(known, entities, within, root, mistakes).sections()
    return found


def known_of(model: type[Any]) -> dict[str, Extra]:
    """What a class knows of its columns: pydantic's constraints, annotations and descriptions."""
    mapper: Any = sa.inspect(model)
    found = {}
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        means = str(attribute.doc or column.doc or "")
        known = getattr(model, "model_fields", {}).get(attribute.key)
        found[column.name] = Extra(
            type=_choice(known.annotation) if known is not None else None,
            bounds=_bounds(known.metadata if known is not None else ()),
            means=" ".join(((known.description if known is not None else None) or means).split()),
        )
    return found


def mapped_classes(module: ModuleType) -> list[type[Any]]:
    """The classes of a module that have a table, in the order of their definition."""
    return [
        known
        for known in vars(module).values()
        if isinstance(known, type) and isinstance(known.__dict__.get("__table__"), sa.Table)
    ]


class _Class:
    def __init__(
        self,
        known: Declaration,
        entities: Mapping[str, str],
        tenant: str,
        root: Path,
        mistakes: Mistakes,
    ) -> None:
        self.known = known
        self.entities = entities
        self.tenant = tenant
        self.root = root
        self.mistakes = mistakes
        self.mapper: Any = sa.inspect(known.model)
        self.lines = dict(_lines(known.model, root))
        self.own = _class_origin(known.model, root) or relative(known.origin, root)

    def sections(self) -> Iterator[Section]:
        model, table = self.known.model, _table(self.known)
        words = title(model.__name__)
        named = table.name not in (snake(words), model.__name__.lower(), snake(plural(words)))
        heading = f"{words} ({table.name.replace('_', ' ')})" if named else words
        if table.schema not in (None, "public"):
            self.tell(None, f"its schema is {table.schema}: entities are stored in public")
        section = Section(self.at(self.own, heading), 2, None, means=_means(model), table=table.name)
        section.blocks.append(self.fields(table))
        if self.known.grants:
            section.blocks.append(_grants(self.known.grants, self.root))
        yield section
        rules = [*map(_rule, self.known.rules), *self.known.lines]
        if rules:
            origin = relative(self.known.origin, self.root)
            items: list[Block] = [Item(self.at(origin, rule), rule, False) for rule in rules]
            yield Section(self.at(origin, "Rules"), 3, section, items)

    def fields(self, table: sa.Table) -> Table:
        types = {self.column(key): type_ for key, type_ in self.known.types.items()}
        says = {self.column(key): words for key, words in self.known.fields.items()}
        owners = {
            self.column(subject.column)
            for grant in self.known.grants
            for subject in grant.to
            if subject.kind is WhoKind.OWNER
        }
        extras = {
            name: replace(extra, the_caller=name in owners)
            for name, extra in known_of(self.known.model).items()
        }
        for name, word in types.items():
            if word == "User" and name in extras:
                extras[name] = replace(extras[name], type=Type(Kind.REFERENCE, target="User"))
        stored = StoredTable(self.known.model.__name__, table, self.entities, extras, self.tenant)
        rows = []
        for name, field in stored.read():
            if field.filled is Filled.CALLER:
                field = replace(field, required=False)
            origin = self.place(name)
            words = ", ".join(filter(None, (rule_words(field), says.get(name, ""))))
            kind = types.get(name) or type_words(field.type)
            rows.append((origin, (field.name, kind, words, field.means)))
        rows += [
            (self.place(name), (name, type_words(field), says.get(name, ""), means))
            for name, field, means in self.links(table)
        ]
        place = relative(self.known.origin, self.root)
        rows += [(place, (name, *said, "")) for name, said in self.known.calculated.items()]
        for unsaid in stored.unsaid:
            self.tell(unsaid.column, unsaid.what)
        return _table_of(self.own, ("Field", "Type", "Rules", "Means"), rows)

    def links(self, table: sa.Table) -> Iterator[tuple[str, Type, str]]:
        """The relations of many to many that the class declares; the other side exists by itself."""
        for known in self.mapper.relationships:
            if known.secondary is None or known.viewonly or known.secondary.fullname in self.entities:
                continue
            target = self.entities.get(known.mapper.local_table.fullname)
            if target is None:
                name = known.mapper.class_.__name__
                self.tell(known.key, f"it leads to {name}, which is no resource: backend.resource({name}, …)")
            elif declares(known):
                name = self.known.model.__name__
                for unsaid in mapped_link(known).unsaid(name, table.name, known.key, target):
                    self.tell(known.key, unsaid)
                yield known.key, Type(Kind.MANY, target=target), " ".join(str(known.doc or "").split())

    def column(self, key: Any) -> str:
        name = key_of(key)
        columns = {known.key: known.key for known in self.mapper.relationships}
        columns |= {known.key: known.columns[0].name for known in self.mapper.column_attrs}
        if name not in columns:
            self.tell(None, f'it has no column "{name}" to speak of')
        return str(columns.get(name, name))

    def place(self, column: str) -> Origin:
        if column in self.mapper.relationships:
            return self.lines.get(column, self.own)
        for attribute in self.mapper.column_attrs:
            if attribute.columns[0].name == column and attribute.key in self.lines:
                return self.lines[attribute.key]
        return self.own

    def tell(self, column: str | None, what: str) -> None:
        where = f"{self.known.model.__name__}.{column}" if column is not None else self.known.model.__name__
        self.mistakes.add(self.place(column) if column is not None else self.own, f"{where}: {what}")

    @staticmethod
    def at(origin: Origin, text: str) -> Span:
        return _span(origin, text)


def _table(known: Declaration) -> sa.Table:
    mapper: Any = sa.inspect(known.model, raiseerr=False)
    table = getattr(mapper, "local_table", None)
    if not isinstance(table, sa.Table):
        raise TypeError(f"{known.model!r} is no mapped class: backend.resource takes one with a table")
    return table


def _span(origin: Origin, text: str) -> Span:
    """Text that stands, whole, at one place of the code."""
    return Span(text, origin.file, origin.line, [origin.column] * (len(text) + 1))


def _row(origin: Origin, cells: Sequence[str]) -> Row:
    return Row(tuple(_span(origin, cell) for cell in cells), _span(origin, " "))


def _table_of(origin: Origin, header: Sequence[str], rows: Sequence[tuple[Origin, Sequence[str]]]) -> Table:
    return Table(_row(origin, header), tuple(_row(place, cells) for place, cells in rows))


def _grants(grants: Sequence[Allowed], root: Path) -> Table:
    rows = [
        (
            relative(grant.origin, root),
            (
                ", ".join(map(str, grant.to)),
                ", ".join(grant.actions),
                code(grant.when) if grant.when else "",
                code(grant.then) if grant.then else "",
            ),
        )
        for grant in grants
    ]
    return _table_of(rows[0][0], ("Who", "May", "When", "Then"), rows)


def _subjects(subjects: Sequence[Subject], root: Path) -> Iterator[Section]:
    """The roles and names that are declared, each once."""
    for kind, header in (
        (WhoKind.ROLE, ("Role", "Means", "Includes")),
        (WhoKind.NAMED, ("Who", "Is")),
    ):
        declared = dict.fromkeys(known for known in subjects if known.kind is kind and known.says is not None)
        rows = [(relative(known.origin, root), _declared(known)) for known in declared]
        if rows:
            table = _table_of(rows[0][0], header, rows)
            yield Section(_span(rows[0][0], ""), 1, None, [table])


def _declared(subject: Subject) -> tuple[str, ...]:
    said = subject.says or ""
    if subject.kind is WhoKind.NAMED:
        return (subject.name, code(said))
    return (subject.name, said, ", ".join(subject.includes))


def _rule(text: str) -> str:
    """A rule as a list has it: in backticks, its requirements behind."""
    keys = _KEYS.search(text)
    return f"{code(text[: keys.start()])} {keys[1]}" if keys is not None else code(text)


def _means(model: type[Any]) -> str:
    """The first paragraph of the docstring that the class itself has."""
    text = inspect.cleandoc(model.__dict__.get("__doc__") or "")
    return " ".join(text.split("\n\n")[0].split())


def _choice(annotation: Any) -> Type | None:
    """The literals of an annotation, which says more than the column's type."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is not Choice:
        return _choice(parts[0]) if len(parts) == 1 and get_origin(annotation) is not list else None
    literals = get_args(annotation)
    return Type(Kind.ENUM, literals=literals) if all(isinstance(one, str) for one in literals) else None


def _bounds(metadata: Sequence[Any]) -> Bounds:
    ends: dict[str, Any] = {}
    for known in metadata:
        for word in ("min_length", "max_length", "ge", "le"):
            value = getattr(known, word, None)
            if value is not None:
                ends[word] = value
    least, most = ends.get("ge", ends.get("min_length")), ends.get("le", ends.get("max_length"))
    return Bounds(least, most)


def _lines(model: type[Any], root: Path) -> Iterator[tuple[str, Origin]]:
    """Where each attribute is assigned, in the class or a class that it inherits from."""
    for known in reversed(model.__mro__):
        origin = _class_origin(known, root)
        if origin is None:
            continue
        source = textwrap.dedent(inspect.getsource(known))
        (body,) = ast.parse(source).body
        assert isinstance(body, ast.ClassDef)
        for statement in body.body:
            targets = (
                statement.targets
                if isinstance(statement, ast.Assign)
                else [getattr(statement, "target", None)]
            )
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, Origin(origin.file, origin.line + statement.lineno - 1)


def _class_origin(model: type[Any], root: Path) -> Origin | None:
    """Where a class of the project begins; None for one of a library."""
    try:
        file = inspect.getsourcefile(model)
        line = inspect.getsourcelines(model)[1]
    except (OSError, TypeError):
        return None
    if file is None or not Path(file).resolve().is_relative_to(root):
        return None
    return relative(Origin(str(Path(file).resolve()), line), root)
