"""CHECK constraints, as people write them and as PostgreSQL gives them back."""

from decimal import Decimal

import pytest

from specwright.read.checks import Checks, Said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("priority BETWEEN 0 AND 5", Said(Decimal(0), Decimal(5))),
        ("((priority >= 0) AND (priority <= 5))", Said(Decimal(0), Decimal(5))),
        ("priority > 0", Said(Decimal(1), whole=True)),
        ('"priority" < (100)::numeric', Said(None, Decimal(99), whole=True)),
        (
            "price >= 0.5::numeric AND price < 'Infinity'::numeric".replace("price", "priority"),
            Said(Decimal("0.5")),
        ),
        ("char_length(priority) BETWEEN 1 AND 80", Said(Decimal(1), Decimal(80))),
        ("length((priority)::text) <= 80", Said(None, Decimal(80))),
        ("priority IN ('a', 'it''s, (AND)')", Said(literals=("a", "it's, (AND)"))),
        ("(priority = ANY (ARRAY['a'::text, 'b'::text]))", Said(literals=("a", "b"))),
        (
            "((priority)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            Said(literals=("a", "b")),
        ),
        ("priority ~ '^(?:a:b|c)$'::text", Said(pattern="a:b|c")),
        ("priority >= '0001-01-01 00:00:00+00'::timestamp with time zone", Said()),
    ],
)
def test_what_is_understood(sql: str, said: Said) -> None:
    """Ranges, lengths, literals and whole patterns are read, in either form."""
    checks = Checks()
    checks.read(sql)
    assert (checks.unsaid, checks.of("priority")) == ([], said)


@pytest.mark.parametrize(
    "sql",
    [
        "a > b",
        "a IS NULL OR a > 1",
        "a ~ 'part'",
        "a ~* '^x$'",
        "lower(a) = a",
        "NOT (a > 1)",
        "a <> 1",
        "a > 1 AND f(a)",
        "a > now()",
        "(a > 1) = (b > 2)",
    ],
)
def test_what_is_not_understood_is_kept_whole(sql: str) -> None:
    """Half a condition would be a wrong rule."""
    checks = Checks()
    checks.read(sql)
    assert (checks.said, checks.unsaid) == ({}, [sql])
