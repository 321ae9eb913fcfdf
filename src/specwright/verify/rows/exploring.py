"""What an app shows of itself when two equals use it: the form of its answers, and whose its rows are."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.people.people import Person
from specwright.verify.policy.meant import FRAMEWORK, Shown
from specwright.verify.rows.making import RowMaker
from specwright.verify.surface.collections import listed
from specwright.verify.surface.surface import Collection

_A_FEW = 5

#: How members are called that say whose a row is. A bare number says so under such a name alone.
_OWNING = re.compile(
    r"owner|user|author|creator|created_?by|customer|account|member|person|patient|seller|buyer|sender", re.I
)
#: Members by which rows say what they are, not whose.
_NOT_OWNING = frozenset({"id", "uuid", "slug", "key"})


async def explore(lab: Lab, maker: RowMaker) -> dict[str, Shown]:
    """Make a row of each kind, look at it as another, and complete the collections with what is seen.

    The lab's surface is another one afterwards.
    """
    shown: dict[str, Shown] = {}
    if not lab.surface.collections:
        await _look_around(lab)
    for collection in lab.surface.collections:
        try:
            row = await lab.row(collection, lab.people.owner)
        except NotRun:
            continue
        found = await _with_list(lab, row)
        collections = tuple(found if each.name == found.name else each for each in lab.surface.collections)
        lab.surface = maker.surface = replace(lab.surface, collections=collections)
        row = replace(row, collection=found)
        if not lab.people.missing:
            shown[found.name] = Shown(await _private(lab, row), owns(row.person, row.body))
    return shown


async def _look_around(lab: Lab) -> None:
    """Ask for a few of the pages that need nothing, so that something is known of the answers."""
    pages = (each for each in lab.surface.operations if each.method == "GET" and "{" not in each.path)
    for page in islice((each for each in pages if each.name not in FRAMEWORK), _A_FEW):
        await lab.send(lab.people.owner, page)


async def _with_list(lab: Lab, row: Row) -> Collection:
    """The collection, with where its list has the rows."""
    collection = row.collection
    if collection.list is None:
        return collection
    answer = parse(await lab.send(row.person, collection.list, row.place))
    if isinstance(answer, list):
        return replace(collection, items="")
    if not isinstance(answer, Mapping) or isinstance(answer.get(collection.items), list):
        return collection
    shape = {name: {"type": "array"} if isinstance(each, list) else {} for name, each in answer.items()}
    return replace(collection, items=listed({"properties": shape}, collection.name) or "")


async def _private(lab: Lab, row: Row) -> bool:
    """Whether the stranger is kept from the row, in the list or by its key, and its maker is not."""
    stranger = lab.people.stranger
    collection = row.collection
    if collection.read is not None and (await lab.read(row)).succeeded:
        seen = await lab.read(row, stranger)
        if seen.refused:
            return True
    if collection.list is None or collection.above in row.place:
        return False
    own = await lab.send(row.person, collection.list, row.place)
    theirs = await lab.send(stranger, collection.list, row.place)
    return own.succeeded and row.shown_in(own) and theirs.succeeded and not row.shown_in(theirs)


def owns(person: Person, body: Mapping[str, Any]) -> bool:
    """Whether a row names the person: a member, or one of an inner object, that is what they are known as."""
    for name, value in body.items():
        inner = value if isinstance(value, Mapping) else {name: value}
        for within, each in inner.items():
            named = _OWNING.search(name) is not None
            if within in _NOT_OWNING and not named:
                continue
            if (
                isinstance(each, int)
                and not isinstance(each, bool)
                and named
                and str(each) in person.known_as
            ):
                return True
            if isinstance(each, str) and (named or not each.isdecimal()) and each in person.known_as:
                return True
    return False
