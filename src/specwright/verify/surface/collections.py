"""Which operations are about rows of one kind: the collections of an app, by their paths and schemas."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from specwright.model.names import plural, singular, snake
from specwright.verify.surface.schemas import element, kinds, members, plain, variants
from specwright.verify.surface.surface import Collection, Operation, Reference, Schema

_PARAMETER = re.compile(r"\{(\w+)\}")
_ONE = re.compile(r"^(.*)/\{(\w+)\}$")
#: What stands behind the path of a collection where the verb is in the path.
_VERBS = frozenset({"create", "new", "add", "list", "all"})
#: What changes or removes rows where the path names none of them.
_BULK = ("PATCH", "PUT", "DELETE")
#: How a member says that it holds another row's key.
_SUFFIXES = ("_ids", "_id", "_uuids", "_uuid", "_keys", "_key", "_slug", "_slugs")
#: Where lists keep their rows, besides a member with the collection's own name.
_LISTS = ("items", "data", "results", "rows", "records", "content", "objects")
#: Members by which rows are known, when the path's parameter has none of its name.
_KEYS = ("id", "uuid", "slug", "key", "code", "name")


def find_collections(operations: Iterable[Operation]) -> tuple[Collection, ...]:
    """The collections of an app, in the order of their paths, those above others first.

    Operations of one thing without a key in the path (`/me`, `/settings`) are in none.
    """
    groups = _groups(tuple(operations))
    names = _names(groups)
    found = [group.collection(names[group.base]) for group in groups.values() if group.counts]
    placed = [_placed(collection, groups, names) for collection in found]
    linked = [replace(each, references=tuple(references(each, placed))) for each in placed]
    return tuple(sorted(linked, key=lambda each: _depth(each)))


def _depth(collection: Collection) -> int:
    return min(len(_PARAMETER.findall(operation.path)) for operation in collection.operations)


@dataclass
class _Group:
    """Operations on the same path, and on that path with a key behind it."""

    base: str
    key: str = "id"
    on_all: dict[str, Operation] = field(default_factory=dict)
    on_one: dict[str, Operation] = field(default_factory=dict)
    others: list[Operation] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        """Whether these are rows, which come and go, and not a single thing or a procedure."""
        if not self.on_one:
            return {"GET", "POST"} <= self.on_all.keys() and self._list() is not None
        if self.on_one.keys() <= {"GET"} and "POST" not in self.on_all:
            return "GET" in self.on_all and self._list() is not None
        return "POST" in self.on_all or "GET" in self.on_all

    def _list(self) -> str | None:
        """Where the list has its rows; None where it is not seen to be one."""
        found = self.on_all.get("GET")
        return None if found is None else listed(answer(found), self.base)

    def collection(self, name: str) -> Collection:
        create, read = self.on_all.get("POST"), self.on_one.get("GET")
        shape = (create and answer(create)) or (read and answer(read)) or {}
        envelope = enveloped(shape, self.base, self.key)
        inside = members(shape).get(envelope, {}) if envelope else shape
        change = self.on_one.get("PATCH") or self.on_one.get("PUT")
        taken = create or change
        return Collection(
            name,
            list=self.on_all.get("GET"),
            create=create,
            read=read,
            update=self.on_one.get("PATCH"),
            replace=self.on_one.get("PUT"),
            delete=self.on_one.get("DELETE"),
            key=self.key,
            member=key_member(self.key, self.base, members(inside)),
            items=self._list() or "",
            envelope=envelope,
            wrapping=wrapping(taken.body, self.base) if taken is not None else "",
            others=tuple(self.others),
            bulk=tuple(self.on_all[method] for method in _BULK if method in self.on_all),
        )


def _groups(operations: Sequence[Operation]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for operation in operations:
        path = _trimmed(operation.path)
        found = _ONE.match(path)
        base = _base(found[1]) if found else _base(path)
        group = groups.setdefault(base, _Group(base))
        if found:
            group.key = found[2]
            group.on_one.setdefault(operation.method, operation)
        else:
            group.on_all.setdefault(operation.method, operation)
    for base in list(groups):
        _merge(groups, base)
    return groups


def _merge(groups: dict[str, _Group], base: str) -> None:
    """Join operations on one row with those on all where their paths differ; tell actions from rows."""
    group = groups[base]
    head, _, last = base.rpartition("/")
    _shallow(groups, group, last)
    # `/tasks/{id}/comments`, which only lists, and `/tasks/{id}/tags/{tag_id}`, which makes no tag.
    above = _ONE.match(head)
    owner = groups.get(_base(above[1])) if above else None
    if owner is not None and owner.on_one and not (group.counts and "POST" in group.on_all):
        owner.others.extend((*group.on_all.values(), *group.on_one.values()))
        group.on_all, group.on_one = {}, {}
        return
    # `/todo/{id}` beside `/todos`.
    whole = groups.get(f"{head}/{plural(last)}") or groups.get(f"{head}/{singular(last)}")
    if group.on_one and not group.on_all and whole is not None and not whole.on_one:
        whole.key, whole.on_one = group.key, group.on_one
        group.on_one = {}


def _shallow(groups: dict[str, _Group], group: _Group, last: str) -> None:
    """`POST /projects/{id}/tasks` beside `GET /tasks/{id}`: rows made below another, read on their own."""
    if group.on_one or "POST" not in group.on_all or not _PARAMETER.search(group.base):
        return
    for base, other in groups.items():
        alone = base.rpartition("/")[2] == last and other is not group and not _PARAMETER.search(base)
        if alone and other.on_one and "POST" not in other.on_all:
            group.key, group.on_one, other.on_one = other.key, other.on_one, {}
            group.others.extend(other.others)
            if "GET" in other.on_all:
                group.on_all.setdefault("GET", other.on_all.pop("GET"))
            return


def _names(groups: Mapping[str, _Group]) -> dict[str, str]:
    """A name for each path: its last word, with the word before where two have the same."""
    said: dict[str, list[str]] = {base: _words(base) for base, group in groups.items() if group.counts}
    last = [words[-1:] for words in said.values()]
    return {
        base: "/".join(words[-1:] if last.count(words[-1:]) == 1 else words[-2:]) or base
        for base, words in said.items()
    }


def _words(base: str) -> list[str]:
    return [part for part in base.split("/") if part and not part.startswith("{")]


def _placed(collection: Collection, groups: Mapping[str, _Group], names: Mapping[str, str]) -> Collection:
    """The collection with the one above it, when its path has a key before its own."""
    first = collection.create or collection.list or collection.operations[0]
    path = _trimmed(first.path)
    before = path if first in (collection.create, collection.list) else path.rpartition("/")[0]
    found = re.match(r"^(.*)/\{(\w+)\}/[^{}]*$", before)
    if found is None:
        return collection
    group = groups.get(_base(found[1]))
    parent = names[group.base] if group is not None and group.counts else None
    return replace(collection, parent=parent, above=found[2])


def references(collection: Collection, others: Sequence[Collection]) -> Iterator[Reference]:
    """The members of its bodies that name rows of other collections, by how they are called."""
    bodies = [each.body for each in (collection.create, collection.change) if each is not None]
    seen: set[str] = set()
    for body in bodies:
        shape = members(body).get(collection.wrapping) if collection.wrapping else body
        for member, schema in members(shape).items():
            found = None if member in seen else _referred(member, schema, others)
            if found is not None:
                seen.add(member)
                yield found


def _referred(member: str, schema: Schema, others: Sequence[Collection]) -> Reference | None:
    name = snake(member)
    stem = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), "")
    items = element(schema)
    if not stem and not is_key(items if items is not None else schema):
        return None
    for other in others:
        last = snake(other.name.rpartition("/")[2])
        called = {last, singular(last), snake(other.key).removesuffix("_id"), other.member}
        if (stem or name) in called - {"id"} or singular(stem or name) in called - {"id"}:
            return Reference(member, other.name, many=items is not None)
    return None


def is_key(schema: Schema) -> bool:
    """Whether a value may be what other rows are known by: a whole number or a UUID."""
    found = [plain(each) for each in variants(plain(schema))]
    return any("integer" in kinds(each) or each.get("format") == "uuid" for each in found)


def answer(operation: Operation) -> Schema:
    """The schema of an operation's good answer."""
    good = [status for status in operation.answers if status.startswith("2")]
    return operation.answers[good[0]] if good else {}


