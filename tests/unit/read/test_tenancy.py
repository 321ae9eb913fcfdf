"""The line of the tenant: what it binds, and every mistake about it at its line and column."""

# ruff: noqa: E501 - a message stands on one line, as it is printed

import pytest

from crm import crm
from specwright.model.document import from_document, to_document
from specwright.model.errors import SpecError
from specwright.model.expression import Literal
from specwright.model.field import Filled, OnDelete
from specwright.model.manifest import Manifest
from specwright.model.tenant import Chosen
from specwright.read.questions import questions
from specwright.read.spec import read_specs
from specwright.sql.tables import Tables
from specwright.write.markdown import specs

FILE = "specs/it/spec.md"
LINE = "tenant Organization through Membership by header X-Organization"
TABLE = "| Field | Type | Rules |\n|---|---|---|\n"
ORGANIZATION = f"## Organization\n\n{TABLE}| name | text | ..9 |\n"
MEMBERSHIP = f"## Membership\n\n{TABLE}| user | User | required, unique per organization |\n| organization | Organization | required |\n"


def spec(line: str = LINE, *more: str, organization: str = ORGANIZATION, membership: str = MEMBERSHIP) -> str:
    """A feature whose line 5 names the tenant."""
    return "\n".join([f"# CRM\n\n## Rules\n\n- {line}\n", organization, membership, *more])


def read(text: str, **others: str) -> Manifest:
    """The manifest of one file, or of more."""
    return read_specs({FILE: text} | {f"specs/{name}/spec.md": other for name, other in others.items()})


def mistakes(text: str, **others: str) -> list[str]:
    """What is wrong, without the file where it is the first."""
    with pytest.raises(SpecError) as error:
        read(text, **others)
    return [str(each).removeprefix(f"{FILE}:") for each in error.value.mistakes]


def deal(rows: str = "| title | text | ..9 |\n", rest: str = "") -> str:
    """One more entity, whose fields begin at line 22."""
    return f"## Deal\n\n{TABLE}{rows}{rest}"


def test_every_entity_of_the_feature_is_bound() -> None:
    """All but the tenant and people have the field of the tenant: their own, or one that is added."""
    manifest = read(spec(LINE, deal(), f"## User\n\n{TABLE}| name | text | ..9 |\n"))
    assert manifest.tenant is not None
    assert (manifest.tenant.member, manifest.tenant.by) == ("user", Chosen.HEADER)
    assert {each.name for each in manifest.stored if each.tenant is not None} == {"Membership", "Deal"}
    added = manifest.resource("Deal").tenant
    assert added is not None
    assert (added.name, added.wire, added.filled) == ("organization", "organization_id", Filled.TENANT)
    assert (added.nullable, added.immutable, added.on_delete) == (False, True, OnDelete.CASCADE)
    assert added.origin.line == 5, "it stands where the line is"


def test_an_entity_of_another_feature_is_bound_by_membership_alone() -> None:
    """The membership is bound wherever it stands; what else is elsewhere is not."""
    other = f"# Other\n\n{MEMBERSHIP}\n## Page\n\n{TABLE}| title | text | ..9 |\n"
    manifest = read(spec(LINE, deal(), membership=""), other=other)
    assert {each.name for each in manifest.stored if each.tenant is not None} == {"Membership", "Deal"}


def test_a_reference_of_ones_own_keeps_what_it_says() -> None:
    """A declared reference to the tenant is its field, under its name; required goes without saying."""
    rows = "| office | Organization | required, on delete refuse |\n"
    own = read(spec(LINE, deal(rows))).resource("Deal").tenant
    assert own is not None
    assert (own.name, own.on_delete, own.required, own.nullable) == ("office", OnDelete.REFUSE, False, False)


