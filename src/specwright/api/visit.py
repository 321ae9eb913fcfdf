"""A request that reaches people's code: what its dependencies can ask of the backend."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from specwright.api.exchange import Exchange
from specwright.api.problems import unauthenticated
from specwright.api.request import Scope, refuse_repeats
from specwright.api.service import Service
from specwright.api.transaction import Transaction, committed
from specwright.api.violations import told
from specwright.auth import Unauthenticated
from specwright.model.caller import Caller
from specwright.sql.identity import identity

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
            who = identity(manifest, await self.caller(), self.exchange.request_id)
            async with self.service.sessions.shared(who) as session:
                self.transaction = Transaction(session)
                await self.transaction.begin()
                yield self.transaction
        self.exchange.afterwards += self.transaction.afterwards
        committed(session, self.exchange)

    async def caller(self, places: Mapping[str, Any] = MappingProxyType({})) -> Caller:
        """Who asks, in the tenant that the request names; anonymous where no credential was sent.

        `places` are the parameters in the path of a route that people wrote, where one can be the tenant.

        Raises:
            Problem: 401, the credential is not valid; 400, what is named can be no tenant.
        """
        if self._caller is None:
            tenancy = self.service.tenancy
            refuse_repeats(self.exchange.scope["headers"], tenancy.header)
            credential = self.exchange.headers.get(b"authorization")
            given = None if credential is None else credential.decode("latin-1").strip()
            try:
                caller = await self.service.authentication.caller(given)
            except Unauthenticated as error:
                raise unauthenticated(error.detail) from None
            self.exchange.caller = caller.id
            self._caller = tenancy.visiting(caller, self.exchange.headers, places)
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
