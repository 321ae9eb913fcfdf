"""Query strings: what they may ask, and that every other one is refused by name."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.api import problems
from specwright.api.fields import readable
from specwright.api.parameters import Parameters
from specwright.api.problems import Problem
from specwright.model.caller import Caller
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.names import suggest
from specwright.model.resource import Resource
from specwright.sql.query import ListQuery
from specwright.sql.scope import Scopes

NOBODY: frozenset[str] = frozenset()
ADA = Caller("ada")


@pytest.fixture
def read(manifest: Manifest, thing: Resource) -> Any:
    """Read a query string of the list of things; the cursor `good` holds one value."""

    def cursor_reader(query: ListQuery, text: str) -> tuple[Any, ...]:
        if text != "good":
            raise Problem("invalid_cursor")
        return ("value",) * len(query.sort)

    def read(query_string: str | bytes, roles: frozenset[str] = NOBODY) -> ListQuery:
        raw = query_string if isinstance(query_string, bytes) else query_string.encode()
        caller = Caller("ada", roles)
        seen = fields(manifest, thing, caller)
        return Parameters(manifest, members(manifest)).read_list(
            thing, seen, raw, shown=seen, caller=caller, cursor_reader=cursor_reader
        )

    return read


def members(manifest: Manifest) -> Any:
    """What a caller sees of the fields of a resource."""
    return Scopes(manifest).members


def fields(manifest: Manifest, resource: Resource, caller: Caller = ADA) -> tuple[Field, ...]:
    """The fields that the caller reads."""
    return readable(resource, members(manifest)(resource, caller))


def _sort(query: ListQuery) -> list[str]:
    return [("-" if sort.descending else "") + sort.field.wire for sort in query.sort]


def _filters(query: ListQuery) -> list[tuple[str, str, Any]]:
    return [(filter.field.wire, filter.operator, filter.value) for filter in query.filters]


def test_nothing_asked_is_the_newest_twenty(read: Any, thing: Resource) -> None:
    """The default order is one that the index on owner, created_at and id serves."""
    query = read("")
    assert (query.limit, query.offset, query.after, query.count) == (20, 0, None, False)
    assert _sort(query) == ["-created_at", "-id"]
    assert "secret" not in [field.name for field in query.fields]


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("title", ["title", "id"]),
        ("-title", ["-title", "-id"]),
        ("status,-due", ["status", "-due", "-id"]),
        ("owner_id", ["owner_id", "id"]),
        ("-id", ["-id"]),
        ("id,title", ["id"]),
    ],
)
def test_the_key_ends_every_sort(read: Any, sort: str, keys: list[str]) -> None:
    """In the direction of the last key, and nothing follows it."""
    assert _sort(read(f"sort={sort}")) == keys


@pytest.mark.parametrize(
    ("query_string", "expected"),
    [
        ("status=todo", ("status", "eq", "todo")),
        ("status__eq=in%20progress", ("status", "eq", "in progress")),
        ("status=in+progress", ("status", "eq", "in progress")),
        ("status__in=todo,in%20progress", ("status", "in", ("todo", "in progress"))),
        (r"title__in=a\,b,c\\,\d", ("title", "in", ("a,b", "c\\", "\\d"))),
        ("title__contains=50%25", ("title", "contains", "50%")),
        ("title=", ("title", "eq", "")),
        ("owner_id=ada", ("owner_id", "eq", "ada")),
        ("priority__gte=3", ("priority", "gte", 3)),
        ("fee__lt=12.50", ("fee", "lt", Decimal("12.50"))),
        ("done=true", ("done", "eq", True)),
        ("due__isnull=false", ("due", "isnull", False)),
        ("due__gt=2026-01-01T02:00:00%2B02:00", ("due", "gt", datetime(2026, 1, 1, tzinfo=UTC))),
        ("due__gt=2026-01-01T02:00:00+02:00", ("due", "gt", datetime(2026, 1, 1, tzinfo=UTC))),
        ("data__isnull=true", ("data", "isnull", True)),
    ],
)
def test_filters_are_typed(read: Any, query_string: str, expected: tuple[str, str, Any]) -> None:
    """Names are those of the wire, values those of the field."""
    assert _filters(read(query_string)) == [expected]


def test_fields_are_what_was_asked_in_the_order_of_the_resource(read: Any) -> None:
    """Exactly these, the key only if it is named."""
    assert [field.wire for field in read("fields=title,due").fields] == ["title", "due"]
    assert [field.wire for field in read("fields=due,title").fields] == ["title", "due"]


def test_a_cursor_gives_the_values_to_go_on_from(read: Any) -> None:
    """It may come with sort, filters, limit and count."""
    query = read("cursor=good&sort=title&limit=3&count=exact&status=todo")
    assert (query.after, query.limit, query.count) == (("value", "value"), 3, True)


@pytest.mark.parametrize(
    ("query_string", "field", "code"),
    [
        ("limit=0", "limit", "too_small"),
        ("limit=101", "limit", "too_large"),
        ("limit=ten", "limit", "wrong_type"),
        ("limit=", "limit", "wrong_type"),
        ("limit=1e2", "limit", "wrong_type"),
        ("limit=%D9%A1", "limit", "wrong_type"),
        (f"limit={'9' * 5000}", "limit", "too_large"),
        (f"offset=1{'0' * 30}", "offset", "too_large"),
        (f"offset=-1{'0' * 30}", "offset", "too_small"),
        (f"size=1{'0' * 30}", "size", "too_large"),
        ("limit=5&limit=5", "limit", "repeated"),
        ("offset=-1", "offset", "too_small"),
        ("offset=2147483648", "offset", "too_large"),
        ("offset=0&cursor=good", "offset", "not_together"),
        ("count=estimated", "count", "not_a_choice"),
        ("count=", "count", "not_a_choice"),
        ("sort=", "sort", "not_a_choice"),
        ("sort=titel", "sort", "not_a_choice"),
        ("sort=data", "sort", "not_a_choice"),
        ("sort=labels", "sort", "not_a_choice"),
        ("sort=title,-title", "sort", "repeated"),
        ("sort=--title", "sort", "not_a_choice"),
        ("fields=", "fields", "not_a_choice"),
        ("fields=title,nope", "fields", "not_a_choice"),
        ("fields=title,title", "fields", "repeated"),
        ("colour=red", "colour", "unknown_parameter"),
        ("=x", "", "unknown_parameter"),
        ("owner=ada", "owner", "unknown_parameter"),
        ("title__matches=x", "title__matches", "unknown_parameter"),
        ("title__=x", "title__", "unknown_parameter"),
        ("priority__contains=3", "priority__contains", "unknown_parameter"),
        ("status__gt=todo", "status__gt", "unknown_parameter"),
        ("data=1", "data", "unknown_parameter"),
        ("status=bought", "status", "not_a_choice"),
        ("status__in=todo,bought", "status__in", "not_a_choice"),
        ("id=42", "id", "bad_format"),
        ("parent_id={0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c}", "parent_id", "bad_format"),
        ("size=9223372036854775808", "size", "too_large"),
        ("size=1.5", "size", "wrong_type"),
        ("weight=NaN", "weight", "wrong_type"),
        ("weight=1e400000000", "weight", "wrong_type"),
        ("done=True", "done", "wrong_type"),
        ("due__isnull=1", "due__isnull", "wrong_type"),
        ("due=2026-01-01T00:00:00", "due", "bad_format"),
        ("due=9999-12-31T23:59:59-01:00", "due", "bad_format"),
        ("due=", "due", "bad_format"),
        ("born=2026-02-30", "born", "bad_format"),
        ("born=0000-01-01", "born", "bad_format"),
        ("title=%00", "title", "invalid_character"),
        ("title__in=" + ",".join("x" * 101), "title__in", "too_long"),
    ],
)
def test_what_cannot_be_asked_is_named(read: Any, query_string: str, field: str, code: str) -> None:
    """422, the parameter, and why."""
    with pytest.raises(Problem) as caught:
        read(query_string)
    assert caught.value.status == 422
    assert [(error.field, error.code) for error in caught.value.errors] == [(field, code)]
    assert code in problems.FIELD_CODES


def test_all_faults_come_at_once(read: Any) -> None:
    """One round trip mends them all."""
    with pytest.raises(Problem) as caught:
        read("limit=0&statuss=todo&sort=nope&due=soon")
    assert {error.field for error in caught.value.errors} == {"limit", "statuss", "sort", "due"}
    assert "Did you mean status?" in next(e.message for e in caught.value.errors if e.field == "statuss")


@pytest.mark.parametrize("name", ["insurance", "secret", "import_key", "version", "nonsense"])
@pytest.mark.parametrize("place", ["{}=x", "{}__isnull=true", "sort={}", "fields={}"])
def test_what_the_caller_cannot_read_is_not_there(read: Any, name: str, place: str) -> None:
    """Unreadable, write-only and hidden fields get the answer that a field that never was gets."""
    answers = []
    for asked in (name, "q" * len(name)):
        with pytest.raises(Problem) as caught:
            read(place.format(asked))
        [error] = caught.value.errors
        answers.append((error.code, error.message.partition("Did you mean")[0].replace(asked, "?")))
        assert name not in error.message.replace(f"'{asked}'", "")
    assert answers[0][0] == answers[1][0]


def test_a_role_brings_its_fields(read: Any) -> None:
    """`readable by` is for those who have the role."""
    assert _filters(read("insurance=A1", frozenset({"reception"}))) == [("insurance", "eq", "A1")]


@pytest.mark.parametrize("raw", [b"%", b"title=%zz", b"title=%f", b"title=%ff", b"title=\xff", b"%C0%80=1"])
def test_what_is_not_utf8_is_malformed(read: Any, raw: bytes) -> None:
    """400, before anything is looked at."""
    with pytest.raises(Problem) as caught:
        read(raw)
    assert (caught.value.status, caught.value.code) == (400, "malformed")


def test_too_many_parameters_are_refused_at_once(read: Any) -> None:
    """The work is bounded before it begins."""
    with pytest.raises(Problem) as caught:
        read("&".join(f"a{index}=1" for index in range(51)))
    assert caught.value.code == "malformed"


def test_a_bad_cursor_is_told_as_such(read: Any) -> None:
    """The reader's problem passes through; an empty cursor is a bad one."""
    for text in ("bad", ""):
        with pytest.raises(Problem) as caught:
            read(f"cursor={text}")
        assert caught.value.code == "invalid_cursor"


