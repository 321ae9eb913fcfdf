"""A resource: one entity with its fields, and everything that is granted, ruled and done there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from specwright.model.errors import NO_ORIGIN, Origin
from specwright.model.expression import Compare, Expr, Literal, Path, all_of
from specwright.model.field import DELETED, Field, Filled
from specwright.model.grant import ACTIONS, HAND_OVER, LINK, MOVE, RESTORE, SEE_DELETED, TO, Grant, Who
from specwright.model.relation import Relation
from specwright.model.types import Type


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
