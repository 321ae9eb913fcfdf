"""A first spec of what exists already: tables as entities, and what the spec language cannot say of them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from specwright.model.field import Field, OnDelete
from specwright.model.names import (
    class_name,
    field_problem,
    kebab,
    name_problem,
    plural,
    singular,
    snake,
    title,
)
from specwright.model.resource import Resource
from specwright.model.spelling import heading
from specwright.model.types import Kind, Type
from specwright.read.storedlinks import StoredLink, stored_link
from specwright.read.storedtable import Extra, StoredTable, Unsaid
from specwright.read.storedtype import stored_type

#: Tables of migration tools.
_NOT_OURS = re.compile(r"alembic_version|django_migrations|schema_migrations|_prisma_migrations|flyway_.*")

#: Plurals that add es: addresses, boxes, matches, statuses; not houses, sizes.
_SIBILANT = re.compile(r"(?:ss|sh|ch|x|zz|[^aeiou]us)es$")


@dataclass(frozen=True, slots=True)
class Adopted:
    """A table as an entity, and what of it is not said; `columns` names the column of each field."""

    resource: Resource
    unsaid: tuple[Unsaid, ...]
    columns: Mapping[str, str]

    def without(self, field: str, because: str) -> "Adopted":
        """The same without a field that cannot be said after all."""
        kept = tuple(known for known in self.resource.fields if known.name != field)
        note = Unsaid(because, self.columns.get(field, field))
        return replace(self, resource=replace(self.resource, fields=kept), unsaid=(*self.unsaid, note))


def adopt_tables(
    tables: Sequence[sa.Table], extras: Mapping[str, Mapping[str, Extra]] | None = None
) -> list[Adopted]:
    """Each table as an entity; `extras` is what is known of columns besides, by the table's full name."""
    chosen = sorted((table for table in tables if not _NOT_OURS.fullmatch(table.name)), key=_Order(tables))
    links = [link for table in chosen if (link := _links(table, chosen)) is not None]
    chosen = [table for table in chosen if all(link.table is not table for link in links)]
    names: dict[str, str] = {}
    for table in chosen:
        names[table.fullname] = _entity(table, set(names.values()))
    adopted: dict[str, Adopted] = {}
    for table in chosen:
        taken = {known.resource.table for known in adopted.values()}
        adopted[table.fullname] = _adopted(table, names, (extras or {}).get(table.fullname, {}), taken)
    # Those that say their field by their name keep it.
    for link in sorted(map(_turned, links), key=lambda link: not link.table.name.startswith(_begins(link))):
        adopted[_referred(link.near)] = _linking(adopted, link)
    return list(adopted.values())


def _links(table: sa.Table, tables: Sequence[sa.Table]) -> StoredLink | None:
    """The links that a table holds, between tables that are adopted, too; nothing may refer to a link."""
    link = stored_link(table)
    known = {other.fullname for other in tables if stored_link(other) is None}
    if link is None or not {_referred(link.near), _referred(link.far)} - {""} <= known:
        return None
    referred = any(key.column.table is table for other in tables for key in other.foreign_keys)
    return None if referred else link


def _referred(column: sa.Column[Any]) -> str:
    """The full name of the table that a column refers to; empty where it is a user without one."""
    return next((key.column.table.fullname for key in column.foreign_keys), "")


def _turned(link: StoredLink) -> StoredLink:
    """The same, from the side that the table's name begins with."""
    near, far = (_table(column) for column in (link.near, link.far))
    if near == far:
        turned = link.far.name == f"{singular(near)}_id"
    else:
        turned = link.table.name.startswith(f"{far}_") and not link.table.name.startswith(f"{near}_")
    return replace(link, near=link.far, far=link.near) if turned else link


def _table(column: sa.Column[Any]) -> str:
    return _referred(column).rpartition(".")[2]


def _begins(link: StoredLink) -> str:
    """What the name of a table of links begins with, when the rest of it is the name of a field."""
    return f"{_table(link.near)}_"


def _linking(adopted: Mapping[str, Adopted], link: StoredLink) -> Adopted:
    """The entity with the field that its links are."""
    source, target = adopted[_referred(link.near)], adopted.get(_referred(link.far))
    one, begins = source.resource, _begins(link)
    entity, many = ("User", "users") if target is None else (target.resource.name, target.resource.table)
    name = many
    if link.table.name.startswith(begins):
        name = snake(link.table.name.removeprefix(begins))
    elif not any(part in link.table.name for part in (one.singular, singular(many))):
        # Likes are likes, not order items.
        name = snake(link.table.name)
    backs = [other.resource.table for other in adopted.values() if _leads(other.resource, one)]
    if name in backs or one.field(name) is not None or field_problem(name, one.title) is not None:
        name = f"linked_{many}"
    if target is not None and target.resource.field(one.table) is not None:
        what = f'its links in {link.table.name} cannot be said: {entity} has a field "{one.table}"'
        return replace(source, unsaid=(*source.unsaid, Unsaid(what)))
    made = Field(name, name, name, name, Type(Kind.MANY, target=entity))
    notes = (Unsaid(what, link.table.name) for what in link.unsaid(one.name, one.table, name, entity))
    return Adopted(
        replace(one, fields=(*one.fields, made)),
        (*source.unsaid, *notes),
        {**source.columns, name: link.table.name},
    )


