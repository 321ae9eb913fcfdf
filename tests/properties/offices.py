"""Rows within tenants, linked, and deleted: the conditions that tell how the compiler reads them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from properties.worlds import MOMENTS, built_in
from specwright.model.caller import Caller
from specwright.read.spec import read_specs

SPEC = """# Offices

## Rules

- tenant Organization through Membership by header X-Organization, founder role owner

## Organization

| Field | Type | Rules |
|-------|------|-------|
| name  | text | ..80  |

## Membership

| Field        | Type              | Rules                             |
|--------------|-------------------|-----------------------------------|
| organization | Organization      | required                          |
| user         | User              | required, unique per organization |
| role         | `owner`, `member` | default `member`                  |
| level        | integer           |                                   |

## Folder

| Field | Type | Rules    |
|-------|------|----------|
| name  | text | required |

### Rules

- soft delete

## Label

| Field | Type | Rules |
|-------|------|-------|
| name  | text | ..80  |

### Rules

- soft delete

## Deal

| Field   | Type       | Rules            |
|---------|------------|------------------|
| title   | text       | ..80             |
| amount  | integer    |                  |
| folder  | Folder     | required         |
| labels  | many Label |                  |
| related | many Deal  |                  |
| fans    | many User  |                  |

### Rules

- soft delete
"""
MANIFEST = read_specs({"specs/offices/spec.md": SPEC})
#: One that the caller is at work in, and one more.
HERE, THERE = (UUID(int=(7 << 76) | (8 << 60) | number) for number in (1, 2))
CALLER = Caller("ada", frozenset(), {"level": 2}, HERE)

#: Conditions by entity, as those of the test.
CONDITIONS = {
    "Deal": """
        organization == caller.tenant
        organization != caller.tenant
        caller.membership.role == "member"
        caller.membership.role != "member"
        caller.membership.role in ["member"]
        caller.membership.role in ["owner", "member"]
        not caller.membership.role in ["owner"]
        caller.membership.role in []
        title in []
        not title in []
        caller.membership.role is None
        caller.membership.user == caller
        caller.membership.organization == caller.tenant
        caller.membership.level == caller.claims.level
        caller.membership.level == amount
        caller.membership.level < amount
        folder.name == title
        folder.name != title
        folder.name == "a"
        folder.name is None
        folder.id is None
        folder.id == folder
        folder is None
        not folder.name == "a"
        folder.deals.title == "a"
        labels.name == title
        labels.name == "a"
        labels.name == "b"
        labels.name != "a"
        labels.name is None
        not labels.name == "b"
        labels.deals.title == title
        labels.deals.amount > amount
        related.title == "b"
        related.folder.name == "a"
        related.labels.name == labels.name
        fans.id == caller
        not fans.id == "bob"
        fans.id != caller
    """,
    "Folder": """
        deals.title == name
        deals.title is None
        not deals.title == "a"
        deals.labels.name == "b"
        deals.amount == caller.membership.level
    """,
    "Label": """
        deals.title == name
        not deals.title == "a"
        deals.folder.name == name
        deals.amount > 1
    """,
    "Organization": """
        memberships.user == caller
        memberships.role == "owner"
        memberships.level > 2
    """,
}


def world() -> Mapping[str, list[dict[str, Any]]]:
    """Living and deleted rows of two organizations, and links between them."""

    def rows(name: str, *given: dict[str, Any]) -> list[dict[str, Any]]:
        entity = MANIFEST.resource(name)
        empty = {field.name: None for field in entity.fields if field.stored}
        return [empty | built_in(entity, number) | row for number, row in enumerate(given)]

    def links(name: str, *pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
        near, far = (field.name for field in MANIFEST.resource(name).fields)
        return [{near: one, far: other} for one, other in pairs]

    gone: datetime = MOMENTS[0]
    folders = rows(
        "Folder",
        {"organization": HERE, "name": "a"},
        {"organization": HERE, "name": "b", "deleted_at": gone},
        {"organization": THERE, "name": "b"},
    )
    labels = rows(
        "Label",
        {"organization": HERE, "name": "a"},
        {"organization": HERE, "name": "b"},
        {"organization": HERE, "name": "b", "deleted_at": gone},
        {"organization": THERE, "name": None},
    )
    first, second, third = (row["id"] for row in folders)
    deals = rows(
        "Deal",
        {"organization": HERE, "title": "a", "amount": 2, "folder": first},
        {"organization": HERE, "title": "b", "amount": 3, "folder": second},
        {"organization": HERE, "title": None, "amount": 1, "folder": second},
        {"organization": HERE, "title": "b", "amount": 9, "folder": first, "deleted_at": gone},
        {"organization": HERE, "title": "a", "amount": 4, "folder": second, "deleted_at": gone},
        {"organization": THERE, "title": "a", "amount": 1, "folder": third},
        {"organization": THERE, "title": None, "amount": None, "folder": third},
    )
    deal, label = [row["id"] for row in deals], [row["id"] for row in labels]
    return {
        "Organization": rows("Organization", {"id": HERE, "name": "a"}, {"id": THERE, "name": "b"}),
        "Membership": rows(
            "Membership",
            {"organization": HERE, "user": "ada", "role": "member", "level": 2},
            {"organization": HERE, "user": "bob", "role": "owner", "level": 3},
            {"organization": THERE, "user": "ada", "role": "owner", "level": 1},
        ),
        "Folder": folders,
        "Label": labels,
        "Deal": deals,
        "Deal.labels": links(
            "Deal.labels",
            *((deal[0], label[0]), (deal[0], label[2]), (deal[1], label[1]), (deal[1], label[0])),
            *((deal[2], label[2]), (deal[3], label[1]), (deal[4], label[0]), (deal[5], label[3])),
        ),
        "Deal.related": links(
            "Deal.related",
            *((deal[0], deal[1]), (deal[1], deal[0]), (deal[2], deal[3]), (deal[4], deal[3])),
            (deal[5], deal[5]),
        ),
        "Deal.fans": links(
            "Deal.fans", (deal[0], "ada"), (deal[1], "bob"), (deal[1], "ada"), (deal[5], "bob")
        ),
    }
