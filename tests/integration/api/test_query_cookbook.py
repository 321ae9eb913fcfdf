"""docs/queries.md is true: every query of it is asked, on the rows that stand in it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from served import Person, Served, fresh_database, serving

pytestmark = pytest.mark.any_server

PAGE = (Path(__file__).parents[3] / "docs" / "queries.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```http\nGET (.*)\n```\n\n```text\n(.*)\n```", PAGE)
CHANGES = re.findall(
    r"```http\n(PATCH|DELETE) (\S.*?max_affected=\d+)(?: (.*))?\n```\n\n```text\n(.*)\n```", PAGE
)
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in re.findall(r"^\| title +\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[0].splitlines()
]


def _target(query: str) -> str:
    path, _, parameters = query.partition("?")
    encoded = [
        f"{name}={quote(value, safe='')}"
        for name, _, value in (part.partition("=") for part in parameters.split("&"))
    ]
    return f"{path}?{'&'.join(encoded)}"


@pytest.fixture(scope="module")
def cookbook(database_server: str) -> Iterator[Served]:
    """The spec of the page, served, and its rows."""
    with _cookbook(database_server) as served:
        yield served


@contextmanager
def _cookbook(database_server: str) -> Iterator[Served]:
    (spec,) = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    with fresh_database(database_server) as database, serving(f"# Tasks\n\n{spec}", database) as served:
        projects: dict[str, str] = {}
        for title, notes, status, priority, due, project, labels, data, owner in ROWS:
            person = served.person(owner)
            if project and project not in projects:
                projects[project] = person.made("/projects", {"name": project})["id"]
            person.made(
                "/tasks",
                {
                    "title": title,
                    "notes": notes or None,
                    "status": status,
                    "priority": int(priority),
                    "due": due or None,
                    "project_id": projects.get(project),
                    "labels": labels.split(", ") if labels else None,
                    "data": json.loads(data.strip("`")) if data else None,
                },
            )
        yield served


def test_every_query_of_the_page_is_asked() -> None:
    """No block of a query is left out for its form."""
    assert len(QUERIES) + len(CHANGES) == PAGE.count("```http") == PAGE.count("```text") > 15
    assert len(ROWS) == 5


@pytest.mark.parametrize(("query", "told"), QUERIES, ids=[query for query, _ in QUERIES])
def test_its_answer_is_as_told(cookbook: Served, query: str, told: str) -> None:
    """The titles in order, or the fault."""
    target = _target(query)
    ada = cookbook.person("ada")
    if told.startswith("Column"):
        answer = ada.get(target)
        assert (answer.status, answer.json()["errors"][0]["message"]) == (422, told)
        return
    shown, total, more = re.fullmatch(r"(.*?)(?: \((\d+) in all, and a next page: (.*)\))?", told).groups()  # type: ignore[union-attr]
    page = ada.get(target).json()
    assert _titles(page) == ([] if shown == "(nothing)" else shown.split(", "))
    if total is not None:
        assert page["total"] == int(total)
        assert _titles(_next(ada, target, page)) == more.split(", ")


def test_its_changes_are_as_told(database_server: str) -> None:
    """One after another, on rows of their own: how many are affected, or why none is."""
    with _cookbook(database_server) as served:
        for method, query, body, told in CHANGES:
            answer = served.person("ada").send(method, _target(query), body.encode() if body else None)
            found = answer.json()
            if answer.status == 200:
                assert told == f"{found['affected']} affected", query
            else:
                # Which row it is, is another each time.
                detail = re.sub(r"^Row [0-9a-f-]{36}:", "Row 0190…:", found["detail"])
                assert told == f"{answer.status}: {detail}", query


def _titles(page: Any) -> list[str]:
    return [row.get("title", row.get("name")) for row in page["items"]]


def _next(person: Person, target: str, page: Any) -> Any:
    return person.get(f"{target}&cursor={page['next_cursor']}").json()
