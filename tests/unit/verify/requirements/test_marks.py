"""`# Spec: tasks#FR-003` in code and tests, and the trace that is made of them."""

from pathlib import Path

import pytest

from specwright.model.errors import Origin
from specwright.model.expression import TRUE
from specwright.model.manifest import Manifest
from specwright.model.requirement import Example, Request, Requirement, Response
from specwright.model.resource import Resource, Rule
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.requirements.marks import Mark, find_marks
from specwright.verify.requirements.trace import follow
from specwright.verify.result import Standing

EXAMPLE = Example(Request("GET", "/tasks"), Response(200))
MANIFEST = Manifest(
    resources=(
        Resource(
            "task",
            "Task",
            "Task",
            "tasks",
            "tasks",
            (),
            feature="tasks",
            rules=(Rule("r", TRUE, ("FR-001",), Origin("specs/tasks/spec.md", 40)),),
        ),
    ),
    requirements=(
        Requirement("tasks/FR-001", "FR-001", "tasks", "It is so.", (EXAMPLE,)),
        Requirement("tasks/FR-002", "FR-002", "tasks", "No foreign row in a list (AZ01, ZZ99)."),
        Requirement("people/FR-001", "FR-001", "people", "They are."),
    ),
)


def write(root: Path, name: str, text: str) -> None:
    """A file of the project."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_marks_are_found_in_code_and_tests(tmp_path: Path) -> None:
    """A comment counts wherever it stands in a line; a text that looks like one does not."""
    write(tmp_path, "app/main.py", 'x = 1  # Spec: tasks#FR-001, FR-002\ny = "# Spec: tasks#FR-009"\n')
    write(tmp_path, "tests/test_it.py", "    # spec: people#FR-001\n")
    write(tmp_path, ".venv/lib/x.py", "# Spec: nowhere\n")
    write(tmp_path, "env/pyvenv.cfg", "")
    write(tmp_path, "env/x.py", "# Spec: nowhere\n")
    write(tmp_path, "broken.py", "# Spec: tasks#FR-001\n'''\n")
    marks, mistakes = find_marks(tmp_path, MANIFEST)
    assert not mistakes
    assert [(mark.requirement, str(mark.origin), mark.tests) for mark in marks] == [
        ("tasks/FR-001", "broken.py:1", False),
        ("tasks/FR-001", "app/main.py:1", False),
        ("tasks/FR-002", "app/main.py:1", False),
        ("people/FR-001", "tests/test_it.py:1", True),
    ]


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("tasks#FR-003", "No requirement is called tasks#FR-003: write # Spec: FEATURE#FR-001. Did you mean"),
        ("FR-001", "FR-001 is a requirement of several features: write tasks#FR-001 or people#FR-001."),
        ("", "No requirement is called nothing"),
    ],
)
def test_a_comment_that_points_nowhere_is_a_mistake(tmp_path: Path, comment: str, said: str) -> None:
    """It is told with file, line and column, and what was probably meant."""
    write(tmp_path, "a.py", f"x = 1  # Spec: {comment}\n")
    _, mistakes = find_marks(tmp_path, MANIFEST)
    assert [str(mistake).startswith(f"a.py:1:8: {said}") for mistake in mistakes] == [True], mistakes


def test_the_trace_goes_from_each_requirement_to_what_shows_it() -> None:
    """Examples and checks give a verdict; a test is named; code and rules say where it is built."""
    first = MANIFEST.requirements[0]
    marks = [
        Mark("tasks/FR-001", Origin("app/main.py", 3)),
        Mark("tasks/FR-001", Origin("tests/test_a.py", 5)),
    ]
    evidence = {first.id: Evidence(first, Standing.PROVED)}
    traced = follow(MANIFEST, marks, evidence)
    assert traced[0].standing is Standing.PROVED
    assert traced[0].shown_by == ("1 example", "tests/test_a.py:5")
    assert [str(origin) for origin in traced[0].built_in] == ["app/main.py:3", "specs/tasks/spec.md:40"]
    assert traced[1].shown_by == ("AZ01",) and traced[1].standing is Standing.NOT_RUN
    assert traced[2].without_evidence and traced[2].why == "nothing shows it"


def test_a_broken_example_breaks_the_requirement() -> None:
    """Whatever else speaks for it."""
    first = MANIFEST.requirements[0]
    evidence = {first.id: Evidence(first, Standing.BROKEN)}
    assert follow(MANIFEST, [], evidence)[0].standing is Standing.BROKEN
