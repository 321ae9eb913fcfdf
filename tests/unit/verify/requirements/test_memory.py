"""`{name.path}`: parts of earlier answers."""

import pytest

from specwright.verify.requirements.memory import Memory, UnknownCapture


@pytest.fixture
def memory() -> Memory:
    """A memory of a task and of a page."""
    memory = Memory()
    memory.remember("task", {"id": "1", "n": 3, "done": True, "project": {"name": "a/b c"}})
    memory.remember("page", {"items": [{"id": "2"}], "next_cursor": "x+/="})
    return memory


def test_parts_are_filled_in(memory: Memory) -> None:
    """A capture names a member, a member of a member, or an item of a list by its number."""
    assert memory.in_text("{task.id}-{page.items.0.id} {task.n} {task.done}") == "1-2 3 true"


def test_a_whole_string_takes_the_type(memory: Memory) -> None:
    """In a body a string that is one capture becomes the value itself."""
    template = {"a": "{task.n}", "b": ["{task.done}", "no {task.n}"], "c": "{}", "d": None}
    assert memory.in_json(template) == {"a": 3, "b": [True, "no 3"], "c": "{}", "d": None}


def test_urls_are_escaped(memory: Memory) -> None:
    """In a path everything that has a meaning there is escaped."""
    assert memory.in_url("/tasks?cursor={page.next_cursor}") == "/tasks?cursor=x%2B%2F%3D"
    assert memory.in_url("/p/{task.project.name}") == "/p/a%2Fb%20c"


def test_a_later_answer_replaces_an_earlier_one(memory: Memory) -> None:
    """The last answer under a name counts."""
    memory.remember("task", {"id": "9"})
    assert memory.in_text("{task.id}") == "9"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{tasks.id}", '{tasks.id} is not known: no answer is named "tasks". Did you mean "task"?'),
        ("{zzz.id}", '{zzz.id} is not known: no answer is named "zzz". There are task, page.'),
        ("{task.title}", '{task.title} is not known: the answer "task" has no "title".'),
        ("{page.items.1.id}", '{page.items.1.id} is not known: the answer "page" has no "1".'),
        ("{task.id.x}", '{task.id.x} is not known: the answer "task" has no "x".'),
    ],
)
def test_what_is_not_known_is_told(memory: Memory, template: str, message: str) -> None:
    """A capture without an answer is one clear sentence."""
    with pytest.raises(UnknownCapture) as caught:
        memory.in_text(template)
    assert str(caught.value) == message


def test_before_any_answer(memory: Memory) -> None:
    """The first example can refer to nothing."""
    with pytest.raises(UnknownCapture, match="no answer before it can be remembered"):
        Memory().in_text("{task.id}")
