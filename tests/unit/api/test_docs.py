"""The /docs page needs nothing but its own origin, and says nothing that its title could break."""

import json
import re

import pytest

from specwright.api import docs


def _settings(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="settings">(.*?)</script>', page)
    assert found
    settings = json.loads(found[1])
    assert isinstance(settings, dict)
    return settings


def test_everything_the_page_loads_is_served_here() -> None:
    """Each script, style and icon is an asset, named with a hash of its content."""
    page = docs.page("Tasks", openapi_url="/openapi.json").decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 5
    for url in loaded:
        name, _, version = url.removeprefix("/docs/").partition("?v=")
        asset = docs.asset(name)
        assert asset is not None and asset.version == version and asset.content
    assert "style=" not in page and not re.search(r"<script>", page)


def test_people_are_offered_only_when_given() -> None:
    """In production there is nobody to pick."""
    assert _settings(docs.page("T", openapi_url="/o").decode())["people"] == []
    given = docs.page("T", openapi_url="/o", people=["ada", "</script>"]).decode()
    assert _settings(given)["people"] == ["ada", "</script>"]


def test_the_title_is_text() -> None:
    """A title cannot become markup."""
    assert b"<title>A &lt;b&gt; &amp; c</title>" in docs.page("A <b> & c", openapi_url="/o")


def test_behind_a_proxy_every_url_has_its_base() -> None:
    """The page works under a path of somebody else's."""
    page = docs.page("T", openapi_url="/openapi.json", base="/tasks-api").decode()
    assert _settings(page)["openapi"] == "/tasks-api/openapi.json"
    assert all(url.startswith("/tasks-api/docs/") for url in re.findall(r'(?:src|href)="([^"]+)"', page))


@pytest.mark.parametrize("name", ["", "..", "../docs.py", "docs.py", "swagger-ui.js.map"])
def test_no_other_file_is_served(name: str) -> None:
    """Assets are a closed list."""
    assert docs.asset(name) is None
