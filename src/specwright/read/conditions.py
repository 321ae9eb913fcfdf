"""Whether the expressions of a spec make sense, once all that they may speak of is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specwright.model.calculated import circle, weight
from specwright.model.expression import Path, walk
from specwright.model.grant import HAND_OVER
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.resource import Resource, Rule
from specwright.model.syntax import ExpressionError
from specwright.read.access import GrantRow, Subjects
from specwright.read.entities import Entity, FieldRow
from specwright.read.expressions import Written, judge_computed, judge_condition, judge_counted
from specwright.read.mistakes import Mistakes

#: Names, literals and operators that a calculated field takes, each time that one needs another.
_HEAVIEST = 1000


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is written."""

    rule: Rule
    written: Written


@dataclass(frozen=True, slots=True)
class Conditions:
    """Judges what is written in expressions: in fields, rules, grants, moves and names."""

    manifest: Manifest
    subjects: Subjects
    mistakes: Mistakes

    def judge(
        self,
        entities: Sequence[Entity],
        rules: Mapping[str, Sequence[RuleRow]],
        grants: Mapping[str, Sequence[GrantRow]],
    ) -> None:
        """Note every mistake; what needs a field that could not be read is let be."""
        broken = {row.field.name for entity in entities for row in entity.rows if row.broken}
        for entity in entities:
            resource = self.manifest.resource(entity.name)
            for row in entity.rows:
                if not row.broken:
                    self._calculated(resource, row, broken)
                uses = f'limits "{row.field.name}" of {resource.name}'
                for word in dict.fromkeys((*row.field.readable_by, *row.field.writable_by)):
                    self._named(resource, word, uses, broken)
            for name in dict.fromkeys(who.name for move in resource.moves for who in move.who):
                self._named(resource, name, f"moves {resource.name}", broken)
        for name, rows in rules.items():
            for rule in rows:
                judge_condition(
                    self.manifest, self.manifest.resource(name), rule.written, broken, self.mistakes
                )
        for name, granted in grants.items():
            resource = self.manifest.resource(name)
            judged: set[int] = set()
            for grant in granted:
                for written in (grant.when, grant.then):
                    if written is not None and id(written) not in judged:
                        judged.add(id(written))
                        judge_condition(self.manifest, resource, written, broken, self.mistakes)
                self._then(resource, grant)
                uses = f"is granted something on {resource.name}"
                self._named(resource, grant.grant.who.name, uses, broken)

    def _calculated(self, resource: Resource, row: FieldRow, broken: set[str]) -> None:
        """A calculated field must make sense, and must not be worked out from itself."""
        before = len(self.mistakes)
        aggregate = row.field.aggregate
        relation = None if aggregate is None else resource.relation(aggregate.relation)
        if aggregate is not None and relation is None:
            return
        if row.written is not None and relation is not None:
            target = self.manifest.resource(relation.target)
            judge_counted(self.manifest, target, row.written, broken, self.mistakes)
        elif row.written is not None:
            judge_computed(self.manifest, resource, row.written, row.field.type, broken, self.mistakes)
        if len(self.mistakes) > before or not row.field.calculated:
            return
        try:
            way = circle(self.manifest, resource, row.field)
            nodes = weight(self.manifest, resource, row.field)
        except ExpressionError:
            # Another field on the way is no better, and told where it stands.
            return
        if way:
            said = ", which needs ".join(f"{name}.{field}" for name, field in way)
            self.mistakes.add(row.name, f"a field cannot be computed from itself: {said}")
        elif nodes > _HEAVIEST:
            self.mistakes.add(
                row.name,
                f'"{row.field.name}" takes {nodes} steps to work out, with all that it needs; '
                f"there are at most {_HEAVIEST}",
            )

    def _then(self, resource: Resource, row: GrantRow) -> None:
        """What holds after handing over is judged together with the row before, so on the row itself."""
        then = row.grant.then
        if HAND_OVER not in row.grant.actions or then is None:
            return
        for node in walk(then):
            try:
                hops = resolve(self.manifest, resource, node).hops if isinstance(node, Path) else ()
            except ExpressionError:
                continue
            if any(hop.target == resource.name for hop in hops):
                self.mistakes.add(
                    row.who,
                    f'the Then of "{HAND_OVER}" leads to other rows of {resource.name}: '
                    "it can ask the row itself, and rows of other entities",
                )
                return

    def _named(self, resource: Resource, name: str, uses: str, broken: set[str]) -> None:
        """A name from a Who|Is table must make sense for each entity that uses it."""
        named = self.subjects.names.get(name)
        if named is None:
            return
        found = Mistakes()
        judge_condition(self.manifest, resource, named.written, broken, found)
        for mistake in found:
            self.mistakes.add(mistake.origin, f'"{name}" {uses}: {mistake.message}')
