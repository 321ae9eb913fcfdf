"""F18: clocks that do not agree. Only the difference counts, so it is the issuer's clock that is moved."""

import asyncio
import time

import pytest

from faults.servers import App
from specwright.auth.token import LEEWAY

pytestmark = pytest.mark.anyio

HOUR = 3600


@pytest.mark.parametrize(
    ("ahead", "lifetime", "status"),
    [
        (0, HOUR, 200),
        # Two hours behind: what it issues now has long expired.
        (-2 * HOUR, HOUR, 401),
        # Two hours behind, and valid for three.
        (-2 * HOUR, 3 * HOUR, 200),
        # Two hours ahead: not valid yet.
        (2 * HOUR, HOUR, 401),
        # Within a minute of each other: clocks drift. Beyond it, they are wrong.
        (-HOUR - 20, HOUR, 200),
        (-HOUR - 90, HOUR, 401),
        (90, HOUR, 401),
    ],
)
async def test_an_issuer_with_another_clock(app: App, ahead: int, lifetime: int, status: int) -> None:
    """`exp` and `nbf` are honoured with at most a minute of leeway."""
    issued = int(time.time()) + ahead
    person = app.person("skewed", iat=issued, nbf=issued, exp=issued + lifetime)
    assert (await person.told("GET", "/notes")).status == status


async def test_a_token_that_was_good_expires(app: App) -> None:
    """Remembering who a token stands for does not outlast the token."""
    assert LEEWAY <= 60
    over = int(time.time()) + 3
    person = app.person("brief", exp=over - LEEWAY)
    assert (await person.told("GET", "/notes")).status == 200
    await asyncio.sleep(over + 1 - time.time())
    assert (await person.told("GET", "/notes")).status == 401
