"""What a spec may look like, and the manifest that comes of it."""

# ruff: noqa: E501 - specs stand on lines of their own length

from decimal import Decimal
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError, Origin, SpecError
from specwright.model.expression import Literal
from specwright.model.field import Bounds, Field, Filled, OnDelete, Shown
from specwright.model.grant import Who, WhoKind
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import parse
from specwright.model.types import Kind, Type
from specwright.read import read_project, read_specs

FILE = "specs/tasks/spec.md"
HEADER = "| Field | Type | Rules |\n|---|---|---|\n"


def task(*rows: str, before: str = "", after: str = "") -> Resource:
    """The Task that the field rows make."""
    text = f"{before}## Task\n\n{HEADER}" + "".join(f"{row}\n" for row in rows) + after
    return read_specs({FILE: text}).resource("Task")


def field(type_: str, rules: str) -> Field:
    """The field x of this type and these rules."""
    found = task(f"| x | {type_} | {rules} |", "| owner | User | the caller |").field("x")
    assert found is not None
    return found


@pytest.mark.parametrize("root", ["examples/tasks", "examples/clinic", "examples/crm"])
def test_the_examples_have_no_mistakes(root: str) -> None:
    """The example projects are read."""
    manifest = read_project(Path(__file__).parents[3] / root)
    assert manifest.requirements
    assert all(
        requirement.examples for requirement in manifest.requirements if requirement.key.startswith("FR")
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", Type(Kind.TEXT)),
        ("number(12,2)", Type(Kind.NUMBER, precision=12, scale=2)),
        ("number( 12 , 2 )", Type(Kind.NUMBER, precision=12, scale=2)),
        ("number(9)", Type(Kind.NUMBER, precision=9, scale=0)),
        ("`todo`, `in progress`", Type(Kind.ENUM, literals=("todo", "in progress"))),
        ("`a, b`", Type(Kind.ENUM, literals=("a, b",))),
        (r"`a \| b`", Type(Kind.ENUM, literals=("a | b",))),
        ("list of text", Type(Kind.LIST, item=Type(Kind.TEXT))),
        ("list of number(4,1)", Type(Kind.LIST, item=Type(Kind.NUMBER, precision=4, scale=1))),
        ("Task", Type(Kind.REFERENCE, target="Task")),
        ("User", Type(Kind.REFERENCE, target="User")),
        ("many Task", Type(Kind.MANY, target="Task")),
    ],
)
def test_types(written: str, expected: Type) -> None:
    """Each form of a type is read."""
    assert field(written, "").type == expected


