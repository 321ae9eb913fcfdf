"""The access matrix: what each person may do to the rows of each resource, tried and judged cell by cell.

What a request must come to is the judge's word, on the rows that are stored before it; what it has come to is
read from the answer and from the rows that are stored after it, past the app.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from specwright.model.interpret import World
from specwright.model.resource import Resource
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import Person
from specwright.verify.policy.granted import Granted, resource_at
from specwright.verify.policy.scene import Act, Scene, Try, Whose
from specwright.verify.result import Probe, Result, Standing
from specwright.verify.surface.surface import Collection

#: Stands between the parts of a cell's name.
_BETWEEN = " · "
_REFUSALS = (401, 403, 404)


def cell(resource: Resource, act: str, person: Person) -> str:
    """The name of a cell."""
    return _BETWEEN.join((resource.path, act, person.name))


def told(results: Sequence[Result]) -> str:
    """How many cells are proved: "84 of 84 cells proved (4 resources × 7 actions × 3 people)"; "" of none."""
    cells = [result for result in results if result.case.count(_BETWEEN) == 2]
    if not cells:
        return ""
    proved = sum(result.standing is Standing.PROVED for result in cells)
    parts = [result.case.split(_BETWEEN) for result in cells]
    resources, acts, people = (len({part[place] for part in parts}) for place in range(3))
    return f"{proved} of {len(cells)} cells proved ({resources} resources × {acts} actions × {people} people)"


@dataclass
class Stage:
    """Whom and what the cells are tried with: a row serves until something was done to it."""

    lab: Lab
    granted: Granted
    _rows: dict[tuple[str, str], Row | NotRun] = field(default_factory=dict)

    async def scenes(self, act: Act, about: Collection) -> AsyncIterator[Scene | NotRun]:
        """Each person before a row for an act, or why there is none."""
        resource = resource_at(self.granted.manifest, about.operations[0].path)
        assert resource is not None, "only collections of the spec have acts"
        for person in self.lab.people.everybody:
            row = await self._row(about, self._makers(act, person))
            if isinstance(row, NotRun):
                yield row
            else:
                yield Scene(self.lab, self.granted, resource, about, person, row)

    def wear(self, row: Row) -> None:
        """Take a row out of use."""
        self._rows = {place: known for place, known in self._rows.items() if known is not row}

    def _makers(self, act: Act, person: Person) -> list[Person]:
        """Whose row it is to be, and whose else where they can make none."""
        people = self.lab.people
        anybody = [people.owner, *people.others, people.stranger]
        if act.whose is Whose.OWN and not person.anonymous:
            return [person, *anybody]
        return [*people.others, *anybody] if act.whose is Whose.ANOTHERS else anybody

    async def _row(self, about: Collection, makers: Sequence[Person]) -> Row | NotRun:
        why: NotRun | None = None
        for person in makers:
            place = about.name, person.name
            if place not in self._rows:
                try:
                    self._rows[place] = await self.lab.new_row(about, person)
                except NotRun as reason:
                    self._rows[place] = reason
            found = self._rows[place]
            if isinstance(found, Row):
                return found
            why = why or found
        assert why is not None, "the owner was asked"
        return why


async def judged(scene: Scene, tried: Try) -> tuple[str, Probe]:
    """What is wrong with what a request comes to, "" where nothing is; and the request.

    Raises:
        NotRun: it was refused for something that no grant says.
    """
    before = scene.world
    # Whatever the version is: that is another question than who may.
    versions = {"if-match": "*"} if scene.resource.if_match_required else {}
    probe = await scene.lab.send(
        scene.person, tried.operation, tried.place, query=tried.query, json=tried.json, headers=versions
    )
    after = scene.world
    if probe.succeeded:
        if not tried.due.allowed:
            return f"{scene.person} may not, and is answered {probe.status}", probe
        found = tried.wrong(probe, after)
        return (found if isinstance(found, str) else await found), probe
    changed = next(_changed(before, after), None)
    if changed is not None:
        return f"{scene.person} is answered {probe.status}, and rows of {changed} have changed", probe
    if tried.due.allowed and not tried.depends and probe.status in _REFUSALS:
        return f"{scene.person} may, and is answered {probe.status}", probe
    if tried.due.allowed:
        raise NotRun(f"{scene.person} may, and is answered {probe.status} for another reason", probe)
    if tried.due.status in _REFUSALS and probe.status != tried.due.status:
        return f"{scene.person} is answered {probe.status} instead of {tried.due.status}", probe
    return "", probe


def _changed(before: World, after: World) -> Iterator[str]:
    """The entities whose rows are not what they were."""
    for name, rows in after.rows.items():
        if sorted(map(repr, rows)) != sorted(map(repr, before.rows.get(name, ()))):
            yield name
