"""Two organizations, each with somebody in every role."""

from collections.abc import Callable
from typing import Any

import pytest

from specwright.testing import Person

pytest_plugins = ["specwright.testing"]

ROLES = ("owner", "manager", "seller", "support", "viewer")


class House:
    """An organization as its people see it: `acme("seller")` is a client of the seller's, within it."""

    def __init__(self, name: str, person: Person) -> None:
        self.name = name
        self._person = person
        self.id = ""
        self.id = self.made("organizations", name=name)["id"]
        for role in ROLES[1:]:
            self.made("memberships", user_id=self.sub(role), role=role)

    def sub(self, role: str) -> str:
        """Who has this role here, as their token says it."""
        return f"{role}@{self.name}"

    def __call__(self, role: str, within: str | None = None) -> Any:
        """A client of whoever has the role: within this organization, or the one of another id."""
        client = self._person(self.sub(role))
        client.headers["X-Organization"] = self.id if within is None else within
        return client

    def made(self, path: str, by: str = "owner", **members: Any) -> Any:
        """A row that somebody makes."""
        answer = self(by).post(f"/{path}", json=members)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def contact(self, **members: Any) -> Any:
        """A contact."""
        return self.made("contacts", **({"name": "Carla"} | members))

    def deal(self, by: str = "seller", **members: Any) -> Any:
        """A deal with a new contact."""
        given = {"title": "A thousand chairs", "contact_id": self.contact()["id"]}
        return self.made("deals", by, **(given | members))


@pytest.fixture
def house(person: Person) -> Callable[[str], House]:
    """A new organization."""
    return lambda name: House(name, person)


@pytest.fixture
def acme(house: Callable[[str], House]) -> House:
    """An organization."""
    return house("acme")


@pytest.fixture
def globex(house: Callable[[str], House]) -> House:
    """Another one."""
    return house("globex")
