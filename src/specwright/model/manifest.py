"""The manifest: everything a spec says, as one frozen tree. Readers fill it; everything else reads it.

Storage (table, column) stands apart from contract (path, wire), so that either can change alone.
An `id` names a node for as long as it lives: a rename declared by `was` keeps it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from specwright.model.errors import Origin
from specwright.model.expression import Compare, Expr, Literal, Path, all_of
from specwright.model.types import Kind, Type

MANIFEST_FORMAT = 1

#: The actions every resource knows; Python actions add their own names.
ACTIONS = ("list", "read", "create", "update", "delete")

#: The grant to change the owner, of an entity that has one. It is a PATCH of that field alone.
HAND_OVER = "hand over"

#: The built-in field of a soft-deleted row: since when it is deleted; None while it lives.
DELETED = "deleted_at"
#: The grants to bring deleted rows back, and to be shown them.
RESTORE, SEE_DELETED = "restore", "see deleted"

#: How an action begins that is to move a field: a PATCH of that field alone, where some move has a Who.
MOVE = "move "
#: What stands between a field and a state in the name of an action that is to take a row there.
TO = " → "

#: How the action begins that links rows of a field, and takes links away: `link tags`.
LINK = "link "

NO_ORIGIN = Origin("", 0)


class Filled(StrEnum):
    """Who fills a field that its writer does not."""

    CALLER = "the caller"
    NOW = "now"
    #: Never written in a spec: the entity of the field is within a tenant, and this is which one.
    TENANT = "the tenant"


class Shown(StrEnum):
    """In which directions a field crosses the wire."""

    BOTH = "both"
    READ_ONLY = "read only"
    WRITE_ONLY = "write only"
    HIDDEN = "hidden"


class OnDelete(StrEnum):
    """What becomes of a row whose target is deleted."""

    CASCADE = "cascade"
    CLEAR = "clear"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Bounds:
    """`a..b`: lengths of a text or list, values of a number; either end may be open."""

    least: Any = None
    most: Any = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count of RELATION` or `sum of RELATION.FIELD`, over those related rows for which `where` holds."""

    function: str
    relation: str
    #: What is summed; empty for a count.
    field: str = ""
    where: Expr | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a resource.

    `name` is the spec's (expressions use it), `wire` the JSON name, `column` the stored one.
    """

    id: str
    name: str
    wire: str
    column: str
    type: Type
    required: bool = False
    default: Literal | None = None
    filled: Filled | None = None
    bounds: Bounds = Bounds()
    pattern: str | None = None
    unique: bool = False
    #: Names of the fields that a value is unique per; with `unique` only.
    unique_per: tuple[str, ...] = ()
    indexed: bool = False
    searchable: bool = False
    shown: Shown = Shown.BOTH
    immutable: bool = False
    #: Words for whom (`Manifest.who`); none means everyone who may read, or write, the row.
    readable_by: tuple[str, ...] = ()
    writable_by: tuple[str, ...] = ()
    on_delete: OnDelete | None = None
    was: str | None = None
    computed: Expr | None = None
    aggregate: Aggregate | None = None
    #: id, created_at, updated_at, deleted_at, version: not declared, set by us alone.
    built_in: bool = False
    means: str = ""
    origin: Origin = NO_ORIGIN

    @property
    def nullable(self) -> bool:
        """Whether None is a value of this field."""
        if self.aggregate is not None or (self.computed is not None and self.type.kind is Kind.BOOLEAN):
            return False
        if self.built_in and self.name == DELETED:
            return True
        return not (self.required or self.built_in or self.default is not None or self.filled is not None)

    @property
    def stored(self) -> bool:
        """Whether the field is a column of its table."""
        return not self.calculated and self.type.kind is not Kind.MANY

    @property
    def calculated(self) -> bool:
        """Whether the value is worked out whenever it is asked for, and nowhere kept."""
        return self.computed is not None or self.aggregate is not None

    @property
    def linked(self) -> str | None:
        """The entity whose rows a `many` field links."""
        return self.type.target if self.type.kind is Kind.MANY else None

    @property
    def target(self) -> str | None:
        """The entity a to-one reference points to."""
        return self.type.target if self.type.kind is Kind.REFERENCE else None


@dataclass(frozen=True, slots=True)
class Through:
    """The entity of links that a relation of many to many leads through; its references, here and there."""

    link: str
    near: str
    far: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from a row to others: `field` lies on the source (to one) or on the target (to many).

    Of many to many, it is the field that declares the relation, on either side.
    """

    name: str
    source: str
    target: str
    field: str
    many: bool
    through: Through | None = None

    @property
    def holder(self) -> str:
        """The name of the entity that has the field."""
        if self.through is not None:
            return self.through.link.partition(".")[0]
        return self.target if self.many else self.source


