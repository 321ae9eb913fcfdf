"""A small CRM whose rows belong to organizations, and requests within one."""

from typing import Any

from served import Answer, Person

_SPEC = """# CRM

## Rules

- tenant Organization through Membership by {by}, founder role owner

## Who is who

| Who     | Is                                               |
|---------|--------------------------------------------------|
| manager | `caller.membership.role in ["owner", "manager"]` |

## Organization

| Field | Type | Rules           |
|-------|------|-----------------|
| name  | text | required, 1..80 |

| Who       | May        | When                         |
|-----------|------------|------------------------------|
| signed in | create     |                              |
| signed in | list, read | `memberships.user == caller` |

## Membership

| Field        | Type                         | Rules                             |
|--------------|------------------------------|-----------------------------------|
| organization | Organization                 | required                          |
| user         | User                         | required, unique per organization |
| role         | `owner`, `manager`, `member` | default `member`                  |

| Who       | May                    |
|-----------|------------------------|
| signed in | list, read             |
| manager   | create, update, delete |

## Contact

| Field | Type | Rules                            |
|-------|------|----------------------------------|
| name  | text | required, 1..80                  |
| code  | text | ..20, unique per organization    |

| Who       | May        |
|-----------|------------|
| signed in | everything |

## Deal

| Field   | Type    | Rules                 |
|---------|---------|-----------------------|
| title   | text    | required, 1..80       |
| amount  | integer | indexed               |
| contact | Contact | on delete clear       |
| owner   | User    | the caller            |

| Action | Takes | Does                | On  |
|--------|-------|---------------------|-----|
| win    |       | closes the deal     |     |
| purge  |       | deletes every deal  | all |

| Who     | May                              |
|---------|----------------------------------|
| owner   | everything, win                  |
| manager | list, read, update, delete, purge |
"""


def crm(by: str = "header X-Organization") -> str:
    """The spec, its tenant named in one of the three ways."""
    return _SPEC.format(by=by)


class Desk:
    """A person at work in an organization: what they send names it in the header."""

    def __init__(self, person: Person, organization: str) -> None:
        self.person = person
        self.headers = {"x-organization": organization}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request."""
        return self.person.send(method, path, body, headers=self.headers | headers)

    def made(self, path: str, body: Any) -> Any:
        """The row that a create answers with, which must succeed."""
        answer = self.send("POST", path, body)
        assert answer.status == 201, answer
        return answer.json()

    def items(self, path: str) -> list[Any]:
        """The items of a page, which must be answered."""
        answer = self.send("GET", path)
        assert answer.status == 200, answer
        found: list[Any] = answer.json()["items"]
        return found
