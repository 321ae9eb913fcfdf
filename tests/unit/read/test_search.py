"""What can be searched, and in which language."""

import pytest

from specwright.model.errors import SpecError
from specwright.model.manifest import Manifest
from specwright.read import read_specs
from specwright.read.vocabulary import SEARCH_LANGUAGES
from specwright.sql.tables import SEARCH, Tables
from specwright.write.markdown import specs
from specwright.write.models import models


def note(rules: str = "searchable", *lines: str) -> Manifest:
    table = f"| Field | Type | Rules |\n|---|---|---|\n| body | text | ..9, {rules} |\n| n | text | ..9 |"
    roles = "| Role | Means |\n|---|---|\n| admin | all |"
    items = "\n".join(f"- {line}" for line in lines)
    spec = f"# Notes\n\n{roles}\n\n## Note\n\n{table}\n\n### Rules\n\n{items}\n"
    return read_specs({"specs/notes/spec.md": spec})


def test_the_language_is_simple_unless_a_line_says_so() -> None:
    """One language for all searchable fields of an entity; it survives being written as Markdown."""
    assert note().resource("Note").search_language == "simple"
    assert note("searchable", "Search in English.").resource("Note").search_language == "english"
    for manifest in (note(), note("searchable", "search in german")):
        again = read_specs(specs(manifest)).resource("Note")
        assert again.search_language == manifest.resource("Note").search_language
        assert [field.name for field in again.searchable] == ["body"]


@pytest.mark.parametrize(
    ("rules", "lines", "told"),
    [
        ("searchable", ["search in englisch"], 'no language to search in. Did you mean "english"?'),
        ("searchable", ["search in"], '"" is no language to search in. There are simple, arabic'),
        ("indexed", ["search in english"], 'nothing of Note can be searched: add "searchable" to a field'),
        ("searchable", ["search in english", "search in german"], "searched in english already. Keep one"),
        ("searchable", ["serch in english"], "is no rule"),
        ("searchable, hidden", [], "contradict each other"),
        ("searchable, readable by admin", [], "a search would tell the others what it holds"),
    ],
)
def test_what_cannot_be_searched_is_told(rules: str, lines: list[str], told: str) -> None:
    """A search that finds nothing, or tells too much, is a mistake in the spec."""
    with pytest.raises(SpecError) as caught:
        note(rules, *lines)
    assert told in str(caught.value)


def test_the_column_is_nobody_s() -> None:
    """The words are generated, and neither a field nor an attribute of a class."""
    manifest = note("searchable", "search in english")
    tables = Tables(manifest)
    column = tables.of("Note").c[SEARCH]
    assert column.computed is not None and "english" in str(column.computed.sqltext)
    assert SEARCH not in [field.column for field in manifest.resource("Note").fields]
    assert SEARCH not in models(manifest, tables.metadata)


def test_the_languages_are_the_reference_s() -> None:
    """All of them, each once."""
    assert SEARCH_LANGUAGES[0] == "simple"
    assert len(set(SEARCH_LANGUAGES)) == len(SEARCH_LANGUAGES) > 25
