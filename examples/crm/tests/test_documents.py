"""What is generated is what the spec says today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- access: specwright access --format markdown -->\n", "<!-- end of access -->"


def specwright(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command, run on this project."""
    command = [sys.executable, "-m", "specwright", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_access_matrix_of_the_readme_is_that_of_the_spec() -> None:
    """To mend it, put what the command prints between the markers."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, found, rest = text.partition(BEGIN)
    written, ended, _ = rest.partition(END)
    assert found and ended
    assert written.strip() == specwright("access", "--format", "markdown").stdout.strip()


def test_the_revisions_lead_to_the_spec() -> None:
    """There is nothing to commit."""
    assert specwright("migrate", "plan").stdout.startswith("Nothing to do")


def test_the_typed_models_are_current() -> None:
    """`specwright models` would change nothing."""
    checked = specwright("models", "--check")
    assert checked.returncode == 0, checked.stdout
