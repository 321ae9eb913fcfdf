"""The dialect of `matches /…/`: three engines read a canonical pattern alike."""

import asyncio
import re
from typing import Annotated

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from specwright.model.pattern import PatternError, canonical

ALPHABET = "abzAZ059_-. \t\n\r/\\|^$[](){}*+?:,é&~#=<>!\u00a0\u0660😀"

ATOMS = st.one_of(
    st.sampled_from(list("abzAZ05_-é&~#=<>!,:/ 😀")),
    st.sampled_from(
        [r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", ".", r"\.", r"\|", r"\\", r"\-", r"\x41", r"\u00e9", r"\t"]
    ),
    st.sampled_from(
        [
            "[a-z]",
            "[^a-z]",
            r"[\d_-]",
            r"[\w.]",
            r"[^\s]",
            "[-a]",
            "[a^]",
            "[[]",
            r"[\]]",
            "[|||]",
            "[&&~~-]",
            "[ -~]",
        ]
    ),
)
COUNTS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "{,2}"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.builds("{}{}){}".format, st.sampled_from(["(", "(?:"]), inner, COUNTS)
    sequence = st.lists(
        st.one_of(st.builds("{}{}".format, ATOMS, COUNTS), group), min_size=1, max_size=3
    ).map("".join)
    return st.lists(sequence, min_size=1, max_size=3).map("|".join)


PATTERNS = st.recursive(st.builds("{}{}".format, ATOMS, COUNTS), _grow, max_leaves=6)
TEXTS = st.lists(st.text(st.sampled_from(ALPHABET), max_size=6), min_size=1, max_size=20)


def rust(pattern: str, texts: list[str]) -> list[bool]:
    """What Pydantic says of each text."""
    adapter = TypeAdapter(Annotated[str, Field(pattern=f"^(?:{pattern})$")])

    def accepts(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return [accepts(text) for text in texts]


def test_python_rust_and_postgresql_agree(database_url: str) -> None:
    """A canonical pattern accepts the same texts in Python, in Pydantic's engine and in PostgreSQL."""

    async def judge() -> None:
        connection = await asyncpg.connect(database_url)
        loop = asyncio.get_running_loop()

        @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
        @given(PATTERNS, TEXTS)
        def agree(pattern: str, texts: list[str]) -> None:
            text = canonical(pattern)
            python = [re.fullmatch(text, given) is not None for given in texts]
            assert rust(text, texts) == python, (pattern, text)
            query = connection.fetchval(
                "SELECT array_agg(t ~ $1 ORDER BY n) FROM unnest($2::text[]) WITH ORDINALITY AS u(t, n)",
                f"^(?:{text})$",
                texts,
            )
            assert asyncio.run_coroutine_threadsafe(query, loop).result() == python, (pattern, text)

        try:
            await asyncio.to_thread(agree)
        finally:
            await connection.close()

    asyncio.run(judge())


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^\d{3}$", "[0-9]{3}"),
        (r"\w+", "[A-Za-z0-9_]+"),
        (r"[\w.]", r"[A-Za-z0-9_.]"),
        (r"\S", r"[^ \t\n\r\f\v]"),
        (".", r"[^\n]"),
        ("(a|b)", "(?:a|b)"),
        ("a{,3}", "a{0,3}"),
        ("a{3,3}", "a{3}"),
        (r"\/", "/"),
        (r"[a\-z]", r"[a\-z]"),
        (r"[-|&]", r"[\-\|\&]"),
        (r"\u00e9\x41", "éA"),
    ],
)
def test_it_is_rewritten(pattern: str, expected: str) -> None:
    """Shorthands become plain classes; what the whole value makes needless goes."""
    assert canonical(pattern) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("pattern", "column", "message"),
    [
        ("", 1, "the pattern is empty"),
        ("^$", 3, "the pattern is empty"),
        ("(?=a)", 1, "(?= is lookahead, which is not supported"),
        ("a(?<!a)", 2, "(?<! is lookbehind, which is not supported"),
        ("(?P<x>a)", 1, "(?P< is a named group, which is not supported"),
        ("(?i)a", 1, "flags are not supported; groups are (…) and (?:…)"),
        ("(?i:a)", 1, "flags are not supported; groups are (…) and (?:…)"),
        (r"(a)\1", 4, "backreferences are not supported"),
        (r"\bа", 1, "\\b: word boundaries are not supported; spell out the characters around it"),
        (r"\p{L}", 1, "Unicode classes such as \\p{L} are not supported; list the characters"),
        (r"[\p{L}]", 2, "Unicode classes such as \\p{L} are not supported; list the characters"),
        ("[[:alpha:]]", 2, "POSIX classes are not supported; list the characters"),
        (r"[\D]", 2, "\\D is not supported inside a class; use [^…]"),
        (r"[\d-z]", 4, "\\d cannot begin a range; write \\- for the character"),
        ("a*+", 2, "possessive repetition is not supported"),
        ("a*?", 2, "lazy repetition changes nothing where the whole value must match; drop the ?"),
        ("a**", 2, "a repetition cannot be repeated; put a group around it"),
        ("*a", 1, '"*" repeats nothing; write \\* for the character'),
        ("a{x}", 2, "a count is {3}, {3,} or {3,5}; write \\{ for the character"),
        ("a{256}", 2, "PostgreSQL repeats at most 255 times; bound the length with ..N"),
        ("a{3,2}", 2, "the count runs backwards"),
        ("(a{255}){255}", 1, "its counts unfold to 65025 characters; 2000 is the most"),
        ("(a", 1, 'this "(" is never closed'),
        ("a)", 2, 'this ")" closes nothing; write \\)'),
        ("[a", 1, 'this "[" is never closed'),
        ("[]a]", 1, 'an empty class matches nothing; write \\] for the character "]"'),
        ("[z-a]", 2, "the range z-a runs backwards"),
        ("a^b", 2, "^ may stand only at the start"),
        ("a$b", 2, "$ may stand only at the end"),
        ("a\\", 2, "the pattern ends in a backslash"),
        (r"\q", 1, "\\q is not supported"),
        (r"\x4", 1, "\\x needs two hexadecimal digits"),
        (r"\x00", 1, "this character cannot be stored in a text"),
    ],
)
def test_what_is_read_differently_is_refused(pattern: str, column: int, message: str) -> None:
    """Each thing outside the dialect has one clear message at its place."""
    with pytest.raises(PatternError) as caught:
        canonical(pattern)
    assert caught.value.message == message
    if message.startswith(("the pattern is", "its counts")):
        return
    assert caught.value.column == column


@given(st.text(st.sampled_from(ALPHABET + "dwsbpx1"), max_size=30))
def test_any_text_is_a_pattern_or_a_pattern_error(text: str) -> None:
    """Reading never fails otherwise, and what is accepted compiles and stays as it is."""
    try:
        found = canonical(text)
    except PatternError as error:
        assert 1 <= error.column <= len(text) + 1
    else:
        assert canonical(found) == found
        re.compile(found)
        rust(found, [""])
