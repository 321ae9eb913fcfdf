"""Code first: the classes of an application, in its own process, against the Markdown that says the same."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from origins import bare
from specwright.model.errors import ConfigError, SpecError
from specwright.model.manifest import Manifest
from specwright.read import read_project

EXAMPLES = Path(__file__).parents[3] / "examples"
TWINS = ("tasks_sqlmodel", "tasks_sqlalchemy")


def twin(name: str, folder: Path) -> Path:
    """A twin of examples/tasks with that one's requirements, without its tables."""
    root = folder / name
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns("__pycache__", ".specwright"))
    text = (EXAMPLES / "tasks/specs/tasks/spec.md").read_text()
    requirements = text[text.index("## Requirements") :]
    verbs = text[text.index("| Field  | Moves") : text.index("| Who   | May                        | When")]
    (root / "specs/tasks/spec.md").write_text(f"# Tasks\n\n## Task\n\n{verbs}\n{requirements}")
    return root


def answered(root: Path, code: str) -> Any:
    """What code prints as JSON when it runs in a project."""
    environment = {
        "PATH": "",
        "DATABASE_URL": "postgresql://localhost/none",
        "APP_SECRET": "a" * 64,
        "AUTH_SECRET": "b" * 64,
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_in_code_has_the_same_manifest(name: str, tmp_path: Path) -> None:
    """Classes and grants in Python are the tables of the Markdown, but for where they stand."""
    root = twin(name, tmp_path)
    expected, found = read_project(EXAMPLES / "tasks"), read_project(root)
    for one, other in zip(bare(expected).resources, bare(found).resources, strict=True):
        assert one == other
    assert bare(found) == bare(expected)
    lines = (root / "app/models.py").read_text().splitlines()
    for resource in found.served:
        assert resource.origin.file == "app/models.py"
        assert lines[resource.origin.line - 1].startswith(f"class {resource.name}(")
        for field in resource.fields:
            if field.calculated:
                assert field.origin.file == "app/main.py"
            elif not field.built_in:
                assert field.origin.file == "app/models.py"
                name = field.column if field.stored else field.name
                assert lines[field.origin.line - 1].strip().startswith(f"{name}:")
        for grant in resource.grants:
            assert grant.origin.file == "app/main.py"
            assert "allow(" in (root / "app/main.py").read_text().splitlines()[grant.origin.line - 1]


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_in_code_has_the_same_routes_and_document(name: str, tmp_path: Path) -> None:
    """One OpenAPI document, whoever said what it describes."""
    code = "import json\nfrom app.main import app\nprint(json.dumps(app.openapi()))"
    expected, found = answered(EXAMPLES / "tasks", code), answered(twin(name, tmp_path), code)
    assert list(found["paths"]) == list(expected["paths"])
    assert found == expected


@pytest.mark.parametrize("name", TWINS)
def test_the_examples_themselves_are_read(name: str) -> None:
    """Both examples have no mistakes."""
    assert {resource.name for resource in read_project(EXAMPLES / name).served} == {
        "Project",
        "Tag",
        "Task",
        "Comment",
    }


def project(root: Path, main: str, spec: str = "# Things\n") -> Path:
    """A project with this app/main.py."""
    (root / "app").mkdir()
    (root / "app/main.py").write_text(main)
    (root / "specs/things").mkdir(parents=True)
    (root / "specs/things/spec.md").write_text(spec)
    return root


NOTE = """
import uuid
from sqlmodel import Field, SQLModel
from specwright import Backend, allow, owner

class Note(SQLModel, table=True):
    id: uuid.UUID = Field(primary_key=True)
    text: str = Field(max_length=80)
    owner_id: str

print("code may print")
backend = Backend()
backend.resource(Note, grants=[allow("everything", to=owner(Note.owner_id))])
app = backend.app
"""


def test_specs_and_classes_are_one_manifest(tmp_path: Path) -> None:
    """A spec may refer to a class; the class keeps the table name it has."""
    spec = "## Remark\n\n| Field | Type | Rules |\n|---|---|---|\n| note | Note | on delete cascade |\n"
    manifest: Manifest = read_project(project(tmp_path, NOTE, spec))
    note = manifest.resource("Note")
    assert (note.table, note.path, note.feature) == ("note", "notes", "things")
    assert [relation.name for relation in note.relations if relation.many] == ["remarks"]


def test_what_is_a_line_among_rules_is_an_argument_in_code(tmp_path: Path) -> None:
    """Each is what the line of a spec is; nothing is said unless it is asked for."""
    plain = read_project(project(tmp_path, NOTE, "# Nothing\n")).resource("Note")
    assert not plain.audited and not plain.if_match_required
    said = NOTE.replace("owner_id))])", "owner_id))], audited=True, if_match_required=True)")
    (tmp_path / "said").mkdir()
    note = read_project(project(tmp_path / "said", said, "# Nothing\n")).resource("Note")
    assert note.audited and note.if_match_required and note.rules == ()


def test_a_name_twice_is_a_mistake_that_names_both_places(tmp_path: Path) -> None:
    """An entity in a spec and a class of the same name cannot both be served."""
    spec = "## Note\n\n| Field | Type | Rules |\n|---|---|---|\n| text | text | ..80 |\n"
    with pytest.raises(SpecError) as error:
        read_project(project(tmp_path, NOTE, spec))
    (mistake,) = [known for known in error.value.mistakes if "declared already" in known.message]
    assert {mistake.origin.file, "specs/things/spec.md"} == {"app/main.py", "specs/things/spec.md"}
    assert "specs/things/spec.md:1" in mistake.message


def test_mistakes_stand_where_the_code_stands(tmp_path: Path) -> None:
    """All mistakes at once, each at its line of Python."""
    main = NOTE.replace("text: str = Field(max_length=80)", "text: float").replace(
        "to=owner(Note.owner_id)", 'to=owner(Note.owner_id), when="txt == 1"'
    )
    with pytest.raises(SpecError) as error:
        read_project(project(tmp_path, main))
    lines = main.splitlines()
    told = {
        lines[known.origin.line - 1].strip().split(":")[0]: known.message for known in error.value.mistakes
    }
    assert "floating-point" in told["text"]
    assert any("txt" in message for message in told.values())


@pytest.mark.parametrize(
    ("main", "message"),
    [
        (NOTE + "import nonsense_that_is_not_there\n", "nonsense_that_is_not_there"),
        (NOTE.replace("app = backend.app", "app = backend.app\nbackend.resource(Note)"), "too late"),
        ("# .resource(\n", "has no backend"),
    ],
)
def test_code_that_cannot_be_asked_is_told(main: str, message: str, tmp_path: Path) -> None:
    """What the import says is shown; a declaration too late is named."""
    with pytest.raises(ConfigError, match=message):
        read_project(project(tmp_path, main))
