"""The pairs of twins in `tests/broken`: every second, from the second on."""

import pytest

from twins import PAIRS, Twins


@pytest.mark.parametrize("pair", PAIRS[1::2], ids=lambda pair: pair.name)
class TestTwins(Twins):
    """Each of them is asked what `Twins` asks."""
