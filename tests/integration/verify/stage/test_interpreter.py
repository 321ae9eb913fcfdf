"""An app runs with the Python that it is installed for, and meets none of our libraries there."""

import asyncio
import venv
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.assembly import lab
from specwright.verify.stage.interpreter import environment_of
from specwright.verify.stage.stage import NotStaged

#: Without a library; it answers where it runs, and which of ours it finds.
APP = """
import importlib.util
import json
import sys

async def app(scope, receive, send):
    assert scope["type"] == "http"
    found = [each for each in ("fastapi", "pydantic", "asyncpg", "alembic") if importlib.util.find_spec(each)]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps([sys.prefix, found]).encode()})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app with a virtual environment that has nothing in it; its path has a space."""
    made = tmp_path / "a shop"
    made.mkdir()
    (made / "shop.py").write_text(APP)
    return made


def answers(folder: Path, python: Path | None = None) -> tuple[list[object], list[str]]:
    """What the app says of itself, and the notes of the run."""

    async def ask() -> tuple[list[object], list[str]]:
        async with lab("shop:app", folder, python=python) as made:
            assert made.inside is not None
            answer = await made.client.get(made.base)
            return answer.json(), list(made.inside.notes)

    return asyncio.run(ask())


def test_the_environment_in_its_folder(folder: Path) -> None:
    """The app runs in `.venv`, where nothing of ours is to be imported, and the run says so."""
    venv.create(folder / ".venv", symlinks=True)
    (prefix, found), notes = answers(folder)
    assert Path(str(prefix)).resolve() == (folder / ".venv").resolve()
    assert found == []
    assert ".venv/bin/python is there: the app runs with it." in notes


def test_the_one_that_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that is named counts, wherever it is, relative to where we are."""
    venv.create(tmp_path / "elsewhere", symlinks=True)
    monkeypatch.chdir(tmp_path)
    (prefix, _), _ = answers(folder, Path("elsewhere/bin/python"))
    assert Path(str(prefix)).resolve() == (tmp_path / "elsewhere").resolve()


def test_ours_where_there_is_no_other(folder: Path) -> None:
    """Without an environment the app runs with our Python, libraries included."""
    assert environment_of(folder) is None
    (_, found), notes = answers(folder)
    assert found == ["fastapi", "pydantic", "asyncpg", "alembic"]
    assert not any("runs with it" in note for note in notes)


@pytest.mark.parametrize("python", ["nowhere/python", "shop.py", "."])
def test_no_python_at_all(folder: Path, python: str) -> None:
    """What cannot be run is refused before anything is started."""
    with pytest.raises(ConfigError, match="is no Python that can be run"):
        answers(folder, folder / python)


def test_a_program_that_is_no_python(folder: Path) -> None:
    """What can be run and is none is a sentence, too."""
    with pytest.raises(NotStaged, match="ended with exit code 1 before it served"):
        answers(folder, Path("/bin/false"))
