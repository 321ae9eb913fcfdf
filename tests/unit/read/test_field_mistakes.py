"""Every mistake in the Type and Rules of a field has one exact message at its line and column."""

# ruff: noqa: E501 - a message stands on one line, as it is printed

import pytest

from specwright.model.errors import SpecError
from specwright.read import read_specs

FILE = "specs/tasks/spec.md"


def mistakes(type_: str, rules: str) -> list[str]:
    """What reading one field says; its type begins at column 7 and its rules at column 24."""
    row = f"| x | {type_:<14} | {rules} |"
    with pytest.raises(SpecError) as caught:
        read_specs({FILE: f"## Task\n\n| Field | Type | Rules |\n|---|---|---|\n{row}\n"})
    return [str(mistake).removeprefix(f"{FILE}:5:") for mistake in caught.value.mistakes]


TYPES = [
    (
        "",
        [
            "22: the type is missing. Types are text, integer, boolean, date, timestamp, uuid, email, url, json, number(p,s), `literals`, list of T, many X, Task, User"
        ],
    ),
    ("string", ['7: unknown type "string". Did you mean "text"?']),
    ("integr", ['7: unknown type "integr". Did you mean "integer"?']),
    ("task", ['7: unknown type "task". Did you mean "Task"?']),
    (
        "enum(todo, done)",
        ['7: unknown type "enum(todo, done)". Literals are written in backticks: `todo`, `done`'],
    ),
    ("enum", ['7: unknown type "enum". Literals are written in backticks: `todo`, `done`']),
    ("todo \\| done", ['7: unknown type "todo | done". Literals are written in backticks: `todo`, `done`']),
    ("`todo`\\|`done`", ["7: commas separate literals: `todo`, `done`"]),
    ("`todo` / `done`, `new`", ["7: commas separate literals: `todo`, `done`"]),
    ("todo, done", ['7: unknown type "todo, done". Literals are written in backticks: `todo`, `done`']),
    ("`todo`, done", ["15: each literal stands in backticks: `done`"]),
    ("`todo`, `todo`", ['16: "todo" stands here twice']),
    ("`todo", ["7: a backtick is missing. A | inside a cell is written \\|"]),
    (
        "number",
        ["7: a number says how many digits it has, and how many of them after the point: number(12,2)"],
    ),
    ("number(0)", ["7: a number has 1 to 1000 digits, not 0"]),
    ("number(1001,2)", ["7: a number has 1 to 1000 digits, not 1001"]),
    ("number(2,3)", ["7: of 2 digits, 3 cannot stand after the point"]),
    ("many Tag", ['12: "many" goes with an entity, and "Tag" is none.']),
    ("list of Task", ['15: a list of rows is a relation: write "many Task"']),
    ("list of json", ["15: a list holds plain values, not json"]),
    ("list of list of text", ["15: a list holds plain values, not list of text"]),
]


@pytest.mark.parametrize(("type_", "expected"), TYPES)
def test_types(type_: str, expected: list[str]) -> None:
    """What is wrong with a type is told at the word that is wrong."""
    assert mistakes(type_, "") == expected