class WhoKind(StrEnum):
    """The five ways to say who."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    OWNER = "owner"
    ROLE = "role"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Who:
    """The subject of a grant; `name` is the role or the name from a `Who|Is` table."""

    kind: WhoKind
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.kind.value


@dataclass(frozen=True, slots=True)
class Grant:
    """`who` may do `actions` on rows for which `when` holds before and `then` after."""

    id: str
    who: Who
    actions: tuple[str, ...]
    when: Expr | None = None
    then: Expr | None = None
    #: The May cell as it was written: "everything" keeps its word.
    may: str = ""
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class WhoName:
    """A row of a `Who|Is` table: a name for a condition on the caller and the row."""

    name: str
    condition: Expr
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Role:
    """A row of a `Role|Means` table."""

    name: str
    means: str = ""
    #: Roles that everyone has who has this one.
    includes: tuple[str, ...] = ()
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that every stored row of the resource meets."""

    id: str
    condition: Expr
    #: Requirement keys that the rule stands for, as `FR-004`.
    requirements: tuple[str, ...] = ()
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed change of a state field; `who` empty means the update grant decides.

    Of a field that has moves nothing else changes, and a new row begins in its default state.
    """

    id: str
    field: str
    before: str
    after: str
    who: tuple[Who, ...] = ()
    origin: Origin = NO_ORIGIN

    def __str__(self) -> str:
        return f"{self.before}{TO}{self.after}"


@dataclass(frozen=True, slots=True)
class ActionParameter:
    """A value that an action takes."""

    name: str
    type: Type
    required: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """A row of an `Action|Takes|Does` table: a verb bound in Python."""

    id: str
    name: str
    level: str = "row"
    parameters: tuple[ActionParameter, ...] = ()
    effect: str = ""
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a list: rows a page when not asked for, and at most."""

    page_default: int = 20
    page_max: int = 100