@pytest.mark.parametrize(
    ("by", "way", "name"),
    [
        ("header X-Organization", Chosen.HEADER, "X-Organization"),
        ("claim organization_id", Chosen.CLAIM, "organization_id"),
        ("claim `org.id`", Chosen.CLAIM, "org.id"),
        ("path", Chosen.PATH, "organization_id"),
    ],
)
def test_a_request_names_its_tenant_in_one_of_three_ways(by: str, way: Chosen, name: str) -> None:
    """By header, claim or path; by path, the resources live below their tenant."""
    manifest = read(crm(by))
    assert manifest.tenant is not None
    assert (manifest.tenant.by, manifest.tenant.name) == (way, name)
    below = "organizations/{organization_id}/" if way is Chosen.PATH else ""
    assert manifest.route(manifest.resource("Deal")) == f"{below}deals"
    assert manifest.route(manifest.resource("Organization")) == "organizations"
    found = manifest.at(f"/{below}deals/7/win?x=1")
    assert found is not None
    assert (found[0].name, found[1]) == ("Deal", ("7", "win"))


def test_the_founder_gets_what_the_line_says() -> None:
    """Behind `founder` stand values of the first membership, of their fields' types."""
    manifest = read(crm())
    assert manifest.tenant is not None
    assert manifest.tenant.founder == (("role", Literal("owner")),)
    assert read(spec(f"{LINE}, founder")).tenant.founder == ()  # type: ignore[union-attr]
    assert read(spec(LINE)).tenant.founder is None  # type: ignore[union-attr]


@pytest.mark.parametrize("by", ["header X-Organization", "claim org", "path"])
def test_nothing_is_lost_on_paper(by: str) -> None:
    """The manifest survives as a document, and as a spec that is written and read again."""
    manifest = read(crm(by))
    assert from_document(to_document(manifest)) == manifest
    again = read_specs(specs(manifest))
    assert specs(again) == specs(manifest)
    assert [each.tenant and each.tenant.name for each in again.stored] == [
        each.tenant and each.tenant.name for each in manifest.stored
    ]


def test_indexes_begin_with_the_tenant() -> None:
    """What is listed, owned or indexed is found within the tenant."""
    tables = Tables(read(crm()))
    columns = [
        [column.name for column in part.columns]
        for part in tables.named("Deal")
        if type(part).__name__ == "Index"
    ]
    assert ["organization_id", "created_at", "id"] in columns
    assert ["organization_id", "owner_id", "created_at", "id"] in columns
    assert ["organization_id", "amount", "id"] in columns


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "tenant Organization by header X-Organization",
            '5:3: "tenant Organization by header X-Organiza" is not how a tenant is named: write - tenant Organization through Membership by header X-Organization, or … by claim organization_id, or … by path',
        ),
        (
            "Tennant Organization through Membership by header X-Organization",
            '5:3: "Tennant Organization through Membership " is not how a tenant is named: write - tenant Organization through Membership by header X-Organization, or … by claim organization_id, or … by path',
        ),
        (
            "tenant Organization through Membership by heading X-Organization",
            '5:45: a request does not say its tenant by "heading". Did you mean "header"?',
        ),
        (
            "tenant Organisation through Membership by path",
            '5:10: unknown entity "Organisation". Did you mean "Organization"?',
        ),
        (
            "tenant Organization through User by path",
            "5:31: a User is a person, neither a tenant nor a membership: name the entity between",
        ),
        (
            "tenant Organization through Organization by path",
            "5:31: Organization is the tenant: members belong to it through another entity",
        ),
        (
            "tenant Organization through Membership by header Authorization",
            "5:52: the header Authorization has its meaning already. Call it X-Organization, for instance",
        ),
        (
            "tenant Organization through Membership by path organization",
            '5:50: "by path" names nothing more, and here stands "organization". Leave it out',
        ),
        (
            f"{LINE}, founder rank boss",
            '5:76: "founder rank boss" gives no field of Membership a value.',
        ),
    ],
)
def test_a_line_that_is_not_understood_says_what_to_write(line: str, message: str) -> None:
    """Each mistake in the line is at its word, with a way out."""
    assert mistakes(spec(line)) == [message]


def test_a_project_has_one_tenant() -> None:
    """A second line, or one among the rules of an entity, is a mistake."""
    twice = spec(f"{LINE}\n- {LINE}")
    assert mistakes(twice) == [f"6:3: there is a tenant already, at {FILE}:5. Keep one"]
    inside = spec("soft delete", deal(rest=f"\n### Rules\n\n- {LINE}\n"))
    assert mistakes(inside)[-1].endswith(
        "a tenant is the whole feature's: put this line into ## Rules below its # Title"
    )


