"""The access rules, case by case."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from builders import ANYONE, OWNER, SIGNED_IN, backend, entity, field, grant, many, named, owner, role, to
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.expression import Literal
from specwright.model.field import Filled, OnDelete
from specwright.model.grant import Grant
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.types import BOOLEAN, DATE, INTEGER, TEXT
from specwright.model.verdict import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = Caller("ada"), Caller("bob")
ADMIN = Caller("adm", frozenset({"admin"}), {"level": 5})


def row(key: str, **values: Any) -> dict[str, Any]:
    """A stored row with its built-in fields."""
    return {"id": key, "created_at": NOW, "updated_at": NOW, "version": 1, **values}


def notes(*grants: Grant, names: dict[str, str] | None = None, rules: tuple[str, ...] = ()) -> Manifest:
    """A backend of notes with these grants."""
    note = entity(
        "Note",
        field("text", TEXT, required=True),
        field("open", BOOLEAN, default=Literal(True)),
        owner(),
        grants=grants,
        rules=rules,
    )
    return backend(note, names=names, roles=("admin",))


def judge(manifest: Manifest, **rows: Any) -> Judge:
    """The judge over these rows, by entity name."""
    return Judge(World(manifest, rows, NOW))


def over(*grants: Grant, names: dict[str, str] | None = None, rules: tuple[str, ...] = ()) -> Judge:
    """The judge over ada's open note 1 and bob's closed note 2."""
    return judge(
        notes(*grants, names=names, rules=rules),
        Note=[row("1", text="a", open=True, owner="ada"), row("2", text="b", open=False, owner="bob")],
    )


def seen(court: Judge, caller: Caller) -> set[str]:
    """The keys of the notes that a list shows."""
    return {found["id"] for found in court.visible(court.world.manifest.resource("Note"), caller)}


@pytest.mark.parametrize(
    ("grants", "names", "expected"),
    [
        ((), {}, ("", "", "")),
        ((grant(ANYONE, "list"),), {}, ("12", "12", "12")),
        ((grant(SIGNED_IN, "list"),), {}, ("", "12", "12")),
        ((grant(OWNER, "list"),), {}, ("", "1", "")),
        ((grant(role("admin"), "list"),), {}, ("", "", "12")),
        ((grant(ANYONE, "list", "open"),), {}, ("1", "1", "1")),
        ((grant(OWNER, "list", "not open"), grant(role("admin"), "list", "open")), {}, ("", "", "1")),
        ((grant(OWNER, "list"), grant(ANYONE, "list", "not open")), {}, ("2", "12", "2")),
        ((grant(named("late"), "list"),), {"late": "not open"}, ("", "2", "2")),
        ((grant(ANYONE, "read"),), {}, ("", "", "")),
        ((grant(ANYONE, "list", "owner == caller"),), {}, ("", "1", "")),
        ((grant(ANYONE, "list", "caller.claims.level > 3"),), {}, ("", "", "12")),
    ],
)
def test_a_list_shows_what_is_granted(
    grants: tuple[Grant, ...], names: dict[str, str], expected: tuple[str, str, str]
) -> None:
    """What is not granted is denied; grants add up; a Who|Is name holds for the signed in only."""
    court = over(*grants, names=names)
    assert tuple("".join(sorted(seen(court, caller))) for caller in (ANONYMOUS, ADA, ADMIN)) == expected


@pytest.mark.parametrize(
    ("given", "names", "expected"),
    [
        (grant(ANYONE, "list"), {}, (True, True, True)),
        (grant(OWNER, "list"), {}, (False, True, True)),
        (grant(role("admin"), "list"), {}, (False, False, True)),
        (grant(named("boss"), "list"), {"boss": '"admin" in caller.roles and open'}, (False, False, True)),
        (grant(named("any"), "list"), {"any": "open"}, (False, True, True)),
        (grant(ANYONE, "list", "open"), {}, (True, True, True)),
        (grant(ANYONE, "list", "not caller.id is None"), {}, (False, True, True)),
        (grant(ANYONE, "list", 'open or "admin" in caller.roles'), {}, (True, True, True)),
        (grant(ANYONE, "list", 'not (open or "admin" in caller.roles)'), {}, (True, True, False)),
        (grant(ANYONE, "list", "caller.claims.level == 5"), {}, (False, False, True)),
        (grant(ANYONE, "list", "now() > created_at"), {}, (True, True, True)),
        (grant(ANYONE, "list", "version < caller.claims.level"), {}, (False, False, True)),
        (grant(ANYONE, "list", "text == caller.claims.level"), {}, (True, True, False)),
        (grant(ANYONE, "list", "text != caller.claims.level"), {}, (True, True, True)),
        (grant(ANYONE, "list", "text in caller.claims.level"), {}, (False, False, False)),
        (grant(ANYONE, "list", "not text in caller.claims.level"), {}, (True, True, True)),
        (grant(ANYONE, "list", "False"), {}, (False, False, False)),
        (grant(ANYONE, "read"), {}, (False, False, False)),
    ],
)
def test_what_could_ever_apply(
    given: Grant, names: dict[str, str], expected: tuple[bool, bool, bool]
) -> None:
    """Conditions on the caller alone are decided, conditions on a row are possible."""
    court = over(given, names=names)
    note = court.world.manifest.resource("Note")
    assert tuple(court.may_ever(note, "list", caller) for caller in (ANONYMOUS, ADA, ADMIN)) == expected


def test_deleted_rows_are_seen_without_a_grant_to_read() -> None:
    """A list with deleted rows takes `list` and `see deleted`, no more."""
    court = over(grant(ANYONE, "list"), grant(role("admin"), "see deleted"))
    note = court.world.manifest.resource("Note")
    assert [court.may_ever(note, "see deleted", caller) for caller in (ANONYMOUS, ADA, ADMIN)] == [
        False,
        False,
        True,
    ]


def test_a_closed_collection_is_401_then_403() -> None:
    """A collection that no grant opens asks the anonymous to sign in and refuses the rest."""
    court = over(grant(role("admin"), "list, create", then='"admin" in caller.roles'))
    note = court.world.manifest.resource("Note")
    assert [court.closed(note, "list", caller) for caller in (ANONYMOUS, ADA, ADMIN)] == [
        Verdict(401, "unauthenticated"),
        Verdict(403, "forbidden"),
        None,
    ]


def test_create_judges_who_when_and_then_on_the_new_row() -> None:
    """A create needs Who, When and Then of one grant on the row as it would be stored."""
    court = over(grant(OWNER, "create", "open", 'text != "no"'))
    note = court.world.manifest.resource("Note")
    assert court.create(note, ADA, {"text": "x"}).status == 201
    assert court.create(note, ADA, {"text": "x", "open": False}) == Verdict(403, "forbidden")
    assert court.create(note, ADA, {"text": "no"}) == Verdict(403, "forbidden")
    assert court.create(note, ANONYMOUS, {"text": "x"}) == Verdict(401, "unauthenticated")


def test_nobody_creates_what_the_caller_would_own_without_signing_in() -> None:
    """A field that the caller fills needs a caller."""
    court = over(grant(ANYONE, "create"))
    note = court.world.manifest.resource("Note")
    assert court.create(note, ANONYMOUS, {"text": "x"}).status == 401
    assert court.create(note, BOB, {"text": "x"}).status == 201


def test_fill_stores_defaults_and_what_we_set() -> None:
    """The stored row is what was sent, defaults, the caller, the time, and None for the rest."""
    manifest = backend(
        entity(
            "Note",
            field("text", TEXT),
            field("open", BOOLEAN, default=Literal(True)),
            field("day", DATE, filled=Filled.NOW),
            owner(),
        )
    )
    court = judge(manifest)
    assert court.fill(manifest.resource("Note"), ADA, {}, "k") == row(
        "k", text=None, open=True, day=date(2026, 3, 1), owner="ada"
    )


def test_a_row_that_is_not_readable_is_not_found_whatever_the_action() -> None:
    """Without read, an update or delete grant shows nothing."""
    court = over(grant(ANYONE, "update, delete"), grant(OWNER, "read"))
    note = court.world.manifest.resource("Note")
    for key in ("2", "3"):
        assert court.read(note, ADA, key) == Verdict(404, "not_found")
        assert court.update(note, ADA, key, {"text": "x"}) == Verdict(404, "not_found")
        assert court.delete(note, ADA, key) == Verdict(404, "not_found")
    assert court.read(note, ADA, "1").status == 200
    assert court.read(note, ANONYMOUS, "1").status == 401
    assert court.delete(note, ANONYMOUS, "1").status == 401


def test_update_judges_when_before_and_then_after() -> None:
    """When is about the row as it was, Then about the row as it becomes; each may come from another grant."""
    everyone = grant(ANYONE, "list, read")
    court = over(everyone, grant(OWNER, "update", "open", 'text != "no"'))
    note = court.world.manifest.resource("Note")
    assert court.update(note, ADA, "1", {"text": "x"}).status == 200
    assert court.update(note, ADA, "1", {"open": False}).status == 200
    assert court.update(note, ADA, "1", {"text": "no"}) == Verdict(403, "forbidden")
    assert court.update(note, BOB, "2", {"open": True}) == Verdict(403, "forbidden")
    assert court.update(note, BOB, "1", {"text": "x"}) == Verdict(403, "forbidden")
    apart = over(
        everyone, grant(OWNER, "update", "open", "False"), grant(SIGNED_IN, "update", "False", "True")
    )
    assert apart.update(note, ADA, "1", {"text": "x"}).status == 200
    assert apart.update(note, BOB, "1", {"text": "x"}).status == 403


def test_a_changed_row_must_still_be_readable() -> None:
    """Nobody writes a row out of their own sight."""
    court = over(grant(ANYONE, "read", "open"), grant(SIGNED_IN, "update"))
    note = court.world.manifest.resource("Note")
    assert court.update(note, ADA, "1", {"open": False}) == Verdict(403, "forbidden")
    assert court.update(note, ADA, "1", {"text": "x"}).status == 200


def test_delete_needs_its_grant() -> None:
    """A readable row without a delete grant is 403."""
    court = over(grant(ANYONE, "read"), grant(OWNER, "delete", "open"))
    note = court.world.manifest.resource("Note")
    assert court.delete(note, ADA, "1").status == 204
    assert court.delete(note, ADA, "2").status == 403
    assert court.delete(note, BOB, "2").status == 403


def test_rules_hold_on_the_row_that_is_stored() -> None:
    """A rule is judged after the access, on the new row."""
    court = over(grant(OWNER, "everything"), rules=('text != "bad" or not open',))
    note = court.world.manifest.resource("Note")
    assert court.create(note, ADA, {"text": "bad"}) == Verdict(422, "rule_failed")
    assert court.create(note, ADA, {"text": "bad", "open": False}).status == 201
    assert court.update(note, ADA, "1", {"text": "bad"}) == Verdict(422, "rule_failed")
    assert court.update(note, BOB, "1", {"text": "bad"}).status == 404


def test_the_verdict_names_the_grant() -> None:
    """What is allowed says by which grant."""
    mine = grant(OWNER, "read")
    court = over(mine)
    assert court.read(court.world.manifest.resource("Note"), ADA, "1").grant == mine


PLACES = backend(
    entity(
        "Project",
        field("name", TEXT, unique=True, unique_per=("owner",)),
        owner(),
        grants=(grant(OWNER, "everything"), grant(role("admin"), "list")),
    ),
    entity(
        "Task",
        field("code", INTEGER, unique=True),
        field("kind", TEXT, immutable=True),
        field("rank", INTEGER, writable_by=("admin",)),
        field("project", to("Project"), immutable=True),
        field("next", to("Project"), on_delete=OnDelete.CLEAR),
        field("asked", to("User")),
        grants=(grant(ANYONE, "everything"),),
    ),
    entity("Step", field("task", to("Task"), on_delete=OnDelete.CASCADE)),
    entity("Proof", field("step", to("Step"), on_delete=OnDelete.REFUSE)),
    roles=("admin",),
)
PROJECTS = [row("a", name="garden", owner="ada"), row("b", name="house", owner="bob")]
TASK = {"code": 1, "kind": None, "rank": None, "project": None, "next": None, "asked": None}


def place(*tasks: dict[str, Any], **rows: Any) -> Judge:
    """The judge over ada's project a, bob's project b and these tasks."""
    return judge(PLACES, Project=PROJECTS, Task=list(tasks), **rows)


def test_references_lead_to_what_the_caller_can_read() -> None:
    """A foreign target, a missing one and one that may only be listed get the same answer."""
    court, task = place(), PLACES.resource("Task")
    assert court.create(task, ADA, {"next": "a"}).status == 201
    for caller, target in ((ADA, "b"), (ADA, "x"), (ADMIN, "a")):
        assert court.create(task, caller, {"next": target}) == Verdict(
            422, "reference_not_found", ("next_id",)
        )
    assert court.create(task, ADA, {"asked": "nobody"}).status == 201


def test_only_changed_references_are_checked() -> None:
    """A reference that stays as it is needs no right to its target."""
    court, task = place(row("t", **{**TASK, "next": "b"})), PLACES.resource("Task")
    assert court.update(task, ADA, "t", {"next": "b", "code": 7}).status == 200
    assert court.update(task, ADA, "t", {"next": None}).status == 200
    assert court.update(task, BOB, "t", {"next": "a"}).status == 422


def test_immutable_fields_take_an_equal_value_only() -> None:
    """An immutable field may be sent again, not changed."""
    court, task = place(row("t", **{**TASK, "kind": "x", "project": "b"})), PLACES.resource("Task")
    assert court.update(task, ADA, "t", {"kind": "x", "project": "b"}).status == 200
    assert court.update(task, ADA, "t", {"kind": "y"}) == Verdict(422, "immutable", ("kind",))
    assert court.update(task, ADA, "t", {"project": None}) == Verdict(422, "immutable", ("project_id",))


def test_role_limited_fields_are_403_by_name() -> None:
    """Who has no role that may write a field is told so, also when it would not change."""
    court, task = place(row("t", **TASK)), PLACES.resource("Task")
    assert court.create(task, ADA, {"rank": 1}) == Verdict(403, "forbidden", ("rank",))
    assert court.update(task, ADA, "t", {"rank": None}).status == 403
    assert court.update(task, ADMIN, "t", {"rank": 1}).status == 200


def test_unique_values() -> None:
    """A taken value is 409; None is never taken; `unique per` counts only among equals."""
    court = place(row("t", **TASK), row("u", **{**TASK, "code": None}))
    task, project = PLACES.resource("Task"), PLACES.resource("Project")
    assert court.create(task, ADA, {"code": 1}) == Verdict(409, "conflict", ("code",))
    assert court.create(task, ADA, {"code": None}).status == 201
    assert court.update(task, ADA, "t", {"code": 1}).status == 200
    assert court.update(task, ADA, "u", {"code": 1}).status == 409
    assert court.create(project, ADA, {"name": "garden"}).status == 409
    assert court.create(project, BOB, {"name": "garden"}).status == 201


def test_a_row_that_would_outlive_its_target_refuses_the_deletion() -> None:
    """`refuse` holds a row, also through a cascade; what the cascade takes along holds nothing."""
    task = row("t", **TASK)
    steps = [row("s", task="t")]
    assert place(task, Step=steps).delete(PLACES.resource("Task"), ADA, "t").status == 204
    held = place(task, Step=steps, Proof=[row("p", step="s")])
    assert held.delete(PLACES.resource("Task"), ADA, "t") == Verdict(409, "conflict")
    pointed = place(row("t", **{**TASK, "next": "a"}))
    assert pointed.delete(PLACES.resource("Project"), ADA, "a").status == 204
    kept = place(row("t", **{**TASK, "project": "a"}))
    assert kept.delete(PLACES.resource("Project"), ADA, "a").status == 409


def test_the_order_of_judgement() -> None:
    """404 before 403, 403 before references, references before rules, rules before conflicts."""
    parent = entity("Parent", owner(), grants=(grant(OWNER, "read"),))
    child = entity(
        "Child",
        field("code", INTEGER, unique=True),
        field("parent", to("Parent")),
        field("open", BOOLEAN),
        owner(),
        grants=(grant(OWNER, "read, update", then="open != False"),),
        rules=("code < 10",),
    )
    manifest = backend(parent, child)
    court = judge(
        manifest,
        Parent=[row("p", owner="bob")],
        Child=[
            row("1", code=1, parent=None, open=True, owner="ada"),
            row("20", code=20, parent=None, open=True, owner="bob"),
        ],
    )
    bad = {"code": 20, "parent": "p", "open": False}
    steps = [
        (BOB, bad, 404, "not_found"),
        (ADA, bad, 403, "forbidden"),
        (ADA, {**bad, "open": True}, 422, "reference_not_found"),
        (ADA, {**bad, "open": True, "parent": None}, 422, "rule_failed"),
        (ADA, {"code": 2}, 200, ""),
    ]
    for caller, changes, status, code in steps:
        verdict = court.update(manifest.resource("Child"), caller, "1", changes)
        assert (verdict.status, verdict.code) == (status, code)


def labelled(*grants: Grant, rules: tuple[str, ...] = ()) -> Judge:
    """The judge over ada's task 1 with her tag a and bob's tag b, and bob's task 2."""
    tag = entity("Tag", field("name", TEXT), owner(), grants=(grant(OWNER, "everything"),))
    task = entity("Task", owner(), field("tags", many("Tag")), grants=grants, rules=rules)
    return judge(
        backend(tag, task, roles=("admin",)),
        Tag=[
            row("a", name="a", owner="ada"),
            row("b", name="b", owner="bob"),
            row("c", name="c", owner="ada"),
        ],
        Task=[row("1", owner="ada"), row("2", owner="bob")],
        **{"Task.tags": [{"task": "1", "tag": "a"}, {"task": "1", "tag": "b"}]},
    )


