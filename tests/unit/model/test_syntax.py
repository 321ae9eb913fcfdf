"""Text to expression and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.model.expression import (
    And,
    Arithmetic,
    Call,
    CallerPath,
    Compare,
    Expr,
    In,
    IsNone,
    ListOf,
    Literal,
    Negative,
    Not,
    Or,
    Path,
)
from specwright.model.syntax import MAX_DEPTH, MAX_LENGTH, ExpressionError, parse, print_expression

A, B, C = Path(("a",)), Path(("b",)), Path(("c",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('status != "done"', Compare("!=", Path(("status",)), Literal("done"))),
        ("task.owner == caller", Compare("==", Path(("task", "owner")), CallerPath())),
        ("caller.claims.plan.name is None", IsNone(CallerPath(("claims", "plan", "name")))),
        ("a and b or c", Or((And((A, B)), C))),
        ("a and (b or c)", And((A, Or((B, C))))),
        ("not a == b", Not(Compare("==", A, B))),
        ("1 < a <= 5", And((Compare("<", Literal(1), A), Compare("<=", A, Literal(5))))),
        ("a is not None", Compare("!=", A, Literal(None))),
        ("a not in ['x', 'y']", Not(In(A, ListOf((Literal("x"), Literal("y")))))),
        ("a in ('x', 'y')", In(A, ListOf((Literal("x"), Literal("y"))))),
        ("-1 < a", Compare("<", Literal(-1), A)),
        ("-a < 1.50", Compare("<", Negative(A), Literal(Decimal("1.50")))),
        (
            "a + b * c > now()",
            Compare(">", Arithmetic("+", A, Arithmetic("*", B, C)), Call("now")),
        ),
        ("  True", Literal(True)),
        ("a == 0.1", Compare("==", A, Literal(Decimal("0.1")))),
        ("a and\n  b", And((A, B))),
        ("a == '#1'", Compare("==", A, Literal("#1"))),
        ("a == 'it\\'s'", Compare("==", A, Literal("it's"))),
    ],
)
def test_reads_the_language(text: str, expected: Expr) -> None:
    """Each form of the language becomes its node."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ("a = 1", 3, 'write "=="'),
        ("a == 1 && b == 2", 9, '"and"'),
        ("a / 2 == 1", 1, "arithmetic knows"),
        ("a.b()", 1, "only the language's own functions"),
        ("now(tz='UTC')", 1, "plain arguments"),
        ("a == null", 6, "write None"),
        ("a == true", 6, "write True"),
        ("a is 3", 1, '"is" goes with None only'),
        ("a in [b]", 7, "literals only"),
        ("a in [None]", 7, "never None"),
        ("[x for x in a]", 1, "not part of the language"),
        ("lambda: 1", 1, "not part of the language"),
        ("a if b else c", 1, "not part of the language"),
        ("a == b'x'", 6, "one pair of quotes"),
        ("a == r'x'", 6, "one pair of quotes"),
        ('a == "é" and a == u"x"', 19, "one pair of quotes"),
        ("a in ['x', R'y']", 12, "one pair of quotes"),
        ('a == """x"""', 6, "one pair of quotes"),
        ("a == 'x' 'y'", 6, "one pair of quotes"),
        ("a == 1_000", 6, 'without "_"'),
        ("a == -1_0.5", 7, 'without "_"'),
        ("a == 1j", 6, "not part of the language"),
        ("a == ...", 6, "not part of the language"),
        ('a == "\\x00"', 6, "cannot be stored"),
        ('a == "\\ud800"', 6, "cannot be stored"),
        ('f"{a}" == b', 1, "not part of the language"),
        ("a[0] == 1", 1, "not part of the language"),
        ("a == 1 # and why", 8, "no comments"),
        (" a == '#' # why", 11, "no comments"),
        ("a == 0x10", 6, "decimal digits"),
        ("a == -0b1", 7, "decimal digits"),
        ("a == 1 and \uff4cevel > 2", 12, "write level"),
        ("b.\uff4cevel > 2", 1, "write level"),
        ("\uff4cen(a) > 2", 1, "write len"),
        ("(a := 1)", 2, "not part of the language"),
        ("ä == ü = 1", 8, 'write "=="'),
        ("not " * (MAX_DEPTH + 2) + "a", 1, "nested more than"),
        ("a" * (MAX_LENGTH + 1), 1, "longer than"),
        ("(" * 1000 + "a" + ")" * 1000, 1, ""),
    ],
)
def test_refuses_what_is_not_the_language(text: str, column: int, part: str) -> None:
    """What is not understood is an error that says so and where."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert part in caught.value.message
    if part and "nested" not in part:
        assert caught.value.column == column


def test_columns_count_characters() -> None:
    """A node's column counts characters, not bytes, from the start of the text as given."""
    expr = parse('  "äöü" == b')
    assert isinstance(expr, Compare)
    assert (expr.left.column, expr.right.column) == (3, 12)


def test_columns_do_not_distinguish() -> None:
    """The same expression at another place is equal."""
    assert parse("a == b") == parse("   a  ==  b")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("(a) and ((b))", "a and b"),
        ("a and (b or c)", "a and (b or c)"),
        ("not (a == b)", "not a == b"),
        ("not (a and b)", "not (a and b)"),
        ("(a - b) - c > 0", "a - b - c > 0"),
        ("a - (b - c) > 0", "a - (b - c) > 0"),
        ("(a + b) * -c > 0", "(a + b) * -c > 0"),
        ("a not in ['x']", 'a not in ["x"]'),
        ("a == 1e2", "a == 100.0"),
        ("a == 'say \"hi\"'", 'a == "say \\"hi\\""'),
    ],
)
def test_prints_no_needless_parentheses(text: str, printed: str) -> None:
    """Printing normalises quotes and drops parentheses that say nothing."""
    assert print_expression(parse(text)) == printed


_names = st.sampled_from(["a", "b", "status", "due_on", "x1"])
_paths = st.lists(_names, min_size=1, max_size=3).map(lambda names: Path(tuple(names)))
_literals = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.decimals(-1000, 1000, places=2),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
).map(Literal)
_values = st.recursive(
    st.one_of(
        _paths,
        _literals,
        st.sampled_from([CallerPath(), CallerPath(("id",)), CallerPath(("claims", "plan"))]),
        st.just(Call("now")),
    ),
    lambda inner: st.one_of(
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*"]), inner, inner),
        # A minus before a literal number is part of the literal.
        st.builds(
            Negative, inner.filter(lambda node: not (isinstance(node, Literal) and _is_number(node.value)))
        ),
        st.builds(Call, st.sampled_from(["len", "coalesce"]), st.lists(inner, max_size=2).map(tuple)),
    ),
    max_leaves=6,
)
_lists = st.lists(_literals.filter(lambda literal: literal.value is not None), max_size=3).map(
    lambda items: ListOf(tuple(items))
)
_atoms = st.one_of(
    st.builds(Compare, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), _values, _values),
    st.builds(In, _values, st.one_of(_lists, _paths)),
    st.builds(IsNone, _values),
    _paths,
)
conditions = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items))),
    ),
    max_leaves=10,
)


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal)


@given(conditions)
def test_printing_and_reading_round_trip(expr: Expr) -> None:
    """Whatever well-formed expression is printed, it reads back equal."""
    text = print_expression(expr)
    if len(text) <= MAX_LENGTH:
        assert parse(text) == expr


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail with anything but its own error."""
    try:
        parse(text)
    except ExpressionError as error:
        assert error.column >= 1
