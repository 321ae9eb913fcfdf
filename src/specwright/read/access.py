"""Who may do what: Role|Means, Who|Is, Who|May, and the moves and actions that grants speak of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specwright.model.field import Field, Filled, Shown
from specwright.model.grant import HAND_OVER, RESTORE, SEE_DELETED, Grant, Role, Who, WhoKind, WhoName
from specwright.model.names import field_problem, hint, name_problem, snake
from specwright.model.resource import Action, ActionParameter, Move, Resource
from specwright.model.types import Kind, Type
from specwright.read.cells import code, parts, plain
from specwright.read.expressions import Written, read_expression
from specwright.read.fieldtype import read_type
from specwright.read.mistakes import Mistakes
from specwright.read.outline import Table
from specwright.read.span import Span
from specwright.read.tables import lines
from specwright.read.vocabulary import EVERYTHING, FOREIGN_MAY, FOREIGN_WHO, LEVELS, LIMITS, MAY, WHO

_KINDS = {kind.value: kind for kind in (WhoKind.ANYONE, WhoKind.SIGNED_IN, WhoKind.OWNER)}
_ARROW = re.compile(r"\s*(?:→|->|=>)\s*")


@dataclass(frozen=True, slots=True)
class NamedCondition:
    """A row of a Who|Is table, with where its condition stands."""

    name: WhoName
    written: Written


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant, with where its words and conditions stand."""

    grant: Grant
    who: Span
    when: Written | None
    then: Written | None


class Subjects:
    """Everyone a Who cell can name."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        #: Where the roles stand that a role includes.
        self.included: dict[str, tuple[Span, ...]] = {}
        self.names: dict[str, NamedCondition] = {}
        #: Names whose condition is not understood: using them is no second mistake.
        self.broken: set[str] = set()

    def read_roles(self, table: Table, mistakes: Mistakes) -> None:
        """Take in a Role|Means table."""
        for line in lines(table, mistakes):
            cell = plain(line["Role"])
            if self._new(cell, "role", mistakes):
                included = tuple(map(plain, parts(line.get("Includes") or line.whole[0:0])))
                names = tuple(dict.fromkeys(part.text for part in included))
                self.roles[cell.text] = Role(cell.text, line["Means"].text, names, cell.origin)
                self.included[cell.text] = included

    def judge_roles(self, mistakes: Mistakes) -> None:
        """Refuse roles that include what is no role, or themselves; once all tables are read."""
        for name, included in self.included.items():
            for part in included:
                if part.text not in self.roles:
                    close = hint(part.text, self.roles, "Roles are")
                    mistakes.add(part, f'unknown role "{part.text}" in Includes.{close}')
                elif way := self._way(part.text, name):
                    said = " includes ".join((name, *way))
                    mistakes.add(part, f'a role cannot include itself: {said}. Leave "{part.text}" out')

    def _way(self, start: str, goal: str, seen: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The roles from one to another that it includes, at any depth; none where there is no way."""
        if start == goal:
            return (*seen, goal)
        role = self.roles.get(start)
        if role is None or start in seen:
            return ()
        ways = (self._way(each, goal, (*seen, start)) for each in role.includes)
        return next(filter(None, ways), ())

    def read_names(self, table: Table, mistakes: Mistakes) -> None:
        """Take in a Who|Is table."""
        for line in lines(table, mistakes):
            cell = plain(line["Who"])
            if not self._new(cell, "name", mistakes):
                continue
            if not line["Is"]:
                mistakes.add(cell, f'"{cell.text}" needs a condition in its Is cell, as `account == caller`')
            written = read_expression(line["Is"], mistakes)
            if written is None:
                self.broken.add(cell.text)
            else:
                self.names[cell.text] = NamedCondition(WhoName(cell.text, written.expr, cell.origin), written)

    def _new(self, cell: Span, what: str, mistakes: Mistakes) -> bool:
        problem = name_problem(cell.text) if cell else "it is missing"
        known = self.roles.get(cell.text) or (self.names[cell.text].name if cell.text in self.names else None)
        if problem is not None:
            mistakes.add(cell, f'"{cell.text}" cannot be a {what}: {problem}')
        elif cell.text in WHO:
            mistakes.add(cell, f'"{cell.text}" has its meaning already; call the {what} otherwise')
        elif known is not None:
            mistakes.add(cell, f'"{cell.text}" is declared already, at {known.origin}')
        else:
            return True
        return False

    def find(
        self, cell: Span, resource: Resource, mistakes: Mistakes, words: Sequence[str] = WHO
    ) -> Who | None:
        """Whom a word of a Who cell means for a resource; `words` of the language may stand there."""
        text = cell.text
        if text == WhoKind.OWNER:
            return Who(WhoKind.OWNER) if self._has_owner(cell, resource, mistakes) else None
        if text in words:
            return Who(_KINDS[text])
        if text in self.roles:
            return Who(WhoKind.ROLE, text)
        if text in self.names:
            return Who(WhoKind.NAMED, text)
        if text not in self.broken:
            known = [*words, *self.roles, *self.names]
            close = hint(FOREIGN_WHO.get(text.lower(), text), known, "Here can stand")
            mistakes.add(cell, f'unknown who "{text}".{close}')
        return None

    def find_limit(self, cell: Span, resource: Resource, mistakes: Mistakes) -> Who | None:
        """Whom a word of `readable by` or `writable by` means for a field of a resource."""
        if cell.text == WhoKind.ANYONE:
            mistakes.add(cell, "what is for anyone needs no limit: leave the rule out")
            return None
        return self.find(cell, resource, mistakes, LIMITS)

    def _has_owner(self, cell: Span, resource: Resource, mistakes: Mistakes) -> bool:
        if resource.owner is not None:
            return True
        owners = [field.name for field in resource.fields if field.filled is Filled.CALLER]
        if owners:
            mistakes.add(
                cell,
                f'"owner" is not clear: {" and ".join(owners)} of {resource.name} are both the caller. '
                "Name who is meant in a Who | Is table",
            )
        else:
            mistakes.add(
                cell,
                f'{resource.name} has no owner: no field has the rule "the caller". '
                "Add a row: owner | User | the caller",
            )
        return False


