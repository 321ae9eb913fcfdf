"""docs/cli.md against the commands themselves."""

from pathlib import Path
from typing import Any

import pytest
import typer

from specwright.cli import COMMANDS, app

REFERENCE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


def _command(name: str) -> Any:
    group: Any = typer.main.get_command(app)
    return group.get_command(None, name)


def _options(command: Any) -> set[str]:
    return {
        option
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    """A command has a section of its own, and each of its options is named in the reference."""
    assert f"## specwright {name}" in REFERENCE
    command = _command(name)
    inner = getattr(command, "commands", {})
    for one in (command, *inner.values()):
        for option in _options(one):
            assert f"{option}" in REFERENCE, f"{name}: {option}"
    for part in inner:
        assert f"migrate {part}" in REFERENCE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """`--help` says in a sentence what a command does, and what each option means."""
    command = _command(name)
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None) or parameter.name == "help", f"{name}: {parameter.name}"
