"""Every mistake in tables, names, access and examples has one exact message at its line and column."""

# ruff: noqa: E501 - a message stands on one line, as it is printed

import pytest

from specwright.model.errors import SpecError
from specwright.read import read_specs

FILE = "specs/tasks/spec.md"

#: A Task whose field rows begin at line 5.
TASK = "## Task\n\n| Field | Type | Rules |\n|---|---|---|\n"
ROWS = """\
| title | text | ..9 |
| status | `todo`, `in progress` | default `todo` |
| done | boolean | default false |
| due | date | |
"""


def grant(row: str) -> str:
    """A Task with one grant, at line 16."""
    header = "| Who | May | When | Then |\n|---|---|---|---|\n"
    return f"| Role | Means |\n|---|---|\n| admin | boss |\n\n{TASK}{ROWS}\n{header}{row}\n"


def requirement(body: str) -> str:
    """A requirement; the body begins at line 3."""
    return f"- **FR-001** It works.\n\n{body}"


def example(request: str, answer: str = "200") -> str:
    """A requirement with one example; the request begins at line 4."""
    return requirement(f"```http\n{request}\n```\n```http\n{answer}\n```\n")


CASES = [
    pytest.param(
        TASK
        + """\
| title | text | ..9 |
| part of | Task | on delete clear |
| n | integer | sum of tasks.title |
| m | integer | count of tasks where `titel == "a"` |
| o | integer | count of tasks where |
| c | boolean | = `title == caller.id` |
| d | integer | count of tasks where `title == caller.id` |
| e | text | = `tasks.title` |
| g | list of text | = `title` |
| h | `a`, `b` | = `title` |
| i | integer | sum of tasks.j |
| j | number(8,2) | = `1.5` |
| k | integer | count of tasks.title |
| l | integer | sum of tasks |
""",
        [
            '7:17: "title" of Task is text, and a sum needs numbers',
            '8:39: Task has no field "titel". Did you mean "title"?',
            '9:37: "count of tasks where" needs a condition, as `status != "done"`',
            "10:29: a computed field is the same for every caller",
            "11:48: a computed field is the same for every caller",
            '12:17: "tasks.title" leads to many rows, and this is one value: count of and sum of make one of many',
            '13:22: "= expr" does not go with field "g": a computed value is one value of its own, and it is list of text',
            "14:21: this is text, and the field is `a`, `b`",
            '15:17: "j" of Task is number(8,2), and its sum no integer',
            "17:17: write count of RELATION, or sum of RELATION.FIELD",
            "18:17: write count of RELATION, or sum of RELATION.FIELD",
        ],
        id="calculated",
    ),
    pytest.param(
        TASK
        + """\
| part of | Task | on delete clear |
| a | integer | = `b + 1` |
| b | integer | sum of tasks.a |
| c | boolean | = `not c` |
| d | boolean | = `c and a > 1` |
""",
        [
            "6:3: a field cannot be computed from itself: Task.a, which needs Task.b, which needs Task.a",
            "7:3: a field cannot be computed from itself: Task.b, which needs Task.a, which needs Task.b",
            "8:3: a field cannot be computed from itself: Task.c, which needs Task.c",
        ],
        id="calculated-from-itself",
    ),
    pytest.param(
        TASK
        + "| a0 | integer | |\n"
        + "".join(f"| a{n + 1} | integer | = `a{n} + a{n}` |\n" for n in range(9)),
        ['14:3: "a9" takes 1533 steps to work out, with all that it needs; there are at most 1000'],
        id="calculated-from-too-much",
    ),
    pytest.param(
        TASK
        + """\
| status | `a`, `b` | |
| fixed | `a`, `b` | default `a`, immutable |
| free | `a`, `b` | default `a` |
| made | `a`, `b` | = `free` |

| Field | Moves | Who |
|---|---|---|
| status | a → b | |
| fixed | a → b | |
| free | a → a, b → a | near |
| made | a → b | |

| Who | Is |
|---|---|
| near | `nothing == caller` |
""",
        [
            '12:3: "status" of Task does not move: it needs the state that a new row begins in. Add the rule default `a`',
            '13:3: "fixed" of Task does not move: it is immutable',
            '14:10: "a → a" is no move: to stay is always allowed',
            '15:3: "made" of Task does not move: its value is computed',
            '19:11: "near" moves Task: Task has no field "nothing".',
        ],
        id="immovable",
    ),
    pytest.param(
        "## Task\n\n| Field | Type | Rule |\n|---|---|---|\n| a | text | |\n",
        [
            "3:3: this table has the header Field | Type | Rule; one that begins with Field needs Field | Type | Rules or Field | Moves [| Who]. Only Means, Description, Notes, Example may stand beside",
        ],
        id="field-header",
    ),
    pytest.param(
        "## Task\n\n| Field | Type |\n|---|---|\n| a | text |\n",
        [
            "3:3: this table has the header Field | Type; one that begins with Field needs Field | Type | Rules or Field | Moves [| Who]. Only Means, Description, Notes, Example may stand beside",
        ],
        id="field-header-short",
    ),
    pytest.param(
        TASK + ROWS + "\n| Who | Does |\n|---|---|\n| owner | all |\n",
        [
            "10:3: this table has the header Who | Does; one that begins with Who needs Who | May [| When] [| Then] or Who | Is. Only Means, Description, Notes, Example may stand beside",
        ],
        id="who-header",
    ),
    pytest.param(
        "| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n",
        [
            "1:1: this table names no entity: put a heading above it, as ## Task",
        ],
        id="no-heading",
    ),
    pytest.param(
        "## Task\n\n| Field | Type | Rules |\n|---|---|\n| a | text | ..9 |\n",
        [
            "3:1: this begins like a table and is none: |---|---| with as many columns comes next",
        ],
        id="dashes",
    ),
    pytest.param(
        TASK + ROWS + "\nMore.\n\n| Field | Type | Rules |\n|---|---|---|\n| b | text | ..9 |\n",
        [
            "12:1: Task has a field table already, at specs/tasks/spec.md:3. Join the two, or put a heading between",
        ],
        id="second-table",
    ),
    pytest.param(
        TASK + "| a | text | matches /x|y/ |\n",
        [
            "5:25: this row has 4 cells, and the header 3. A | inside a cell is written \\|",
        ],
        id="too-many-cells",
    ),
    pytest.param(
        "## Task\n\n| Field | Type | Rules | Means |\n|---|---|---|---|\n| a | text | matches /x|y/ |\n",
        [
            "5:22: a pattern stands between two slashes: matches /…/. A | in it is written \\|",
        ],
        id="pipe-in-prose-column",
    ),
    pytest.param(
        TASK + "| | text | ..9 |\n",
        [
            "5:1: the name of the field is missing",
        ],
        id="no-name",
    ),
    pytest.param(
        "## Task & co\n\n| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n",
        [
            '1:4: "Task & co" cannot name an entity: a name is words of the letters a to z and digits, and begins with a letter',
        ],
        id="entity-name",
    ),
    pytest.param(
        "## None\n\n| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n",
        [
            '1:4: "None" cannot name an entity: it is a word of the expression language',
        ],
        id="entity-word",
    ),
    pytest.param(
        "## Person (pe/ople)\n\n| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n",
        [
            '1:12: "pe/ople" cannot be a plural: a name is words of the letters a to z and digits, and begins with a letter',
        ],
        id="entity-plural",
    ),
    pytest.param(
        TASK + ROWS + "\n" + TASK + ROWS,
        [
            "10:4: Task is declared already, at specs/tasks/spec.md:1. Keep one table",
        ],
        id="entity-twice",
    ),
    pytest.param(
        "## Task\n\n| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n\n## Job (tasks)\n\n| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n",
        [
            "7:4: Job and Task have one path, tasks. Give one another plural: ## Job (other words)",
        ],
        id="same-path",
    ),
    pytest.param(
        f"## {'Verylong ' * 7}task\n\n| Field | Type | Rules |\n|---|---|---|\n| a | text | ..9 |\n",
        [
            "1:4: the table verylong_verylong_verylong_verylong_verylong_verylong_verylong_tasks has a name of 68 characters; PostgreSQL keeps 63",
        ],
        id="long-table",
    ),
    pytest.param(
        TASK + "| created at | timestamp | |\n",
        [
            '5:3: "created at" cannot name a field: created_at is built in: every entity has it. Leave this row out. Or call it "task_created_at".',
        ],
        id="built-in",
    ),
    pytest.param(
        TASK + "| limit | integer | |\n",
        [
            '5:3: "limit" cannot name a field: limit is a parameter of every list, so no field can be filtered by it. Call it "task_limit", for instance.',
        ],
        id="parameter",
    ),
    pytest.param(
        TASK + "| class | text | ..9 |\n",
        [
            '5:3: "class" cannot name a field: class is a word of the expression language. Call it "task_class", for instance.',
        ],
        id="keyword",
    ),
    pytest.param(
        TASK + "| today | date | |\n",
        [
            '5:3: "today" cannot name a field: today is a word of the expression language. Call it "task_today", for instance.',
        ],
        id="word",
    ),
    pytest.param(
        TASK + "| a__b | date | |\n",
        [
            '5:3: "a__b" cannot name a field: two underscores in a row separate a parameter from its operator (as in "priority__gte"); use one',
        ],
        id="underscores",
    ),
    pytest.param(
        TASK + "| größe | integer | |\n",
        [
            '5:3: "größe" cannot name a field: a name is words of the letters a to z and digits, and begins with a letter',
        ],
        id="letters",
    ),
    pytest.param(
        TASK + "| deleted_at | timestamp | |\n",
        [
            '5:3: "deleted_at" cannot name a field: deleted_at is built in: the rule line "soft delete" makes it. Call it "task_deleted_at", for instance.',
        ],
        id="deleted",
    ),
    pytest.param(
        TASK + f"| {'a' * 64} | integer | |\n",
        [
            '5:3: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" cannot name a field: the name has 64 characters; PostgreSQL keeps 63. Shorten it.',
        ],
        id="long-field",
    ),
    pytest.param(
        TASK + "| due on | date | |\n| due_on | date | |\n",
        [
            '6:3: Task has the field "due_on" already, at specs/tasks/spec.md:5',
        ],
        id="field-twice",
    ),
    pytest.param(
        TASK + "| owner | User | the caller |\n| owner id | text | ..9 |\n",
        [
            '6:3: "owner_id" and "owner" are both owner_id in JSON. Leave owner_id out: the reference "owner" gives it',
        ],
        id="wire-twice",
    ),
    pytest.param(
        TASK + "| parent | Task | on delete clear |\n| tasks | integer | |\n",
        [
            '6:3: "tasks" of Task is the name of its Task rows already (from "parent" of Task). Rename or leave out the field',
        ],
        id="inverse",
    ),
    pytest.param(
        TASK
        + "| up | Task | on delete cascade |\n| x | text | ..9 |\n\n### Rules\n\n- soft delete\n\n"
        + "## Note\n\n| Field | Type | Rules |\n|---|---|---|\n| task | Task | on delete cascade |\n",
        [
            '16:3: Note goes with its "task", and could not come back with it: add the rule line "soft delete" to Note, or write on delete clear or refuse',
        ],
        id="hard-below-soft",
    ),
    pytest.param(
        TASK + "| deleted | boolean | |\n\n### Rules\n\n- soft delete\n",
        [
            '5:3: "deleted" of Task is the parameter that asks for deleted rows. Give the field another name',
        ],
        id="deleted",
    ),
    pytest.param(
        TASK
        + "| tags | many Tag | |\n\n## Tag\n\n| Field | Type | Rules |\n|---|---|---|\n| tasks | many Task | |\n",
        [
            '5:3: "tags" of Task is the name of its Tag rows already (from "tasks" of Tag), and the other side of a many exists by itself. Rename or leave out the field',
            '11:3: "tasks" of Tag is the name of its Task rows already (from "tags" of Task), and the other side of a many exists by itself. Rename or leave out the field',
        ],
        id="many-both",
    ),
    pytest.param(
        TASK + "| a | text | ..9, was b |\n| b | text | ..9 |\n",
        [
            '5:3: "was b" of field "a": Task still has that field',
        ],
        id="was",
    ),
    pytest.param(
        "## User\n\n| Field | Type | Rules |\n|---|---|---|\n| name | text | required, ..9 |\n| me | User | the caller |\n",
        [
            '5:3: "name" of User cannot be required: a row appears with the caller\'s first write, before anyone can send it. Give it a default, or leave it empty',
            '6:3: "me" of User cannot be the caller: a User owns itself',
        ],
        id="user-required",
    ),
    pytest.param(
        TASK + "| a | text | ..9, unique per b |\n| b | text | ..9 |\n",
        [
            '5:30: "unique per b" of field "a" needs "b" never empty: make it required or give it a default',
        ],
        id="unique-per-nullable",
    ),
    pytest.param(
        grant("| admn | read | | |"),
        [
            '16:3: unknown who "admn". Did you mean "admin"?',
        ],
        id="unknown-who",
    ),
    pytest.param(
        grant("| owner | read | | |"),
        [
            '16:3: Task has no owner: no field has the rule "the caller". Add a row: owner | User | the caller',
        ],
        id="no-owner",
    ),
    pytest.param(
        TASK
        + "| a | User | the caller |\n| b | User | the caller |\n\n| Who | May |\n|---|---|\n| owner | read |\n",
        [
            '10:3: "owner" is not clear: a and b of Task are both the caller. Name who is meant in a Who | Is table',
        ],
        id="two-owners",
    ),
    pytest.param(
        grant("| | read | | |"),
        [
            "16:1: who is missing: anyone, signed in, owner, a role, or a name from a Who | Is table",
        ],
        id="who-empty",
    ),
    pytest.param(
        grant("| admin | | | |"),
        [
            "16:11: what they may is missing: "
            "list, read, create, update, delete, restore, see deleted, link, hand over, everything",
        ],
        id="may-empty",
    ),
    pytest.param(
        grant("| admin | lst, fly | | |"),
        [
            '16:11: unknown word "lst" in May. Did you mean "list"?',
            '16:16: unknown word "fly" in May. '
            "Here can stand list, read, create, update, delete, restore, see deleted, link, hand over, everything",
        ],
        id="unknown-may",
    ),
    pytest.param(
        grant("| admin | hand over | | |"),
        [
            "16:11: Task has no owner to hand over: it needs one field with the rule "
            '"the caller", as owner | User | the caller',
        ],
        id="hand-over-of-nobody",
    ),
    pytest.param(
        grant("| admin | restore | | |"),
        [
            '16:11: Task has nothing to restore: add the rule line "soft delete"',
        ],
        id="restore",
    ),
    pytest.param(
        grant("| admin | link | | |"),
        [
            '16:11: "link" names what is linked: link tags',
        ],
        id="link",
    ),
    pytest.param(
        grant("| admin | link tags | | |"),
        [
            '16:11: Task has no field "tags" of a type "many …" to link.',
        ],
        id="link-unknown",
    ),
    pytest.param(
        grant('| admin | update | `done and statsu != "todo"` | |'),
        [
            '16:30: Task has no field "statsu". Did you mean "status"?',
        ],
        id="when",
    ),
    pytest.param(
        grant('| admin | update | `status != "doing"` | |'),
        [
            '16:31: "doing" is not one of the literals. It has `todo`, `in progress`.',
        ],
        id="when-literal",
    ),
    pytest.param(
        grant('| admin | update | `status = "todo"` | |'),
        [
            '16:28: write "==" to compare',
        ],
        id="when-syntax",
    ),
    pytest.param(
        grant("| admin | update | `done` or `done` | |"),
        [
            "16:20: an expression stands in one pair of backticks, alone in its cell",
        ],
        id="when-two",
    ),
    pytest.param(
        grant("| admin | update | `in progress == status` | |"),
        [
            '16:21: this is not an expression, at "in progress == statu"; one is status == "done" and due is None',
        ],
        id="when-keyword",
    ),
    pytest.param(
        grant('| admin | update | `title status == "due date"` | |'),
        [
            '16:27: this is not an expression: "title" and "status" need something between, as == or and',
        ],
        id="when-neighbours",
    ),
    pytest.param(
        TASK + "| due on | date | |\n\n### Rules\n\n- `due on > today()`\n",
        [
            '9:8: write due_on instead of "due on"',
        ],
        id="field-in-words",
    ),
    pytest.param(
        "## Task\n\n| Name | Type | Rules |\n|---|---|---|\n| a | text | |\n\n| Who | May |\n|---|---|\n| anyone | read |\n",
        [
            "3:3: this table has the header Name | Type | Rules; the fields of an entity need Field | Type | Rules",
        ],
        id="other-first-column",
    ),
    pytest.param(
        grant("| admin | update | `done | |"),
        [
            "16:20: a backtick is missing. A | inside a cell is written \\|",
        ],
        id="when-backtick",
    ),
    pytest.param(
        grant("| admin | update | | `title` |"),
        [
            "16:23: this is text, not a condition",
        ],
        id="then",
    ),
    pytest.param(
        grant("| admin | update | `due < now()` | |"),
        [
            "16:21: a date and a timestamp do not compare; write today() or date(…)",
        ],
        id="date",
    ),
    pytest.param(
        "| Who | May |\n|---|---|\n| anyone | read |\n",
        [
            "1:1: these grants belong to no entity. Put them below the heading of a Field | Type | Rules table",
        ],
        id="grants-without-entity",
    ),
    pytest.param(
        TASK
        + ROWS
        + "\n| Who | Is |\n|---|---|\n| boss | `manager == caller` |\n\n| Who | May |\n|---|---|\n| boss | read |\n",
        [
            '12:11: "boss" is granted something on Task: Task has no field "manager".',
        ],
        id="named",
    ),
    pytest.param(
        TASK
        + ROWS
        + "\n| Who | Is |\n|---|---|\n| boss | |\n| owner | `done` |\n| x | `done` |\n| x | `done` |\n",
        [
            '12:3: "boss" needs a condition in its Is cell, as `account == caller`',
            '13:3: "owner" has its meaning already; call the name otherwise',
            '15:3: "x" is declared already, at specs/tasks/spec.md:14',
        ],
        id="named-unused",
    ),
    pytest.param(
        "| Role | Means |\n|---|---|\n| admin | a |\n| admin | b |\n| anyone | c |\n",
        [
            '4:3: "admin" is declared already, at specs/tasks/spec.md:3',
            '5:3: "anyone" has its meaning already; call the role otherwise',
        ],
        id="role-twice",
    ),
    pytest.param(
        TASK
        + ROWS
        + "\n| Field | Moves | Who |\n|---|---|---|\n| status | todo → in progress, todo → doing, todo | anyone |\n| stats | a → b | |\n| title | a → b | bos |\n",
        [
            '12:39: "doing" is not one of the literals of "status". It has todo, in progress',
            '12:46: "todo" is no move: write `todo` → `doing`',
            '13:3: Task has no field "stats" to move. Did you mean "status"?',
            '14:3: "title" is text; only a field of literals moves',
            '14:19: unknown who "bos". Here can stand anyone, signed in, owner',
        ],
        id="moves",
    ),
    pytest.param(
        TASK
        + ROWS
        + "\n| Action | Takes | Does |\n|---|---|---|\n| snooze | hours integer, what | waits |\n| read | | |\n| snooze | | |\n",
        [
            '12:27: "what" is no parameter: write a name and a type, as hours integer',
            '13:3: "read" cannot name an action: the word has its meaning already',
            '14:3: "snooze" cannot name an action: Task has that action already',
        ],
        id="actions",
    ),
    pytest.param(
        TASK + ROWS + "\n### Rules\n\n- due is set\n- soft delet\n- `due = 1`\n- `nosuch is None` (FR-001)\n",
        [
            '12:3: "due is set" is no rule. A rule is an expression in backticks, on one line',
            '13:3: "soft delet" is no rule. Did you mean "soft delete"?',
            '14:8: write "==" to compare',
            '15:4: Task has no field "nosuch".',
        ],
        id="rule-prose",
    ),
    pytest.param(
        TASK + ROWS + "\n## Rules\n\n- `done`\n",
        [
            "12:3: this rule belongs to no entity: put the heading Rules one level below the entity's",
        ],
        id="rules-elsewhere",
    ),
    pytest.param(
        "- **FR-001** a\n- **FR-001** b\n",
        [
            "2:3: FR-001 stands already at specs/tasks/spec.md:1. Give it its own key",
        ],
        id="req-twice",
    ),
    pytest.param(
        "# X\n\n```http\nGET /a\n```\n",
        [
            "3:1: this example stands below no requirement. Put it below a line as - **FR-001** …, or call the block `text`",
        ],
        id="fence-alone",
    ),
    pytest.param(
        requirement("```http\nGET /a\n```\n"),
        [
            "3:1: this request has no answer: a second http block with a status, as 200, follows it",
        ],
        id="no-answer",
    ),
    pytest.param(
        requirement("```http\n200\n```\n"),
        [
            "4:1: an answer without a request before it: the first block is a request, as GET /tasks",
        ],
        id="answer-first",
    ),
    pytest.param(
        requirement("```http\nGET /a\n```\n```http\nGET /b\n```\n```http\n200\n```\n"),
        [
            '7:1: the request at line 3 needs its answer in the next http block, which begins with a status as 200; this is "GET /b"',
        ],
        id="two-requests",
    ),
    pytest.param(
        requirement("```http\n\n```\n"),
        [
            "3:1: this example block is empty",
        ],
        id="empty-fence",
    ),
    pytest.param(
        example("GTE /a"),
        [
            '4:1: unknown method "GTE". Methods are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
        ],
        id="method",
    ),
    pytest.param(
        example("get /a"),
        [
            '4:1: unknown method "get". Did you mean "GET"?',
        ],
        id="small-method",
    ),
    pytest.param(
        example("hello"),
        [
            '4:1: "hello" is no request: a method and a path, as GET /tasks',
        ],
        id="not-a-request",
    ),
    pytest.param(
        example("GET tasks"),
        [
            '4:1: the path "tasks" begins with a slash, and is relative to the prefix: /tasks',
        ],
        id="path",
    ),
    pytest.param(
        example("GET /a\nAs: ada lovelace"),
        [
            '5:1: "ada lovelace" is no person: write As: ada, or with roles As: ada [admin]',
        ],
        id="as",
    ),
    pytest.param(
        example("GET /a\nas: ada"),
        [
            '5:1: unknown line "as:". Did you mean "As:"?',
        ],
        id="as-lower",
    ),
    pytest.param(
        example("GET /a\nAs: ada [admin]"),
        [
            '5:1: unknown role "admin" of ada. No Role | Means table declares roles',
        ],
        id="as-role",
    ),
    pytest.param(
        example("GET /a\nClaims: red"),
        [
            "4:1: nobody has these claims: write who asks, as As: ada",
            '5:1: claims are a JSON object, as Claims: {"team": "red"}',
        ],
        id="claims",
    ),
    pytest.param(
        example('GET /a\nAs: ada\nClaims: {"team": red}'),
        [
            "6:18: this is not JSON: Expecting value",
        ],
        id="claims-json",
    ),
    pytest.param(
        example("GET /a\nName: a-b"),
        [
            '5:1: "a-b" cannot be a name: letters, digits and _, as in {milk.id}',
        ],
        id="name",
    ),
    pytest.param(
        example("POST /a\n{}"),
        [
            '5:1: "{}" is no header. An empty line comes before the body',
        ],
        id="header",
    ),
    pytest.param(
        example('POST /a\n\n{"a": 1,\n "b": }'),
        [
            "7:7: the body is not JSON: Expecting value",
        ],
        id="body",
    ),
    pytest.param(
        example("GET /a", "200\n\n{oops}"),
        [
            "9:2: the body is not JSON: Expecting property name enclosed in double quotes",
        ],
        id="answer-body",
    ),
    pytest.param(
        example("GET /a", "200\nAs: ada"),
        [
            '8:1: "As:" belongs into the request block',
        ],
        id="as-in-answer",
    ),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_mistakes(text: str, expected: list[str]) -> None:
    """Each mistake is told once, where it stands, with a way out."""
    with pytest.raises(SpecError) as caught:
        read_specs({FILE: text})
    assert [str(mistake).removeprefix(f"{FILE}:") for mistake in caught.value.mistakes] == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| a | varchar(200) | |", '5:7: unknown type "varchar(200)". Did you mean "text"?'),
        ("| a | text | max 200 |", '5:14: unknown rule "max 200" in field "a". Did you mean "..200"?'),
        (
            "| a | text | min length 3 |",
            '5:14: unknown rule "min length 3" in field "a". Did you mean "3.."?',
        ),
        ("| a | text | 1-200 |", '5:14: unknown rule "1-200" in field "a". Did you mean "1..200"?'),
        ("| a | text | NOT NULL |", '5:14: unknown rule "NOT NULL" in field "a". Did you mean "required"?'),
        (
            "| a | text | optional |",
            '5:14: unknown rule "optional" in field "a". Leave it out: a field without "required" may be empty',
        ),
        ("| a_id | Task | |", '5:3: a reference is its name with _id in JSON: call it "a"'),
    ],
)
def test_habits_of_other_languages(row: str, expected: str) -> None:
    """What people write from habit is answered with the word for it."""
    with pytest.raises(SpecError) as caught:
        read_specs({FILE: f"{TASK}{row}\n"})
    assert str(caught.value) == f"{FILE}:{expected}"
