"""The Rules cell of a field: each rule read, then judged with its type and its neighbours."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from specwright.model.expression import Expr
from specwright.model.field import Aggregate, Bounds, Field, Filled, OnDelete, Shown
from specwright.model.names import hint, snake
from specwright.model.pattern import PatternError, canonical
from specwright.model.types import ANY, TEXT_KINDS, Kind, Type
from specwright.read.cells import expression_text, parts
from specwright.read.literal import looks_like_bounds, read_bounds, read_default
from specwright.read.mistakes import Mistakes
from specwright.read.span import Span
from specwright.read.vocabulary import FOREIGN_RULES, ON_DELETE, PLAIN_RULES, RULES, RULES_WITH_VALUE

BOUNDS = "a..b"
COMPUTED = "= expr"
#: The rules that make one value of many rows.
AGGREGATES = ("count of", "sum of")

_WHERE = re.compile(r"\s+where(?=\s|`|$)")

_CONTRADICTIONS = (
    ("required", "default", "required means it must be sent, and a default that it may be left out"),
    ("required", "the caller", "it is set from the caller, so nobody has to send it"),
    ("required", "now", "it is set by us, so nobody has to send it"),
    ("required", "read only", "it must be sent, and may not be"),
    ("required", "hidden", "it must be sent, and may not be"),
    ("default", "the caller", "it is always set from the caller"),
    ("default", "now", "it is always set to the present moment"),
    ("the caller", "now", "it has one value"),
    ("read only", "write only", "it would cross in no direction: write hidden"),
    ("read only", "hidden", "hidden is enough"),
    ("write only", "hidden", "hidden is enough"),
    ("read only", "writable by", "it is never written"),
    ("hidden", "readable by", "it is never read"),
    ("hidden", "writable by", "it is never written"),
    ("write only", "readable by", "it is never read"),
    ("write only", "searchable", "a search would tell what it holds"),
    ("hidden", "searchable", "a search would tell what it holds"),
    ("readable by", "searchable", "a search would tell the others what it holds"),
    ("write only", "unique", "a conflict would tell what it holds"),
    ("write only", "unique per", "a conflict would tell what it holds"),
    ("unique", "unique per", "what is unique is unique per anything"),
    ("unique", "indexed", "what is unique is indexed"),
    ("count of", "sum of", "it has one value"),
)
#: What may stand beside a rule that computes the value, and on a relation to many.
_BESIDE_COMPUTED = frozenset({COMPUTED, "count of", "sum of", "readable by", "hidden", "was"})
_BESIDE_MANY = frozenset({"was"})


@dataclass(slots=True)
class FieldRules:
    """The rules of one field as read; `places` keeps where each stands."""

    places: dict[str, Span] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def __contains__(self, rule: str) -> bool:
        return rule in self.places


class RuleReader:
    """Reads the Rules cell of one field."""

    def __init__(self, name: str, type_: Type | None, mistakes: Mistakes) -> None:
        self.name = name
        self.type = type_
        self.mistakes = mistakes
        self.rules = FieldRules()
        self.readers: dict[str, Callable[[Span], Any]] = {
            "unique per": self.fields,
            "matches": self.pattern,
            "default": lambda rest: read_default(rest, self.type, self.mistakes),
            "readable by": self.roles,
            "writable by": self.roles,
            "on delete": self.on_delete,
            "was": lambda rest: snake(rest.text),
            "count of": _aggregated,
            "sum of": _aggregated,
        }

    def read(self, cell: Span) -> FieldRules:
        """Every rule of the cell."""
        for part in parts(cell):
            self.rule(part)
        self.judge()
        return self.rules

    def rule(self, part: Span) -> None:
        text = " ".join(part.text.split())
        if not text:
            self.mistakes.add(part, f'an empty rule in field "{self.name}": a comma too many')
        elif part.text.startswith("=") or part.text.startswith("`="):
            self.computed(part)
        elif looks_like_bounds(text):
            if self.once(BOUNDS, part) and (bounds := read_bounds(part, self.type, self.mistakes)):
                self.rules.values[BOUNDS] = bounds
        elif text in PLAIN_RULES:
            self.once(text, part)
        else:
            self.with_value(part, text)

    def with_value(self, part: Span, text: str) -> None:
        for rule in RULES_WITH_VALUE:
            opening = re.match(re.escape(rule).replace(r"\ ", r"\s+") + r"(?=\s|$|[`/])", part.text)
            if opening is None:
                continue
            rest = part[opening.end() :].strip()
            if not rest:
                self.mistakes.add(part, f'"{rule}" in field "{self.name}" needs a word more: {_FORMS[rule]}')
            elif rule in ("readable by", "writable by") and rule in self.rules:
                self.rules.values[rule] = (*self.rules.values[rule], *self.roles(rest))
            elif self.once(rule, part):
                value = self.readers[rule](rest)
                if value is not None:
                    self.rules.values[rule] = value
            return
        way_out = _way_out(text)
        limit = next((rule for rule in reversed(self.rules.places) if rule.endswith(" by")), None)
        if limit is not None and next(reversed(self.rules.places)) == limit:
            *_, last = self.rules.values.get(limit, (part,))
            way_out = f' Several are joined by "and": {limit} {last.text} and {text}'
        self.mistakes.add(part, f'unknown rule "{text}" in field "{self.name}".{way_out}')

    def once(self, rule: str, part: Span) -> bool:
        if rule in self.rules:
            self.mistakes.add(part, f'the rule "{rule}" stands twice in field "{self.name}"')
            return False
        self.rules.places[rule] = part
        return True

    def computed(self, part: Span) -> None:
        inside = part[1:-1] if part.text.startswith("`=") and part.text.endswith("`") else part
        text = expression_text(inside.without_prefix("="), self.mistakes)
        if self.once(COMPUTED, part) and text is not None:
            self.rules.values[COMPUTED] = text

    def fields(self, rest: Span) -> tuple[Span, ...]:
        return tuple(rest.split(r"\s+and\s+"))

    def roles(self, rest: Span) -> tuple[Span, ...]:
        return tuple(rest.split(r"\s+(?:and|or)\s+"))

    def on_delete(self, rest: Span) -> OnDelete | None:
        if rest.text in ON_DELETE:
            return OnDelete(rest.text)
        close = hint(rest.text, ON_DELETE, "Choose from")
        self.mistakes.add(rest, f'unknown choice "{rest.text}" of on delete in field "{self.name}".{close}')
        return None

    def pattern(self, rest: Span) -> str | None:
        body = rest[1:-1] if len(rest.text) > 1 and rest.text[0] == rest.text[-1] == "`" else rest
        if len(body.text) < 2 or not body.text.startswith("/") or not body.text.endswith("/"):
            self.mistakes.add(
                rest, "a pattern stands between two slashes: matches /…/. A | in it is written \\|"
            )
            return None
        body = body[1:-1]
        try:
            return canonical(body.text)
        except PatternError as error:
            self.mistakes.add(
                body.at(error.column - 1), f'the pattern of field "{self.name}": {error.message}'
            )
            return None

    def judge(self) -> None:
        places = self.rules.places
        for one, other, reason in _CONTRADICTIONS:
            if one in places and other in places:
                later = max(places[one], places[other], key=lambda place: place.columns[0])
                self.mistakes.add(
                    later, f'"{one}" and "{other}" contradict each other in field "{self.name}": {reason}'
                )
        if self.type is not None:
            for rule, place in places.items():
                problem = _misfit(rule, self.type, self.rules)
                if problem is not None:
                    self.mistakes.add(place, f'"{rule}" does not go with field "{self.name}": {problem}')
        never_empty = "required" in places or "the caller" in places
        if never_empty and self.rules.values.get("on delete") is OnDelete.CLEAR:
            self.mistakes.add(
                places["on delete"],
                f'"on delete clear" would empty field "{self.name}", which is never empty. '
                "Choose cascade or refuse",
            )
        self.judge_default()

    def judge_default(self) -> None:
        literal = self.rules.values.get("default")
        if literal is None:
            return
        place, value = self.rules.places["default"], literal.value
        bounds = self.rules.values.get(BOUNDS)
        if bounds is not None:
            measure = len(value) if isinstance(value, str | list) else value
            below = bounds.least is not None and measure < bounds.least
            above = bounds.most is not None and measure > bounds.most
            if below or above:
                written = self.rules.places[BOUNDS].text
                self.mistakes.add(place, f'the default of field "{self.name}" is not within {written}')
        pattern = self.rules.values.get("matches")
        if pattern is not None and isinstance(value, str) and not re.fullmatch(pattern, value):
            self.mistakes.add(place, f'the default of field "{self.name}" does not match its pattern')


_FORMS = {
    "unique per": "unique per FIELD",
    "matches": "matches /…/",
    "default": "default VALUE",
    "readable by": "readable by WHO",
    "writable by": "writable by WHO",
    "on delete": "on delete cascade|clear|refuse",
    "was": "was OLD_NAME",
    "count of": "count of RELATION, or count of RELATION where `CONDITION`",
    "sum of": "sum of RELATION.FIELD, or sum of RELATION.FIELD where `CONDITION`",
}


_LENGTH = re.compile(r"(max|min)\D*(\d+)|(\d+)\s*[-–]\s*(\d+)", re.IGNORECASE)


def _way_out(text: str) -> str:
    """What was probably meant by an unknown rule, or all rules there are."""
    if text.count("`") % 2:
        return " A backtick is missing. A | inside a cell is written \\|"
    if text.lower() in ("optional", "nullable", "null"):
        return ' Leave it out: a field without "required" may be empty'
    if bounds := _LENGTH.match(text):
        end, number, least, most = bounds.groups()
        written = f"{least}..{most}" if least else f"..{number}" if end.lower() == "max" else f"{number}.."
        return f' Did you mean "{written}"?'
    known = [*RULES, BOUNDS, *(f"on delete {choice}" for choice in ON_DELETE)]
    words = text.split()
    for guess in (FOREIGN_RULES.get(text.lower(), text), " ".join(words[:2]), words[0]):
        if close := hint(guess, known):
            return close
    return f" Rules are {', '.join((*PLAIN_RULES, BOUNDS, *_FORMS.values(), '= `expression`'))}"


def _misfit(rule: str, type_: Type, rules: FieldRules) -> str | None:
    """Why a rule does not go with the type of its field."""
    computes = next((word for word in (COMPUTED, *AGGREGATES) if word in rules), None)
    if type_.kind is Kind.MANY and rule not in _BESIDE_MANY:
        return f"{type_} is a relation and stores nothing here"
    if computes is not None and rule not in _BESIDE_COMPUTED:
        return "its value is computed"
    match rule:
        case "= expr" if type_.kind in (Kind.REFERENCE, Kind.LIST, Kind.JSON):
            return f"a computed value is one value of its own, and it is {type_}"
        case "searchable" if type_.kind not in TEXT_KINDS - {Kind.ENUM}:
            return f"only text can be searched, and it is {type_}"
        case "matches" if type_.kind not in TEXT_KINDS - {Kind.ENUM}:
            return f"only text has a pattern, and it is {type_}"
        case "the caller" if type_.target != "User" or type_.kind is not Kind.REFERENCE:
            return f"the caller is a User, and it is {type_}"
        case "now" if type_.kind is not Kind.TIMESTAMP:
            return f"the present moment is a timestamp, and it is {type_}"
        case "on delete" if type_.kind is not Kind.REFERENCE:
            return f"only a reference has a target to delete, and it is {type_}"
        case "unique" | "unique per" if type_.kind in (Kind.JSON, Kind.LIST):
            return f"{type_} cannot be compared"
        case "count of" if type_.kind is not Kind.INTEGER:
            return f"a count is an integer, and it is {type_}"
        case "sum of" if type_.kind not in (Kind.INTEGER, Kind.NUMBER):
            return f"a sum is a number, and it is {type_}"
    return None


def _aggregated(rest: Span) -> tuple[Span, Span | None]:
    """What is counted or summed, and the condition on it, where there is one."""
    found = _WHERE.search(rest.text)
    if found is None:
        return rest, None
    return rest[: found.start()].strip(), rest[found.end() :].strip()


def build_field(
    name: str,
    type_: Type | None,
    rules: FieldRules,
    derived: Expr | Aggregate | None,
    means: str,
    at: Span,
) -> Field:
    """The field that the rules describe; its ids and stored names are given by `complete`."""
    values = rules.values
    shown = next((choice for choice in Shown if choice.value in rules), Shown.BOTH)
    filled = next((choice for choice in Filled if choice.value in rules), None)
    return Field(
        id="",
        name=name,
        wire=name,
        column=name,
        type=type_ or ANY,
        required="required" in rules,
        default=values.get("default"),
        filled=filled,
        bounds=values.get(BOUNDS, Bounds()),
        pattern=values.get("matches"),
        unique="unique" in rules or "unique per" in rules,
        unique_per=tuple(snake(other.text) for other in values.get("unique per", ())),
        indexed="indexed" in rules,
        searchable="searchable" in rules,
        shown=shown,
        immutable="immutable" in rules,
        readable_by=tuple(dict.fromkeys(role.text for role in values.get("readable by", ()))),
        writable_by=tuple(dict.fromkeys(role.text for role in values.get("writable by", ()))),
        on_delete=values.get("on delete"),
        was=values.get("was"),
        computed=None if isinstance(derived, Aggregate) else derived,
        aggregate=derived if isinstance(derived, Aggregate) else None,
        means=means,
        origin=at.origin,
    )
