"""The examples' own tests, run as their reader runs them: pytest in the folder of the example."""

import subprocess
import sys
from pathlib import Path

import pytest

from commands import environment

pytestmark = pytest.mark.any_server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in EXAMPLES.glob("*/tests")))
def test_the_tests_of_the_examples_pass(name: str, database_server: str) -> None:
    """Every example that has tests passes them."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLES / name,
        env=environment(SPECWRIGHT_TEST_DATABASE_URL=database_server),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout and "skipped" not in ran.stdout
