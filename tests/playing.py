"""Apps on a stage, spoken to from tests that are not asynchronous themselves."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from specwright.db.url import Dsn
from specwright.verify.inside import MARK, Observed
from specwright.verify.stage.stage import Stage, staged

APPS = Path(__file__).parent / "integration" / "verify" / "stage" / "apps"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, and what went on meanwhile."""

    status: int
    body: Any
    inside: Observed


class Play:
    """An app on a stage, and a client of it."""

    def __init__(self, stage: Stage, portal: BlockingPortal) -> None:
        self.stage = stage
        #: The event loop of the stage, from outside.
        self.portal = portal
        self._marks = itertools.count()

    def __call__(self, method: str, path: str, json: Any = None, patience: float = 20) -> Seen:
        mark = str(next(self._marks))
        answer = httpx2.request(
            method, self.stage.base + path, json=json, headers={MARK: mark}, timeout=patience
        )
        body = answer.json() if "json" in answer.headers.get("content-type", "") else answer.text
        return Seen(answer.status_code, body, self.portal.call(self.stage.observed, mark))

    def wait(self) -> None:
        """Wait for the end of the process."""
        while self.stage.alive:
            time.sleep(0.01)

    def restart(self) -> None:
        """A new process."""
        self.portal.call(self.stage.restart)

    def observed(self, mark: str) -> Observed:
        """What was seen for a mark, the number of the request."""
        return self.portal.call(self.stage.observed, mark)

    def everything(self) -> Observed:
        """What was seen since the start."""
        return self.portal.call(self.stage.everything)


@contextmanager
def playing(
    target: str,
    folder: Path = APPS,
    environment: Mapping[str, str] | None = None,
    prepare: Sequence[str] | None = None,
    database: Dsn | None = None,
) -> Iterator[Play]:
    """An app on a stage."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(staged(target, folder, environment, prepare, database)) as stage,
    ):
        yield Play(stage, portal)
