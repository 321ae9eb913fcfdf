"""The process that serves: started warm by the supervisor, it waits for its order and then runs one backend.

Called as `python -m specwright.cli.server SOCKET REPORT`, two inherited file descriptors. Its order is one
line of JSON on standard input; the end of that input means that the supervisor is gone.
"""

import asyncio
import gc
import importlib
import json
import logging
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn

# What takes long to import is imported before there is anything to serve.
from specwright import logs
from specwright.api.connection import server_options
from specwright.app import Backend
from specwright.model.errors import SpecwrightError
from specwright.read.project import spec_digest
from specwright.settings import Settings

#: What the supervisor reads: this process answers requests; this process takes no more of them.
READY, CLOSED = b"1", b"0"

#: Seconds in which connections that were just accepted still get their request answered.
_GRACE = 0.3


class Server(uvicorn.Server):
    """Uvicorn, which tells its supervisor where it stands and lets no accepted connection down."""

    def __init__(self, config: uvicorn.Config, report: int) -> None:
        super().__init__(config)
        self._report = report

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell the supervisor; stop when it is gone."""
        await super().startup(sockets)
        # What was made until now stays: a full collection that walks through all of it would stop every
        # request for a tenth of a second.
        gc.collect()
        gc.freeze()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._orphaned)
        os.write(self._report, READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, answer what is on its way, then stop.

        The listening socket stays open in the supervisor, so that new connections wait for the next process.
        """
        for server in self.servers:
            server.close()
        with suppress(OSError):
            os.write(self._report, CLOSED)
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(_GRACE)
        await super().shutdown(sockets)

    def _orphaned(self) -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self.should_exit = True


def load(root: Path) -> Any:
    """The ASGI application of a project: `app` in its `app/main.py`, else what its specs alone make.

    Raises:
        SpecwrightError: the project cannot be served; besides, whatever `app/main.py` raises.
    """
    os.chdir(root)
    sys.path.insert(0, str(root))
    if not (root / "app" / "main.py").is_file():
        return Backend(root).app
    module = importlib.import_module("app.main")
    if not hasattr(module, "app"):
        raise SpecwrightError("app/main.py has no `app`: end it with app = backend.app.")
    return module.app


def _same_specs(root: Path, digest: str | None) -> None:
    """Refuse specs that are not those of the order: the database was not brought to them."""
    if digest not in (None, spec_digest(root)):
        raise SpecwrightError("The specs were saved again meanwhile.")


def main() -> None:
    """Wait for the order, then serve until told to stop."""
    listener, report = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    line = sys.stdin.buffer.readline()
    if not line:
        return
    order = json.loads(line)
    root = Path(order["root"])
    os.environ.update(order["environment"])
    try:
        settings = Settings.load(root)
        logs.configure(development=settings.environment == "development", level=settings.log_level)
        # Uvicorn's steps of starting and stopping are the supervisor's news.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        _same_specs(root, order["digest"])
        app = load(root)
        _same_specs(root, order["digest"])
    except SpecwrightError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        **server_options(settings),
        timeout_graceful_shutdown=order["patience"],
    )
    Server(config, report).run(sockets=[listener])


if __name__ == "__main__":
    main()