def test_answers_of_writes_take_fields_and_include_alone(manifest: Manifest, thing: Resource) -> None:
    """A filter on a row route is a mistake of the client, and a delete takes nothing at all."""
    parameters, known = Parameters(manifest, members(manifest)), fields(manifest, thing)

    def shown(raw: bytes) -> list[str]:
        return [field.wire for field in parameters.read_answer(thing, known, raw, ADA, 1)[0]]

    assert shown(b"") == [field.wire for field in known]
    assert shown(b"fields=id") == ["id"]
    for raw in (b"limit=1", b"title=x", b"fields=id&fields=id"):
        with pytest.raises(Problem):
            shown(raw)
    parameters.read_nothing(b"")
    with pytest.raises(Problem):
        parameters.read_nothing(b"fields=id")


_NAMES = st.sampled_from(
    [
        "limit",
        "offset",
        "cursor",
        "sort",
        "fields",
        "count",
        "title",
        "status__in",
        "due__gt",
        "size",
        "weight",
    ]
)
_QUERIES = st.binary() | st.lists(st.tuples(_NAMES, st.text())).map(
    lambda pairs: "&".join(f"{name}={quote(value)}" for name, value in pairs).encode()
)


@given(_QUERIES)
def test_no_query_string_raises_anything_but_a_problem(
    manifest: Manifest, thing: Resource, raw: bytes
) -> None:
    """Whatever is sent, the answer is a page or a readable problem."""
    parameters, known = Parameters(manifest, members(manifest)), fields(manifest, thing)
    try:
        parameters.read_list(thing, known, raw, shown=known, caller=ADA, cursor_reader=lambda query, text: ())
    except Problem as problem:
        json.loads(problems.body(problem, "r"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "filter=priority+>+",
            'Column 11: this is not an expression, at the end; one is status == "done" and due is None. '
            "A + in a URL is a space: write %2B",
        ),
        ("filter=prority%20>%201", 'Column 1: Thing has no field "prority". Did you mean "priority"?'),
    ],
)
def test_a_plus_is_a_space_and_told_of(read: Any, query: str, said: str) -> None:
    """Where a filter is not understood that was sent with one."""
    with pytest.raises(Problem) as refused:
        read(query)
    (error,) = refused.value.errors
    assert error.message == said


def test_deleted_rows_where_there_are_none(read: Any) -> None:
    """The parameter is refused, and not suggested."""
    for name in ("deleted", "delete"):
        with pytest.raises(Problem) as caught:
            read(f"{name}=only")
        (error,) = caught.value.errors
        assert (error.field, error.code) == (name, "unknown_parameter")
        assert "Did you mean" not in error.message


@pytest.mark.parametrize("name", ["pin", "ends", "xyz"])
def test_a_short_word_is_like_many_by_chance(name: str) -> None:
    """Nothing is suggested for it but what is nearly the same, or begins with it."""
    assert suggest(name, ["points", "fields", "owner_id"]) is None
    assert suggest("owner", ["points", "owner_id"]) == "owner_id"
    assert suggest("tag", ["points", "tag_ids"]) == "tag_ids"
    assert suggest("ponts", ["points", "owner_id"]) == "points"
