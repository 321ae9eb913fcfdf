"""AZ03: a list shows, counts and finds nothing that is not the caller's to see."""

from collections.abc import AsyncIterator, Mapping

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.beneath import beneath, listed_beneath, on_row
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Collection, Operation, Reference

#: Parameters that look rows up by their words.
_SEARCHES = {"q", "query", "search", "term", "keyword", "filter", "title", "name"}
_WIDE = ("limit", "size", "page_size", "per_page")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner makes a row that nobody could guess; everybody looks for it in the list."""
    for collection in lab.surface.collections:
        for further in beneath(lab, collection, "GET"):
            listed = listed_beneath(lab.surface, collection, further)
            if listed is None:
                continue
            try:
                async for result in _below(lab, collection, further, *listed):
                    yield result
            except NotRun as why:
                yield CHECK.not_run(further, str(why), *why.probes)
        operation = collection.list
        if operation is None:
            continue
        try:
            row = await lab.fresh_row(collection, lab.people.owner)
            own = await _found(lab, operation, row, row.person)
            if own is None:
                # It may be on a later page: searched for, it has to come up.
                yield CHECK.not_run(operation, "its maker does not find it in the list", lab.probes[-1])
                continue
            for person in (*lab.people.ordinary, ANONYMOUS):
                if person is not row.person:
                    yield await _judged(lab, operation, row, person, own)
        except NotRun as why:
            yield CHECK.not_run(operation, str(why), *why.probes)


async def _below(
    lab: Lab, above: Collection, operation: Operation, listed: Collection, leading: Reference
) -> AsyncIterator[Result]:
    """The list of what refers to a row, beneath the key of that row: `/folders/{id}/files`."""
    parent = await lab.fresh_row(above, lab.people.owner)
    key = parent.body.get(parent.collection.member, parent.key)
    row = await lab.new_row(listed, parent.person, **{leading.member: [key] if leading.many else key})
    request = await on_row(lab, operation, parent)
    own = await request.sent(lab, parent.person)
    if not (own.succeeded and row.shown_in(own)):
        raise NotRun(f"its maker does not find a row of {listed.name} in it", own)
    for person in (*lab.people.ordinary, ANONYMOUS):
        if person is row.person:
            continue
        seen = await request.sent(lab, person)
        if not (seen.succeeded and row.shown_in(seen)):
            says = f"{person} sees no row of {listed.name} beneath {row.person}'s row of {above.name}"
            yield CHECK.proved(operation, says, own, seen, case=person.name)
            continue
        said = {
            lab.policy.may(person, operation, parent),
            lab.policy.may(person, listed.read or listed.list or operation, row),
        }
        if True in said:
            says = f"{person} sees {listed.name} beneath {above.name} as it is meant"
            yield CHECK.proved(operation, says, own, seen, case=person.name)
        elif False in said:
            says = f"{person} sees the rows of {listed.name} beneath {row.person}'s row of {above.name}"
            yield CHECK.broken(operation, says, own, seen, case=person.name)
        else:
            who = "anybody" if person.anonymous else "everybody who is signed in"
            question = f"{who} sees the {listed.name} of every row of {above.name}: is that meant?"
            yield CHECK.ask(operation, question, own, seen)


async def _judged(lab: Lab, operation: Operation, row: Row, person: Person, own: Probe) -> Result:
    name = row.collection.name
    meant = lab.policy.may(person, operation, row)
    leak = await _found(lab, operation, row, person)
    says = f"{person} sees {row.person}'s row in the list of {name}"
    if leak is None:
        leak = await _counted(lab, operation, row, person)
        says = f"the total that {person} is told counts {row.person}'s rows of {name}"
    if leak is None:
        says = f"{person} finds no row of {row.person} in the list of {name}"
        return CHECK.proved(operation, says, own, lab.probes[-1], case=person.name)
    if meant is False:
        return CHECK.broken(operation, says, own, leak, case=person.name)
    if meant is None:
        who = "anybody" if person.anonymous else "everybody who is signed in"
        return CHECK.ask(operation, f"{who} sees every row of {name}: is that meant?", leak)
    return CHECK.proved(operation, f"{person} sees {name} as it is meant", leak, case=person.name)


async def _found(lab: Lab, operation: Operation, row: Row, person: Person) -> Probe | None:
    """The answer that shows the row: the list as it is, then each way to search for the row's words."""
    for query in _queries(operation, row):
        probe = await lab.send(person, operation, row.place, query=query)
        if probe.succeeded and row.shown_in(probe):
            return probe
    return None


def _queries(operation: Operation, row: Row) -> list[Mapping[str, str]]:
    known = {parameter.name: parameter for parameter in operation.of("query")}
    widest = {name: str(known[name].schema.get("maximum", 100)) for name in _WIDE if name in known}
    words = [value for value in row.sent.values() if isinstance(value, str) and value]
    searches = [{name: words[0]} for name in known if name.lower() in _SEARCHES and words]
    return [{}, *([widest] if widest else []), *searches]


async def _counted(lab: Lab, operation: Operation, row: Row, person: Person) -> Probe | None:
    """The answer in which a number beside the rows grows when the owner makes one more."""
    before = await lab.send(person, operation, row.place)
    if not before.succeeded:
        return None
    await lab.new_row(row.collection, row.person)
    after = await lab.send(person, operation, row.place)
    earlier, later = _numbers(before), _numbers(after)
    grown = any(later.get(name) == number + 1 for name, number in earlier.items())
    return after if grown else None


def _numbers(probe: Probe) -> dict[str, int]:
    found = parse(probe)
    told = {name.lower(): value for name, value in probe.answer_headers}
    numbers = {"x-total-count": int(told["x-total-count"])} if told.get("x-total-count", "").isdigit() else {}
    if isinstance(found, dict):
        numbers |= {name: value for name, value in found.items() if type(value) is int}
    return numbers


CHECK = Check(
    id="AZ03",
    name="list leak",
    sentence="No list, count or search shows a row that is not the caller's to see.",
    severity=3,
    references=("OWASP API1:2023", "ASVS 8.2.2", "CWE-200"),
    remedy="Put the caller into the WHERE of the list, of its count and of its search alike.",
    run=run,
)
