"""A list that is asked for again is not planned again, and stays that of whoever asks, when they ask."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from served import Served, fresh_database, serving

NOTES = """
# Notes

## Roles

| Role    | Means     |
|---------|-----------|
| auditor | reads all |

## Note

| Field | Type      | Rules               |
|-------|-----------|---------------------|
| text  | text      | required, ..40      |
| pay   | integer   | readable by auditor |
| due   | timestamp |                     |
| owner | User      | the caller          |

| Who             | May        |
|-----------------|------------|
| owner           | everything |
| auditor         | list, read |
"""


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """Notes of two people."""
    with fresh_database(database_server) as database, serving(NOTES, database) as served:
        for name in ("ada", "bob"):
            for number in range(3):
                served.person(name).made("/notes", {"text": f"{name} {number}"})
        yield served


def texts(served: Served, name: str, path: str, *roles: str) -> list[str]:
    """What somebody finds."""
    return sorted(row["text"] for row in served.person(name, *roles).items(path))


def test_the_same_words_mean_each_caller(notes: Served) -> None:
    """`caller` in a filter is whoever asks, however often others have asked the same."""
    path = f"/notes?filter={quote('owner == caller')}"
    for _ in range(3):
        assert texts(notes, "ada", path, "auditor") == ["ada 0", "ada 1", "ada 2"]
        assert texts(notes, "bob", path, "auditor") == ["bob 0", "bob 1", "bob 2"]
        assert texts(notes, "bob", path) == ["bob 0", "bob 1", "bob 2"]
        assert texts(notes, "eve", path) == []


def test_what_one_may_ask_another_may_not(notes: Served) -> None:
    """A filter by a field that only a role reads is refused to others, after it was answered to the role."""
    path = "/notes?pay__isnull=true"
    for _ in range(2):
        assert notes.person("ada", "auditor").get(path).status == 200
        assert notes.person("ada").get(path).status == 422


def test_a_repeated_list_sees_the_time(notes: Served) -> None:
    """`now()` is the time of each request: what is due after the first is found by the second."""
    path = f"/notes?filter={quote('due < now()')}"
    assert texts(notes, "ada", path) == []
    notes.sql("UPDATE notes SET due = clock_timestamp() WHERE text = 'ada 1'")
    assert texts(notes, "ada", path) == ["ada 1"]


def test_a_repeated_list_sees_new_rows_and_pages(notes: Served) -> None:
    """The plan is kept, not the answer; and a page is followed by its own next one."""
    carol = notes.person("carol")
    assert texts(notes, "carol", "/notes?limit=1") == []
    for number in range(3):
        carol.made("/notes", {"text": f"carol {number}"})
    found, cursor = [], ""
    for _ in range(3):
        page = carol.get(f"/notes?limit=1{cursor}").json()
        found += [row["text"] for row in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert found == ["carol 2", "carol 1", "carol 0"]


def test_many_different_lists_are_each_answered(notes: Served) -> None:
    """More query strings than are kept, twice over: each has its own answer."""
    for _ in range(2):
        for number in range(20):
            assert texts(notes, "ada", f"/notes?text=ada+{number}") == [f"ada {number}"] * (number < 3)