@pytest.mark.parametrize(
    ("type_", "rules", "expected"),
    [
        ("text", "required, 1..80", {"required": True, "bounds": Bounds(1, 80)}),
        ("text", "..80", {"bounds": Bounds(None, 80)}),
        ("list of text", "1..", {"bounds": Bounds(1, None)}),
        ("integer", "-5..5", {"bounds": Bounds(-5, 5)}),
        ("number(4,2)", "0..9.5", {"bounds": Bounds(Decimal("0"), Decimal("9.5"))}),
        ("text", "matches /^[a-z]{2,3}$/, ..9", {"pattern": "[a-z]{2,3}", "bounds": Bounds(None, 9)}),
        ("text", r"matches /a\|b/", {"pattern": "a|b"}),
        ("text", r"matches `/a\|b,c/`", {"pattern": "a|b,c"}),
        ("text", r"matches /a\/b/", {"pattern": "a/b"}),
        ("text", "default `a, b`", {"default": Literal("a, b")}),
        ("text", "default hello", {"default": Literal("hello")}),
        ("integer", "default 0", {"default": Literal(0)}),
        ("number(4,2)", "default 0.50", {"default": Literal(Decimal("0.50"))}),
        ("boolean", "default false", {"default": Literal(False)}),
        ("`in progress`", "default `in progress`", {"default": Literal("in progress")}),
        ("text", "unique", {"unique": True}),
        ("text", "unique per owner", {"unique": True, "unique_per": ("owner",)}),
        ("timestamp", "now", {"filled": Filled.NOW}),
        ("text", "indexed, searchable, immutable", {"indexed": True, "searchable": True, "immutable": True}),
        ("text", "read only", {"shown": Shown.READ_ONLY}),
        ("text", "write only", {"shown": Shown.WRITE_ONLY}),
        ("text", "hidden", {"shown": Shown.HIDDEN}),
        ("Task", "on delete cascade", {"on_delete": OnDelete.CASCADE, "wire": "x_id", "column": "x_id"}),
        ("text", "was old name", {"was": "old_name", "id": "Task.old_name"}),
        ("boolean", "= `owner is None`", {"computed": parse("owner is None")}),
        ("boolean", "`= owner is None`", {"computed": parse("owner is None")}),
    ],
)
def test_rules(type_: str, rules: str, expected: dict[str, object]) -> None:
    """Each form of a rule is read."""
    found = field(type_, rules)
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_is_built_in() -> None:
    """The key comes first, then what was declared, then what the backend keeps."""
    found = task("| due on | date | |")
    assert [known.name for known in found.fields] == ["id", "due_on", "created_at", "updated_at", "version"]
    assert [known.id for known in found.fields][:2] == ["Task.id", "Task.due_on"]
    assert (found.path, found.table, found.title, found.feature) == ("tasks", "tasks", "Task", "tasks")


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Loan item", ("LoanItem", "LoanItem", "Loan item", "loan-items", "loan_items", None)),
        ("LoanItem", ("LoanItem", "LoanItem", "Loan item", "loan-items", "loan_items", None)),
        ("Person (people)", ("Person", "Person", "Person", "people", "people", None)),
        ("Job (was Task)", ("Task", "Job", "Job", "jobs", "jobs", "Task")),
        ("Story (big stories, was Tale)", ("Tale", "Story", "Story", "big-stories", "big_stories", "Tale")),
        ("Category", ("Category", "Category", "Category", "categories", "categories", None)),
    ],
)
def test_headings(heading: str, expected: tuple[str, ...]) -> None:
    """A heading gives the name, the path and the table."""
    manifest = read_specs({FILE: f"### {heading}\n\n{HEADER}| a | date | |\n"})
    found = manifest.resources[0]
    assert (found.id, found.name, found.title, found.path, found.table, found.was) == (
        expected[0], *expected[1:2], *expected[2:],
    )  # fmt: skip


def test_relations_of_both_sides() -> None:
    """A reference is also a relation to many on its target; two of them are told apart."""
    manifest = read_specs(
        {
            FILE: f"## Task\n\n{HEADER}| project | Project | |\n| tags | many Tag | |\n| owner | User | the caller |\n\n"
            f"## Project\n\n{HEADER}| a | date | |\n\n## Tag\n\n{HEADER}| a | date | |\n\n"
            f"## Loan item\n\n{HEADER}| giver | Tag | |\n| taker | Tag | |\n"
        }
    )
    names = {resource.name: [r.name for r in resource.relations] for resource in manifest.resources}
    assert names == {
        "Task": ["project", "tags", "owner"],
        "Project": ["tasks"],
        "Tag": ["tasks", "loan_items_by_giver", "loan_items_by_taker"],
        "LoanItem": ["giver", "taker"],
        "User": [],
        "Task.tags": ["task", "tag"],
    }
    assert manifest.resource("User").external


def test_a_user_of_ones_own() -> None:
    """With a User table people are rows, keyed by the text that their token names."""
    manifest = read_specs(
        {
            FILE: f"## User\n\n{HEADER}| nick | text | ..9 |\n\n## Note\n\n{HEADER}| author | User | the caller |\n"
        }
    )
    user = manifest.resource("User")
    assert not user.external
    assert user.key_field.type == Type(Kind.TEXT)
    assert [relation.name for relation in user.relations] == ["notes"]


def test_grants() -> None:
    """Who, May, When and Then become one grant for each who."""
    found = task(
        "| owner | User | the caller |",
        "| done | boolean | default false |",
        before="| Role | Means |\n|---|---|\n| head nurse | all |\n\n",
        after="\n| Who | Is |\n|---|---|\n| friend | `owner == caller` |\n\n"
        "| Who | May | When | Then |\n|---|---|---|---|\n"
        "| anyone, signed in | list, read | | |\n| owner | everything | `not done` | done |\n"
        "| head nurse | delete | | |\n| friend | read | | |\n",
    )
    assert [(str(grant.who), grant.may) for grant in found.grants] == [
        ("anyone", "list, read"),
        ("signed in", "list, read"),
        ("owner", "everything"),
        ("head nurse", "delete"),
        ("friend", "read"),
    ]
    everything = found.grants[2]
    assert everything.id == "Task.grant.3"
    assert everything.actions == ("list", "read", "create", "update", "delete", "moves", "link", "restore")
    assert (everything.when, everything.then) == (parse("not done"), parse("done"))
    assert everything.origin == Origin(FILE, 19, 3)
    assert found.grants[4].who == Who(WhoKind.NAMED, "friend")


