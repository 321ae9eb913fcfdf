"""Grants as policies: to whom they are, what they ask, and what a session tells of its caller."""

import json

import pytest

from builders import ANYONE, OWNER, backend, entity, field, grant, named, owner, role, to
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.grant import Grant
from specwright.model.manifest import Manifest
from specwright.model.types import BOOLEAN, TEXT
from specwright.sql.identity import identity
from specwright.sql.policies import Policy
from specwright.sql.protection import protection
from specwright.sql.roles import database_role

CALLER = "nullif(current_setting('specwright.caller', true), '')"


def manifest(*grants: Grant, **names: str) -> Manifest:
    """Tasks with these grants."""
    task = entity(
        "Task",
        field("title", TEXT),
        field("done", BOOLEAN),
        field("keeper", to("User")),
        owner(),
        grants=grants,
    )
    return backend(task, names=names, roles=("admin", "clerk"))


def policies(*grants: Grant, command: str = "SELECT", **names: str) -> list[Policy]:
    """The policies of a command."""
    return [each for each in protection(manifest(*grants, **names)).policies if each.command == command]


def test_an_owner_is_everyone_signed_in() -> None:
    """One policy for all their database roles, on the plain column, so that its index is used."""
    (policy,) = policies(grant(OWNER, "read"))
    assert policy.roles == ("signed_in", "admin", "clerk", "any")
    assert policy.using == f"tasks.owner_id = {CALLER}"


def test_a_role_is_asked_for_only_where_callers_have_several() -> None:
    """For the role's own database role nothing is left to ask."""
    alone, several = policies(grant(role("admin"), "read"))
    assert (alone.roles, alone.using) == (("admin",), "true")
    assert several.roles == ("any",) and str(several.using).startswith("'admin' = ANY (")


def test_a_condition_on_roles_is_decided_by_the_database_role() -> None:
    """`"admin" in caller.roles` is no question for those whose one role is known."""
    found = policies(grant(ANYONE, "read", 'owner == caller or "admin" in caller.roles'))
    assert {each.roles: each.using == "true" for each in found} == {
        ("anyone",): False,
        ("signed_in", "clerk"): False,
        ("admin",): True,
        ("any",): False,
    }


def test_nobody_is_nobodys_keeper() -> None:
    """For nobody signed in, the caller is None: rows without a keeper, as the language has it."""
    nobody, everybody = policies(grant(ANYONE, "read", "keeper == caller"))
    assert (nobody.roles, nobody.using) == (("anyone",), "tasks.keeper_id IS NULL")
    assert everybody.using == f"tasks.keeper_id = {CALLER}"


def test_commands_take_their_conditions() -> None:
    """USING is who and when, WITH CHECK who and then; a create asks for all three."""
    given = grant(ANYONE, "everything", "done == False", 'title == "x"')
    before, after = "tasks.done = false", "tasks.title = 'x'"
    conditions = {each.command: (each.using, each.check) for each in protection(manifest(given)).policies}
    assert conditions["SELECT"] == (before, None)
    assert conditions["INSERT"] == (None, f"{before} AND {after}")
    assert conditions["DELETE"] == (before, None)
    (update,) = [each for each in policies(given, command="UPDATE") if each.permissive]
    assert (update.using, update.check) == (before, after)


def test_writing_needs_reading() -> None:
    """A restrictive policy where a write grant reaches further than reading does, and only there."""
    wide = policies(grant(OWNER, "read, delete"), grant(ANYONE, "delete"), command="DELETE")
    restrictive = {each.roles: each.using for each in wide if not each.permissive}
    assert restrictive == {
        ("anyone",): "false",
        ("signed_in", "admin", "clerk", "any"): f"tasks.owner_id = {CALLER}",
    }
    assert all(each.permissive for each in policies(grant(OWNER, "everything"), command="DELETE"))


def test_a_claim_in_an_empty_list_holds_for_nobody() -> None:
    """What is in no list is never found there."""
    (policy,) = policies(grant(named("staff"), "read"), staff="caller.claims.level in []")
    assert policy.using == "false"


@pytest.mark.parametrize(
    ("caller", "suffix"),
    [
        (ANONYMOUS, "anyone"),
        (Caller("ada"), "signed_in"),
        (Caller("ada", frozenset({"unheard of"})), "signed_in"),
        (Caller("ada", frozenset({"admin", "unheard of"})), "admin"),
        (Caller("ada", frozenset({"admin", "clerk"})), "any"),
    ],
)
def test_a_caller_runs_as_one_database_role(caller: Caller, suffix: str) -> None:
    """By the roles of theirs that the spec knows."""
    assert database_role(manifest(), caller) == suffix


def test_a_role_named_like_ours_is_told_apart() -> None:
    """A spec may have a role `any`."""
    known = backend(entity("Task", field("title", TEXT)), roles=("any", "derived"))
    assert {"any", "role_any", "derived", "role_derived"} <= set(protection(known).roles)
    assert database_role(known, Caller("ada", frozenset({"any"}))) == "role_any"


def test_what_postgresql_cannot_read_is_like_nothing_else() -> None:
    """NULs, lone surrogates and infinities do not break the settings, nor pass for another value."""
    claims = {"nul": "a\x00b", "half": ["\ud800", "ok"], "far": float("inf"), "deep": {"x": 1.5}}
    told = identity(manifest(), Caller("a\x00", frozenset({'q"\\', "\x00"}), claims))
    caller, roles, as_json, *_ = told.settings
    assert (caller, roles) == ("", '{"q\\"\\\\"}')
    assert json.loads(as_json) == {"nul": {}, "half": [{}, "ok"], "far": {}, "deep": {"x": 1.5}}