def _leads(source: Resource, target: Resource) -> bool:
    """Whether a field of one leads to the other, which then has a relation of the first one's table."""
    return any(target.name in (field.target, field.linked) for field in source.fields)


def mistaken_field(adopted: Sequence[Adopted], lines: Sequence[str]) -> tuple[int, str] | None:
    """Which entity and field the last of these lines of a written spec is about."""
    row = re.match(r"\| *([a-z][a-z0-9_]*) *\|", lines[-1])
    headings = [line for line in lines if line.startswith("## ")]
    if row is None or not headings:
        return None
    for index, known in enumerate(adopted):
        if headings[-1] == f"## {heading(known.resource)}" and known.resource.field(row[1]) is not None:
            return index, row[1]
    return None


class _Order:
    """Tables that others refer to come first; within that by name."""

    def __init__(self, tables: Sequence[sa.Table]) -> None:
        self.depths = {table.fullname: self.depth(table, ()) for table in tables}

    def depth(self, table: sa.Table, seen: tuple[str, ...]) -> int:
        passed = (*seen, table.fullname)
        targets = {key.column.table for key in table.foreign_keys}
        further = [target for target in targets if target.fullname not in passed]
        return max((self.depth(target, passed) + 1 for target in further), default=0)

    def __call__(self, table: sa.Table) -> tuple[int, str]:
        return self.depths[table.fullname], table.fullname


def _entity(table: sa.Table, taken: set[str]) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", " ", table.name).strip()
    words = re.sub(r"^[^A-Za-z]+", "", words) or "Thing"
    name = class_name(_singular(snake(words).replace("_", " ")))
    if name == "User" and not _is_user(table):
        name = "AppUser"
    while name in taken or name_problem(name) is not None:
        name = f"{name}2" if name_problem(name) is None else "Thing"
    return name


def _is_user(table: sa.Table) -> bool:
    """Whether a table can be the User of a spec: keyed by a text, with nothing that must be there at once."""
    keys = list(table.primary_key.columns)
    if len(keys) != 1 or keys[0].name != "id":
        return False
    type_ = stored_type(keys[0].type, lambda _: None)
    must_be_sent = [
        column
        for column in table.columns
        if not (column.nullable or column.primary_key) and column.server_default is None
    ]
    return type_ is not None and type_.kind is Kind.TEXT and not must_be_sent


def _singular(words: str) -> str:
    """The singular without a dictionary: the likelier word whose plural this is, or the word itself."""
    ends = [("s", ""), ("es", "")]
    if _SIBILANT.search(words):
        ends.reverse()
    for end, instead in (("ies", "y"), *ends):
        one = words.removesuffix(end) + instead
        if words.endswith(end) and one and plural(one) == words:
            return one
    return words


def _adopted(
    table: sa.Table, names: Mapping[str, str], extras: Mapping[str, Extra], taken: Collection[str]
) -> Adopted:
    name = names[table.fullname]
    stored = StoredTable(name, table, names, extras)
    found = stored.read()
    words = title(name)
    many = snake(table.name) if name_problem(table.name) is None else snake(plural(words))
    if many in taken:
        many = snake(plural(words))
    notes = []
    if table.schema not in (None, "public"):
        notes.append(Unsaid(f"it is in the schema {table.schema}: entities are stored in public"))
    if many != table.name:
        notes.append(Unsaid(f'it is stored as "{table.name}": an entity of this spec is stored as {many}'))
    if name == "AppUser":
        notes.append(
            Unsaid("the User of a spec is whoever a token names, known by a text: hence the other name")
        )
    resource = Resource(
        id=name,
        name=name,
        title=words,
        path=kebab(many),
        table=many,
        fields=tuple(_decided(field) for _, field in found),
        means=_means(table.comment),
    )
    return Adopted(resource, (*notes, *stored.unsaid), {field.name: column for column, field in found})


def _decided(field: Field) -> Field:
    """A reference without a word on deletes refuses them: that is what PostgreSQL does."""
    silent = field.type.kind is Kind.REFERENCE and field.filled is None and field.on_delete is None
    return replace(field, on_delete=OnDelete.REFUSE) if silent else field


def _means(comment: str | None) -> str:
    text = " ".join((comment or "").split())
    return f"Stored are: {text}" if text and not text[0].isalpha() else text.replace("|", "/")