def test_rules_moves_and_actions() -> None:
    """Rule lines name their requirements; moves and actions are read for later."""
    found = task(
        "| status | `to do`, `done` | default `to do` |",
        after="\n| Field | Moves |\n|---|---|\n| status | to do → done, `done` -> `to do` |\n\n"
        "| Action | Takes | Does |\n|---|---|---|\n| put off | hours integer, why text optional | waits |\n\n"
        '### Rules\n\n- `status != "x"` (FR-004, FR-005): prose\n- soft delete\n- If-Match required.\n'.replace(
            '"x"', '"done"'
        ),
    )
    assert [(rule.id, rule.requirements) for rule in found.rules] == [("Task.rule.1", ("FR-004", "FR-005"))]
    assert [(move.before, move.after) for move in found.moves] == [("to do", "done"), ("done", "to do")]
    (action,) = found.actions
    assert (action.name, [(p.name, p.type.kind, p.required) for p in action.parameters]) == (
        "put_off",
        [("hours", Kind.INTEGER, True), ("why", Kind.TEXT, False)],
    )
    assert found.soft_delete and found.if_match_required
    assert found.field("deleted_at") is not None


SPEC_KIT = """# Feature Specification: Photo albums

**Status**: Draft

## User Scenarios & Testing *(mandatory)*

### User Story 1 - Make an album (Priority: P1)

**Acceptance Scenarios**:

1. **Given** a photo, **When** it is dropped, **Then** it shows
   on the album
2. **Given** none, **When** looked at, **Then** it says so

## Requirements *(mandatory)*

### Functional Requirements

- **FR-001**: System MUST keep albums [NEEDS CLARIFICATION: for how long?]
- **FR-002** Users MUST see them

### Key Entities *(include if feature involves data)*

- **Album**: photos of one day

## Success Criteria *(mandatory)*

- **SC-001**: done in a minute
"""


def test_spec_kit() -> None:
    """Spec Kit's spec.md gives requirements and open questions; the tables stand in data-model.md beside it."""
    manifest = read_specs(
        {
            "specs/001-photos/data-model.md": f"# Data model\n\n## Album\n\n{HEADER}| day | date | |\n",
            "specs/001-photos/spec.md": SPEC_KIT,
        }
    )
    assert [requirement.id.split("/", 1)[1] for requirement in manifest.requirements] == [
        "US1/AC1", "US1/AC2", "FR-001", "FR-002", "SC-001",
    ]  # fmt: skip
    assert manifest.requirements[0].text == "Given a photo, When it is dropped, Then it shows on the album"
    assert manifest.requirements[3].text == "Users MUST see them"
    assert [(mark.text, mark.origin.line) for mark in manifest.open_questions] == [("for how long?", 19)]
    (feature,) = manifest.features
    assert (feature.name, feature.title, feature.file) == (
        "001-photos",
        "Photo albums",
        "specs/001-photos/spec.md",
    )
    assert manifest.resource("Album").feature == "001-photos"


def test_examples() -> None:
    """A request with its people, roles, name, headers and body, and the answer it must get."""
    text = (
        "| Role | Means |\n|---|---|\n| admin | a |\n| boss | b |\n\n- **FR-001** It works.\n\n"
        '  ```http\n  POST /tasks?x=1\n  As: ada [admin, boss]\n  Name: milk\n  If-Match: "1"\n\n'
        '  {"title":\n    "Buy"}\n  ```\n  Prose between.\n\n  ```http\n  HTTP/1.1 201 Created\n  Location: *\n\n'
        '  {"id": "*"}\n  ```\n'
    )
    (requirement,) = read_specs({FILE: text}).requirements
    (example,) = requirement.examples
    request, response = example.request, example.response
    assert (request.method, request.path, request.person, request.roles, request.name) == (
        "POST", "/tasks?x=1", "ada", ("admin", "boss"), "milk",
    )  # fmt: skip
    assert request.headers == (("If-Match", '"1"'),)
    assert request.body == '{"title":\n  "Buy"}'
    assert (response.status, response.headers, response.body) == (201, (("Location", "*"),), '{"id": "*"}')
    assert (request.origin.line, response.origin.line) == (9, 20)


