"""A manifest that has a field of every kind, made by hand: nothing here depends on the reader."""

from decimal import Decimal

import pytest

from specwright.model.expression import Literal
from specwright.model.field import Bounds, Field, Filled, Shown
from specwright.model.grant import Grant, Role, Who, WhoKind
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.types import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, TIMESTAMP, USER, UUID, Kind, Type


def _field(name: str, type: Type, **rules: object) -> Field:
    wire = f"{name}_id" if type.kind is Kind.REFERENCE else name
    return Field(id=name, name=name, wire=wire, column=wire, type=type, **rules)  # type: ignore[arg-type]


def _built_in(name: str, type: Type, shown: Shown = Shown.READ_ONLY) -> Field:
    return _field(name, type, built_in=True, shown=shown)


def _built_ins(key: Type = UUID) -> tuple[Field, ...]:
    return (
        _built_in("id", key),
        _built_in("created_at", TIMESTAMP),
        _built_in("updated_at", TIMESTAMP),
        _built_in("version", INTEGER, Shown.HIDDEN),
    )


_OWNER = Who(WhoKind.OWNER)

USERS = Resource(
    id="user", name="User", title="User", path="users", table="users",
    fields=(*_built_ins(TEXT), _field("name", TEXT, required=True)),
    grants=(Grant("g", _OWNER, ("read", "create", "update")),),
)  # fmt: skip

THING = Resource(
    id="thing", name="Thing", title="Thing", path="things", table="things", means="One of everything.",
    fields=(
        *_built_ins(),
        _field("title", TEXT, required=True, bounds=Bounds(1, 20), means="What it is called."),
        _field("note", TEXT),
        _field("code", TEXT, pattern="[A-Z][0-9]{2}"),
        _field("status", Type(Kind.ENUM, literals=("todo", "in progress", "done")), default=Literal("todo")),
        _field("priority", INTEGER, bounds=Bounds(0, 5), default=Literal(0)),
        _field("size", INTEGER),
        _field("fee", Type(Kind.NUMBER, precision=8, scale=2), bounds=Bounds(Decimal(0), Decimal(5000))),
        _field("weight", NUMBER),
        _field("done", BOOLEAN, default=Literal(False)),
        _field("born", DATE),
        _field("due", TIMESTAMP),
        _field("token", UUID),
        _field("mail", Type(Kind.EMAIL)),
        _field("link", Type(Kind.URL)),
        _field("data", Type(Kind.JSON)),
        _field("labels", Type(Kind.LIST, item=TEXT), bounds=Bounds(None, 3)),
        _field("owner", USER, filled=Filled.CALLER),
        _field("parent", Type(Kind.REFERENCE, target="Thing")),
        _field("keeper", USER),
        _field("kind", TEXT, immutable=True),
        _field("secret", TEXT, shown=Shown.WRITE_ONLY),
        _field("import_key", TEXT, shown=Shown.HIDDEN),
        _field("insurance", TEXT, readable_by=("reception",)),
        _field("price", INTEGER, writable_by=("reception",)),
        _field("signed", TIMESTAMP, filled=Filled.NOW, writable_by=("reception",)),
    ),
    grants=(
        Grant("a", _OWNER, ("list", "read", "create", "update", "delete")),
        Grant("b", Who(WhoKind.ANYONE), ("list", "read")),
    ),
)  # fmt: skip

MANIFEST = Manifest(resources=(USERS, THING), roles=(Role("reception", "keeps the register"),))

NOBODY: frozenset[str] = frozenset()
RECEPTION = frozenset({"reception"})


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """Users by text key, and a Thing."""
    return MANIFEST


@pytest.fixture(scope="session")
def thing() -> Resource:
    """The resource with a field of every kind."""
    return THING