@dataclass(frozen=True, slots=True)
class Resource:
    """An entity: where it is stored (`schema`, `table`, `key`) and how it is shown (`path`)."""

    id: str
    name: str
    title: str
    path: str
    table: str
    fields: tuple[Field, ...]
    schema: str = "public"
    key: str = "id"
    feature: str = ""
    relations: tuple[Relation, ...] = ()
    grants: tuple[Grant, ...] = ()
    rules: tuple[Rule, ...] = ()
    moves: tuple[Move, ...] = ()
    actions: tuple[Action, ...] = ()
    limits: Limits = Limits()
    soft_delete: bool = False
    #: The text search configuration of PostgreSQL by which the searchable fields are read.
    search_language: str = "simple"
    #: Whether every change leaves a row in the audit trail.
    audited: bool = False
    #: Whether a change of a row must name the version that it is based on.
    if_match_required: bool = False
    #: A User without a table: known only by the token's `sub`.
    external: bool = False
    #: The rows of a `many` field, `Task.tags`: each links a row to another. It has a table and no routes.
    link: bool = False
    was: str | None = None
    means: str = ""
    origin: Origin = NO_ORIGIN

    def field(self, name: str) -> Field | None:
        """The field of this spec name."""
        return next((field for field in self.fields if field.name == name), None)

    def relation(self, name: str) -> Relation | None:
        """The relation of this name."""
        return next((relation for relation in self.relations if relation.name == name), None)

    @property
    def key_field(self) -> Field:
        """The field that identifies a row."""
        found = self.field(self.key)
        assert found is not None, f"{self.name} has no key field"
        return found

    @property
    def owner(self) -> Field | None:
        """The entity's one `the caller` field, which the word "owner" stands for; a User owns itself."""
        if self.name == "User":
            return self.key_field
        owners = [field for field in self.fields if field.filled is Filled.CALLER]
        return owners[0] if len(owners) == 1 else None

    @property
    def tenant(self) -> Field | None:
        """The field that says in which tenant a row is; None where rows are in none."""
        return next((field for field in self.fields if field.filled is Filled.TENANT), None)

    @property
    def deleted(self) -> Field | None:
        """The field that says since when a row is deleted; None where deleted rows are gone."""
        return self.field(DELETED) if self.soft_delete else None

    @property
    def searchable(self) -> tuple[Field, ...]:
        """The fields that `q` looks into."""
        return tuple(field for field in self.fields if field.searchable)

    @property
    def moving(self) -> tuple[Field, ...]:
        """The fields that change by moves alone."""
        return tuple(field for field in self.fields if self.moves_of(field.name))

    def moves_of(self, name: str) -> tuple[Move, ...]:
        """The moves of the field of this name."""
        return tuple(move for move in self.moves if move.field == name)

    def states_after(self, name: str, state: Any) -> tuple[str, ...]:
        """Where a field can go from a state."""
        return tuple(dict.fromkeys(move.after for move in self.moves_of(name) if move.before == state))

    @property
    def moved_alone(self) -> Mapping[str, str]:
        """The fields of which some move is somebody's, and what a PATCH of one alone is judged as."""
        return {move.field: f"{MOVE}{move.field}" for move in self.moves if move.who}

    def granting(self, action: str) -> Iterator[Grant]:
        """The grants of an action. To link rows, one to update will do.

        To ask for a move, one of any move of the field will do, or to update.

        Whose the one is that is asked for, is judged apart. `status → done` names all that lead there.
        """
        name, to, state = action.partition(TO)
        if to:
            yield from self._leading(name, state)
            return
        if action.startswith(MOVE):
            for move in self.moves_of(action.removeprefix(MOVE)):
                for who in move.who:
                    yield Grant(move.id, who, (action,), may=str(move), origin=move.origin)
        asked = {action}
        if action.startswith(MOVE):
            asked |= {"moves", "update"}
        elif action.startswith(LINK):
            asked |= {"link", "update"}
        for grant in self.grants:
            if not asked.isdisjoint(grant.actions):
                yield grant

    def _leading(self, name: str, state: str) -> Iterator[Grant]:
        """What grants the moves to a state, each where the row is in the state before."""
        told: set[tuple[int, str]] = set()
        for move in self.moves_of(name):
            if move.after != state:
                continue
            here = Compare("==", Path((name,)), Literal(move.before))
            for who in move.who:
                yield Grant(move.id, who, ("move",), when=here, may=str(move), origin=move.origin)
            for grant in self.grants:
                moves = "moves" in grant.actions or (not move.who and "update" in grant.actions)
                if moves and (id(grant), move.before) not in told:
                    told.add((id(grant), move.before))
                    when = here if grant.when is None else all_of(here, grant.when)
                    yield replace(grant, when=when)

    @property
    def handed_over(self) -> Field | None:
        """The owner's field, where some grant lets somebody hand rows over."""
        return self.owner if any(HAND_OVER in grant.actions for grant in self.grants) else None

    @property
    def verbs(self) -> tuple[str, ...]:
        """What somebody may do here, granted or not: hand over only where that is granted to somebody,
        and restore where there is something to restore.
        """
        handing = () if self.handed_over is None else (HAND_OVER,)
        reviving = (RESTORE, SEE_DELETED) if self.soft_delete else ()
        moves = dict.fromkeys(f"{move.field}{TO}{move.after}" for move in self.moves)
        links = (f"{LINK}{field.name}" for field in self.fields if field.linked is not None)
        return (*ACTIONS, *handing, *reviving, *moves, *links, *(action.name for action in self.actions))

    @property
    def singular(self) -> str:
        """The snake_case name of one row, as in operation ids and example captures."""
        return self.title.lower().replace(" ", "_").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Request:
    """The first block of an example; `path` is relative to the contract's prefix."""

    method: str
    path: str
    person: str | None = None
    roles: tuple[str, ...] = ()
    #: What their token says besides, as a JSON object.
    claims: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    #: The body as it was written; None when there is none.
    body: str | None = None
    #: The name under which the answer is remembered, besides the resource's singular.
    name: str | None = None
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Response:
    """The second block of an example: what must be answered."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Example:
    """A request and the answer it must get."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class Requirement:
    """A keyed sentence of the spec (`FR-001`, `SC-001`, `US1/AC2`) and its examples."""

    id: str
    key: str
    feature: str
    text: str
    examples: tuple[Example, ...] = ()
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A `[NEEDS CLARIFICATION: …]` mark."""

    text: str
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True, slots=True)
class Feature:
    """One spec folder: a namespace for prose and requirements only."""

    name: str
    title: str
    file: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What one version of the API is called and where it lives."""

    name: str = "v1"
    prefix: str = "/api/v1"