def listed(schema: Schema, base: str) -> str | None:
    """Where a list's answer has its rows: "" for a bare array, else a member; None where there are none."""
    if element(schema) is not None:
        return ""
    arrays = [name for name, each in members(schema).items() if element(each) is not None]
    last = snake(base.rpartition("/")[2])
    for name in (last, plural(singular(last)), *_LISTS):
        if name in map(snake, arrays):
            return next(each for each in arrays if snake(each) == name)
    return arrays[0] if len(arrays) == 1 else None


def enveloped(schema: Schema, base: str, key: str) -> str:
    """The one member of an answer that has the row in it; "" where the answer is the row."""
    shown = members(schema)
    last = snake(base.rpartition("/")[2])
    if key in shown or "id" in shown:
        return ""
    for name, each in shown.items():
        if members(each) and snake(name) in (singular(last), last, "data", "item", "result", "row"):
            return name
    return ""


def wrapping(body: Schema | None, base: str) -> str:
    """The one member of a body that has the row in it; "" where the body is the row."""
    sent = members(body)
    if len(sent) != 1:
        return ""
    ((name, each),) = sent.items()
    last = snake(base.rpartition("/")[2])
    return name if members(each) and snake(name) in (singular(last), last, "data") else ""


def key_member(key: str, base: str, shown: Iterable[str]) -> str:
    """The member of a row that has the value of a path's parameter."""
    shown = list(shown)
    one = singular(snake(base.rpartition("/")[2]))
    wanted = [key, snake(key).removeprefix(f"{one}_"), *_KEYS[:3], f"{one}_id", f"{one}Id", *_KEYS[3:]]
    suffix = snake(key).rpartition("_")[2]
    for name in (*wanted[:2], suffix, *wanted[2:]):
        if name in shown:
            return name
    return "id"


def _trimmed(path: str) -> str:
    return path.rstrip("/") or "/"


def _base(path: str) -> str:
    head, _, last = _trimmed(path).rpartition("/")
    return head if last.lower() in _VERBS and head else _trimmed(path)
