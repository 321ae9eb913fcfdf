"""Typed models of a manifest: what the module holds, and that tools are content with it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlmodel
from sqlalchemy.orm import configure_mappers

from builders import backend, entity, field, owner, to
from modules import definitions, imported
from specwright.model.manifest import Manifest
from specwright.model.types import DATE, TEXT, UUID, Kind, Type
from specwright.read import read_project, read_specs
from specwright.sql.constraints import constrained
from specwright.sql.tables import SEARCH
from specwright.write.models import TAKEN, models

ROOT = Path(__file__).parents[3]

ODD = """
## Field

Says "so".

| Field    | Type                          | Rules                                         | Means          |
|----------|-------------------------------|-----------------------------------------------|----------------|
| metadata | json                          | indexed                                       | "It" \\\\ that |
| date     | date                          | default 2026-01-31                            |                |
| moment   | timestamp                     | default 2026-01-31T12:00:00Z                  |                |
| price    | number(8,2)                   | 0..99.5, default 1.50                         |                |
| token    | uuid                          | default 0190f3a4-0000-7000-8000-000000000000  |                |
| words    | list of text                  | ..5, indexed                                  |                |
| kinds    | list of `a`, `b "c"`          | default [`b "c"`, `a`]                        |                |
| nothing  | list of text                  | default []                                    |                |
| prices   | list of number(8,2)           | default [1.50, -2]                            |                |
| moments  | list of timestamp             | default [2026-01-31T12:00:00Z]                |                |
| pattern  | text                          | required, ..9, matches /a:b['"]\\|c/, unique  |                |
| parent   | Field                         | on delete cascade                             |                |
| first    | Row                           | required, on delete refuse                    |                |
| second   | Row                           | on delete clear                               |                |

## Row

| Field  | Type      | Rules      |
|--------|-----------|------------|
| owner  | User      | the caller |
| kin    | many Row  |            |
| fans   | many User |            |

## User

| Field | Type | Rules |
|-------|------|-------|
| name  | text | ..80  |

### Rules

- `name != "x"`
"""


def manifest_of(name: str) -> Manifest:
    return read_specs({"specs/odd/spec.md": ODD}) if name == "odd" else read_project(ROOT / name)


def written(manifest: Manifest) -> str:
    return models(manifest, constrained(manifest).metadata)


@pytest.fixture(params=["examples/tasks", "examples/clinic", "examples/crm", "odd"])
def manifest(request: pytest.FixtureRequest) -> Manifest:
    """The examples, and a spec of everything that is odd."""
    return manifest_of(request.param)


def test_the_metadata_of_the_classes_equals_that_of_the_tables(manifest: Manifest, tmp_path: Path) -> None:
    """Tables, columns, constraints, indexes and their names are those of migrations, but for search words."""
    expected = constrained(manifest).metadata
    wanted = {
        name: {line for line in lines if SEARCH not in line} for name, lines in definitions(expected).items()
    }
    with imported(tmp_path, "odd_models", odd_models=written(manifest)) as module:
        configure_mappers()
        made = sqlmodel.SQLModel.metadata
        assert definitions(made) == wanted
        for name, table in expected.tables.items():
            assert made.tables[name].columns.keys() == [
                known.key for known in table.columns if known.key != SEARCH
            ]
        for resource in manifest.served:
            assert getattr(module, resource.name).__table__.name == resource.table


def test_formatters_linters_and_type_checkers_are_content(tmp_path: Path) -> None:
    """`ruff format` changes nothing; `ruff check` and `mypy --strict` find nothing."""
    manifest = manifest_of("odd")
    file = tmp_path / "generated.py"
    file.write_text(written(manifest), encoding="utf-8")
    for command in (
        ["ruff", "format", "--isolated", "--diff"],
        ["ruff", "check", "--isolated", "--select=E4,E7,E9,F,I,B,UP"],
        ["mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), "--config-file="],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", *command, str(file)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_module_is_the_same_every_time() -> None:
    """Two readings of one spec give one text."""
    for name in ("examples/tasks", "examples/clinic", "examples/crm", "odd"):
        assert written(manifest_of(name)) == written(manifest_of(name))


def test_names_that_the_libraries_keep_are_known(tmp_path: Path) -> None:
    """No field can shadow an attribute of SQLModel: each such name gets an underscore behind it."""
    public = {name for name in dir(sqlmodel.SQLModel) if re.fullmatch("[a-z][a-z0-9_]*", name)}
    assert public <= TAKEN
    fields = [field(name, TEXT) for name in sorted(TAKEN)]
    with imported(tmp_path, "taken", taken=written(backend(entity("Thing", *fields)))) as module:
        assert module.Thing(metadata_="x", dt_="y").metadata_ == "x"


def test_relations_go_both_ways_and_tell_themselves_apart(tmp_path: Path) -> None:
    """Two references to one entity, and one to its own, each have their other side."""
    manifest = manifest_of("odd")
    with imported(tmp_path, "both", both=written(manifest)) as module:
        configure_mappers()
        relations = module.Field.__mapper__.relationships
        assert {"parent", "first", "second", "fields"} == set(relations.keys())
        assert all(relation.lazy == "raise_on_sql" for relation in relations)
        child, parent = module.Field(pattern="a"), module.Field(pattern="b")
        child.parent = parent
        assert parent.fields == [child]


def test_links_lead_both_ways(tmp_path: Path) -> None:
    """To rows of another entity and of one's own, over a class of links."""
    with imported(tmp_path, "linked", linked=written(manifest_of("odd"))) as module:
        configure_mappers()
        assert all(relation.lazy == "raise_on_sql" for relation in module.Row.__mapper__.relationships)
        one, other, fan = module.Row(), module.Row(), module.User(id="ada")
        one.kin.append(other)
        one.fans.append(fan)
        assert other.rows == [one] and fan.rows_by_fans == [one]
        assert set(module.RowKin.model_fields) == {"row_id", "other_row_id"}


def test_what_the_spec_says_of_things_is_said_of_classes(tmp_path: Path) -> None:
    """Docstrings and descriptions are the spec's own words."""
    with imported(tmp_path, "said", said=written(manifest_of("odd"))) as module:
        assert module.Field.__doc__ == 'Says "so".'
        assert module.Field.model_fields["metadata_"].description == '"It" \\\\ that'
        assert module.Row.__doc__ == "Row."
    assert "AnyRow" in written(manifest_of("odd"))


def test_what_classes_declare_gets_no_second_class() -> None:
    """An entity of a Python module is left to that module."""
    from dataclasses import replace

    from specwright.model.errors import Origin

    manifest = backend(entity("Task", field("title", TEXT)), entity("Note", field("task", to("Task"))))
    coded = replace(manifest.resource("Task"), origin=Origin("app/models.py", 3))
    others = tuple(known for known in manifest.resources if known.name != "Task")
    text = written(replace(manifest, resources=(coded, *others)))
    assert "class Task(" not in text and "class Note(" in text and "relationship" not in text


def test_a_manifest_without_resources_is_a_module(tmp_path: Path) -> None:
    """Nothing declared is nothing to map."""
    with imported(tmp_path, "empty", empty=written(backend())) as module:
        assert module.Row


@pytest.mark.parametrize("kind", [DATE, UUID, Type(Kind.NUMBER, precision=4, scale=1)])
def test_a_field_may_be_named_like_its_type(kind: Type, tmp_path: Path) -> None:
    """`date: date`, as people write it, harms no other field."""
    fields = [field(name, kind) for name in ("date", "uuid", "decimal", "literal")]
    with imported(tmp_path, "named", named=written(backend(entity("Thing", *fields, owner())))) as module:
        assert module.Thing.__table__.c.keys()[1:5] == ["date", "uuid", "decimal", "literal"]