class Chosen(StrEnum):
    """Where a request says which tenant it is for."""

    HEADER = "header"
    CLAIM = "claim"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Tenant:
    """`tenant Organization through Membership by header X-Organization`.

    The resources within it are those with a field that is filled with the tenant (`Resource.tenant`).
    """

    entity: str
    #: Whoever has a row of this entity in a tenant belongs to it; `member` is its reference to User.
    through: str
    member: str
    by: Chosen
    #: Of the header, of the claim, or of the parameter in the path.
    name: str
    #: Whose entities are within it, besides `through`.
    feature: str = ""
    #: What the first membership holds, which whoever creates a tenant gets; None where they get none.
    founder: tuple[tuple[str, Literal], ...] | None = None
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True)
class Manifest:
    """The whole backend."""

    resources: tuple[Resource, ...] = ()
    roles: tuple[Role, ...] = ()
    names: tuple[WhoName, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    open_questions: tuple[OpenQuestion, ...] = ()
    features: tuple[Feature, ...] = ()
    contracts: tuple[Contract, ...] = (Contract(),)
    tenant: Tenant | None = None
    manifest_format: int = MANIFEST_FORMAT

    @cached_property
    def _by_name(self) -> Mapping[str, Resource]:
        return {resource.name: resource for resource in self.resources}

    def resource(self, name: str) -> Resource:
        """The resource of this entity name.

        Raises:
            KeyError: no entity has this name.
        """
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def stored(self) -> Iterator[Resource]:
        """The resources that have a table: all but an external User."""
        return (resource for resource in self.resources if not resource.external)

    @property
    def served(self) -> Iterator[Resource]:
        """The resources that have routes: those with a table, but for links."""
        return (resource for resource in self.stored if not resource.link)

    def route(self, resource: Resource) -> str:
        """Where the rows are, below the prefix: `deals`, or `organizations/{organization_id}/deals`."""
        tenant = self.tenant
        if tenant is None or tenant.by is not Chosen.PATH or resource.tenant is None:
            return resource.path
        return f"{self.resource(tenant.entity).path}/{{{tenant.name}}}/{resource.path}"

    def who(self, word: str) -> Who:
        """Whom a word of `readable by` or `writable by` means."""
        if word in (WhoKind.OWNER, WhoKind.SIGNED_IN):
            return Who(WhoKind(word))
        return Who(WhoKind.ROLE if self.name(word) is None else WhoKind.NAMED, word)

    def at(self, path: str) -> tuple[Resource, tuple[str, ...]] | None:
        """Whose rows a path below the prefix is about, and what stands behind: nothing, a key, an action."""
        parts = tuple(part for part in path.partition("?")[0].split("/") if part)
        places = [(self.route(resource).split("/"), resource) for resource in self.served]
        for place, resource in sorted(places, key=lambda each: -len(each[0])):
            begins = zip(parts, place, strict=False)
            if len(parts) >= len(place) and all(part == name or name[0] == "{" for part, name in begins):
                return resource, parts[len(place) :]
        return None

    def name(self, name: str) -> WhoName | None:
        """The `Who|Is` row of this name."""
        return next((known for known in self.names if known.name == name), None)

    @property
    def people(self) -> Mapping[str, tuple[str, ...]]:
        """The people that the spec's examples speak as, with their roles, in order of appearance."""
        people: dict[str, dict[str, None]] = {}
        for requirement in self.requirements:
            for example in requirement.examples:
                if example.request.person is not None:
                    roles = people.setdefault(example.request.person, {})
                    roles.update(dict.fromkeys(example.request.roles))
        return {person: tuple(roles) for person, roles in people.items()}
