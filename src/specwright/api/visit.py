"""A request that the application answers itself: what its dependencies can ask of the backend."""

from specwright.api.endpoints import unauthenticated
from specwright.api.exchange import Exchange
from specwright.api.request import Scope, refuse_repeats
from specwright.api.service import Service
from specwright.auth import Unauthenticated
from specwright.model.caller import Caller

_KEY = "specwright"


class Visit:
    """Lies in the ASGI scope; the caller is found out once, by whoever asks first."""

    def __init__(self, service: Service, exchange: Exchange, scope: Scope) -> None:
        self.service = service
        self.route = f"{exchange.method} {exchange.route}"
        self._exchange = exchange
        self._headers = scope["headers"]
        self._caller: Caller | None = None
        scope[_KEY] = self

    async def caller(self) -> Caller:
        """Who asks; the anonymous caller where no credential was sent.

        Raises:
            Problem: 401, the credential is not valid.
        """
        if self._caller is None:
            refuse_repeats(self._headers)
            credential = self._exchange.headers.get(b"authorization")
            given = None if credential is None else credential.decode("latin-1").strip()
            try:
                self._caller = await self.service.authentication.caller(given)
            except Unauthenticated as error:
                raise unauthenticated(error.detail) from None
            self._exchange.caller = self._caller.id
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
