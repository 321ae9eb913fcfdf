"""A serving process takes its order word by word."""

import socket
from pathlib import Path

import pytest

from specwright.cli.worker import Order, Worker

pytestmark = pytest.mark.anyio


async def test_other_specs_than_those_of_the_order_are_not_served(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Specs saved after the migration keep the process from starting: the database is not theirs yet."""
    spec = tmp_path / "specs" / "notes" / "spec.md"
    spec.parent.mkdir(parents=True)
    spec.write_text("# Notes\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = await Worker.start(listener)
        order = Order(tmp_path, {"ENVIRONMENT": "development"}, digest="of what was there before")
        assert not await worker.serve(order)
        assert await worker.ended() == 1
        await worker.stop()
    assert capfd.readouterr().err == "The specs were saved again meanwhile.\n"
