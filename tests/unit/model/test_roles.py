"""Roles that include roles: what a caller's come to, and where the spec goes wrong."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from builders import OWNER, backend, entity, field, grant, owner, role
from specwright.model.caller import Caller
from specwright.model.document import from_document, to_document
from specwright.model.errors import SpecError
from specwright.model.grant import Role
from specwright.model.interpret import World
from specwright.model.manifest import Manifest
from specwright.model.roles import expanded
from specwright.model.types import TEXT
from specwright.read.declared import allow, declaration
from specwright.read.declared import owner as owner_of
from specwright.read.declared import role as role_of
from specwright.read.project import read_files
from specwright.read.spec import read_specs
from specwright.sql.protection import protection
from specwright.sql.roles import database_role
from specwright.write.markdown import specs
from specwright.write.matrix import access_matrix

MANIFEST = Manifest(
    roles=(
        Role("chief", includes=("manager", "auditor")),
        Role("manager", includes=("clerk",)),
        Role("clerk"),
        Role("auditor"),
    )
)

SPEC = """
# Shop

## Roles

| Role    | Means         | Includes         |
|---------|---------------|------------------|
| chief   | runs it       | manager, auditor |
| manager | runs a branch | clerk            |
| clerk   | sells         | -                |
| auditor | looks         |                  |

## Sale

| Field | Type | Rules          |
|-------|------|----------------|
| item  | text | required, ..80 |
| owner | User | the caller     |

| Who     | May        |
|---------|------------|
| owner   | everything |
| clerk   | list, read |
| auditor | list       |
"""


@pytest.mark.parametrize(
    ("held", "all_of_them"),
    [
        ((), set()),
        (("clerk",), {"clerk"}),
        (("manager",), {"manager", "clerk"}),
        (("chief",), {"chief", "manager", "clerk", "auditor"}),
        (("auditor", "of nobody's spec"), {"auditor", "of nobody's spec"}),
    ],
)
def test_a_role_is_all_that_it_includes(held: tuple[str, ...], all_of_them: set[str]) -> None:
    """At any depth; the house and the interpreter say the same, each by itself."""
    assert expanded(MANIFEST, held) == all_of_them
    asking = Caller("ada", frozenset(held))
    assert World(MANIFEST, {}, None).roles(asking) == all_of_them  # type: ignore[arg-type] # no time is asked


def test_includes_is_a_column_of_the_roles() -> None:
    """The cell holds roles, one or several; written as Markdown or JSON and read back, they are the same."""
    manifest = read_specs({"specs/shop/spec.md": SPEC})
    assert [(known.name, known.includes) for known in manifest.roles] == [
        (known.name, known.includes) for known in MANIFEST.roles
    ]
    again = read_specs(specs(manifest))
    assert [known.includes for known in again.roles] == [known.includes for known in manifest.roles]
    assert from_document(json.loads(json.dumps(to_document(manifest)))) == manifest


@pytest.mark.parametrize(
    ("rows", "mistakes"),
    [
        ("| a | | b |\n| b | | |", []),
        ("| a | | stranger |", ['7:9: unknown role "stranger" in Includes. Roles are a']),
        ("| a | | a |", ['7:9: a role cannot include itself: a includes a. Leave "a" out']),
        (
            "| a | | b |\n| b | | c |\n| c | | a |",
            [
                '7:9: a role cannot include itself: a includes b includes c includes a. Leave "b" out',
                '8:9: a role cannot include itself: b includes c includes a includes b. Leave "c" out',
                '9:9: a role cannot include itself: c includes a includes b includes c. Leave "a" out',
            ],
        ),
        ("| a | | b |\n| b | | c |\n| c | | b |", ["8:9: ", "9:9: "]),
    ],
)
def test_what_cannot_be_included_is_a_mistake(rows: str, mistakes: list[str]) -> None:
    """A role that is not declared, and a circle, with the place of each."""
    text = f"# Shop\n\n## Roles\n\n| Role | Means | Includes |\n|---|---|---|\n{rows}\n"
    if not mistakes:
        read_specs({"specs/shop/spec.md": text})
        return
    with pytest.raises(SpecError) as raised:
        read_specs({"specs/shop/spec.md": text})
    told = [str(mistake).removeprefix("specs/shop/spec.md:") for mistake in raised.value.mistakes]
    assert len(told) == len(mistakes)
    for found, expected in zip(told, mistakes, strict=True):
        assert found.startswith(expected)


def test_the_matrix_shows_what_is_had_by_inclusion() -> None:
    """A role's row has what it includes, with the line that says so."""
    (matrix,) = access_matrix(read_specs({"specs/shop/spec.md": SPEC}))
    rows = dict(matrix.rows)
    read = matrix.actions.index("read")
    assert {who: str(cells[read]) for who, cells in rows.items()} == {
        "anyone": "–",
        "signed in": "–",
        "owner": "yes",
        "chief": "yes",
        "manager": "yes",
        "clerk": "yes",
        "auditor": "–",
    }
    assert rows["chief"][read].origins == rows["clerk"][read].origins


def governed() -> Manifest:
    """Tasks that clerks may read, and three roles: one within the other, and another."""
    task = entity(
        "Task", field("title", TEXT), owner(), grants=(grant(OWNER, "read"), grant(role("clerk"), "read"))
    )
    roles = (Role("manager", includes=("clerk",)), Role("clerk"), Role("auditor"))
    return Manifest(resources=backend(task).resources, roles=roles)


def test_a_policy_is_also_to_the_roles_that_include_its_role() -> None:
    """So a caller with one role that includes others asks for none: it is decided by the database role."""
    found = [each for each in protection(governed()).policies if each.command == "SELECT"]
    assert {each.roles: each.using == "true" for each in found} == {
        ("signed_in", "auditor", "clerk", "manager", "any"): False,
        ("clerk", "manager"): True,
        ("any",): False,
    }


@pytest.mark.parametrize(
    ("roles", "runs_as"),
    [
        (("clerk",), "clerk"),
        (("manager",), "manager"),
        (("manager", "clerk"), "manager"),
        (("manager", "auditor"), "any"),
        (("unheard of", "manager"), "manager"),
    ],
)
def test_a_session_runs_as_the_role_that_includes_the_others(roles: tuple[str, ...], runs_as: str) -> None:
    """Only who has roles apart from one another runs as `any`."""
    manifest = governed()
    assert database_role(manifest, Caller("ada", expanded(manifest, roles))) == runs_as


def test_code_says_what_a_role_includes(tmp_path: Path) -> None:
    """`role(…, includes=[…])` where the role is declared; the rest is said in a spec's words."""

    class Base(DeclarativeBase):
        pass

    class Sale(Base):
        __tablename__ = "sales"
        id: Mapped[UUID] = mapped_column(primary_key=True)
        item: Mapped[str] = mapped_column(String(80))
        owner_id: Mapped[str]

    grants = [
        allow("everything", "hand over", to=owner_of(Sale.owner_id)),
        allow(
            "list", "read", to=[role_of("manager", "runs it", includes=["clerk"]), role_of("clerk", "sells")]
        ),
    ]
    said = declaration(
        Sale, grants, (), {Sale.item: "writable by owner and clerk"}, {Sale.owner_id: "User"}, {}, {}
    )
    manifest = read_files(tmp_path, [said])
    assert {known.name: known.includes for known in manifest.roles} == {"manager": ("clerk",), "clerk": ()}
    sale = manifest.resource("Sale")
    assert sale.handed_over is sale.field("owner")
    item = sale.field("item")
    assert item is not None and item.writable_by == ("owner", "clerk")
