"""The access matrix as a page: one file, in which nothing of a spec is more than text."""

from html.parser import HTMLParser

from builders import OWNER, backend, entity, field, grant, owner, role
from specwright.model.errors import Origin
from specwright.model.grant import ACTIONS, Grant
from specwright.model.types import TEXT
from specwright.write.access_page import as_html, content_security_policy
from specwright.write.matrix import access_matrix

HOSTILE = """<script>alert(1)</script>"><img src=x onerror='alert("2")'>&amp;"""


class _Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of all cells and headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(*grants: Grant, roles: tuple[str, ...] = ()) -> _Elements:
    note = entity("Note", field("title", TEXT), owner(), grants=grants)
    return _Elements(as_html(access_matrix(backend(note, roles=roles))))


def test_it_needs_nothing_else() -> None:
    """No script, no image, no link but to itself, no attribute that runs or styles anything."""
    page = _page(grant(OWNER, "everything"))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page.text and "@import" not in page.text
    assert "default-src 'none'" in content_security_policy()


def test_hostile_text_is_text() -> None:
    """A role and a condition that are markup are shown as they were written."""
    condition = "title == " + repr(HOSTILE)
    page = _page(grant(role(HOSTILE), "read", condition), roles=(HOSTILE,))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img"})
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert HOSTILE in page.text
    assert "<script>alert(1)</script>" in page.text.split("when title")[1]


def test_the_table_can_be_heard() -> None:
    """A caption, a header for each column and row with its scope, and no dash without a word."""
    page = _page(grant(OWNER, "read"))
    assert [tag for tag, _ in page.elements].count("caption") == 1
    scopes = [attributes.get("scope") for tag, attributes in page.elements if tag == "th"]
    assert scopes.count("col") == 1 + len(ACTIONS)
    assert scopes.count("row") == 3
    dashes = [attributes for tag, attributes in page.elements if attributes.get("class") == "no"]
    assert dashes and all(attributes["aria-label"] == "no" for attributes in dashes)


def test_a_cell_names_the_lines_that_grant_it() -> None:
    """Unfolded, and as a title."""
    given = grant(OWNER, "read", "title == 'x'")
    page = _page(
        Grant(given.id, given.who, given.actions, given.when, origin=Origin("specs/n/spec.md", 41, 1))
    )
    assert ("summary", {"title": "specs/n/spec.md:41"}) in page.elements
    assert "specs/n/spec.md:41" in page.text
    assert 'when title == "x"' in page.text