@pytest.mark.parametrize(
    ("caller", "key", "other", "expected"),
    [
        (ADA, "1", "c", 204),
        (ADA, "1", "b", 404),
        (ADA, "1", "x", 404),
        (ADA, "2", "c", 404),
        (BOB, "2", "b", 204),
        (ADMIN, "1", "a", 404),
        (Caller("eve", frozenset({"admin"})), "1", "a", 404),
        (ANONYMOUS, "1", "a", 401),
    ],
)
def test_a_link_takes_a_row_to_change_and_one_to_read(
    caller: Caller, key: str, other: str, expected: int
) -> None:
    """What one of them cannot read is as if it were not there, made or taken away."""
    court = labelled(grant(OWNER, "list, read, update"), grant(role("admin"), "read, link tags"))
    task = court.world.manifest.resource("Task")
    for linked in (True, False):
        assert court.link(task, caller, key, "tags", other, linked=linked).status == expected


def test_links_are_judged_as_they_will_be() -> None:
    """By rules and by grants; who reads only may not, who may link tags alone may not update."""
    court = labelled(
        grant(OWNER, "read, update", None, 'not tags.name == "c"'),
        grant(SIGNED_IN, "read"),
        rules=("not tags.name == 'a'",),
    )
    task = court.world.manifest.resource("Task")
    assert court.link(task, ADA, "1", "tags", "a", linked=True).status == 422
    assert court.link(task, ADA, "1", "tags", "a", linked=False).status == 204
    assert court.link(task, ADA, "1", "tags", "c", linked=True).status == 403
    assert court.link(task, BOB, "1", "tags", "b", linked=True).status == 403
    court = labelled(grant(OWNER, "create, read, link tags"))
    task = court.world.manifest.resource("Task")
    assert court.update(task, ADA, "1", {"tags": []}).status == 403
    assert court.create(task, ADA, {"tags": ["a", "b"]}, "3").fields == ("tag_ids.1",)
    assert court.create(task, ADA, {"tags": ["a"]}, "3").status == 201


def test_a_set_of_links_leaves_those_that_nobody_sees() -> None:
    """Ada's set replaces what she can read, and bob's tag stays."""
    court = labelled(grant(OWNER, "everything"))
    task = court.world.manifest.resource("Task")
    later = court.linked(ADA).set(task, "1", {"tags": ["c"]})
    assert {link["tag"] for link in later.rows["Task.tags"]} == {"b", "c"}
