"""What is on record of the requests that are sent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from specwright.loopback import serving
from specwright.verify.inside import MARK, Observed
from specwright.verify.lab import Lab
from specwright.verify.people.people import People, Person
from specwright.verify.policy.meant import Meant
from specwright.verify.rows.bodies import Bodies
from specwright.verify.rows.making import RowMaker
from specwright.verify.surface.surface import Operation, Surface

pytestmark = pytest.mark.anyio

_READ = Operation("GET", "/notes")
_ADA, _BOB = (Person(name, headers={"x-key": name}) for name in ("ada", "bob"))


class _Inside:
    """Says of each request which mark it carried, and never dies."""

    async def observed(self, mark: str) -> Observed:
        return Observed(statements=(mark,))

    async def death(self) -> str:
        return ""


async def _answer(request: Request) -> Response:
    return Response(request.headers[MARK])


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    surface = Surface((_READ,))
    maker = RowMaker(surface, Bodies(Random(0)))
    inside: Any = _Inside()
    with serving(Starlette(routes=[Route("/notes", _answer)])) as base:
        async with httpx2.AsyncClient(trust_env=False) as client:
            people = People(_ADA, _BOB)
            yield Lab(base, surface, people, maker, Meant(surface), client, inside=inside)


async def test_requests_under_way_together_have_marks_of_their_own(lab: Lab) -> None:
    """What the app did meanwhile is told of the one that did it, in whatever order they are answered."""
    many = lab.at_once([lab.request(_ADA, _READ)] * 5)
    answers, *single = await asyncio.gather(many, *(lab.send(_BOB, _READ) for _ in range(5)))
    assert all(probe.text == probe.mark for probe in (*answers, *single))
    assert all(probe.statements == (probe.mark,) for probe in single)
    assert len({probe.mark for probe in lab.probes}) == len(lab.probes) == 10


async def test_coverage_knows_people_and_no_forged_names(lab: Lab) -> None:
    """A forged credential that is taken is a finding; nobody has used the operation with it."""
    await lab.send(replace(_BOB, name="bob by a token that has expired"), _READ)
    assert lab.coverage() == {"GET /notes": ()}
    await lab.send(_ADA, _READ)
    assert lab.coverage() == {"GET /notes": ("ada",)}