@pytest.mark.parametrize(
    ("membership", "message"),
    [
        (
            f"## Membership\n\n{TABLE}| user | User | required |\n",
            "5:31: Membership has no reference to Organization, and needs one. Add a row: organization | Organization | required",
        ),
        (
            f"## Membership\n\n{TABLE}| organization | Organization | |\n",
            "5:31: Membership has no reference to User, and needs one. Add a row: user | User | required",
        ),
        (
            f"{MEMBERSHIP}| guest | User | |\n",
            "5:31: Membership has more than one reference to User, and needs one. Keep one",
        ),
        (
            MEMBERSHIP.replace(", unique per organization", ""),
            '17:3: a person could have two memberships in one Organization. Add the rule "unique per organization" to "user" of Membership',
        ),
    ],
)
def test_a_membership_is_one_person_in_one_tenant(membership: str, message: str) -> None:
    """It refers to both, and no pair of them twice."""
    assert mistakes(spec(membership=membership)) == [message]


@pytest.mark.parametrize(
    ("rows", "rest", "message"),
    [
        (
            "| a | Organization | |\n| b | Organization | |\n",
            "",
            '25:3: "a" and "b" of Deal both lead to Organization, and which one is its tenant? Keep one',
        ),
        (
            "| organization | text | ..9 |\n",
            "",
            '24:3: "organization" is the tenant of every Deal: call this field otherwise',
        ),
        (
            "| office | Organization | on delete clear |\n",
            "",
            '24:3: "on delete clear" would take Deal out of its tenant. Choose cascade or refuse',
        ),
        (
            "| title | text | ..9 |\n",
            "\n| Who | May |\n|---|---|\n| anyone | list |\n",
            "28:3: Deal is within a tenant, where nobody is without a membership. Write signed in: every member",
        ),
    ],
)
def test_what_contradicts_the_tenant_is_a_mistake(rows: str, rest: str, message: str) -> None:
    """An entity has one tenant, never none, and nobody in it who is nobody."""
    assert mistakes(spec(LINE, deal(rows, rest))) == [message]


def test_nothing_outside_refers_to_what_is_within() -> None:
    """A reference into a tenant could be checked by no request."""
    other = f"# Other\n\n## Page\n\n{TABLE}| deal | Deal | |\n"
    (found,) = mistakes(spec(LINE, deal()), other=other)
    assert "Page is within no tenant and refers to Deal, which is. Move it into the feature" in found


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("caller.membership", "caller.membership.FIELD is one value of a Membership. It has id, "),
        ("caller.membership.rol", "Did you mean caller.membership.role?"),
        ("caller.membership.user.name == 1", "caller.membership.FIELD is one value of a Membership."),
        ("caller.tenant.name == 1", "caller.tenant is a key of Organization: nothing can follow it"),
        ('caller.membership.role == "boss"', '"boss" is not one of the literals.'),
    ],
)
def test_a_membership_is_asked_for_one_value(condition: str, message: str) -> None:
    """`caller.membership.FIELD` is checked like a field of the row."""
    text = crm().replace('caller.membership.role in ["owner", "manager"]', condition)
    assert all(message in each for each in mistakes(text))


def test_outside_of_a_tenant_there_is_no_membership() -> None:
    """Neither where the entity is within none, nor where the project has none."""
    outside = crm().replace("`memberships.user == caller`", "`caller.membership.role is None`")
    (found,) = mistakes(outside)
    assert (
        "caller.membership is known within a tenant only, and Organization is within no Organization" in found
    )
    without = "\n".join(line for line in crm().split("\n") if not line.startswith("- tenant"))
    told = [each for each in mistakes(without) if "manager" in each]
    assert told and all("caller.membership needs a tenant" in each for each in told)


def test_what_is_unique_over_all_tenants_is_asked() -> None:
    """A conflict would tell one tenant of another; and a tenant without a first member stays empty."""
    asked = read(
        crm().replace(", founder role owner", "").replace("unique per organization    |", "unique |")
    )
    found = {question.code: question for question in questions(asked)}
    assert found["unique-over-tenants"].recommendation == "unique per organization"
    assert found["no-founder"].recommendation == 'end the line with ", founder role owner"'
    assert not {"unique-over-tenants", "no-founder"} & {each.code for each in questions(read(crm()))}
