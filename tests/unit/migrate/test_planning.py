"""What is matched with what, how names change, and which questions are raised; without a database."""

from dataclasses import replace

import pytest

from specwright.migrate.conversion import convert
from specwright.migrate.folder import sentences
from specwright.migrate.matching import match
from specwright.migrate.operations import Rename
from specwright.migrate.plan import plan, sequence
from specwright.migrate.protection import Protect, Unprotect
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.sql.tables import Tables


def manifest(*rows: str, heading: str = "Note") -> Manifest:
    table = "\n".join(f"| {row} |" for row in rows)
    fields = f"| Field | Type | Rules |\n|---|---|---|\n{table}\n"
    text = f"# Notes\n\n## {heading}\n\n{fields}\n| Who | May |\n|---|---|\n| anyone | everything |\n"
    return read_specs({"specs/notes/spec.md": text})


def test_was_finds_the_old_field_once() -> None:
    """`was` decides while the old name is there; afterwards it does nothing, also beside a namesake."""
    old, new = manifest("body | text | ..9"), manifest("content | text | ..9, was body")
    assert match(old, new).fields["Note"]["content"] == "body"
    assert match(new, new).fields["Note"]["content"] == "content"
    plain = manifest("content | text | ..9", "body | text | ..9")
    assert match(new, plain).fields["Note"] == match(new, new).fields["Note"]


def test_user_is_always_user() -> None:
    """No other entity takes over the rows of User."""
    assert (
        match(manifest("a | text | ..9"), manifest("a | text | ..9", heading="Person (was User)")).resources[
            "User"
        ]
        == "User"
    )


def test_a_rename_carries_the_names_along() -> None:
    """Renaming an entity renames table, constraints and indexes, and nothing else happens."""
    way = plan(
        manifest("a | text | ..9, unique"), manifest("a | text | ..9, unique", heading="Memo (was Note)")
    )
    unprotect, *renames, protect = way.operations
    assert isinstance(unprotect, Unprotect) and isinstance(protect, Protect)
    assert renames and all(isinstance(operation, Rename) for operation in renames)
    assert [rename.after for rename in way.operations if isinstance(rename, Rename)] == [
        "memos",
        "pk_memos",
        "ck_memos_a_length",
        "uq_memos_a",
        "ix_memos_created_at_id",
    ]
    assert sentences(way) == ["rename table notes to memos"]


def test_names_that_trade_places_go_through_a_third() -> None:
    """No step takes a name that is still held."""
    held = {"a", "b", "c"}
    for rename in sequence(Rename("column", "t", *pair) for pair in (("a", "b"), ("b", "a"), ("c", "d"))):
        assert rename.after not in held
        held = held - {rename.before} | {rename.after}
    assert held == {"a", "b", "d"}


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ("x | text | 1..9", "x | text | ..99", []),
        ("x | text | ..99", "x | text |", []),
        ("x | text |", "x | text | ..99", ["narrow Note.x"]),
        ("x | integer | 0..5", "x | integer | 1..9", ["narrow Note.x"]),
        ("x | `a` |", "x | `a`, `b` |", []),
        ("x | `a`, `b` |", "x | `a` |", ["narrow Note.x"]),
        ("x | number(8,2) |", "x | number(9,2) |", []),
        ("x | number(8,2) |", "x | number(8,3) |", ["convert Note.x"]),
        ("x | text | ..9", "x | text | ..9, required", ["require Note.x"]),
        ("x | text | ..9", "x | text | ..9, default `a`", []),
        ("x | text | ..9, required", "x | text | ..9", []),
        ("x | text | ..9", "y | text | ..9, required", ["drop Note.x", "add Note.y"]),
        ("x | text | ..9", "x | text | ..9, unique", ["unique Note.x"]),
    ],
)
def test_only_what_may_lose_or_refuse_rows_is_asked(before: str, after: str, keys: list[str]) -> None:
    """Widening raises no question, narrowing one, each with its place in the spec."""
    found = plan(manifest(before), manifest(after)).hazards
    assert [hazard.key for hazard in found] == keys
    assert all(hazard.origin.file == "specs/notes/spec.md" for hazard in found)


def test_every_step_has_a_way_back() -> None:
    """The inverse of the inverse is the step."""
    way = plan(
        manifest("x | integer | 0..5"), manifest("y | text | ..9, required", heading="Memo (was Note)")
    )
    for operation in way.operations:
        assert operation.inverse().inverse() == operation
        assert operation.sentence


def test_prose_is_no_step() -> None:
    """What does not touch storage needs no migration."""
    before = manifest("x | text | ..9")
    after = replace(
        before, resources=tuple(replace(known, means="other words") for known in before.resources)
    )
    assert plan(before, after).steps == ()


def test_types_without_a_common_reading_lose_everything() -> None:
    """A boolean is no date: the new column is empty, and every value counts as lost."""
    assert convert("x", "BOOLEAN", "DATE").loses == "x IS NOT NULL"
    assert convert("x", "BIGINT", 'TEXT COLLATE "C"').loses is None


def test_policies_are_told_when_they_change() -> None:
    """A new column of a table that others look through is no news of its policies; another grant is."""

    def boxes(rows: str, who: str = "owner") -> Manifest:
        head = "| Field | Type | Rules |\n|---|---|---|\n"
        grants = "\n| Who | May | When |\n|---|---|---|\n"
        return read_specs(
            {
                "specs/a/spec.md": f"## Box\n\n{head}| owner | User | the caller |\n{rows}"
                f"{grants}| {who} | list, read | |\n\n"
                f"## Note\n\n{head}| box | Box | on delete clear |\n"
                f"{grants}| signed in | list, read | `box.owner == caller` |\n"
            }
        )

    assert sentences(plan(boxes(""), boxes("| big | boolean | |\n"))) == ["add column boxes.big"]
    assert sentences(plan(boxes(""), boxes("", "anyone"))) == [
        "write the grants on boxes as row-level security policies"
    ]


def test_what_is_the_same_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts asks for nothing: tables are told of manifests that differ, once each."""
    told: list[Manifest] = []

    def tell(wanted: Manifest) -> Tables:
        told.append(wanted)
        return constrained(wanted)

    monkeypatch.setattr("specwright.migrate.plan.constrained", tell)
    old, new = manifest("a | text | ..9"), manifest("b | text | ..9, was a")
    assert plan(old, manifest("a | text | ..9")).steps == () and told == []
    assert plan(old, new).steps and len(told) == 4
