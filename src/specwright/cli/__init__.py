"""The command line: a thin face over functions that know nothing of it.

Each command lives in a module of its own, imported only when it is asked for: `specwright token` does not
wait for a web framework.
"""

import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from specwright import __version__
from specwright.cli.project import find_project
from specwright.model.errors import SpecError, SpecwrightError, UnansweredError

__all__ = ["COMMANDS", "app", "find_project", "main"]

FINDINGS = 1
WRONG_CALL = 2

#: Each command, in the order of the help, and the module of `specwright.cli` that holds it.
COMMANDS = {
    "init": "init",
    "up": "up",
    "serve": "serve",
    "check": "check",
    "verify": "verify",
    "checks": "checks",
    "trace": "trace",
    "access": "access",
    "sql": "sql",
    "migrate": "migrate",
    "models": "models",
    "adopt": "adopt",
    "manifest": "check",
    "token": "token",
    "settings": "settings",
    "doctor": "doctor",
}


class _Commands(TyperGroup):
    """The commands by name, each made when it is looked up."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            found = getattr(import_module(f"specwright.cli.{COMMANDS[cmd_name]}"), cmd_name)
            if not isinstance(found, typer.Typer):
                single = typer.Typer(add_completion=False, rich_markup_mode=None)
                single.command(cmd_name)(found)
                found = single
            self.commands[cmd_name] = typer.main.get_command(found)
            self.commands[cmd_name].name = cmd_name
        return self.commands.get(cmd_name)


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"specwright {__version__}")
        raise typer.Exit


@app.callback()
def specwright(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_show_version, help="Print it."),
) -> None:
    """Write what the backend is. Run it. Prove it."""


def main() -> None:
    """Run a command; what is wrong is told in plain sentences on standard error.

    The exit code is 0 when all is well, 1 for findings, 2 for a wrong call, setting or surrounding.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a check mark gets a question mark instead of a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except (SpecError, UnansweredError) as error:
        typer.echo(str(error), err=True)
        raise SystemExit(FINDINGS) from None
    except SpecwrightError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(WRONG_CALL) from None
    except BrokenPipeError:
        # Whoever read our output, `head` perhaps, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FINDINGS) from None
