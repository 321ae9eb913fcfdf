"""Letters as their spec has them, behind a cache with a place for each caller."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specwright import Backend

backend = Backend()
app = backend.app

#: An answer is for requests that have these in common.
VARY = (b"accept-encoding", b"authorization")


class Cache:
    """Answers a plain GET as it did before, until something is changed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[tuple[object, ...], list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or else keep what is answered."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        if scope["method"] != "GET" or any(name.startswith(b"if-") for name in headers):
            self.kept.clear()
            return await self.app(scope, receive, send)
        place = (scope["path"], scope["query_string"], *map(headers.get, VARY))
        answer: list[Message] = []

        async def sent(message: Message) -> None:
            answer.append(message)
            await send(message)

        if place not in self.kept:
            await self.app(scope, receive, sent)
            if answer and answer[0]["status"] == 200:
                self.kept[place] = answer
            return
        for message in self.kept[place]:
            await send(message)


app.add_middleware(Cache)