def read_grants(
    resource: Resource, table: Table, subjects: Subjects, mistakes: Mistakes, start: int
) -> list[GrantRow]:
    """The grants of a Who|May table, numbered from start."""
    found: list[GrantRow] = []
    fields = [known.name for known in resource.fields]
    for line in lines(table, mistakes):
        when = read_expression(line.get("When") or line.whole[0:0], mistakes, fields)
        then = read_expression(line.get("Then") or line.whole[0:0], mistakes, fields)
        actions = _actions(resource, line["May"], mistakes)
        if not line["Who"]:
            mistakes.add(
                line.whole,
                "who is missing: anyone, signed in, owner, a role, or a name from a Who | Is table",
            )
        for cell in parts(line["Who"]):
            who = subjects.find(plain(cell), resource, mistakes)
            if who is not None:
                grant = Grant(
                    id=f"{resource.id}.grant.{start + len(found)}",
                    who=who,
                    actions=actions,
                    when=when.expr if when is not None else None,
                    then=then.expr if then is not None else None,
                    may=line["May"].text,
                    origin=cell.origin,
                )
                found.append(GrantRow(grant, cell, when, then))
    return found


def _actions(resource: Resource, cell: Span, mistakes: Mistakes) -> tuple[str, ...]:
    own = [action.name for action in resource.actions]
    found: dict[str, None] = {}
    words = parts(cell)
    if not words:
        mistakes.add(cell, f"what they may is missing: {', '.join(MAY)}")
    for part in words:
        text = " ".join(plain(part).text.split())
        if text == "everything":
            found.update(dict.fromkeys(EVERYTHING))
        elif text.startswith("link "):
            _judge_link(resource, part, text.removeprefix("link "), mistakes)
            found[f"link {snake(text.removeprefix('link '))}"] = None
        elif text == "link":
            mistakes.add(part, '"link" names what is linked: link tags')
        elif text in (RESTORE, SEE_DELETED) and not resource.soft_delete:
            what = "restore" if text == RESTORE else "see"
            mistakes.add(part, f'{resource.name} has nothing to {what}: add the rule line "soft delete"')
        elif text in MAY:
            if text == HAND_OVER:
                _judge_hand_over(resource, part, mistakes)
            found[text] = None
        elif name_problem(text) is None and snake(text) in own:
            found[snake(text)] = None
        else:
            known = [*MAY, *own]
            close = hint(FOREIGN_MAY.get(text.lower(), text), known, "Here can stand")
            mistakes.add(part, f'unknown word "{text}" in May.{close}')
    return tuple(found)


def _judge_hand_over(resource: Resource, part: Span, mistakes: Mistakes) -> None:
    owner = resource.owner
    if owner is None or owner.built_in:
        mistakes.add(
            part,
            f"{resource.name} has no owner to hand over: it needs one field with the rule "
            '"the caller", as owner | User | the caller',
        )
        return
    kept = "immutable" if owner.immutable else owner.shown.value
    if owner.immutable or owner.shown is not Shown.BOTH:
        mistakes.add(part, f'"{owner.name}" of {resource.name} is {kept}, so nobody hands it over')


def _judge_link(resource: Resource, part: Span, name: str, mistakes: Mistakes) -> None:
    many = [field.name for field in resource.fields if field.type.kind is Kind.MANY]
    if snake(name) not in many:
        close = hint(name, many, "It has")
        mistakes.add(part, f'{resource.name} has no field "{name}" of a type "many …" to link.{close}')


