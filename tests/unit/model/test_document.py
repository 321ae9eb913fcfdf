"""The manifest as JSON and back."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID as Uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.model import types
from specwright.model.document import from_document, to_document
from specwright.model.errors import ConfigError, Origin
from specwright.model.expression import Expr, ListOf, Literal
from specwright.model.field import Aggregate, Bounds, Field, Filled, OnDelete, Shown
from specwright.model.grant import Grant, Role, Who, WhoKind, WhoName
from specwright.model.manifest import MANIFEST_FORMAT, Feature, Manifest
from specwright.model.relation import Relation
from specwright.model.requirement import Example, OpenQuestion, Request, Requirement, Response
from specwright.model.resource import Action, ActionParameter, Limits, Move, Resource, Rule
from specwright.model.syntax import parse
from specwright.model.tenant import Chosen, Tenant
from specwright.model.types import Kind, Type

TEXT = st.text(max_size=8)
EXPRESSIONS: st.SearchStrategy[Expr] = st.sampled_from(
    [
        'status != "done" and not (a or b)',
        "caller.claims.team == project.team",
        '"admin" in caller.roles or owner == caller.id',
        "price * 2 - 1.50 > -3",
        "due is not None and due > now()",
        "(a or b) and c in [1, 2, 3]",
        "not (a and b)",
        'contains(lower(title), "ö\\n\\"")',
    ]
).map(parse)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    TEXT,
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
)
ORIGINS = st.builds(
    Origin, st.sampled_from(["specs/a/spec.md", "C:/x y.md", "ü.md"]), st.integers(0, 99), st.integers(1, 9)
)
PLAIN = st.sampled_from([types.TEXT, types.INTEGER, types.UUID, Type(Kind.NUMBER, precision=4, scale=2)])
TYPES = st.one_of(
    PLAIN,
    st.builds(Type, st.just(Kind.ENUM), literals=st.tuples(TEXT, TEXT)),
    st.builds(Type, st.just(Kind.LIST), item=PLAIN),
    st.builds(Type, st.just(Kind.MANY), target=TEXT),
)
BOUNDS = st.builds(Bounds, *[st.one_of(st.none(), st.integers(), st.decimals(allow_nan=False))] * 2)
WHOS = st.builds(Who, st.sampled_from(WhoKind), TEXT)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)


def some(item: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """None, one or two of them."""
    return st.lists(item, max_size=2).map(tuple)


def maybe(item: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """It or None."""
    return st.one_of(st.none(), item)


FIELDS = st.builds(
    Field,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    TYPES,
    required=st.booleans(),
    default=maybe(
        st.builds(Literal, SCALARS) | st.builds(ListOf, st.lists(st.builds(Literal, SCALARS)).map(tuple))
    ),
    filled=maybe(st.sampled_from(Filled)),
    bounds=BOUNDS,
    pattern=maybe(TEXT),
    unique_per=some(TEXT),
    shown=st.sampled_from(Shown),
    on_delete=maybe(st.sampled_from(OnDelete)),
    computed=maybe(EXPRESSIONS),
    aggregate=maybe(st.builds(Aggregate, TEXT, TEXT, TEXT, maybe(EXPRESSIONS))),
    origin=ORIGINS,
)
RESOURCES = st.builds(
    Resource,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    some(FIELDS),
    relations=some(st.builds(Relation, TEXT, TEXT, TEXT, TEXT, st.booleans())),
    grants=some(
        st.builds(Grant, TEXT, WHOS, some(TEXT), maybe(EXPRESSIONS), maybe(EXPRESSIONS), TEXT, ORIGINS)
    ),
    rules=some(st.builds(Rule, TEXT, EXPRESSIONS, some(TEXT), ORIGINS)),
    moves=some(st.builds(Move, TEXT, TEXT, TEXT, TEXT, some(WHOS), ORIGINS)),
    actions=some(
        st.builds(Action, TEXT, TEXT, TEXT, some(st.builds(ActionParameter, TEXT, TYPES)), TEXT, ORIGINS)
    ),
    limits=st.builds(Limits, st.integers(), st.integers()),
    external=st.booleans(),
    was=maybe(TEXT),
)
REQUESTS = st.builds(
    Request, TEXT, TEXT, maybe(TEXT), some(TEXT), maybe(TEXT), PAIRS, maybe(TEXT), maybe(TEXT), ORIGINS
)
EXAMPLES = st.builds(Example, REQUESTS, st.builds(Response, st.integers(), PAIRS, maybe(TEXT), ORIGINS))
MANIFESTS = st.builds(
    Manifest,
    resources=some(RESOURCES),
    roles=some(st.builds(Role, TEXT, TEXT, some(TEXT), ORIGINS)),
    names=some(st.builds(WhoName, TEXT, EXPRESSIONS, ORIGINS)),
    requirements=some(st.builds(Requirement, TEXT, TEXT, TEXT, TEXT, some(EXAMPLES), ORIGINS)),
    open_questions=some(st.builds(OpenQuestion, TEXT, ORIGINS)),
    features=some(st.builds(Feature, TEXT, TEXT, TEXT)),
    tenant=maybe(
        st.builds(
            Tenant,
            TEXT,
            TEXT,
            TEXT,
            st.sampled_from(Chosen),
            TEXT,
            TEXT,
            maybe(some(st.tuples(TEXT, st.builds(Literal, SCALARS)))),
            ORIGINS,
        )
    ),
)


@given(MANIFESTS)
def test_nothing_is_lost(manifest: Manifest) -> None:
    """A manifest goes through JSON and comes back equal."""
    assert from_document(json.loads(json.dumps(to_document(manifest)))) == manifest


def test_what_it_looks_like() -> None:
    """Expressions are text, places are file:line:column, and defaults are left out."""
    field = Field(
        "T.a", "a", "a", "a", types.TEXT, default=Literal(Decimal("1.50")), origin=Origin("s.md", 3, 2)
    )
    grant = Grant("T.grant.1", Who(WhoKind.OWNER), ("read",), parse("a == 1"))
    document = to_document(
        Manifest(resources=(Resource("T", "T", "T", "ts", "ts", (field,), grants=(grant,)),))
    )
    assert document == {
        "manifest_format": MANIFEST_FORMAT,
        "resources": [
            {
                "id": "T",
                "name": "T",
                "title": "T",
                "path": "ts",
                "table": "ts",
                "fields": [
                    {
                        "id": "T.a",
                        "name": "a",
                        "wire": "a",
                        "column": "a",
                        "type": {"kind": "text"},
                        "default": {"literal": {"number": "1.50"}},
                        "origin": "s.md:3:2",
                    },
                ],
                "grants": [
                    {"id": "T.grant.1", "who": {"kind": "owner"}, "actions": ["read"], "when": "a == 1"}
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    "value",
    [
        date(2026, 1, 31),
        datetime(2026, 1, 31, 12, tzinfo=UTC),
        Decimal("1E+3"),
        Uuid(int=1),
        True,
        1,
        None,
        "1",
    ],
)
def test_values_keep_their_type(value: object) -> None:
    """A value comes back as what it was."""
    field = Field("a", "a", "a", "a", types.TEXT, default=Literal(value))  # type: ignore[arg-type]
    manifest = Manifest(resources=(Resource("T", "T", "T", "t", "t", (field,)),))
    found = from_document(to_document(manifest)).resources[0].fields[0].default
    assert found is not None
    assert (type(found.value), repr(found.value)) == (type(value), repr(value))


def test_a_newer_format_is_refused() -> None:
    """A manifest of a newer Specwright says that it is time to upgrade."""
    with pytest.raises(ConfigError, match="Upgrade Specwright"):
        from_document({"manifest_format": MANIFEST_FORMAT + 1})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"manifest_format": "1"},
        {"manifest_format": 1, "resources": [{}]},
        {"manifest_format": 1, "nonsense": 1},
        {"manifest_format": 1, "resources": 7},
        {"manifest_format": 1, "roles": [{"name": 7}]},
        {"manifest_format": 1, "names": [{"name": "x", "condition": "1 +"}]},
        {"manifest_format": 1, "roles": [{"name": "a", "origin": "x"}]},
    ],
)
def test_what_is_no_manifest_is_refused(document: dict[str, object]) -> None:
    """Anything else is one sentence."""
    with pytest.raises(ConfigError, match="This is no manifest"):
        from_document(document)
