"""people.toml is read strictly, and documented in full."""

from dataclasses import fields
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.people.declared import (
    Declared,
    Instructions,
    Secret,
    Signing,
    Somebody,
    Start,
    read_instructions,
)

_DOCUMENT = Path(__file__).parents[4] / "docs" / "verify.md"
_TABLES = {
    "[login]": Signing,
    "[people.NAME]": Somebody,
    "[secret]": Secret,
    "[policy]": Declared,
    "[app]": Start,
}


def _read(tmp_path: Path, text: str) -> Instructions:
    file = tmp_path / "people.toml"
    file.write_text(text)
    return read_instructions(file)


def test_every_key_is_documented() -> None:
    """Each table of the document has the keys of its part of the file, and no others."""
    text = _DOCUMENT.read_text(encoding="utf-8")
    for name, part in _TABLES.items():
        _, _, behind = text.partition(f"\n`{name}`")
        assert behind, f"{name} is not documented"
        rows = behind.partition("\n| Key")[2].partition("\n\n")[0].splitlines()[2:]
        documented = {row.split("`")[1] for row in rows}
        assert documented == {field.name for field in fields(part)}, name
    assert {field.name for field in fields(Instructions)} == {
        "login", "register", "people", "secret", "policy", "app",
    }  # fmt: skip


def test_the_example_of_the_document_is_understood(tmp_path: Path) -> None:
    """What people copy works."""
    text = _DOCUMENT.read_text(encoding="utf-8").partition("## People")[2]
    read = _read(tmp_path, text.partition("```toml")[2].partition("```")[0])
    assert read.login is not None and read.login.form == {"username": "{email}", "password": "{password}"}
    assert read.people["root"].privileged
    assert read.policy.public == ("GET /articles*", "/health")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """Everything has a default."""
    assert _read(tmp_path, "") == Instructions()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[logn]\n", r"people\.toml: logn is not known. Did you mean \"login\"\?"),
        ("[login]\nform = {}\n", r"login needs request"),
        ("[login]\nrequest = 1\n", r"login: request must be a text"),
        ("login = 1\n", r"login must be a table"),
        ("[people.ada]\nprivilege = true\n", r"people\.ada: privilege is not known"),
        ("[people.ada]\nprivileged = 'yes'\n", r"privileged must be true or false"),
        ("[people]\nada = 1\n", r"people\.ada must be a table"),
        ("people = 1\n", r"people is a table for each"),
        ("[policy]\npublic = 'GET /'\n", r"policy: public must be a list of texts"),
        ("[login]\nrequest = '/login'\n", r'login: request must be a method and a path: "POST /login"'),
        (
            "[login]\nrequest = 'POST /login'\njson = {name = '{user}'}\n",
            r"login: json: name: \{user\} stands for nothing",
        ),
        (
            "[register]\nrequest = 'POST /r'\nform = {a = '{passwort}'}\n",
            r'register: form: a: \{passwort\} stands for nothing\. Did you mean "password"',
        ),
        ("[login]\nrequest = 'POST /login'\nheader = 'X: {key}'\n", r"header: \{key\} stands for nothing"),
        ("[login\n", r"is not TOML"),
        ("a = '\x00'\n", r"is not TOML"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    """What is not understood is not passed over."""
    with pytest.raises(ConfigError, match=said):
        _read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is one sentence."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_instructions(tmp_path / "none.toml")