def read_moves(
    resource: Resource, table: Table, subjects: Subjects, mistakes: Mistakes, start: int
) -> list[Move]:
    """The moves of a Field|Moves table, numbered from start."""
    found: list[Move] = []
    for line in lines(table, mistakes):
        cell = plain(line["Field"])
        field = resource.field(snake(cell.text)) if cell else None
        cells = parts(line.get("Who") or line.whole[0:0])
        who = tuple(known for part in cells if (known := subjects.find(plain(part), resource, mistakes)))
        if field is None:
            close = hint(cell.text, [known.name for known in resource.fields])
            mistakes.add(cell, f'{resource.name} has no field "{cell.text}" to move.{close}')
            continue
        if field.type.kind is not Kind.ENUM:
            if field.type.kind is not Kind.ANY:
                mistakes.add(cell, f'"{field.name}" is {field.type}; only a field of literals moves')
            continue
        if (problem := _immovable(field)) is not None:
            mistakes.add(cell, f'"{field.name}" of {resource.name} does not move: {problem}')
            continue
        for part in parts(line["Moves"]):
            ends = [plain(end) for end in part.split(_ARROW.pattern)]
            if len(ends) != 2:
                mistakes.add(part, f'"{part.text}" is no move: write `todo` → `doing`')
                continue
            unknown = [end for end in ends if end.text not in field.type.literals]
            for end in unknown:
                close = hint(end.text, field.type.literals, "It has")
                mistakes.add(end, f'"{end.text}" is not one of the literals of "{field.name}".{close}')
            if ends[0].text == ends[1].text:
                mistakes.add(part, f'"{part.text}" is no move: to stay is always allowed')
            elif not unknown:
                id_ = f"{resource.id}.move.{start + len(found)}"
                found.append(Move(id_, field.name, ends[0].text, ends[1].text, who, part.origin))
    return found


def _immovable(field: Field) -> str | None:
    """Why a field of literals cannot move."""
    if field.calculated:
        return "its value is computed"
    if field.immutable:
        return "it is immutable"
    if field.default is None:
        first = field.type.literals[0]
        return f"it needs the state that a new row begins in. Add the rule default `{first}`"
    return None


def read_actions(
    resource: Resource, table: Table, entities: Mapping[str, str], mistakes: Mistakes
) -> list[Action]:
    """The actions of an Action|Takes|Does table."""
    found: list[Action] = []
    for line in lines(table, mistakes):
        cell = plain(line["Action"])
        problem = name_problem(cell.text) if cell else "it is missing"
        if problem is None and (cell.text in MAY or cell.text in ("moves", *WHO)):
            problem = "the word has its meaning already"
        if problem is None and any(action.name == snake(cell.text) for action in (*resource.actions, *found)):
            problem = f"{resource.name} has that action already"
        if problem is not None:
            mistakes.add(cell, f'"{cell.text}" cannot name an action: {problem}')
            continue
        name = snake(cell.text)
        level = _level(line.get("On"), mistakes)
        parameters = tuple(_parameters(line["Takes"], entities, mistakes))
        found.append(
            Action(f"{resource.id}.action.{name}", name, level, parameters, line["Does"].text, cell.origin)
        )
    return found


def _level(cell: Span | None, mistakes: Mistakes) -> str:
    """Whether an action is one of a row, which goes without saying, or of all of them."""
    word = "row" if cell is None else plain(cell).text
    if cell is not None and word not in LEVELS:
        mistakes.add(cell, f'"{word}" is nothing to act on.{hint(word, tuple(LEVELS), "Here can stand")}')
    return LEVELS.get(word, "row")


def _parameters(cell: Span, entities: Mapping[str, str], mistakes: Mistakes) -> Sequence[ActionParameter]:
    found: list[ActionParameter] = []
    for part in parts(cell):
        inside = code(part) or part
        required = not inside.text.endswith(" optional")
        body = inside if required else inside[: -len(" optional")].strip()
        name, type_ = _name_and_type(body, entities)
        if type_ is None:
            mistakes.add(part, f'"{part.text}" is no parameter: write a name and a type, as hours integer')
        elif type_.kind is Kind.MANY:
            mistakes.add(
                part, f'"{name.text}" cannot be {type_}: an action takes values, and ids of single rows'
            )
        elif problem := field_problem(name.text, "value"):
            mistakes.add(name, f'"{name.text}" cannot name a parameter: {problem}')
        elif any(known.name == snake(name.text) for known in found):
            mistakes.add(name, f'"{name.text}" stands here twice')
        else:
            found.append(ActionParameter(snake(name.text), type_, required))
    return found


def _name_and_type(body: Span, entities: Mapping[str, str]) -> tuple[Span, Type | None]:
    for space in re.finditer(r"\s+", body.text):
        type_ = read_type(body[space.end() :], entities, Mistakes())
        if type_ is not None:
            return body[: space.start()], type_
    return body, None
