"""`backend.tenant` in code against the Markdown that says the same."""

from pathlib import Path

import pytest

from origins import bare
from specwright.model.errors import ConfigError, SpecError
from specwright.read import read_project
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

SPEC = """# CRM

## Who is who

| Who     | Is                                   |
|---------|--------------------------------------|
| manager | `caller.membership.role == "owner"`  |

## Rules

- tenant Organization through Membership by {by}, founder role owner

## Organization

A company.

| Field | Type | Rules           |
|-------|------|-----------------|
| name  | text | required, 1..80 |

| Who       | May    |
|-----------|--------|
| signed in | create |

## Membership

Who is in it.

| Field        | Type              | Rules                             |
|--------------|-------------------|-----------------------------------|
| organization | Organization      | on delete cascade                 |
| user         | User              | required, unique per organization |
| role         | `owner`, `member` | default `member`                  |

| Who       | May        |
|-----------|------------|
| signed in | list, read |
| manager   | create     |

## Deal

A sale.

| Field        | Type         | Rules             |
|--------------|--------------|-------------------|
| organization | Organization | on delete cascade |
| title        | text         | required, 1..80   |
| owner        | User         | the caller        |

| Who   | May        |
|-------|------------|
| owner | everything |
"""
MAIN = """
from app.models import Deal, Membership, Organization
from specwright import Backend, allow, named, owner, signed_in

backend = Backend()
app = None
backend.tenant({tenant})
backend.resource(Organization, grants=[allow("create", to=signed_in())])
backend.resource(
    Membership,
    grants=[
        allow("list", "read", to=signed_in()),
        allow("create", to=named("manager", 'caller.membership.role == "owner"')),
    ],
    types={{Membership.user_id: "User"}},
)
backend.resource(Deal, grants=[allow("everything", to=owner(Deal.owner_id))])
"""
WAYS = [
    ("header X-Organization", 'header="X-Organization"'),
    ("claim organization_id", 'claim="organization_id"'),
    ("path", "path=True"),
]


def project(folder: Path, tenant: str) -> Path:
    """A project whose classes are those of the spec, and whose tenant is declared in code."""
    manifest = read_specs({"specs/crm/spec.md": SPEC.format(by="path")})
    for name in ("app", "specs/crm"):
        (folder / name).mkdir(parents=True)
    (folder / "app/models.py").write_text(models(manifest, constrained(manifest).metadata))
    (folder / "app/main.py").write_text(MAIN.format(tenant=tenant))
    (folder / "specs/crm/spec.md").write_text("# CRM\n")
    return folder


@pytest.mark.parametrize(("by", "argument"), WAYS)
def test_a_tenant_in_code_is_that_of_the_markdown(by: str, argument: str, tmp_path: Path) -> None:
    """One manifest, whoever says in which tenant its entities are, and how a request names it."""
    root = project(tmp_path, f'Organization, through=Membership, {argument}, founder={{"role": "owner"}}')
    expected, found = read_specs({"specs/crm/spec.md": SPEC.format(by=by)}), read_project(root)
    assert bare(found) == bare(expected)
    assert found.tenant is not None
    lines = (root / "app/main.py").read_text().splitlines()
    assert lines[found.tenant.origin.line - 1].startswith("backend.tenant(")


def test_a_request_has_one_way_to_name_its_tenant(tmp_path: Path) -> None:
    """None, or two, is told when the project is read."""
    ways = 'Organization, through=Membership, header="X-Organization", path=True'
    with pytest.raises(ConfigError, match="in one way: header=, claim= or path=True"):
        read_project(project(tmp_path, ways))


def test_a_mistake_about_the_tenant_is_at_the_call(tmp_path: Path) -> None:
    """What a spec would be told at its line, code is told at its own."""
    with pytest.raises(SpecError) as error:
        read_project(project(tmp_path, 'Deal, through=Membership, header="X-Deal"'))
    (mistake,) = (each for each in error.value.mistakes if "no reference to Deal" in each.message)
    assert (mistake.origin.file, mistake.origin.line) == ("app/main.py", 7)