RULES = [
    ("text", "requird", ['24: unknown rule "requird" in field "x". Did you mean "required"?']),
    ("text", "required, required", ['34: the rule "required" stands twice in field "x"']),
    ("text", "required,", ['33: an empty rule in field "x": a comma too many']),
    (
        "text",
        "required, default `a`",
        [
            '34: "required" and "default" contradict each other in field "x": required means it must be sent, and a default that it may be left out'
        ],
    ),
    (
        "text",
        "read only, write only",
        [
            '35: "read only" and "write only" contradict each other in field "x": it would cross in no direction: write hidden'
        ],
    ),
    (
        "text",
        "read only, required",
        [
            '35: "required" and "read only" contradict each other in field "x": it must be sent, and may not be'
        ],
    ),
    (
        "text",
        "write only, searchable",
        [
            '36: "write only" and "searchable" contradict each other in field "x": a search would tell what it holds'
        ],
    ),
    ("boolean", "0..5", ['24: "0..5" does not go with boolean: only text, numbers and lists have bounds']),
    ("text", "5..1", ["24: nothing is within 5..1: 5 is more than 1"]),
    ("text", "..", ["24: at least one end of .. is a number, as 1..200, ..200 or 1.."]),
    ("text", "a..b", ['24: "a..b": bounds are numbers, as 1..200, ..200 or 1..']),
    ("text", "-1..5", ['24: "-1..5": a length is never negative']),
    ("text", "1.5..3", ['24: "1.5..3": 1.5 is no whole number']),
    ("integer", "0..9007199254740992", ['24: "0..9007199254740992": an integer is within ±9007199254740991']),
    ("number(4,2)", "0..100", ['24: "0..100": 100 has more than 2 digits before the point']),
    ("number(4,2)", "0.005..1", ['24: "0.005..1": 0.005 has more than 2 digits after the point']),
    (
        "integer",
        "searchable",
        ['24: "searchable" does not go with field "x": only text can be searched, and it is integer'],
    ),
    (
        "integer",
        "matches /a/",
        ['24: "matches" does not go with field "x": only text has a pattern, and it is integer'],
    ),
    (
        "text",
        "matches a",
        ["32: a pattern stands between two slashes: matches /…/. A | in it is written \\|"],
    ),
    ("text", "matches /a(?=b)/", ['34: the pattern of field "x": (?= is lookahead, which is not supported']),
    (
        "text",
        "matches /[a-z]{300}/",
        ['38: the pattern of field "x": PostgreSQL repeats at most 255 times; bound the length with ..N'],
    ),
    ("text", "..3, default `long`", ['29: the default of field "x" is not within ..3']),
    ("integer", "1.., default 0", ['29: the default of field "x" is not within 1..']),
    ("text", "matches /[a-z]+/, default `A`", ['42: the default of field "x" does not match its pattern']),
    ("integer", "default x", ['32: the default "x" is no integer: not a whole number']),
    ("boolean", "default yes", ['32: the default "yes" is no boolean: neither true nor false']),
    (
        "date",
        "default today()",
        ['32: a default is a constant. For the present moment: a timestamp with the rule "now"'],
    ),
    ("json", "default {}", ["32: json can have no default; leave it out, and it is empty"]),
    ("list of json", "default []", ["15: a list holds plain values, not json"]),
    (
        "list of integer",
        "default 5",
        ["33: the default of a list of integer is a list of constants in brackets, as []"],
    ),
    ("list of integer", "default [1, x]", ['37: the default "x" is no integer: not a whole number']),
    ("list of integer", "default [1,]", ["33: an empty item in the default: a comma too many"]),
    ("list of integer", "default [1], 2..", ['25: the default of field "x" is not within 2..']),
    ("list of `a`, `b`", "default [`c`]", ['35: the default "c" is not one of the literals. It has a, b']),
    (
        "list of text",
        "required, default []",
        [
            '34: "required" and "default" contradict each other in field "x": required means it must be sent, and a default that it may be left out'
        ],
    ),
    (
        "number(4,2)",
        "default 1.234",
        ['32: the default "1.234" is no number(4,2): 1.234 has more than 2 digits after the point'],
    ),
    (
        "text",
        "the caller",
        ['24: "the caller" does not go with field "x": the caller is a User, and it is text'],
    ),
    (
        "date",
        "now",
        ['24: "now" does not go with field "x": the present moment is a timestamp, and it is date'],
    ),
    (
        "text",
        "on delete clear",
        [
            '24: "on delete" does not go with field "x": only a reference has a target to delete, and it is text'
        ],
    ),
    (
        "Task",
        "required, on delete clear",
        ['34: "on delete clear" would empty field "x", which is never empty. Choose cascade or refuse'],
    ),
    (
        "Task",
        "on delete cascde",
        ['34: unknown choice "cascde" of on delete in field "x". Did you mean "cascade"?'],
    ),
    (
        "User",
        "on delete cascade",
        ['24: there is no ## User table, so a User is never deleted here. Leave "on delete" out'],
    ),
    ("text", "unique per y", ['35: Task has no field "y" to be unique per.']),
    ("text", "unique per x", ['35: "x" is unique per itself: write unique']),
    ("text", "default", ['24: "default" in field "x" needs a word more: default VALUE']),
    ("text", "readable by boss", ['36: unknown who "boss". Here can stand signed in, owner']),
    ("text", "readable by anyone", ["36: what is for anyone needs no limit: leave the rule out"]),
    (
        "text",
        "writable by owner",
        ['36: Task has no owner: no field has the rule "the caller". Add a row: owner | User | the caller'],
    ),
    (
        "text",
        "readable by signed in, admin",
        [
            '47: unknown rule "admin" in field "x". '
            'Several are joined by "and": readable by signed in and admin'
        ],
    ),
    ("json", "unique", ['24: "unique" does not go with field "x": json cannot be compared']),
    (
        "many Task",
        "required",
        ['24: "required" does not go with field "x": many Task is a relation and stores nothing here'],
    ),
    (
        "boolean",
        "= `x and`",
        ['32: this is not an expression, at the end; one is status == "done" and due is None'],
    ),
    ("integer", "= `1 == 1`", ["27: a condition is not a value: it cannot be compared or computed with"]),
    ("boolean", "= `nosuch == 1`", ['27: Task has no field "nosuch".']),
    ("integer", "count of things", ['24: Task has no relation to many named "things".']),
]


@pytest.mark.parametrize(("type_", "rules", "expected"), RULES)
def test_rules(type_: str, rules: str, expected: list[str]) -> None:
    """What is wrong with a rule is told at the rule, or at the word in it."""
    assert mistakes(type_, rules) == expected
