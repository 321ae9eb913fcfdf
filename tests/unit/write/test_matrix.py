"""The access matrix: a row for each who, a column for each action, in three forms."""

import json
from dataclasses import replace

from builders import ANYONE, OWNER, SIGNED_IN, backend, entity, field, grant, named, owner, role
from specwright.model.expression import Literal
from specwright.model.grant import ACTIONS, Grant
from specwright.model.manifest import Manifest
from specwright.model.resource import Action, Move
from specwright.model.types import INTEGER, TEXT, Kind, Type
from specwright.write.access_page import as_html
from specwright.write.matrix import access_matrix, as_json, as_markdown, as_text


def _manifest() -> Manifest:
    note = entity(
        "Note",
        field("title", TEXT, required=True),
        field("size", INTEGER),
        owner(),
        grants=(
            grant(OWNER, "everything"),
            grant(ANYONE, "list, read", "size < 3 or title == 'a|b'"),
            grant(named("friend"), "update", "size == 1", "size < 9"),
            grant(named("friend"), "update", "size == 2"),
            grant(named("friend"), "read"),
            grant(named("friend"), "read", "size == 5"),
        ),
    )
    empty = entity("Secret")
    return backend(note, empty, names={"friend": "owner == caller"}, roles=("admin", "zoo keeper"))


SMALL = """\
Box         list             read  create  update  delete
anyone      –                –     –       –       –
signed in   when size == 1   –     yes     –       –

What anyone may, all may; what signed in may, every role may.
"""


def test_as_text() -> None:
    """Aligned columns; conditions are spelled out; what is not granted is a dash."""
    grants = (grant(SIGNED_IN, "list", "size == 1"), grant(SIGNED_IN, "create"))
    box = entity("Box", field("size", INTEGER), grants=grants)
    text = as_text(access_matrix(backend(box)))
    assert [line.split() for line in text.splitlines()] == [line.split() for line in SMALL.splitlines()]
    header, _, signed_in, *_ = text.splitlines()
    assert header.index("create") == signed_in.index("yes")


def test_everyone_is_named() -> None:
    """Anyone, signed in and every role have a row, granted or not; a resource without grants has dashes."""
    note, secret = access_matrix(_manifest())
    assert [who for who, _ in note.rows] == ["anyone", "signed in", "owner", "admin", "zoo keeper", "friend"]
    assert [who for who, _ in secret.rows] == ["anyone", "signed in", "admin", "zoo keeper"]
    assert not any(cell.granted for _, cells in secret.rows for cell in cells)


def test_a_grant_without_condition_wins() -> None:
    """Yes or a condition is yes; two conditions are both told."""
    note, _ = access_matrix(_manifest())
    friend = dict(zip(ACTIONS, dict(note.rows)["friend"], strict=True))
    assert str(friend["read"]) == "yes"
    assert str(friend["update"]) == "when size == 1, then size < 9 or when size == 2"
    assert str(friend["delete"]) == "–"


def test_as_markdown() -> None:
    """A table for each resource; a bar in a condition does not end its cell."""
    lines = as_markdown(access_matrix(_manifest())).splitlines()
    assert lines[:3] == [
        "### Note",
        "",
        "| Who | list | read | create | update | delete |",
    ]
    assert all(line.replace("\\|", "").count("|") == 7 for line in lines if line.startswith("|"))


def test_as_json() -> None:
    """Resource, who, action; for programs."""
    told = json.loads(as_json(access_matrix(_manifest())))
    assert told["Note"]["owner"]["delete"] == {"granted": True, "conditions": [], "origins": [":0"]}
    assert told["Note"]["friend"]["update"]["conditions"] == [
        "when size == 1, then size < 9",
        "when size == 2",
    ]
    assert told["Secret"]["anyone"]["read"]["granted"] is False


def test_handing_over_is_a_column_where_somebody_may() -> None:
    """A right beside those to update, so it is not found among them."""
    shared = entity("Note", owner(), grants=(grant(OWNER, "everything"), grant(named("friend"), "hand over")))
    (note,) = access_matrix(backend(shared, names={"friend": "owner == caller"}))
    assert note.actions == (*ACTIONS, "hand over")
    assert [who for who, cells in note.rows if cells[-1].granted] == ["friend"]
    (kept,) = access_matrix(backend(entity("Note", owner(), grants=(grant(OWNER, "everything"),))))
    assert kept.actions == ACTIONS


def test_fields_that_are_not_for_everybody_are_named() -> None:
    """Below the table, in text and in Markdown, by whom they are read and written."""
    pay = field("pay", INTEGER, readable_by=("boss", "owner"), writable_by=("boss",))
    rank = field("rank", INTEGER, writable_by=("boss",))
    job = entity("Job", pay, rank, owner(), grants=(grant(OWNER, "everything"),))
    matrices = access_matrix(backend(job, roles=("boss",)))
    expected = ["pay: readable by boss and owner, writable by boss.", "rank: writable by boss."]
    for told in (as_text(matrices), as_markdown(matrices), as_html(matrices)):
        assert [note in told for note in expected] == [True, True]


def test_moves_are_columns() -> None:
    """A column for each state that can be reached: whose the move there is, and from where."""
    kinds = Type(Kind.ENUM, literals=("new", "seen", "shut"))
    state = field("state", kinds, default=Literal("new"))
    moves = (
        Move("m1", "state", "new", "seen", (OWNER, named("friend"))),
        Move("m2", "state", "seen", "shut"),
        Move("m3", "state", "new", "shut", (named("friend"),)),
    )
    note = replace(
        entity(
            "Note",
            state,
            owner(),
            grants=(
                grant(OWNER, "list, read, create"),
                Grant("g", role("admin"), ("read", "update", "moves"), may="everything"),
            ),
        ),
        moves=moves,
    )
    (matrix,) = access_matrix(backend(note, names={"friend": "owner != caller"}, roles=("admin",)))
    assert matrix.actions == (*ACTIONS, "state → seen", "state → shut")
    cells = {who: [str(cell) for cell in row[-2:]] for who, row in matrix.rows}
    assert cells == {
        "anyone": ["–", "–"],
        "signed in": ["–", "–"],
        "owner": ['when state == "new"', "–"],
        "admin": ['when state == "new"', 'when state == "seen" or when state == "new"'],
        "friend": ['when state == "new"', 'when state == "new"'],
    }


def test_actions_stand_in_the_words_of_the_spec() -> None:
    """What the spec calls `lose stale` is so called, whatever its function is."""
    action = Action("a", "lose_stale", "collection")
    box = entity("Box", field("size", INTEGER), grants=(grant(SIGNED_IN, "lose_stale"),))
    (matrix,) = access_matrix(backend(replace(box, actions=(action,))))
    assert matrix.actions[-1] == "lose stale"
    cells = dict(matrix.rows)
    assert [cells[who][-1].granted for who in ("anyone", "signed in")] == [False, True]
