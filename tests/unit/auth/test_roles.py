"""Roles: the forms in which issuers put them into tokens."""

from typing import Any

import pytest

from specwright.auth.roles import placed, roles_in


@pytest.mark.parametrize(
    ("claims", "path", "roles"),
    [
        ({"roles": ["admin", "front desk"]}, "roles", {"admin", "front desk"}),
        ({"role": "admin"}, "role", {"admin"}),
        ({"role": "admin,editor"}, "role", {"admin", "editor"}),
        ({"scope": "admin  editor"}, "scope", {"admin", "editor"}),
        ({"role": " admin, editor ,"}, "role", {"admin", "editor"}),
        ({"realm_access": {"roles": ["admin"]}}, "realm_access.roles", {"admin"}),
        ({"https://example.com/roles": ["admin"]}, "https://example.com/roles", {"admin"}),
        ({"a.b": ["whole"], "a": {"b": ["nested"]}}, "a.b", {"whole"}),
        ({}, "roles", set()),
        ({"roles": None}, "roles", set()),
        ({"roles": ""}, "roles", set()),
        ({"roles": 7}, "roles", set()),
        ({"roles": True}, "roles", set()),
        ({"roles": {"admin": True}}, "roles", set()),
        ({"roles": ["admin", 7, None, ["x"], {"name": "root"}, " "]}, "roles", {"admin"}),
        ({"realm_access": "text"}, "realm_access.roles", set()),
        ({"realm_access": [{"roles": ["admin"]}]}, "realm_access.roles", set()),
    ],
)
def test_forms_of_roles(claims: dict[str, Any], path: str, roles: set[str]) -> None:
    """Strings, lists and nested claims give their roles; anything else gives none."""
    assert roles_in(claims, path) == roles


@pytest.mark.parametrize("path", ["roles", "realm_access.roles", "https://example.com/roles"])
def test_placed_roles_are_found_again(path: str) -> None:
    """A development token carries its roles where the settings say."""
    assert roles_in(placed(path, ("admin", "front desk")), path) == {"admin", "front desk"}