TABLE = f"## Task\n\n{HEADER}| title | text | ..9 |\n"


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        "\ufeff" + TABLE,
        TABLE.replace(" | ", "\t|\t"),
        TABLE.replace("| Field", "Field").replace("| title", "title"),
        TABLE.replace("## Task", "Task\n----"),
        TABLE.replace("## Task", "###### **Task**"),
        TABLE.replace("Field | Type | Rules", "**field** | TYPE | `Rules`"),
        "## Task\n\n- The fields:\n\n" + "".join(f"  {line}\n" for line in TABLE.split("\n")[2:]),
        TABLE + "\n```\n| Field | Type |\n|---|---|\n| a | b |\n```\n",
        TABLE + "\n> | Who | Does |\n> |---|---|\n> | a | b |\n",
        TABLE + "\n| Person | Does |\n|---|---|\n| a | b |\n",
        TABLE + "|||\n",
        TABLE + "| b | text | — |\n\n| Who | May | When |\n|--|--|--|\n| anyone | read | - |\n",
    ],
)
def test_forms(text: str) -> None:
    """Line ends, byte order marks, tabs, lists, headings of any form and code are all fine."""
    assert [known.name for known in read_specs({FILE: text}).resource("Task").fields][1] == "title"


def test_the_place_is_that_of_the_file() -> None:
    """Columns count in the file as it is, escapes and line ends included."""
    text = f"\ufeff## Task\r\n\r\n{HEADER}".replace("\n", "\r\n").replace("\r\r", "\r")
    with pytest.raises(SpecError, match=r"spec.md:5:30: unknown rule"):
        read_specs({FILE: text + "| a\t| text | matches /\\|\\|/, requird |\r\n"})


def test_all_mistakes_at_once() -> None:
    """Every mistake of every file is told, in reading order."""
    with pytest.raises(SpecError) as caught:
        read_specs(
            {
                "specs/b/spec.md": f"## B\n\n{HEADER}| a | txt | requird |\n\n| Who | May |\n|---|---|\n| anyon | raed |\n",
                "specs/a/spec.md": f"## A\n\n{HEADER}| limit | text | 5..1 |\n| b | B | |\n",
            }
        )
    assert [str(mistake).split(": ")[0] for mistake in caught.value.mistakes] == [
        "specs/a/spec.md:5:3",
        "specs/a/spec.md:5:18",
        "specs/b/spec.md:5:7",
        "specs/b/spec.md:5:13",
        "specs/b/spec.md:9:3",
        "specs/b/spec.md:9:11",
    ]


def test_a_broken_field_is_one_mistake() -> None:
    """What speaks of a field that is not understood is not told as a second mistake."""
    with pytest.raises(SpecError) as caught:
        task("| due | datum | |", after="\n### Rules\n\n- `due is None or due > created_at`\n")
    assert len(caught.value.mistakes) == 1


def test_features_share_entities() -> None:
    """A feature may refer to, and grant on, an entity of another."""
    manifest = read_specs(
        {
            "specs/b/spec.md": "## Task\n\n| Who | May |\n|---|---|\n| anyone | list, read |\n",
            "specs/a/spec.md": f"## Task\n\n{HEADER}| a | date | |\n",
        }
    )
    assert [grant.origin.file for grant in manifest.resource("Task").grants] == ["specs/b/spec.md"]


def test_a_project_without_specs(tmp_path: Path) -> None:
    """No specs are one sentence."""
    with pytest.raises(ConfigError, match="No spec found"):
        read_project(tmp_path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are one mistake at their place."""
    feature = tmp_path / "specs" / "a b"
    feature.mkdir(parents=True)
    (feature / "spec.md").write_bytes(b"# A\n\n\xc3\xa9t\xff\n")
    with pytest.raises(SpecError) as caught:
        read_project(tmp_path)
    assert str(caught.value) == "specs/a b/spec.md:3:3: byte 0xff is not UTF-8: save the file as UTF-8"


def test_only_spec_and_data_model_are_read(tmp_path: Path) -> None:
    """Plans and tasks never are."""
    feature = tmp_path / "specs" / "a"
    feature.mkdir(parents=True)
    (feature / "spec.md").write_text("# A\n")
    (feature / "data-model.md").write_text(TABLE)
    (feature / "tasks.md").write_text(TABLE)
    (feature / "plan.md").write_text("| Field | Nonsense |\n|---|---|\n")
    manifest: Manifest = read_project(tmp_path)
    assert [resource.name for resource in manifest.stored] == ["Task"]
