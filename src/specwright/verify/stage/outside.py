"""In the app's process: what stands around the app, tells requests apart and hears its last words."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from specwright.verify.stage.record import Record, mark
from specwright.verify.stage.source import Sources

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Outside:
    """The app as it is served. The header that marks a request does not reach it."""

    def __init__(self, app: Any, header: str, record: Record, sources: Sources) -> None:
        self._app = app
        self._header = header.encode()
        self._record = record
        self._sources = sources
        #: Why it does not start.
        self.failure: BaseException | None = None

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        marked = [value.decode("latin-1") for name, value in scope["headers"] if name == self._header]
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != self._header]
        name = marked[-1] if marked else ""
        token = mark.set(name)
        self._record.begin(name)
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._record.exception(self._sources.sentence(error))
            raise
        finally:
            self._record.end(name)
            mark.reset(token)

    async def _live(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        try:
            await self._app(scope, receive, send)
        except BaseException as error:
            self.failure = error
            raise
