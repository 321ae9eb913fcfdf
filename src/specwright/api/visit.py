"""A request that reaches people's code: what its dependencies can ask of the backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from specwright.api.endpoints import unauthenticated
from specwright.api.exchange import Exchange
from specwright.api.request import Scope, refuse_repeats
from specwright.api.service import Service
from specwright.api.transaction import Transaction, committed
from specwright.api.violations import told
from specwright.auth import Unauthenticated
from specwright.model.caller import Caller
from specwright.sql.policies import identity

_KEY = "specwright"


class Visit:
    """Lies in the ASGI scope; the caller is found out once, by whoever asks first."""

    def __init__(self, service: Service, exchange: Exchange, caller: Caller | None = None) -> None:
        self.service = service
        self.exchange = exchange
        self.route = f"{exchange.method} {exchange.route}"
        #: The one that a derived route has begun, for its hooks.
        self.transaction: Transaction | None = None
        self._caller = caller
        exchange.scope[_KEY] = self

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        """The request's transaction, for hooks and actions: committed, or by an exception rolled back."""
        manifest = self.service.manifest
        with told(manifest):
            async with self.service.sessions.shared(identity(manifest, await self.caller())) as session:
                self.transaction = Transaction(session)
                await self.transaction.begin()
                yield self.transaction
        self.exchange.afterwards += self.transaction.afterwards
        committed(session, self.exchange)

    async def caller(self) -> Caller:
        """Who asks; the anonymous caller where no credential was sent.

        Raises:
            Problem: 401, the credential is not valid.
        """
        if self._caller is None:
            refuse_repeats(self.exchange.scope["headers"])
            credential = self.exchange.headers.get(b"authorization")
            given = None if credential is None else credential.decode("latin-1").strip()
            try:
                self._caller = await self.service.authentication.caller(given)
            except Unauthenticated as error:
                raise unauthenticated(error.detail) from None
            self.exchange.caller = self._caller.id
        return self._caller


def visit_of(scope: Scope) -> Visit:
    """The visit of a request's scope.

    Raises:
        LookupError: the application is not served by a backend.
    """
    found = scope.get(_KEY)
    if not isinstance(found, Visit):
        raise LookupError("Sessions and callers exist in requests to Backend().app alone.")
    return found
