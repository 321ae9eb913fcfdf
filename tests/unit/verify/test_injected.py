"""What IN01 has seen is not told again by IV01."""

from types import SimpleNamespace
from typing import cast

from specwright.verify.checks.in01_injection import injected
from specwright.verify.lab import Lab
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Operation


def test_a_parameter_that_came_into_a_statement_is_known() -> None:
    """And no other parameter, nor that of another operation."""
    files, notes = Operation("GET", "/files"), Operation("GET", "/notes")
    spoken = ("SELECT id FROM files ORDER BY zq7f3a LIMIT $1",)
    probes = [
        Probe(ANONYMOUS, "GET", "/files?sort=zq7f3a", status=500, statements=spoken, operation=files),
        Probe(ANONYMOUS, "GET", "/files?q=zq7f3a", statements=("SELECT $1",), operation=files),
        Probe(ANONYMOUS, "GET", "/notes?q=zq7f3a", operation=notes),
    ]
    lab = cast(Lab, SimpleNamespace(probes=probes))
    assert injected(lab, files) == ("sort",)
    assert injected(lab, notes) == ()
